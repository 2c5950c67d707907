"""The table of management methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from devnet.replica.candid import CandidType
from devnet.replica.canister import Canister

if TYPE_CHECKING:
    from devnet.replica.management.canister import Management, ManagementCall


class Callers(Enum):
    """Who may call a method."""

    ANYONE = auto()
    CANISTERS = auto()
    CONTROLLERS = auto()
    """Controllers of the canister that the argument names, and that canister itself."""


class Deferred:
    """Returned by a method whose answer comes later."""


Handler = Callable[["Management", "ManagementCall", Any], Any]


@dataclass(frozen=True)
class Method:
    """One method.

    Args:
        subject: the field of the argument that names the canister it is about; empty without one.
        query: may be called as a query.
        update: may be called by an update or inter-canister call.
    """

    name: str
    argument: CandidType | None
    result: CandidType | None
    callers: Callers
    handler: Handler
    subject: str
    query: bool
    update: bool


METHODS: dict[str, Method] = {}


def method(
    argument: CandidType | None,
    result: CandidType | None,
    callers: Callers,
    *,
    subject: str = "canister_id",
    query: bool = False,
    update: bool = True,
) -> Callable[[Handler], Handler]:
    """Register the decorated function under its own name."""

    def register(handler: Handler) -> Handler:
        name = handler.__name__
        METHODS[name] = Method(name, argument, result, callers, handler, subject, query, update)
        return handler

    return register


def is_controller(canister: Canister, caller: bytes) -> bool:
    """Whether the caller may control the canister; every canister may control itself."""
    return caller in canister.settings.controllers or caller == canister.id
