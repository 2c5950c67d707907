"""Transport keys, vetKeys, and the public keys of canisters.

A vetKey is a BLS signature of an input under a canister's key; it travels encrypted to a transport key as
`E1 || E2 || E3 = (r*g1, r*g2, r*tpk + k)`, 48 + 96 + 48 bytes.
Source: IC interface specification, `vetkd_derive_key`, and the derivation of `@dfinity/vetkeys` 0.4.0.
"""

import secrets
from dataclasses import dataclass

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from leasehold.vetkeys.errors import VetKeyError
from leasehold.vetkeys.hashing import ORDER, augmented_hash_to_g1, hash_to_scalar

G1_BYTES = 48
G2_BYTES = 96
SECRET_BYTES = 32
ENCRYPTED_KEY_BYTES = G1_BYTES + G2_BYTES + G1_BYTES


@dataclass(frozen=True)
class VetKey:
    """A decrypted and verified vetKey. Whoever has it can open everything encrypted to its input.

    Args:
        raw: the compressed point of G1, 48 bytes.
    """

    raw: bytes

    def __bytes__(self) -> bytes:
        return self.raw

    def __repr__(self) -> str:
        return "VetKey(…)"

    @property
    def point(self) -> G1Point:
        """The key as a point of G1."""
        return g1_point(self.raw, "the vetKey")


class TransportKey:
    """A key pair that a vetKey is encrypted to on its way; make one with `generate` or `from_bytes`."""

    def __init__(self, secret: Scalar) -> None:
        self._secret = secret
        self.public_key: bytes = (G1Point() * secret).to_compressed_bytes()

    @classmethod
    def generate(cls) -> "TransportKey":
        """A fresh key pair."""
        return cls(_scalar(1 + secrets.randbelow(ORDER - 1)))

    @classmethod
    def from_bytes(cls, secret: bytes) -> "TransportKey":
        """The key pair of a 32-byte big-endian secret.

        Raises:
            VetKeyError: wrong length, zero, or not below the group's order.
        """
        number = int.from_bytes(secret, "big")
        if len(secret) != SECRET_BYTES or not 0 < number < ORDER:
            raise VetKeyError("a transport secret has 32 bytes and is below the group's order")
        return cls(_scalar(number))

    def to_bytes(self) -> bytes:
        """The secret, 32 bytes big-endian."""
        return int(self._secret).to_bytes(SECRET_BYTES, "big")

    def decrypt(self, encrypted_key: bytes, derived_public_key: bytes, input: bytes) -> VetKey:
        """Decrypt a vetKey and verify that it is the one of this input.

        Args:
            encrypted_key: 192 bytes, as `vetkd_derive_key` answers.
            derived_public_key: 96 bytes, as `vetkd_public_key` answers.
            input: what the key was derived for.

        Raises:
            VetKeyError: malformed, encrypted to another transport key, or of another input or canister.
        """
        if len(encrypted_key) != ENCRYPTED_KEY_BYTES:
            raise VetKeyError(
                f"an encrypted vetKey has {ENCRYPTED_KEY_BYTES} bytes, got {len(encrypted_key)}"
            )
        e1 = g1_point(encrypted_key[:G1_BYTES], "E1 of the encrypted vetKey")
        e2 = g2_point(encrypted_key[G1_BYTES : G1_BYTES + G2_BYTES], "E2 of the encrypted vetKey")
        e3 = g1_point(encrypted_key[G1_BYTES + G2_BYTES :], "E3 of the encrypted vetKey")
        if not GT.pairing_check([e1, G1Point()], [-G2Point(), e2]):
            raise VetKeyError("the encrypted vetKey is inconsistent: E1 and E2 do not belong together")
        key = e3 - e1 * self._secret
        verify_vetkey(key, derived_public_key, input)
        return VetKey(key.to_compressed_bytes())

    def __repr__(self) -> str:
        return f"TransportKey({self.public_key.hex()})"


def verify_vetkey(key: G1Point, derived_public_key: bytes, input: bytes) -> None:
    """Check that a point is the vetKey of this input.

    Raises:
        VetKeyError: it is not.
    """
    public = g2_point(derived_public_key, "the derived public key")
    hashed = augmented_hash_to_g1(derived_public_key, input)
    if not GT.pairing_check([key, hashed], [-G2Point(), public]):
        raise VetKeyError(
            f"this is not the vetKey of {input!r}, or it was encrypted to another transport key"
        )


def derive_public_key(master_public_key: bytes, canister_id: bytes, context: bytes) -> bytes:
    """The public key under which a canister's vetKeys of a context verify, without asking the network.

    Args:
        master_public_key: 96 bytes.
        canister_id: the principal's bytes.
        context: may be empty.

    Returns:
        96 bytes, the same as `vetkd_public_key`.
    """
    derived = _step(master_public_key, canister_id, "ic-vetkd-bls12-381-g2-canister-id")
    return _step(derived, context, "ic-vetkd-bls12-381-g2-context") if context else derived


def g1_point(encoded: bytes, what: str) -> G1Point:
    """A point of G1, checked to be in the group.

    Raises:
        VetKeyError: it is none.
    """
    try:
        return G1Point.from_compressed_bytes(encoded)
    except ValueError as error:
        raise VetKeyError(f"{what} is no point of G1: {error}") from error


def g2_point(encoded: bytes, what: str) -> G2Point:
    """A point of G2, checked to be in the group and not at infinity.

    Raises:
        VetKeyError: it is none.
    """
    try:
        point = G2Point.from_compressed_bytes(encoded)
    except ValueError as error:
        raise VetKeyError(f"{what} is no point of G2: {error}") from error
    if point == G2Point.identity():
        raise VetKeyError(f"{what} is the point at infinity")
    return point


def _step(public_key: bytes, value: bytes, domain: str) -> bytes:
    prefixed = _with_length(public_key) + _with_length(value)
    offset = G2Point() * hash_to_scalar(prefixed, domain)
    return (g2_point(public_key, "the public key") + offset).to_compressed_bytes()


def _with_length(value: bytes) -> bytes:
    return len(value).to_bytes(8, "big") + value


def _scalar(number: int) -> Scalar:
    return Scalar.from_be_bytes(number.to_bytes(SECRET_BYTES, "big"))
