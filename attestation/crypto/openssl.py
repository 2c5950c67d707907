"""OpenSSL as the backend, through the package `cryptography`: for machines, not for canisters."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from attestation.crypto import rsa_pss
from attestation.crypto.backend import Backend, select
from attestation.crypto.jacobian import Point

CURVES: dict[str, tuple[ec.EllipticCurve, ec.ECDSA]] = {
    "P-256": (ec.SECP256R1(), ec.ECDSA(SHA256())),
    "P-384": (ec.SECP384R1(), ec.ECDSA(SHA384())),
}
PSS = padding.PSS(padding.MGF1(SHA384()), rsa_pss.SALT_BYTES)
MAX_KEPT_KEYS = 128


class OpenSsl(Backend):
    """Verification by OpenSSL; what it will not load is left to the pure code."""

    def ecdsa(self, curve: str, key: Point, message: bytes, r: int, s: int) -> bool | None:
        """Whether (r, s) is a signature over `message`."""
        try:
            _ec_key(curve, key).verify(encode_dss_signature(r, s), message, CURVES[curve][1])
        except InvalidSignature:
            return False
        except (ValueError, UnsupportedAlgorithm):
            return None
        return True

    def rsa_pss(self, modulus: int, message: bytes, signature: bytes) -> bool | None:
        """Whether `signature` is over `message`."""
        try:
            _rsa_key(modulus).verify(signature, message, PSS, SHA384())
        except InvalidSignature:
            return False
        except (ValueError, UnsupportedAlgorithm):
            return None
        return True


@contextlib.contextmanager
def openssl() -> Iterator[None]:
    """While this lasts, OpenSSL computes, in the whole process. Of use as a decorator too."""
    before = select(OpenSsl())
    try:
        yield
    finally:
        select(before)


@functools.lru_cache(MAX_KEPT_KEYS)
def _ec_key(curve: str, key: Point) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicNumbers(*key, CURVES[curve][0]).public_key()


@functools.lru_cache(MAX_KEPT_KEYS)
def _rsa_key(modulus: int) -> rsa.RSAPublicKey:
    return rsa.RSAPublicNumbers(rsa_pss.PUBLIC_EXPONENT, modulus).public_key()
