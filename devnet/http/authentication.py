"""Who sent a request: expiry, delegation chain and signature.

Source: IC interface specification, "Authentication".
"""

from datetime import UTC, datetime
from typing import Final

from devnet.crypto.signatures import SignatureError, verify_signature
from devnet.http.canister_signatures import is_canister_key, signing_canister, verify_canister_signature
from devnet.http.envelope import Call, Delegation, Envelope
from devnet.http.errors import AuthenticationFailed, InvalidExpiry
from devnet.principal import ANONYMOUS, principal_text, self_authenticating

SECOND_NS: Final = 1_000_000_000
MAX_INGRESS_TTL_NS: Final = 300 * SECOND_NS
PERMITTED_DRIFT_NS: Final = 30 * SECOND_NS

_REQUEST_DOMAIN: Final = b"\x0aic-request"
_SENDER_INFO_DOMAIN: Final = b"\x0eic-sender-info"
_DELEGATION_DOMAIN: Final = b"\x1aic-request-auth-delegation"


def authenticate(envelope: Envelope, root_key: bytes, now: int, machine_now: int | None = None) -> None:
    """Check that the sender sent this request, and that it is still valid.

    Args:
        root_key: DER; certificates in signatures by canisters are checked against it.
        now: the network's time, nanoseconds.
        machine_now: the machine's time; by default the same. See `ensure_expiry_in_window`.

    Raises:
        InvalidExpiry: the request is expired, or its expiry lies too far in the future.
        AuthenticationFailed: the sender is not shown to have sent it.
    """
    if envelope.sender != ANONYMOUS or envelope.request_type == "call":
        ensure_expiry_in_window(envelope.ingress_expiry, now, machine_now)
    _ensure_info_signed(envelope, root_key)
    if envelope.sender == ANONYMOUS:
        _ensure_unsigned(envelope)
        return
    if envelope.sender_pubkey is None or envelope.sender_sig is None:
        raise _failed(envelope, "a sender that is not anonymous must give `sender_pubkey` and `sender_sig`")
    if self_authenticating(envelope.sender_pubkey) != envelope.sender:
        raise _failed(
            envelope,
            f"the sender {principal_text(envelope.sender)} is not the principal of `sender_pubkey`, "
            f"{principal_text(self_authenticating(envelope.sender_pubkey))}",
        )
    signing_key = _follow_delegations(envelope, root_key, envelope.sender_pubkey, now)
    try:
        _verify(signing_key, _REQUEST_DOMAIN + envelope.request_id, envelope.sender_sig, root_key)
    except SignatureError as error:
        raise _failed(envelope, f"Invalid signature: {error}") from error


def ensure_expiry_in_window(ingress_expiry: int, now: int, machine_now: int | None = None) -> None:
    """Check that a request is neither expired nor valid for too long.

    Where the network's time is ahead of the machine's, clients may go by either, or by what they once took
    the network's to be; so the window then begins at the machine's time.

    Raises:
        InvalidExpiry: it is.
    """
    latest = now + MAX_INGRESS_TTL_NS + PERMITTED_DRIFT_NS
    now = now if machine_now is None else min(now, machine_now)
    if not now < ingress_expiry <= latest:
        raise InvalidExpiry(
            "Specified ingress_expiry not within expected range: "
            f"Minimum allowed expiry: {_utc(now)}, Maximum allowed expiry: {_utc(latest)}, "
            f"Provided expiry: {_utc(ingress_expiry)}"
        )


def _ensure_unsigned(envelope: Envelope) -> None:
    if envelope.sender_pubkey is not None or envelope.sender_sig is not None or envelope.delegations:
        raise _failed(envelope, "an anonymous request must carry no key, signature or delegation")


def _ensure_info_signed(envelope: Envelope, root_key: bytes) -> None:
    """What is said about the sender must be signed by the canister whose key the sender's principal is of."""
    signed = envelope.content.sender_info if isinstance(envelope.content, Call) else None
    if signed is None:
        return
    key = envelope.sender_pubkey or b""
    try:
        if signing_canister(key) != signed.signer:
            raise SignatureError(f"`sender_pubkey` is not a key of {principal_text(signed.signer)}")
        verify_canister_signature(key, _SENDER_INFO_DOMAIN + signed.info, signed.sig, root_key)
    except SignatureError as error:
        raise _failed(envelope, f"Invalid sender info: {error}") from error


def _verify(public_key: bytes, message: bytes, signature: bytes, root_key: bytes) -> None:
    if is_canister_key(public_key):
        verify_canister_signature(public_key, message, signature, root_key)
    else:
        verify_signature(public_key, message, signature)


def _follow_delegations(envelope: Envelope, root_key: bytes, sender_pubkey: bytes, now: int) -> bytes:
    """The key that must have signed the request, after every link of the chain was checked."""
    key = sender_pubkey
    seen = {key}
    for delegation in envelope.delegations:
        if delegation.pubkey in seen:
            raise _failed(envelope, "the delegation chain has a cycle: a key appears twice")
        seen.add(delegation.pubkey)
        _ensure_applicable(envelope, delegation, now)
        try:
            _verify(key, _DELEGATION_DOMAIN + delegation.message, delegation.signature, root_key)
        except SignatureError as error:
            raise _failed(envelope, f"Invalid delegation: {error}") from error
        key = delegation.pubkey
    return key


def _ensure_applicable(envelope: Envelope, delegation: Delegation, now: int) -> None:
    if delegation.expiration <= now:
        raise _failed(
            envelope,
            f"Invalid delegation expiry: {_utc(delegation.expiration)}, now it is {_utc(now)}",
        )
    if delegation.queries_only and envelope.request_type == "call":
        raise _failed(envelope, "the delegation permits queries only")
    if delegation.targets is None or not isinstance(envelope.content, Call):
        return
    if envelope.content.canister_id not in delegation.targets:
        raise _failed(
            envelope,
            f"canister {principal_text(envelope.content.canister_id)} is not one of the delegation's targets",
        )


def _failed(envelope: Envelope, reason: str) -> AuthenticationFailed:
    return AuthenticationFailed(
        f"Failed to authenticate request 0x{envelope.request_id.hex()} due to: {reason}"
    )


def _utc(nanoseconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(nanoseconds // SECOND_NS, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{nanoseconds} ns"
