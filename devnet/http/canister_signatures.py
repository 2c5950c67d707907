"""Signatures by canisters: a certificate shows the hash of the payload in the canister's certified data.

Source: IC interface specification, "Canister signatures".
"""

from __future__ import annotations

import hashlib
from typing import Final

from devnet.crypto.bls import BlsError, public_key_from_der, verify_bls
from devnet.crypto.signatures import SignatureError
from devnet.crypto.wrapped_key import CANISTER, unwrap
from devnet.gateway.errors import VerificationFailed
from devnet.gateway.witness import Witness, decode_cbor
from devnet.http.certification import STATE_ROOT_DOMAIN
from devnet.principal import MAX_PRINCIPAL_BYTES

_NO_DELEGATION: Final = {"tree", "signature"}


def is_canister_key(public_key_der: bytes) -> bool:
    """Whether signatures under this key are made by a canister."""
    return unwrap(public_key_der, CANISTER) is not None


def signing_canister(public_key_der: bytes) -> bytes:
    """The canister that signs under this key.

    Raises:
        SignatureError: it is no key of a canister.
    """
    return _parse(public_key_der)[0]


def verify_canister_signature(
    public_key_der: bytes, message: bytes, signature: bytes, root_key: bytes
) -> None:
    """Check a canister's signature.

    Args:
        signature: CBOR of a certificate and of the canister's tree.
        root_key: DER.

    Raises:
        SignatureError: malformed, or the canister does not certify this message under this key.
    """
    canister_id, seed = _parse(public_key_der)
    try:
        fields = decode_cbor(signature, "the canister signature")
        if type(fields) is not dict or set(fields) != {"certificate", "tree"}:
            raise SignatureError("a canister signature must have `certificate` and `tree`")
        certified = _certified_data(fields["certificate"], canister_id, root_key)
        tree = Witness(fields["tree"])
    except (VerificationFailed, BlsError, TypeError) as error:
        raise SignatureError(f"the canister signature: {error}") from error
    if certified != tree.digest:
        raise SignatureError("the certificate does not show the hash of the canister signature's tree")
    path = [b"sig", hashlib.sha256(seed).digest(), hashlib.sha256(message).digest()]
    if tree.value(path) != b"":
        raise SignatureError("the canister did not sign this message for this key")


def _parse(public_key_der: bytes) -> tuple[bytes, bytes]:
    """The signing canister and the seed."""
    content = unwrap(public_key_der, CANISTER) or b""
    size = content[0] if content else 0
    if not 0 < size <= min(MAX_PRINCIPAL_BYTES, len(content) - 1):
        raise SignatureError("the public key names no signing canister")
    return content[1 : 1 + size], content[1 + size :]


def _certified_data(certificate: bytes, canister_id: bytes, root_key: bytes) -> bytes | None:
    fields = decode_cbor(certificate, "the certificate")
    if type(fields) is not dict or set(fields) != _NO_DELEGATION:
        raise VerificationFailed("the certificate must have `tree` and `signature`, and no delegation here")
    state = Witness(fields["tree"])
    verify_bls(public_key_from_der(root_key), STATE_ROOT_DOMAIN + state.digest, fields["signature"])
    return state.value([b"canister", canister_id, b"certified_data"])
