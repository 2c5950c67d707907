"""Threshold keys on secp256k1: key derivation, ECDSA, and BIP-340 with the tweak of BIP-341.

Sources: IC interface specification, `ecdsa_public_key` and `schnorr_public_key` (BIP-32 with indices of any
length, ia.cr/2021/1330 appendix D); BIP-32, BIP-340, BIP-341. The group's arithmetic is libsecp256k1's.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from coincurve import PrivateKey

ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
HASH_BYTES: Final = 32
NO_CHAIN_CODE: Final = bytes(32)
"""Chain code of a master key."""

_EVEN: Final = 2
"""First byte of a compressed point whose y is even."""


@dataclass(frozen=True)
class ExtendedKey:
    """A secret key with its chain code (32 bytes), from which children are derived."""

    secret: int
    chain_code: bytes = NO_CHAIN_CODE

    @classmethod
    def from_seed(cls, seed: bytes) -> ExtendedKey:
        """The key whose secret is the seed's SHA-256 hash."""
        return cls(int.from_bytes(hashlib.sha256(seed).digest(), "big") % ORDER)

    @property
    def public_key(self) -> bytes:
        """33 bytes: SEC1, compressed."""
        return _multiply_base(self.secret)

    def child(self, index: bytes) -> ExtendedKey:
        """The non-hardened child with this index; BIP-32's, if the index has 4 bytes and no highest bit."""
        data = self.public_key
        while True:
            digest = hmac.digest(self.chain_code, data + index, "sha512")
            offset, chain_code = int.from_bytes(digest[:32], "big"), digest[32:]
            secret = (self.secret + offset) % ORDER
            if offset < ORDER and secret:
                return ExtendedKey(secret, chain_code)
            # SLIP-10's way out of a case that nobody has ever seen.
            data = b"\x01" + chain_code

    def descendant(self, path: Iterable[bytes]) -> ExtendedKey:
        key = self
        for index in path:
            key = key.child(index)
        return key


def sign_ecdsa(secret: int, message_hash: bytes) -> bytes:
    """64 bytes `r ‖ s`, big-endian, the lower `s`, of a hash of 32 bytes."""
    return PrivateKey.from_int(secret).sign_recoverable(message_hash, hasher=None)[:64]


def sign_bip340(secret: int, message: bytes, randomness: bytes) -> bytes:
    """64-byte Schnorr signature of a message of any length (BIP-340, "Default Signing").

    Args:
        randomness: 32 bytes, the `a` of BIP-340.
    """
    secret, public = _with_even_y(secret)
    masked = secret ^ int.from_bytes(_tagged_hash("BIP0340/aux", randomness), "big")
    nonce = _tagged_hash("BIP0340/nonce", masked.to_bytes(32, "big") + public + message)
    k, commitment = _with_even_y(int.from_bytes(nonce, "big") % ORDER)
    challenge = int.from_bytes(_tagged_hash("BIP0340/challenge", commitment + public + message), "big")
    return commitment + ((k + challenge * secret) % ORDER).to_bytes(32, "big")


def tweak_bip341(secret: int, merkle_root: bytes) -> int:
    """The secret that signs for a Taproot output (BIP-341, `taproot_tweak_seckey`).

    Args:
        merkle_root: 32 bytes, or empty without scripts.
    """
    secret, public = _with_even_y(secret)
    return (secret + int.from_bytes(_tagged_hash("TapTweak", public + merkle_root), "big")) % ORDER


def _with_even_y(secret: int) -> tuple[int, bytes]:
    """The secret or its negation, whichever has a point with even y, and the point's x."""
    point = _multiply_base(secret)
    return (secret if point[0] == _EVEN else ORDER - secret), point[1:]


def _multiply_base(secret: int) -> bytes:
    return PrivateKey.from_int(secret).public_key.format(compressed=True)


def _tagged_hash(tag: str, data: bytes) -> bytes:
    prefix = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(prefix + prefix + data).digest()
