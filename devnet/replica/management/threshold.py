"""Management methods on the subnet's randomness and threshold keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from devnet.replica import prices, rejects
from devnet.replica.candid import BLOB
from devnet.replica.management import service_types
from devnet.replica.management.methods import Callers, method

if TYPE_CHECKING:
    from devnet.replica.management.canister import Management, ManagementCall

_RANDOM_BYTES = 32


@method(None, BLOB, Callers.CANISTERS, subject="")
def raw_rand(management: Management, call: ManagementCall, argument: Any) -> bytes:
    return management.randomness(_RANDOM_BYTES)


@method(service_types.VETKD_PUBLIC_KEY_ARGS, service_types.VETKD_PUBLIC_KEY, Callers.CANISTERS, subject="")
def vetkd_public_key(management: Management, call: ManagementCall, argument: Any) -> Any:
    owner = argument["canister_id"] or call.caller
    try:
        key = management.keys.vetkd_public_key(owner, argument["context"], argument["key_id"]["name"])
    except ValueError as error:
        raise rejects.invalid_management_payload("vetkd_public_key", str(error)) from error
    return {"public_key": key}


@method(service_types.VETKD_DERIVE_KEY_ARGS, service_types.VETKD_DERIVE_KEY, Callers.CANISTERS, subject="")
def vetkd_derive_key(management: Management, call: ManagementCall, argument: Any) -> Any:
    name = argument["key_id"]["name"]

    def derive() -> bytes:
        return management.keys.vetkd_derive_key(
            call.caller, argument["context"], argument["input"], argument["transport_public_key"], name
        )

    return {"encrypted_key": _paid(call, "vetkd_derive_key", name, derive)}


@method(service_types.ECDSA_PUBLIC_KEY_ARGS, service_types.PUBLIC_KEY, Callers.CANISTERS, subject="")
def ecdsa_public_key(management: Management, call: ManagementCall, argument: Any) -> Any:
    return _public_key(management, call, "ecdsa_public_key", argument["key_id"]["curve"][0], argument)


@method(service_types.SIGN_WITH_ECDSA_ARGS, service_types.SIGNATURE, Callers.CANISTERS, subject="")
def sign_with_ecdsa(management: Management, call: ManagementCall, argument: Any) -> Any:
    key, path = argument["key_id"], argument["derivation_path"]

    def sign() -> bytes:
        curve, name = key["curve"][0], key["name"]
        return management.keys.sign(curve, call.caller, path, name, argument["message_hash"])

    return {"signature": _paid(call, "sign_with_ecdsa", key["name"], sign)}


@method(service_types.SCHNORR_PUBLIC_KEY_ARGS, service_types.PUBLIC_KEY, Callers.CANISTERS, subject="")
def schnorr_public_key(management: Management, call: ManagementCall, argument: Any) -> Any:
    return _public_key(management, call, "schnorr_public_key", argument["key_id"]["algorithm"][0], argument)


@method(service_types.SIGN_WITH_SCHNORR_ARGS, service_types.SIGNATURE, Callers.CANISTERS, subject="")
def sign_with_schnorr(management: Management, call: ManagementCall, argument: Any) -> Any:
    key, path, aux = argument["key_id"], argument["derivation_path"], argument["aux"]
    merkle_root = None if aux is None else aux[1]["merkle_root_hash"]

    def sign() -> bytes:
        algorithm, name = key["algorithm"][0], key["name"]
        return management.keys.sign(algorithm, call.caller, path, name, argument["message"], merkle_root)

    return {"signature": _paid(call, "sign_with_schnorr", key["name"], sign)}


def _public_key(
    management: Management, call: ManagementCall, method_name: str, algorithm: str, argument: Any
) -> Any:
    owner = argument["canister_id"] or call.caller
    try:
        key, chain_code = management.keys.signing_public_key(
            algorithm, owner, argument["derivation_path"], argument["key_id"]["name"]
        )
    except ValueError as error:
        raise rejects.invalid_management_payload(method_name, str(error)) from error
    return {"public_key": key, "chain_code": chain_code}


def _paid(call: ManagementCall, method_name: str, key_name: str, work: Callable[[], bytes]) -> bytes:
    """The result of `work`, for the key's fee; what fails costs nothing.

    Raises:
        Reject: no key of that name, too few cycles attached, or `work` does not like its arguments.
    """
    fee = prices.THRESHOLD_KEYS.get(key_name)
    if fee is None:
        known = ", ".join(prices.THRESHOLD_KEYS)
        reason = f"there is no key {key_name!r}; use one of {known}"
        raise rejects.invalid_management_payload(method_name, reason)
    call.check_attached(fee, method_name)
    try:
        result = work()
    except ValueError as error:
        raise rejects.invalid_management_payload(method_name, str(error)) from error
    call.accept(fee, method_name)
    return result
