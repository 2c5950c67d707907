"""Management methods on the subnet's randomness and threshold keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devnet.replica import prices, rejects
from devnet.replica.candid import BLOB
from devnet.replica.management import interface
from devnet.replica.management.methods import Callers, method

if TYPE_CHECKING:
    from devnet.replica.management.canister import Management, ManagementCall

_RANDOM_BYTES = 32


@method(None, BLOB, Callers.CANISTERS, subject="")
def raw_rand(management: Management, call: ManagementCall, argument: Any) -> bytes:
    return management.randomness(_RANDOM_BYTES)


@method(interface.VETKD_PUBLIC_KEY_ARGS, interface.VETKD_PUBLIC_KEY, Callers.CANISTERS, subject="")
def vetkd_public_key(management: Management, call: ManagementCall, argument: Any) -> Any:
    owner = argument["canister_id"] or call.caller
    try:
        key = management.keys.vetkd_public_key(owner, argument["context"], argument["key_id"]["name"])
    except ValueError as error:
        raise rejects.invalid_management_payload("vetkd_public_key", str(error)) from error
    return {"public_key": key}


@method(interface.VETKD_DERIVE_KEY_ARGS, interface.VETKD_DERIVE_KEY, Callers.CANISTERS, subject="")
def vetkd_derive_key(management: Management, call: ManagementCall, argument: Any) -> Any:
    name = argument["key_id"]["name"]
    if name not in prices.THRESHOLD_KEYS:
        raise rejects.invalid_management_payload("vetkd_derive_key", f"there is no key {name!r}")
    fee = prices.THRESHOLD_KEYS[name]
    if call.cycles < fee:
        call.accept(fee, "vetkd_derive_key")
    try:
        key = management.keys.vetkd_derive_key(
            call.caller, argument["context"], argument["input"], argument["transport_public_key"], name
        )
    except ValueError as error:
        raise rejects.invalid_management_payload("vetkd_derive_key", str(error)) from error
    call.accept(fee, "vetkd_derive_key")
    return {"encrypted_key": key}
