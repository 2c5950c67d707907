"""Hashes of vetKeys: to scalars, to G1, and to byte strings.

Source: RFC 9380 section 5.3.1 (`expand_message_xmd`); the domain separators are those of `@dfinity/vetkeys`.
"""

import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from py_arkworks_bls12381 import G1Point, Scalar

# Order of the groups of BLS12-381.
ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001

AUGMENTED_DOMAIN = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_AUG_"

_BLOCK_BYTES = 64
_DIGEST_BYTES = 32
_SCALAR_BYTES = 48


def expand_message(message: bytes, domain: bytes, length: int) -> bytes:
    """`expand_message_xmd` with SHA-256: `length` bytes, at most 8160."""
    blocks = -(-length // _DIGEST_BYTES)
    if blocks > 255 or len(domain) > 255:
        raise ValueError(f"cannot expand to {length} bytes with a domain of {len(domain)} bytes")
    suffix = domain + bytes([len(domain)])
    first = hashlib.sha256(
        bytes(_BLOCK_BYTES) + message + length.to_bytes(2, "big") + b"\x00" + suffix
    ).digest()
    output = [hashlib.sha256(first + b"\x01" + suffix).digest()]
    for index in range(2, blocks + 1):
        mixed = bytes(a ^ b for a, b in zip(first, output[-1], strict=True))
        output.append(hashlib.sha256(mixed + bytes([index]) + suffix).digest())
    return b"".join(output)[:length]


def hash_to_scalar(message: bytes, domain: str) -> Scalar:
    """`expand_message_xmd(message, domain, 48) mod r`."""
    number = int.from_bytes(expand_message(message, domain.encode(), _SCALAR_BYTES), "big") % ORDER
    return Scalar.from_be_bytes(number.to_bytes(32, "big"))


def augmented_hash_to_g1(public_key: bytes, message: bytes) -> G1Point:
    """The point of G1 that a vetKey for `message` signs: the hash of public key and message."""
    return G1Point.hash_to_curve(public_key + message, AUGMENTED_DOMAIN)


def derive_symmetric_key(secret: bytes, domain: str, length: int) -> bytes:
    """HKDF-SHA-256 of a secret, without salt."""
    return HKDF(hashes.SHA256(), length, salt=None, info=domain.encode()).derive(secret)
