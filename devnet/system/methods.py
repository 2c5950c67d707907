"""Tables of the methods of system canisters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from devnet.replica.candid import CandidType, Variant
from devnet.replica.natives import NativeState
from devnet.system.errors import Refused


@dataclass
class SystemCall:
    """One call in progress.

    Args:
        now: ns.
        cycles: attached and not accepted yet; what is left is refunded.
    """

    caller: bytes
    now: int
    cycles: int = 0

    def accept_all(self) -> int:
        """Take the attached cycles."""
        taken, self.cycles = self.cycles, 0
        return taken


Handler = Callable[[SystemCall, Any], Any]


@dataclass(frozen=True)
class Method:
    """One method; `argument` None: it takes none, or ignores it."""

    name: str
    argument: CandidType | None
    result: CandidType
    query: bool
    handler: Handler


class SystemCanister:
    """A canister of the node's own: an id and a table of methods."""

    def __init__(self, identifier: bytes, name: str, state: NativeState) -> None:
        self.id = identifier
        self.name = name
        self.state = state
        self.methods: dict[str, Method] = {}

    def query(self, name: str, argument: CandidType | None, result: CandidType, handler: Handler) -> None:
        """Add a query method."""
        self.methods[name] = Method(name, argument, result, True, handler)

    def update(self, name: str, argument: CandidType | None, result: CandidType, handler: Handler) -> None:
        """Add an update method."""
        self.methods[name] = Method(name, argument, result, False, handler)

    def update_result(self, name: str, argument: CandidType, result: Variant, handler: Handler) -> None:
        """Add an update method that answers `Ok` with what the handler returns, `Err` with the refusal."""

        def answer(call: SystemCall, value: Any) -> tuple[str, Any]:
            try:
                return "Ok", handler(call, value)
            except Refused as refused:
                self.state.rollback()
                return "Err", (refused.case, refused.content)

        self.update(name, argument, result, answer)
