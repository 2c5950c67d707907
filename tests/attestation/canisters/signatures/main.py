"""A canister that only verifies single signatures: edge vectors inside Wasm, and what one costs there."""

from kybra import blob, text, update, void

from attestation import AttestationError
from attestation.crypto import ecdsa_p256, ecdsa_p384, rsa_pss

CURVES = {"P-256": ecdsa_p256.CURVE, "P-384": ecdsa_p384.CURVE}


@update
def warm_up() -> void:
    pass


@update
def verify_ecdsa(curve: text, key: blob, message: blob, r: blob, s: blob, recurs: bool) -> text:
    """`valid`, or the name of the error."""
    chosen = CURVES[curve]
    try:
        point = chosen.parse_point(key, "key")
        numbers = int.from_bytes(r, "big"), int.from_bytes(s, "big")
        chosen.verify(point, message, *numbers, "signature", recurs)
    except AttestationError as error:
        return type(error).__name__
    return "valid"


@update
def verify_rsa(modulus: blob, message: blob, signature: blob) -> text:
    """The same, RSA-PSS."""
    try:
        rsa_pss.verify(int.from_bytes(modulus, "big"), message, signature, "signature")
    except AttestationError as error:
        return type(error).__name__
    return "valid"
