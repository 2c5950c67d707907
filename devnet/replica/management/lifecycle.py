"""Management methods that create, configure, run, stop and remove canisters, and move cycles to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devnet.replica import prices, rejects
from devnet.replica.canister import Canister, Settings, Status
from devnet.replica.management import interface
from devnet.replica.management.methods import Callers, Deferred, method
from devnet.replica.management.settings import changed, environment_hash
from devnet.replica.messages import StopRequest

if TYPE_CHECKING:
    from devnet.replica.management.canister import Management, ManagementCall


@method(interface.CREATE_ARGS, interface.CANISTER, Callers.CANISTERS, subject="")
def create_canister(management: Management, call: ManagementCall, argument: Any) -> Any:
    settings = _initial_settings(call, argument)
    fee = prices.CREATE_CANISTER
    if call.cycles < fee:
        raise rejects.insufficient_cycles(
            f"Creating a canister requires a fee of {fee} that is deducted from the canister's initial "
            f"balance but only {call.cycles} cycles were received with the create_canister request."
        )
    created = management.subnet.create_canister(call.cycles - fee)
    created.consumed.canister_creation += fee
    call.cycles = 0
    return _created(management, call, created, settings, argument)


@method(interface.PROVISIONAL_CREATE_ARGS, interface.CANISTER, Callers.ANYONE, subject="")
def provisional_create_canister_with_cycles(
    management: Management, call: ManagementCall, argument: Any
) -> Any:
    settings = _initial_settings(call, argument)
    amount = argument["amount"]
    cycles = management.limits.initial_cycles if amount is None else amount
    created = management.subnet.create_canister(cycles, argument["specified_id"])
    return _created(management, call, created, settings, argument)


def _initial_settings(call: ManagementCall, argument: Any) -> Settings:
    return changed(Settings(controllers=(call.caller,)), argument["settings"] or {})


def _created(
    management: Management, call: ManagementCall, created: Canister, settings: Settings, argument: Any
) -> Any:
    created.settings = settings
    created.log.resize(settings.log_memory_limit)
    call.target = created
    version = argument["sender_canister_version"]
    given = (argument["settings"] or {}).get("environment_variables") is not None
    management.record(
        call,
        "creation",
        version,
        controllers=settings.controllers,
        environment_hash=environment_hash(settings.environment_variables) if given else None,
    )
    return {"canister_id": created.id}


@method(interface.TOP_UP_ARGS, None, Callers.ANYONE)
def provisional_top_up_canister(management: Management, call: ManagementCall, argument: Any) -> None:
    call.canister.cycles += argument["amount"]


@method(interface.CANISTER, None, Callers.CANISTERS)
def deposit_cycles(management: Management, call: ManagementCall, argument: Any) -> None:
    call.canister.cycles += call.cycles
    call.cycles = 0


@method(interface.UPDATE_SETTINGS_ARGS, None, Callers.CONTROLLERS)
def update_settings(management: Management, call: ManagementCall, argument: Any) -> None:
    canister = call.canister
    canister.settings = changed(canister.settings, argument["settings"])
    canister.log.resize(canister.settings.log_memory_limit)
    canister.version += 1
    if argument["settings"]["controllers"] is not None:
        version = argument["sender_canister_version"]
        management.record(call, "controllers_change", version, controllers=canister.settings.controllers)


@method(interface.CANISTER, None, Callers.CONTROLLERS)
def start_canister(management: Management, call: ManagementCall, argument: Any) -> None:
    canister = call.canister
    if canister.status is Status.RUNNING:
        return
    canister.status = Status.RUNNING
    canister.version += 1
    waiters, canister.stop_waiters = canister.stop_waiters, []
    for waiter in waiters:
        reject = rejects.stop_cancelled(canister.id)
        management.subnet.respond(waiter.call.origin, reject, waiter.call.cycles)


@method(interface.CANISTER, None, Callers.CONTROLLERS)
def stop_canister(management: Management, call: ManagementCall, argument: Any) -> Any:
    canister = call.canister
    if canister.status is Status.STOPPED:
        return None
    if canister.status is Status.RUNNING:
        canister.status = Status.STOPPING
        canister.version += 1
    assert call.original is not None
    deadline = management.subnet.now() + management.limits.stop_timeout_ns
    canister.stop_waiters.append(StopRequest(call.original, deadline))
    management.processor.finish_stopping(canister)
    return Deferred()


@method(interface.CANISTER, None, Callers.CONTROLLERS)
def delete_canister(management: Management, call: ManagementCall, argument: Any) -> None:
    canister = call.canister
    if call.caller == canister.id:
        raise rejects.cannot_delete_itself(canister.id)
    if canister.status is not Status.STOPPED:
        raise rejects.not_stopped(canister.id)
    management.subnet.remove_canister(canister)


@method(interface.VERSIONED_CANISTER, None, Callers.CONTROLLERS)
def uninstall_code(management: Management, call: ManagementCall, argument: Any) -> None:
    management.installer.uninstall(call.canister)
    management.processor.finish_stopping(call.canister)
    management.record(call, "code_uninstall", argument["sender_canister_version"])
