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
        ingress: updates of users are accepted too.
    """

    name: str
    argument: CandidType | None
    result: CandidType | None
    callers: Callers
    handler: Handler
    subject: str
    query: bool
    update: bool
    ingress: bool


METHODS: dict[str, Method] = {}

_BITCOIN = (
    "the Bitcoin API is deprecated and there is no Bitcoin network here; call a Bitcoin canister instead"
)
UNSUPPORTED = {
    "bitcoin_get_balance": _BITCOIN,
    "bitcoin_get_utxos": _BITCOIN,
    "bitcoin_send_transaction": _BITCOIN,
    "bitcoin_get_current_fee_percentiles": _BITCOIN,
    "bitcoin_get_block_headers": _BITCOIN,
    "flexible_http_request": "this network has a single node; use http_request",
}
"""Methods of the specification that are not part of this network, and why."""


def method(
    argument: CandidType | None,
    result: CandidType | None,
    callers: Callers,
    *,
    subject: str = "canister_id",
    query: bool = False,
    update: bool = True,
    ingress: bool = True,
) -> Callable[[Handler], Handler]:
    """Register the decorated function under its own name."""

    def register(handler: Handler) -> Handler:
        name = handler.__name__
        METHODS[name] = Method(name, argument, result, callers, handler, subject, query, update, ingress)
        return handler

    return register


def is_controller(canister: Canister, caller: bytes) -> bool:
    """Whether the caller may control the canister; every canister may control itself."""
    return caller in canister.settings.controllers or caller == canister.id
