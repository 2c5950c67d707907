"""Canisters that are part of the node, not Wasm modules: what they and the replica need of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from devnet.replica.api import CanisterView, Reject
from devnet.replica.messages import Call

if TYPE_CHECKING:
    from devnet.replica.management.canister import Management

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
    """The native canisters of a subnet, if it has any, and their state."""

    def __init__(self) -> None:
        self.state = NativeState()
        self._canisters: NativeCanisters | None = None
        self._views: dict[bytes, CanisterView] = {}

    def install(self, canisters: NativeCanisters) -> None:
        """Begin to answer for these canisters, which keep what they know in `state`."""
        self._canisters = canisters
        for identifier in canisters.ids:
            metadata = {"candid:service": canisters.interface(identifier).encode()}
            self._views[identifier] = CanisterView(identifier, None, canisters.controllers, b"", metadata, {})

    def __contains__(self, canister_id: bytes) -> bool:
        return canister_id in self._views

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._views)

    def view(self, canister_id: bytes) -> CanisterView:
        """What the state tree shows of one: no module, since there is none, but its interface."""
        return self._views[canister_id]

    def check(self, canister_id: bytes, method: str) -> None:
        """Raises `Reject` if a message to this method would certainly fail."""
        self._installed.check(canister_id, method)

    def execute(self, call: Call, now: int) -> tuple[bytes | Reject, int]:
        """Answer of a queued call, and the cycles to refund."""
        try:
            return self._installed.execute(call.callee, call.caller, call.method, call.arg, call.cycles, now)
        except Reject as reject:
            return reject, call.cycles

    def query(self, canister_id: bytes, caller: bytes, method: str, arg: bytes, now: int) -> bytes | Reject:
        """Answer of a query."""
        try:
            return self._installed.query(canister_id, caller, method, arg, now)
        except Reject as reject:
            return reject

    @property
    def _installed(self) -> NativeCanisters:
        assert self._canisters is not None
        return self._canisters
