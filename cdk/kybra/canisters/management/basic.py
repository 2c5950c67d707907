"""Canisters' lifecycle: the records of `create_canister`, `install_code`, `canister_status` and the like.

A callee that knows more fields than these reads them as absent; answers with more fields are read without
them (Candid subtyping), so these types keep working as the management canister grows.
"""

from kybra import Opt, Principal, Record, Variant, Vec, blob, nat, null


class CanisterSettings(Record):
    """Settings to change; None leaves one as it is. Allocations: percent, bytes; the threshold: seconds."""

    controllers: Opt[Vec[Principal]]
    compute_allocation: Opt[nat]
    memory_allocation: Opt[nat]
    freezing_threshold: Opt[nat]


class DefiniteCanisterSettings(Record):
    """Settings in force."""

    controllers: Vec[Principal]
    compute_allocation: nat
    memory_allocation: nat
    freezing_threshold: nat


class CreateCanisterArgs(Record):
    """`create_canister`; cycles for the new canister are attached to the call."""

    settings: Opt[CanisterSettings]


class CreateCanisterResult(Record):
    """The new canister."""

    canister_id: Principal


class UpdateSettingsArgs(Record):
    """`update_settings`."""

    canister_id: Principal
    settings: CanisterSettings


class InstallCodeMode(Variant, total=False):
    """Into an empty canister, anew over its state, or keeping stable memory."""

    install: null
    reinstall: null
    upgrade: null


class InstallCodeArgs(Record):
    """`install_code`; `arg` is the Candid message for `@init` or `@post_upgrade`."""

    mode: InstallCodeMode
    canister_id: Principal
    wasm_module: blob
    arg: blob


class UninstallCodeArgs(Record):
    """`uninstall_code`."""

    canister_id: Principal


class StartCanisterArgs(Record):
    """`start_canister`."""

    canister_id: Principal


class StopCanisterArgs(Record):
    """`stop_canister`."""

    canister_id: Principal


class CanisterStatusArgs(Record):
    """`canister_status`, for a controller or the canister itself."""

    canister_id: Principal


class CanisterStatus(Variant, total=False):
    """Whether a canister runs."""

    running: null
    stopping: null
    stopped: null


class CanisterStatusResult(Record):
    """What a canister is, holds and costs; sizes in bytes."""

    status: CanisterStatus
    settings: DefiniteCanisterSettings
    module_hash: Opt[blob]
    memory_size: nat
    cycles: nat


class DeleteCanisterArgs(Record):
    """`delete_canister`, which must be stopped."""

    canister_id: Principal


class DepositCyclesArgs(Record):
    """`deposit_cycles`; the cycles are attached to the call."""

    canister_id: Principal


class ProvisionalCreateCanisterWithCyclesArgs(Record):
    """`provisional_create_canister_with_cycles`, on local networks only."""

    amount: Opt[nat]
    settings: Opt[CanisterSettings]


class ProvisionalCreateCanisterWithCyclesResult(Record):
    """The new canister."""

    canister_id: Principal


class ProvisionalTopUpCanisterArgs(Record):
    """`provisional_top_up_canister`, on local networks only."""

    canister_id: Principal
    amount: nat
