"""Public keys in certificates: P-384, P-256 (uncompressed) or RSA, and no others.

Algorithm identifiers are compared as whole encodings, so there is no parameter to get wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

from attestation.crypto import der
from attestation.crypto.der import DerReader

# AlgorithmIdentifier { id-ecPublicKey, secp384r1 or prime256v1 } (RFC 5480), { rsaEncryption, NULL } (3279).
EC_P384_KEY = bytes.fromhex("301006072a8648ce3d020106052b81040022")
EC_P256_KEY = bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107")
RSA_KEY = bytes.fromhex("300d06092a864886f70d0101010500")


@dataclass(frozen=True)
class EcKey:
    """P-384 public key as its 97-byte uncompressed point (not yet checked to lie on the curve)."""

    point: bytes


@dataclass(frozen=True)
class P256Key:
    """P-256 public key as its 65-byte uncompressed point (not yet checked to lie on the curve)."""

    point: bytes


@dataclass(frozen=True)
class RsaKey:
    """RSA public key."""

    modulus: int
    exponent: int


def read_public_key(fields: DerReader, claim: str) -> EcKey | P256Key | RsaKey:
    """The key in the content of a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7)."""
    algorithm = fields.element(der.SEQUENCE)
    bits = fields.bit_string()
    fields.finish()
    if algorithm == EC_P384_KEY:
        return EcKey(bits)
    if algorithm == EC_P256_KEY:
        return P256Key(bits)
    if algorithm == RSA_KEY:
        numbers = der.sole_element(bits, der.SEQUENCE, claim)
        modulus, exponent = numbers.integer(), numbers.integer()
        numbers.finish()
        return RsaKey(modulus, exponent)
    raise fields.error(f"public key algorithm {algorithm.hex()} is not P-384, P-256 or RSA")
