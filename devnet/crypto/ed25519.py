"""Threshold keys on Ed25519: the IC's additive key derivation, and signatures by derived keys.

Sources: IC interface specification, "Ed25519 hierarchical key derivation"; RFC 8032, section 5.1. A derived
key is a scalar without a seed, so signing is done here on libsodium's arithmetic.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from nacl.bindings import crypto_scalarmult_ed25519_base_noclamp

ORDER: Final = (1 << 252) + 27742317777372353535851937790883648493
NO_CHAIN_CODE: Final = bytes(32)
"""Chain code of a master key."""

_TWEAK_BYTES: Final = 64
_CHAIN_CODE_BYTES: Final = 32


@dataclass(frozen=True)
class ExtendedKey:
    """A secret scalar with its chain code (32 bytes), from which children are derived."""

    secret: int
    chain_code: bytes = NO_CHAIN_CODE

    @classmethod
    def from_seed(cls, seed: bytes) -> ExtendedKey:
        """The key whose RFC 8032 seed is the first half of this seed's SHA-512 hash."""
        expanded = hashlib.sha512(hashlib.sha512(seed).digest()[:32]).digest()[:32]
        # RFC 8032, section 5.1.5, step 2: the clamped scalar.
        clamped = int.from_bytes(expanded, "little") & ((1 << 254) - 8) | 1 << 254
        return cls(clamped % ORDER)

    @property
    def public_key(self) -> bytes:
        """32 bytes: RFC 8032 compressed form."""
        return _multiply_base(self.secret)

    def child(self, index: bytes) -> ExtendedKey:
        """The child with this index, which is any bytes (`CKDpub` of the specification)."""
        derived = HKDF(
            SHA512(), _TWEAK_BYTES + _CHAIN_CODE_BYTES, salt=self.chain_code, info=b"Ed25519"
        ).derive(self.public_key + index)
        tweak = int.from_bytes(derived[:_TWEAK_BYTES], "big")
        return ExtendedKey((self.secret + tweak) % ORDER, derived[_TWEAK_BYTES:])

    def descendant(self, path: Iterable[bytes]) -> ExtendedKey:
        key = self
        for index in path:
            key = key.child(index)
        return key


def sign(secret: int, message: bytes, randomness: bytes) -> bytes:
    """64-byte signature (RFC 8032, section 5.1.6) by a scalar.

    Args:
        randomness: 32 bytes; with the scalar and the message it makes the nonce.
    """
    public = _multiply_base(secret)
    prefix = hashlib.sha512(secret.to_bytes(32, "little") + randomness).digest()
    nonce = _reduce(prefix + message)
    commitment = _multiply_base(nonce)
    challenge = _reduce(commitment + public + message)
    return commitment + ((nonce + challenge * secret) % ORDER).to_bytes(32, "little")


def _reduce(data: bytes) -> int:
    return int.from_bytes(hashlib.sha512(data).digest(), "little") % ORDER


def _multiply_base(secret: int) -> bytes:
    return bytes(crypto_scalarmult_ed25519_base_noclamp(secret.to_bytes(32, "little")))
