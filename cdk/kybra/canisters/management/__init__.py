"""The management canister, `aaaaa-aa` (IC interface specification, "The IC management canister").

Only what has no options worth describing; make other calls with `ic.call_raw` and `kybra.extensions`.
"""

from cdk.candid.principal import Principal

from ...service import Service, service_update
from ...types import Record, Variant, blob, nat


class CanisterIdArgs(Record):
    """Names a canister."""

    canister_id: Principal


class CanisterStatus(Variant, total=False):
    """Whether a canister runs."""

    running: None
    stopping: None
    stopped: None


class CanisterStatusResult(Record):
    """The part of a canister's status that has never changed."""

    status: CanisterStatus
    memory_size: nat
    cycles: nat


class ManagementCanister(Service):
    """The management canister's methods."""

    @service_update
    def raw_rand(self) -> blob:
        """32 random bytes."""
        raise NotImplementedError

    @service_update
    def canister_status(self, args: CanisterIdArgs) -> CanisterStatusResult:
        """Status, memory and cycles of a canister that the caller controls."""
        raise NotImplementedError

    @service_update
    def start_canister(self, args: CanisterIdArgs) -> None:
        """Start a canister."""

    @service_update
    def stop_canister(self, args: CanisterIdArgs) -> None:
        """Stop a canister."""

    @service_update
    def deposit_cycles(self, args: CanisterIdArgs) -> None:
        """Give a canister the attached cycles."""


management_canister = ManagementCanister(Principal.management_canister())
