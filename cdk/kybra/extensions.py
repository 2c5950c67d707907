"""What stock Kybra does not have: typed Candid for raw calls, and system calls that `ic` has no name for.

A canister that imports this module needs our cdk, unless it does so in a `try` and has another way at
`except ImportError`.
"""

from __future__ import annotations

import sys

import _ic0

from cdk.candid.codec import Codec
from cdk.candid.principal import Principal

from .annotations import PROGRAMS, candid_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PEER = "PUBLIC_CANISTER_ID:"
"""Before a canister's name: a variable that the `icp` command line sets on every canister of a project."""

_codecs: dict[int, tuple[Any, Codec]] = {}


def candid_encode_typed(annotation: Any, value: Any) -> bytes:
    """The Candid message of one value of the annotated type, for `ic.call_raw`.

    CandidError names what does not fit. Codecs are kept, so name the annotation once at module level.
    """
    return _codec(annotation).encode((value,))


def candid_decode_typed(annotation: Any, data: bytes) -> Any:
    """The value in the Candid message `data`, read as the annotated type; CandidError if it cannot be."""
    return _codec(annotation).decode(data)[0]


def _codec(annotation: Any) -> Codec:
    known = _codecs.get(id(annotation))
    if known is None:
        type = candid_type(annotation, sys._getframe(2).f_globals)
        known = _codecs[id(annotation)] = (annotation, Codec([type], PROGRAMS))  # keeps the id taken
    return known[1]


# Surroundings


def environment_variable(name: str) -> str | None:
    """The variable of that name in the canister's settings, or None."""
    return _ic0.env_var_value(name)


def environment_variables() -> dict[str, str]:
    """All of them."""
    names = [_ic0.env_var_name(index) for index in range(_ic0.env_var_count())]
    return {name: _ic0.env_var_value(name) or "" for name in names}


def peer_canister(name: str) -> Principal | None:
    """The canister that the project calls `name`, or None where no tool has told.

    Raises: ValueError when what was told is no principal.
    """
    text = _ic0.env_var_value(PEER + name)
    return None if text is None else Principal.from_str(text)


def is_controller(principal: Principal) -> bool:
    """Whether `principal` controls this canister."""
    return _ic0.is_controller(principal.bytes)


def root_key() -> bytes:
    """The network's public key, DER. Traps in a query that runs on one node only."""
    return _ic0.root_key()


def subnet_id() -> Principal:
    """The subnet that this canister is on."""
    return Principal(_ic0.subnet_self())


def subnet_node_count() -> int:
    """How many nodes that subnet has."""
    return _ic0.subnet_self_node_count()


def caller_info_data() -> bytes:
    """What the canister that signed for the caller says of them; empty if none did."""
    return _ic0.msg_caller_info_data()


def caller_info_signer() -> Principal | None:
    """The canister that signed for the caller."""
    signer = _ic0.msg_caller_info_signer()
    return Principal(signer) if signer else None


def deadline() -> int:
    """When the caller stops waiting, in nanoseconds since 1970; 0: never."""
    return _ic0.msg_deadline()


def in_replicated_execution() -> bool:
    """Whether every node of the subnet executes this message."""
    return _ic0.in_replicated_execution()


# Cycles


def liquid_cycle_balance() -> int:
    """Cycles that can be spent before the canister freezes."""
    return _ic0.canister_liquid_cycle_balance()


def burn_cycles(most: int) -> int:
    """Destroy at most so many cycles; answers how many."""
    return _ic0.cycles_burn(most)


def cost_of_call(method: str, argument_size: int) -> int:
    """Cycles to send a call, beside those attached to it."""
    return _ic0.cost_call(len(method.encode()), argument_size)


def cost_of_create_canister() -> int:
    """Cycles to create a canister."""
    return _ic0.cost_create_canister()


def cost_of_http_request(request_size: int, max_response_bytes: int) -> int:
    """Cycles for an HTTPS outcall that every node makes."""
    return _ic0.cost_http_request(request_size, max_response_bytes)


def cost_of_http_request_v2(parameters: bytes) -> int:
    """The same by more parameters, in Candid (interface specification, `ic0.cost_http_request_v2`)."""
    return _ic0.cost_http_request_v2(parameters)


def cost_of_sign_with_ecdsa(key_name: str, curve: int = 0) -> int:
    """Cycles for a threshold ECDSA signature. ValueError: the network has no such curve or key."""
    return _ic0.cost_sign_with_ecdsa(key_name, curve)


def cost_of_sign_with_schnorr(key_name: str, algorithm: int) -> int:
    """The same for Schnorr: algorithm 0 is BIP-340, 1 Ed25519."""
    return _ic0.cost_sign_with_schnorr(key_name, algorithm)


def cost_of_vetkd_derive_key(key_name: str, curve: int = 0) -> int:
    """Cycles for one derived key. ValueError: the network has no such curve or key."""
    return _ic0.cost_vetkd_derive_key(key_name, curve)
