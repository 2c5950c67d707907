"""System calls that make inter-canister calls."""

from __future__ import annotations

from devnet.errors import CandidError
from devnet.principal import MANAGEMENT_CANISTER, MAX_PRINCIPAL_BYTES, principal_text
from devnet.replica import prices
from devnet.replica.api import SECOND_NS
from devnet.replica.candid import decode_one
from devnet.replica.execution import ContractViolation, Execution, PendingCall
from devnet.replica.management.methods import METHODS
from devnet.replica.messages import Closure, OutgoingCall
from devnet.replica.system_api.memory import read, read_text
from devnet.replica.system_api.modes import Mode
from devnet.replica.system_api.table import system_call

_CALLERS = "U CQ Ry Rt CRy CRt T"
_COMPOSITE = Mode.CQ | Mode.CRy | Mode.CRt
_MAX_METHOD_NAME = 20_000
MAX_CALL_TIMEOUT_S = 300
_OK, _SYS_FATAL = 0, 2


@system_call("I I I I I I I I ->", _CALLERS)
def call_new(
    execution: Execution,
    callee_src: int,
    callee_size: int,
    name_src: int,
    name_size: int,
    reply_fun: int,
    reply_env: int,
    reject_fun: int,
    reject_env: int,
) -> None:
    discard_pending(execution)
    if callee_size > MAX_PRINCIPAL_BYTES:
        raise ContractViolation(f"ic0.call_new: callee of {callee_size} bytes is no principal")
    if name_size > _MAX_METHOD_NAME:
        raise ContractViolation(
            f"Size of method_name {name_size} exceeds the allowed limit of {_MAX_METHOD_NAME}."
        )
    execution.pending = PendingCall(
        read(execution, callee_src, callee_size),
        read_text(execution, name_src, name_size, "ic0.call_new: method name"),
        Closure(reply_fun, reply_env),
        Closure(reject_fun, reject_env),
    )


def discard_pending(execution: Execution) -> None:
    """Give back the cycles of a call that was never performed."""
    if execution.pending is not None:
        execution.balance += execution.pending.cycles
        execution.pending = None


def _pending(execution: Execution, call: str) -> PendingCall:
    if execution.pending is None:
        raise ContractViolation(f"{call} called when no call is under construction.")
    return execution.pending


@system_call("I I ->", _CALLERS)
def call_on_cleanup(execution: Execution, fun: int, env: int) -> None:
    pending = _pending(execution, "ic0.call_on_cleanup")
    if pending.on_cleanup is not None:
        raise ContractViolation(
            "ic0.call_on_cleanup can be called at most once between call_new and call_perform."
        )
    pending.on_cleanup = Closure(fun, env)


@system_call("I I ->", _CALLERS)
def call_data_append(execution: Execution, src: int, size: int) -> None:
    pending = _pending(execution, "ic0.call_data_append")
    total = len(pending.arg) + size
    if total > execution.limits.request_bytes:
        raise ContractViolation(
            f"Request to {principal_text(pending.callee)}:{pending.method} has a payload size of {total}, "
            f"which exceeds the allowed limit of {execution.limits.request_bytes}."
        )
    pending.arg += read(execution, src, size)


@system_call("i32 ->", _CALLERS)
def call_with_best_effort_response(execution: Execution, timeout_seconds: int) -> None:
    pending = _pending(execution, "ic0.call_with_best_effort_response")
    if pending.timeout is not None:
        raise ContractViolation("ic0.call_with_best_effort_response can be called at most once per call.")
    pending.timeout = min(timeout_seconds, MAX_CALL_TIMEOUT_S)


def _add_cycles(execution: Execution, amount: int, call: str) -> None:
    pending = _pending(execution, call)
    if amount > execution.liquid:
        raise ContractViolation(
            f"{call}: {amount} cycles cannot be sent, only {execution.liquid} are available for spending."
        )
    execution.balance -= amount
    pending.cycles += amount


@system_call("i64 ->", "U Ry Rt T", only_32=True)
def call_cycles_add(execution: Execution, amount: int) -> None:
    _add_cycles(execution, amount, "ic0.call_cycles_add")


@system_call("i64 i64 ->", "U Ry Rt T")
def call_cycles_add128(execution: Execution, high: int, low: int) -> None:
    _add_cycles(execution, high << 64 | low, "ic0.call_cycles_add128")


@system_call("-> i32", _CALLERS)
def call_perform(execution: Execution) -> int:
    pending = _pending(execution, "ic0.call_perform")
    _check_sender_version(execution, pending)
    composite = bool(execution.mode & _COMPOSITE)
    reserved = 0 if composite else prices.response_reservation(execution.limits)
    fee = 0 if composite else prices.call(len(pending.arg) + len(pending.method.encode()))
    if not composite and (execution.liquid < reserved + fee or _queue_is_full(execution, pending.callee)):
        discard_pending(execution)
        return _SYS_FATAL
    execution.balance -= reserved + fee
    execution.transmission += fee
    execution.calls.append(
        OutgoingCall(
            pending.callee,
            pending.method,
            bytes(pending.arg),
            pending.cycles,
            pending.on_reply,
            pending.on_reject,
            pending.on_cleanup,
            reserved,
            0 if pending.timeout is None else execution.now + pending.timeout * SECOND_NS,
        )
    )
    execution.pending = None
    return _OK


def _check_sender_version(execution: Execution, pending: PendingCall) -> None:
    """`sender_canister_version` of a management call is compared with the version that makes the call."""
    known = METHODS.get(pending.method) if pending.callee == MANAGEMENT_CANISTER else None
    if known is None or known.argument is None:
        return
    try:
        argument = decode_one(known.argument, bytes(pending.arg))
    except CandidError:
        return  # which the management canister will say
    version = argument.get("sender_canister_version") if isinstance(argument, dict) else None
    if version is not None and version != execution.canister.version:
        raise ContractViolation(
            f"ic0.call_perform: sender_canister_version {version} of {pending.method} is not the canister's "
            f"own version {execution.canister.version}"
        )


def _queue_is_full(execution: Execution, callee: bytes) -> bool:
    waiting = execution.canister.calls_to(callee) + sum(call.callee == callee for call in execution.calls)
    return waiting >= execution.limits.canister_queue
