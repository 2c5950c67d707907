"""One harmless call of each function of `ic0`, that does not trap where the function may be called."""

from __future__ import annotations

from devnet.replica.candid import NAT64, Record, encode_one
from tests.devnet.conformance.imports import IMPORTS
from tests.devnet.conformance.program import (
    CALLBACK,
    Program,
    allocate,
    blob,
    call,
    keep,
)

VARIABLE, VALUE = "NAME", "value"
"""Environment variable that the canister must have."""

_OUTCALL = (
    "request_bytes",
    "http_roundtrip_time_ms",
    "raw_response_bytes",
    "transformed_response_bytes",
    "transform_instructions",
)
_PARAMETERS = encode_one(Record(dict.fromkeys(_OUTCALL, NAT64)), dict.fromkeys(_OUTCALL, 1))
_KEY = blob("key_1")
_ROOM = allocate(16)


def _new_call(callee: bytes) -> Program:
    return call("call_new", blob(callee), blob("query"), CALLBACK, keep(b""), CALLBACK, keep(b""))


def invocation(name: str, callee: bytes) -> Program:
    """A program that calls the function.

    Args:
        callee: a canister to make calls to.
    """
    before = _new_call(callee) if name.startswith("call_") and name != "call_new" else b""
    return before + bare(name, callee)


def bare(name: str, callee: bytes = b"") -> Program:
    """The call alone, without the calls that must come before it: enough where it is forbidden anyway."""
    if name == "call_new":
        return _new_call(callee)
    special: dict[str, tuple[int | bytes, ...]] = {
        "msg_reject": (blob("no"),),
        "call_on_cleanup": (CALLBACK, keep(b"")),
        "call_with_best_effort_response": (1,),
        "is_controller": (blob(b"\x04"),),
        "certified_data_set": (blob(b"data"),),
        "cost_http_request_v2": (blob(_PARAMETERS), _ROOM),
        "cost_sign_with_ecdsa": (_KEY, 0, _ROOM),
        "cost_sign_with_schnorr": (_KEY, 0, _ROOM),
        "cost_vetkd_derive_key": (_KEY, 0, _ROOM),
        "env_var_name_exists": (blob(VARIABLE),),
        "env_var_value_size": (blob(VARIABLE),),
        "env_var_value_copy": (blob(VARIABLE), _ROOM, 0, 0),
    }
    arguments = special.get(name, (0,) * len(IMPORTS[name].parameters))
    return call(name, *arguments)
