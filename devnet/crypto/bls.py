"""BLS12-381 signatures with short signatures (G1) and public keys in G2, as subnets use them.

Source: IC interface specification, "Certificate" and "Delegation"; draft-irtf-cfrg-bls-signature-04.
"""

import hashlib
from typing import Final

from pyblst import (  # type: ignore[import-untyped]
    BlstP1Element,
    BlstP2Element,
    final_verify,
    miller_loop,
)

from devnet.errors import DevnetError

CURVE_ORDER: Final = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
PUBLIC_KEY_BYTES: Final = 96
SIGNATURE_BYTES: Final = 48

# SubjectPublicKeyInfo header: algorithm 1.3.6.1.4.1.44668.5.3.1.2.1, curve 1.3.6.1.4.1.44668.5.3.2.1.
DER_PREFIX: Final = bytes.fromhex(
    "308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100"
)

_CIPHERSUITE: Final = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
_G2_GENERATOR: Final = BlstP2Element.uncompress(
    bytes.fromhex(
        "93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"
        "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"
    )
)


class BlsError(DevnetError, ValueError):
    """A BLS key or signature that is malformed or does not verify."""


class BlsSecretKey:
    """A subnet's signing key."""

    def __init__(self, scalar: int) -> None:
        """Args:
            scalar: in [1, curve order).

        Raises:
            BlsError: the scalar lies outside.
        """
        if not 0 < scalar < CURVE_ORDER:
            raise BlsError("a BLS secret key must lie in [1, curve order)")
        self._scalar = scalar
        self.public_key: bytes = _G2_GENERATOR.scalar_mul(scalar).compress()
        self.public_key_der: bytes = DER_PREFIX + self.public_key

    @classmethod
    def from_seed(cls, seed: bytes) -> "BlsSecretKey":
        """The key that belongs to a seed of at least 32 bytes; the same seed gives the same key."""
        if len(seed) < 32:
            raise BlsError(f"a BLS key seed needs at least 32 bytes, got {len(seed)}")
        digest = hashlib.sha512(b"\x0edevnet-bls-key" + seed).digest()
        return cls(int.from_bytes(digest, "big") % (CURVE_ORDER - 1) + 1)

    def sign(self, message: bytes) -> bytes:
        """48-byte signature of `message`."""
        point = BlstP1Element.hash_to_group(message, _CIPHERSUITE)
        signature: bytes = point.scalar_mul(self._scalar).compress()
        return signature


def public_key_from_der(public_key_der: bytes) -> bytes:
    """96-byte public key inside its DER form.

    Raises:
        BlsError: not the DER form of a BLS12-381 key.
    """
    if len(public_key_der) != len(DER_PREFIX) + PUBLIC_KEY_BYTES or not public_key_der.startswith(DER_PREFIX):
        raise BlsError(f"not a DER-encoded BLS12-381 public key ({len(public_key_der)} bytes)")
    return public_key_der[len(DER_PREFIX) :]


def verify_bls(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature.

    Args:
        public_key: 96 bytes, compressed G2.
        signature: 48 bytes, compressed G1.

    Raises:
        BlsError: malformed, or the signature is not by this key over this message.
    """
    if len(public_key) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        raise BlsError(
            f"want a key of 96 bytes and a signature of 48, got {len(public_key)} and {len(signature)}"
        )
    if public_key[0] & 0x40:
        raise BlsError("the BLS public key is the point at infinity")
    try:
        key = BlstP2Element.uncompress(public_key)
        point = BlstP1Element.uncompress(signature)
    except ValueError as error:
        raise BlsError(f"malformed BLS point: {error}") from error
    hashed = BlstP1Element.hash_to_group(message, _CIPHERSUITE)
    if not final_verify(miller_loop(point, _G2_GENERATOR), miller_loop(hashed, key)):
        raise BlsError("the BLS signature does not verify")
