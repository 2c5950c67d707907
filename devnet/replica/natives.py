"""Canisters that are part of the node, not Wasm modules: what they and the replica need of each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from devnet.replica.api import CanisterView, Query, Reject
from devnet.replica.messages import Call

if TYPE_CHECKING:
    from devnet.replica.management.canister import Management
    from devnet.replica.subnet import Subnet

_ABSENT = object()


class NativeState:
    """Values by name, saved with the replica's state; a value is anything that CBOR can hold.

    What a message wrote is undone by `rollback`, as the writes of a canister that traps are.
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.changed: set[str] = set()
        """Names written or deleted since they were last saved."""
        self._before: dict[str, Any] = {}

    def get(self, name: str, default: Any = None) -> Any:
        return self.values.get(name, default)

    def put(self, name: str, value: Any) -> None:
        self._remember(name)
        self.values[name] = value

    def delete(self, name: str) -> None:
        """Fine if there is no such value."""
        self._remember(name)
        self.values.pop(name, None)

    def commit(self) -> None:
        """Keep what was written since the last commit."""
        self.changed.update(self._before)
        self._before.clear()

    def rollback(self) -> None:
        """Return to the state of the last commit."""
        for name, value in self._before.items():
            if value is _ABSENT:
                self.values.pop(name, None)
            else:
                self.values[name] = value
        self._before.clear()

    def _remember(self, name: str) -> None:
        self._before.setdefault(name, self.values.get(name, _ABSENT))


class NativeCanisters(Protocol):
    """All native canisters of a node."""

    @property
    def ids(self) -> frozenset[bytes]: ...

    @property
    def controllers(self) -> tuple[bytes, ...]: ...

    def interface(self, canister_id: bytes) -> str:
        """The Candid interface of one of them."""

    def check(self, canister_id: bytes, method: str) -> None:
        """Raises `Reject` if a message to this method would certainly fail."""

    def query(self, canister_id: bytes, caller: bytes, method: str, arg: bytes, now: int) -> bytes:
        """Reply of a query; failures are raised as `Reject`."""

    def execute(
        self, canister_id: bytes, caller: bytes, method: str, arg: bytes, cycles: int, now: int
    ) -> tuple[bytes, int]:
        """Reply of a call, and the attached cycles to refund; failures are raised as `Reject`."""


class NativeServices:
    """What native canisters may ask of the subnet."""

    def __init__(self, management: Management, subnet_id: bytes) -> None:
        self._management = management
        self.subnet_id = subnet_id

    def create_canister(self, creator: bytes, cycles: int, settings: dict[str, Any]) -> bytes:
        """Create a canister with these cycles less the fee; returns its id.

        Raises:
            Reject: too few cycles, or invalid settings.
        """
        return self._management.create_for_canister(creator, cycles, settings)

    def deposit_cycles(self, canister: bytes, cycles: int) -> None:
        """Add to a canister's balance.

        Raises:
            Reject: there is no such canister.
        """
        self._management.subnet.canister(canister).cycles += cycles


MakeNatives = Callable[[NativeServices, NativeState], NativeCanisters]


class NativeRunner:
    """Answers queued calls to native canisters."""

    def __init__(self, subnet: Subnet, canisters: NativeCanisters) -> None:
        self._subnet = subnet
        self.canisters = canisters
        subnet.native_ids = canisters.ids
        self._views = {identifier: self._view(identifier) for identifier in canisters.ids}

    def execute(self, call: Call) -> None:
        """Run a call and answer it."""
        result: bytes | Reject
        try:
            result, refund = self.canisters.execute(
                call.callee, call.caller, call.method, call.arg, call.cycles, self._subnet.now()
            )
        except Reject as reject:
            result, refund = reject, call.cycles
        self._subnet.respond(call.origin, result, refund)

    def query(self, query: Query) -> bytes:
        """Reply of a query; failures are raised as `Reject`."""
        return self.canisters.query(
            query.canister_id, query.sender, query.method, query.arg, self._subnet.now()
        )

    def view(self, canister_id: bytes) -> CanisterView:
        """What the state tree shows of one: no module, since there is none, but its interface."""
        return self._views[canister_id]

    def _view(self, canister_id: bytes) -> CanisterView:
        interface = self.canisters.interface(canister_id).encode()
        return CanisterView(
            canister_id, None, self.canisters.controllers, b"", {"candid:service": interface}, {}
        )
