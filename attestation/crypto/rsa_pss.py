"""RSASSA-PSS verification with SHA-384, MGF1-SHA-384, 48-byte salt (RFC 8017, sections 8.1.2 and 9.1.2)."""

from __future__ import annotations

import hashlib

from attestation.crypto.backend import selected
from attestation.errors import SignatureInvalid

MODULUS_BITS = 4096
PUBLIC_EXPONENT = 65537
HASH_BYTES = 48
SALT_BYTES = 48
TRAILER = 0xBC


def verify(modulus: int, message: bytes, signature: bytes, claim: str) -> None:
    """Raise `SignatureInvalid` unless `signature` over `message` is by the RSA key `modulus`.

    The key has 4096 bits and exponent 65537, the signature 512 bytes; `claim` goes into the error.
    """
    encoded_bytes = MODULUS_BITS // 8
    if modulus.bit_length() != MODULUS_BITS or not modulus & 1:
        raise SignatureInvalid(
            claim, f"RSA modulus of {modulus.bit_length()} bits, expected {MODULUS_BITS}, odd"
        )
    if len(signature) != encoded_bytes:
        raise SignatureInvalid(claim, f"RSA signature of {len(signature)} bytes, expected {encoded_bytes}")
    number = int.from_bytes(signature, "big")
    if number >= modulus:
        raise SignatureInvalid(claim, "RSA signature is not below the modulus")
    verdict = selected().rsa_pss(modulus, message, signature)
    if verdict is None:
        encoded = pow(number, PUBLIC_EXPONENT, modulus).to_bytes(encoded_bytes, "big")
        verdict = _matches(encoded, hashlib.sha384(message).digest())
    if not verdict:
        raise SignatureInvalid(claim, "RSA-PSS signature does not verify")


def _matches(encoded: bytes, message_hash: bytes) -> bool:
    """EMSA-PSS-VERIFY: `encoded` is maskedDB ‖ H ‖ 0xBC, with the top bit clear (emBits = 4095)."""
    masked = encoded[: -HASH_BYTES - 1]
    digest = encoded[-HASH_BYTES - 1 : -1]
    if encoded[-1] != TRAILER or masked[0] & 0x80:
        return False
    mask = int.from_bytes(_mgf1(digest, len(masked)), "big")
    unmasked = (int.from_bytes(masked, "big") ^ mask) & ((1 << MODULUS_BITS - 1 - 8 * (HASH_BYTES + 1)) - 1)
    block = unmasked.to_bytes(len(masked), "big")
    padding = len(masked) - SALT_BYTES - 1
    if block[:padding] != bytes(padding) or block[padding] != 1:
        return False
    salt = block[padding + 1 :]
    return hashlib.sha384(bytes(8) + message_hash + salt).digest() == digest


def _mgf1(seed: bytes, count: int) -> bytes:
    """MGF1 with SHA-384 (RFC 8017, appendix B.2.1)."""
    blocks = (
        hashlib.sha384(seed + counter.to_bytes(4, "big")).digest()
        for counter in range((count + HASH_BYTES - 1) // HASH_BYTES)
    )
    return b"".join(blocks)[:count]
