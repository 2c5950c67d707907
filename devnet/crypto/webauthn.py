"""Signatures by passkeys: assertions of the Web Authentication API, with the payload as the challenge.

Source: IC interface specification, "Web Authentication"; W3C Web Authentication, "Verifying an assertion";
RFC 9052 and RFC 9053 for COSE keys.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any, Final

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from devnet.errors import DevnetError

_SELF_DESCRIBED: Final = b"\xd9\xd9\xf7"
_FIELDS: Final = {"authenticator_data": bytes, "client_data_json": str, "signature": bytes}
_KEY_TYPE, _ALGORITHM = 1, 3
_CURVE_OR_MODULUS, _X_OR_EXPONENT, _Y = -1, -2, -3
_OKP, _EC2, _RSA = 1, 2, 3
_EDDSA, _ES256, _RS256 = -8, -7, -257
_P256, _ED25519 = 1, 6
_MAX_RSA_BITS: Final = 4_096


class WebAuthnError(DevnetError, ValueError):
    """A COSE key of an unsupported kind, or an assertion that does not verify."""


def verify_webauthn(cose_key: bytes, payload: bytes, signature: bytes) -> None:
    """Check an assertion.

    Args:
        cose_key: CBOR of the key: ES256 on P-256, RS256, or EdDSA on Ed25519.
        payload: what must be the challenge.
        signature: CBOR of authenticator data, client data and the signature over both.

    Raises:
        WebAuthnError: unusable key, malformed assertion, another challenge, or a wrong signature.
    """
    assertion = _decode(signature.removeprefix(_SELF_DESCRIBED))
    if not signature.startswith(_SELF_DESCRIBED) or set(assertion) != set(_FIELDS):
        raise WebAuthnError(f"the signature must be tagged CBOR of {', '.join(_FIELDS)}")
    if any(type(assertion[name]) is not kind for name, kind in _FIELDS.items()):
        raise WebAuthnError("a field of the signature has the wrong type")
    client_data: str = assertion["client_data_json"]
    _check_challenge(client_data, payload)
    signed = assertion["authenticator_data"] + hashlib.sha256(client_data.encode()).digest()
    try:
        _verifier(_decode(cose_key))(assertion["signature"], signed)
    except InvalidSignature as error:
        raise WebAuthnError("the assertion's signature does not verify under the public key") from error


def _check_challenge(client_data: str, payload: bytes) -> None:
    try:
        fields = json.loads(client_data)
    except (ValueError, RecursionError) as error:
        raise WebAuthnError(f"the client data is no JSON: {error}") from error
    wanted = base64.urlsafe_b64encode(payload).rstrip(b"=").decode()
    if not isinstance(fields, dict) or str(fields.get("challenge", "")).rstrip("=") != wanted:
        raise WebAuthnError("the challenge in the client data is not the payload")


def _decode(data: bytes) -> dict[Any, Any]:
    try:
        value = cbor2.loads(data)
    except (cbor2.CBORDecodeError, ValueError, OverflowError, MemoryError) as error:
        raise WebAuthnError(f"no CBOR: {error}") from error
    if not isinstance(value, dict):
        raise WebAuthnError("a CBOR map was expected")
    return value


def _verifier(key: dict[Any, Any]) -> Callable[[bytes, bytes], None]:
    """What raises `InvalidSignature` for a wrong signature of a message."""
    kind, algorithm = key.get(_KEY_TYPE), key.get(_ALGORITHM)
    first, second, third = (key.get(name) for name in (_CURVE_OR_MODULUS, _X_OR_EXPONENT, _Y))
    try:
        if (kind, algorithm, first) == (_EC2, _ES256, _P256) and second and third:
            point = ec.EllipticCurvePublicNumbers(_number(second), _number(third), ec.SECP256R1())
            public = point.public_key()
            return lambda signature, message: public.verify(signature, message, ec.ECDSA(SHA256()))
        if (kind, algorithm) == (_RSA, _RS256) and first and second and len(first) * 8 <= _MAX_RSA_BITS:
            numbers = rsa.RSAPublicNumbers(e=_number(second), n=_number(first)).public_key()
            return lambda signature, message: numbers.verify(signature, message, padding.PKCS1v15(), SHA256())
        if (kind, algorithm, first) == (_OKP, _EDDSA, _ED25519) and second:
            return ed25519.Ed25519PublicKey.from_public_bytes(second).verify
    except (ValueError, TypeError) as error:
        raise WebAuthnError(f"malformed COSE key: {error}") from error
    raise WebAuthnError("unsupported COSE key: use ES256 on P-256, RS256, or EdDSA on Ed25519")


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")
