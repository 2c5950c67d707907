"""Signatures of requests and delegations by users: Ed25519, ECDSA on P-256 and secp256k1, and passkeys.

Source: IC interface specification, "Signatures". Those by canisters: `devnet.http.canister_signatures`.
"""

from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from devnet.crypto.webauthn import WebAuthnError, verify_webauthn
from devnet.crypto.wrapped_key import COSE, unwrap
from devnet.errors import DevnetError

MAX_PUBLIC_KEY_BYTES: Final = 1_024
SIGNATURE_BYTES: Final = 64

_CURVES: Final = ("secp256r1", "secp256k1")

UserPublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey


class SignatureError(DevnetError, ValueError):
    """A public key of a kind that is not supported, or a signature that does not verify."""


@lru_cache(maxsize=256)
def load_public_key(public_key_der: bytes) -> UserPublicKey:
    """Parse a DER public key; only the canonical encoding (uncompressed point, no extras) is accepted.

    Raises:
        SignatureError: too long, malformed, not canonical, or of another algorithm.
    """
    if len(public_key_der) > MAX_PUBLIC_KEY_BYTES:
        raise SignatureError(f"a public key of {len(public_key_der)} bytes exceeds {MAX_PUBLIC_KEY_BYTES}")
    try:
        key = load_der_public_key(public_key_der)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SignatureError(f"malformed or unsupported public key: {public_key_der.hex()}") from error
    if not _is_supported(key):
        raise SignatureError("unsupported public key: use Ed25519, ECDSA P-256 or ECDSA secp256k1")
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != public_key_der:
        raise SignatureError("the public key is not in canonical DER with an uncompressed point")
    assert isinstance(key, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey)
    return key


def verify_signature(public_key_der: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature: 64 bytes for Ed25519 and ECDSA (`r ‖ s` big-endian, over SHA-256), or a passkey's.

    Raises:
        SignatureError: unusable key, wrong length, or the signature is not by this key over this message.
    """
    cose_key = unwrap(public_key_der, COSE)
    if cose_key is not None:
        try:
            return verify_webauthn(cose_key, message, signature)
        except WebAuthnError as error:
            raise SignatureError(str(error)) from error
    key = load_public_key(public_key_der)
    if len(signature) != SIGNATURE_BYTES:
        raise SignatureError(f"a signature has {SIGNATURE_BYTES} bytes, got {len(signature)}")
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
        else:
            key.verify(_dss(signature), message, ec.ECDSA(SHA256()))
    except InvalidSignature as error:
        raise SignatureError("the signature does not verify under the public key") from error


def _is_supported(key: object) -> bool:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name in _CURVES
    return isinstance(key, ed25519.Ed25519PublicKey)


def _dss(signature: bytes) -> bytes:
    half = SIGNATURE_BYTES // 2
    return encode_dss_signature(
        int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    )
