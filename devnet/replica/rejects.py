"""The rejects the system makes, worded as on the Internet Computer so that clients and tools recognise them.

Source: interface specification, "Reject codes"; execution errors page of the developer documentation.
"""

from __future__ import annotations

from collections.abc import Sequence

from devnet.principal import principal_text
from devnet.replica.api import Reject, RejectCode


def _reject(number: int, message: str, code: RejectCode | None = None) -> Reject:
    """The first digit of an error code is the reject code, unless said otherwise."""
    return Reject(code or RejectCode(number // 100), message, f"IC{number:04}")


def queue_full(canister_id: bytes) -> Reject:
    return _reject(
        201, f"Canister {principal_text(canister_id)} has too many messages in its queue; retry later."
    )


def ingress_expired(canister_id: bytes) -> Reject:
    return _reject(
        202,
        f"Ingress message for canister {principal_text(canister_id)} timed out waiting to start executing.",
    )


def out_of_cycles(canister_id: bytes, needed: int) -> Reject:
    return _reject(
        207,
        f"Canister {principal_text(canister_id)} is out of cycles: "
        f"please top up the canister with at least {max(needed, 1)} additional cycles",
    )


def id_taken(canister_id: bytes) -> Reject:
    return _reject(205, f"Canister id {principal_text(canister_id)} is already in use.")


def no_metadata(canister_id: bytes, name: str) -> Reject:
    return _reject(
        305, f"Canister {principal_text(canister_id)} has no metadata section '{name}' that you may read."
    )


def invalid_settings(why: str) -> Reject:
    return _reject(403, f"Could not validate the settings: Invalid settings: {why}")


def chunk_store(why: str) -> Reject:
    return _reject(404, f"Error from Wasm chunk store: {why}")


def no_snapshot(canister_id: bytes, snapshot_id: bytes) -> Reject:
    return _reject(
        408, f"Could not find the snapshot ID {snapshot_id.hex()} for canister {principal_text(canister_id)}."
    )


def too_many_snapshots(canister_id: bytes, most: int) -> Reject:
    return _reject(
        407,
        f"Canister {principal_text(canister_id)} has the maximum number of snapshots allowed: {most}.",
    )


def snapshot_data(why: str) -> Reject:
    return _reject(409, f"Invalid snapshot data: {why}")


def cannot_delete_itself(canister_id: bytes) -> Reject:
    return _reject(405, f"Canister {principal_text(canister_id)} cannot delete itself.")


def canister_not_found(canister_id: bytes) -> Reject:
    return _reject(301, f"Canister {principal_text(canister_id)} not found.")


def no_management_method(method: str) -> Reject:
    return _reject(302, f"Management canister has no method '{method}'")


def unsupported_management_method(method: str, why: str) -> Reject:
    return _reject(302, f"Management canister method '{method}' is not supported on this network: {why}.")


def invalid_management_payload(method: str, why: str) -> Reject:
    return _reject(402, f"Management canister method '{method}' called with an invalid argument: {why}")


def outcall_interrupted() -> Reject:
    return _outcall_failed(
        "The node was started again while the HTTP request was under way; nobody knows what became of it.",
        RejectCode.SYS_TRANSIENT,
    )


def outcall_too_large(size: int, most: int) -> Reject:
    return _outcall_failed(
        f"Transformed http response exceeds limit: {size} bytes are more than {most}.", RejectCode.SYS_FATAL
    )


def outcall_over_budget(cost: int, budget: int) -> Reject:
    return canister_rejected(
        f"The HTTP outcall used {cost} cycles beyond its base fee, but only {budget} were attached for that."
    )


def _outcall_failed(message: str, code: RejectCode) -> Reject:
    """What is said of an outcall carries no error code in front, as on the Internet Computer."""
    return Reject(code, message, CANISTER_REJECTED)


CANISTER_REJECTED = "IC0406"


def canister_rejected(message: str) -> Reject:
    return _reject(406, message)


def _canister_error(number: int, canister_id: bytes, message: str) -> Reject:
    return _reject(number, f"Error from Canister {principal_text(canister_id)}: {message}")


def trapped(canister_id: bytes, reason: str) -> Reject:
    return _canister_error(502, canister_id, f"Canister trapped: {reason}")


def called_trap(canister_id: bytes, message: str) -> Reject:
    return _canister_error(503, canister_id, f"Canister called `ic0.trap` with message: '{message}'")


def violated_contract(canister_id: bytes, what: str) -> Reject:
    return _canister_error(504, canister_id, f"Canister violated contract: {what}")


def invalid_module(canister_id: bytes, why: str) -> Reject:
    return _canister_error(505, canister_id, f"Canister's Wasm module is not valid: {why}")


def did_not_reply(canister_id: bytes) -> Reject:
    return _canister_error(506, canister_id, "Canister did not reply to the call")


def stopped(canister_id: bytes) -> Reject:
    return _reject(508, f"Canister {principal_text(canister_id)} is stopped")


def stopping(canister_id: bytes) -> Reject:
    return _reject(509, f"Canister {principal_text(canister_id)} is stopping")


def uninstalled(canister_id: bytes) -> Reject:
    return _reject(
        511, f"Canister {principal_text(canister_id)} has been uninstalled.", RejectCode.CANISTER_REJECT
    )


def not_stopped(canister_id: bytes) -> Reject:
    return _reject(510, f"Canister {principal_text(canister_id)} must be stopped before it is deleted.")


def stop_timed_out(canister_id: bytes) -> Reject:
    return _reject(
        206,
        f"Stop canister request for {principal_text(canister_id)} timed out: it still waits for responses.",
    )


def stop_cancelled(canister_id: bytes) -> Reject:
    return _reject(511, f"Canister {principal_text(canister_id)}'s stop request was cancelled.")


def not_controller(canister_id: bytes, controllers: Sequence[bytes], sender: bytes) -> Reject:
    listed = " ".join(principal_text(controller) for controller in controllers)
    return _reject(
        512,
        f"Only the controllers of the canister {principal_text(canister_id)} can control it.\n"
        f"Canister's controllers: {listed}\nSender's ID: {principal_text(sender)}",
    )


def function_not_found(canister_id: bytes, what: str) -> Reject:
    return _canister_error(513, canister_id, f"Canister requested a function that does not exist: {what}")


def not_empty(canister_id: bytes) -> Reject:
    return _reject(
        514,
        f"Canister {principal_text(canister_id)} cannot be installed because the canister is not empty. "
        "Try installing with mode='reinstall' instead.",
    )


def call_loop(canister_id: bytes) -> Reject:
    return _reject(
        517, f"Canister {principal_text(canister_id)} is already part of this composite query's calls."
    )


def not_allowed(message: str) -> Reject:
    """The message may not be sent by this kind of caller."""
    return _reject(516, message, RejectCode.CANISTER_REJECT)


def refused_by_inspection(canister_id: bytes) -> Reject:
    return _reject(
        516,
        f"Canister {principal_text(canister_id)} rejected the message during its inspection.",
        RejectCode.CANISTER_REJECT,
    )


def insufficient_cycles(message: str) -> Reject:
    return _reject(520, message)


def instruction_limit(canister_id: bytes) -> Reject:
    return _canister_error(
        522, canister_id, "Canister exceeded the instruction limit for single message execution."
    )


def composite_in_replicated_mode(method: str) -> Reject:
    return _reject(527, f"Composite query '{method}' cannot be called in replicated mode.")


def method_not_found(canister_id: bytes, kind: str, method: str) -> Reject:
    return _canister_error(536, canister_id, f"Canister has no {kind} method '{method}'.")


def no_module(canister_id: bytes) -> Reject:
    return _canister_error(
        537, canister_id, "Attempted to execute a message, but the canister contains no Wasm module."
    )


def heap_limit(canister_id: bytes, limit: int, size: int) -> Reject:
    return _canister_error(
        539,
        canister_id,
        f"Canister exceeded its current Wasm memory limit of {limit} bytes. "
        f"The peak Wasm memory usage was {size} bytes.",
    )


def deadline_expired() -> Reject:
    return _reject(601, "Call deadline has expired.")


def internal(message: str) -> Reject:
    return _reject(101, message)
