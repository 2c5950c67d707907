"""Delegations in the form of ICRC-34.

Sources: ICRC-34 (delegation), IC interface specification, "Authentication".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from devnet.errors import PrincipalError
from devnet.http.request_id import Hashable, hash_of_map
from devnet.identity_page.errors import IdentityError
from devnet.identity_page.identities import public_key_der
from devnet.principal import principal_from_text

MAX_TTL_NS: Final = 30 * 24 * 3600 * 1_000_000_000
DEFAULT_TTL_NS: Final = 30 * 60 * 1_000_000_000
MAX_TARGETS: Final = 1_000
MAX_PUBLIC_KEY_BYTES: Final = 1_000

_DOMAIN: Final = b"\x1aic-request-auth-delegation"


def delegate(
    key: Ed25519PrivateKey, session_key: bytes, now: int, ttl: int, targets: Sequence[str] | None
) -> dict[str, Any]:
    """The result of `icrc34_delegation`: `key` lets `session_key` act for it.

    Args:
        session_key: DER.
        now, ttl: nanoseconds.
        targets: canisters in text form that the session is confined to; None: it is not.

    Raises:
        IdentityError: a lifetime, key or target that cannot be.
    """
    if not 0 < ttl <= MAX_TTL_NS:
        raise IdentityError(f"`maxTimeToLive` must be 1 to {MAX_TTL_NS} ns, got {ttl}")
    if not 0 < len(session_key) <= MAX_PUBLIC_KEY_BYTES:
        raise IdentityError(f"`publicKey` has {len(session_key)} bytes")
    expiration = now + ttl
    signed: dict[str, Hashable] = {"pubkey": session_key, "expiration": expiration}
    shown: dict[str, Any] = {"pubkey": _base64(session_key), "expiration": str(expiration)}
    if targets is not None:
        signed["targets"] = _principals(targets)
        shown["targets"] = list(targets)
    signature = key.sign(_DOMAIN + hash_of_map(signed))
    return {
        "publicKey": _base64(public_key_der(key)),
        "signerDelegation": [{"delegation": shown, "signature": _base64(signature)}],
    }


def from_base64(text: str) -> bytes:
    """Raises:
    IdentityError: not base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise IdentityError(f"`publicKey` is no base64: {error}") from error


def _principals(texts: Sequence[str]) -> list[bytes]:
    if not 0 < len(texts) <= MAX_TARGETS:
        raise IdentityError(f"`targets` must be 1 to {MAX_TARGETS} canisters, got {len(texts)}")
    try:
        return [principal_from_text(text) for text in texts]
    except PrincipalError as error:
        raise IdentityError(f"`targets`: {error}") from error


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
