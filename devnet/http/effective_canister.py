"""Which canister a request is about, and whether the URL names it.

Source: IC interface specification, "Effective canister id" and "Effective subnet id".
"""

from typing import Final

from devnet.errors import CandidError
from devnet.http.candid_field import principal_field
from devnet.http.envelope import Call
from devnet.http.errors import MalformedRequest, WrongEffectiveCanister
from devnet.principal import MANAGEMENT_CANISTER, principal_text

# Methods that are about no canister that exists already, so any principal will do.
ABOUT_NEW_CANISTER: Final = ("create_canister", "provisional_create_canister_with_cycles")
ABOUT_ALL_CANISTERS: Final = ("list_canisters",)
_ABOUT_NONE: Final = ABOUT_NEW_CANISTER + ABOUT_ALL_CANISTERS
_SUBJECT_FIELDS: Final = {"install_chunked_code": "target_canister"}
_SUBJECT_FIELD: Final = "canister_id"


def ensure_effective_canister(call: Call, effective: bytes) -> None:
    """Check the canister id of the URL against the call.

    Raises:
        WrongEffectiveCanister: the call is about another canister.
        MalformedRequest: the argument of a management call is no Candid.
    """
    subject = _subject(call)
    if subject is not None and subject != effective:
        raise WrongEffectiveCanister(
            f"Specified CanisterId {principal_text(effective)} does not match effective canister id in URL: "
            f"the request is about {principal_text(subject)}"
        )


def ensure_about_subnet(call: Call, methods: tuple[str, ...]) -> None:
    """Check that a request sent to a subnet is one of the few that may be.

    Raises:
        MalformedRequest: it is another.
    """
    if call.canister_id != MANAGEMENT_CANISTER or call.method not in methods:
        raise MalformedRequest(
            f"Only the management canister's {' and '.join(methods)} can be sent to a subnet, "
            f"not {call.method!r}; send it to the canister"
        )


def _subject(call: Call) -> bytes | None:
    """The canister that a call is about; None if it names none, which the replica then refuses or accepts."""
    if call.canister_id != MANAGEMENT_CANISTER:
        return call.canister_id
    try:
        subject = principal_field(call.arg, _SUBJECT_FIELDS.get(call.method, _SUBJECT_FIELD))
    except CandidError as error:
        raise MalformedRequest(f"The argument of management method {call.method!r}: {error}") from error
    return None if call.method in _ABOUT_NONE else subject
