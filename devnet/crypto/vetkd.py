"""vetKD on BLS12-381: derived public keys and encrypted derived keys, with the public test master keys.

Source: IC interface specification, `vetkd_public_key` and `vetkd_derive_key`; the derivation is the one that
`@dfinity/vetkeys` checks. The master keys are those of PocketIC, so a client that knows them offline agrees.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from devnet.crypto.bls import CURVE_ORDER
from devnet.errors import DevnetError

KEY_NAMES: Final = ("key_1", "test_key_1", "dfx_test_key")
TRANSPORT_KEY_BYTES: Final = 48
ENCRYPTED_KEY_BYTES: Final = 192
MAX_CACHED_KEYS: Final = 1_024

_SCALAR_HASH_BYTES: Final = 48
_SHA256_BYTES: Final = 32
_SHA256_BLOCK_BYTES: Final = 64
_MASTER_KEY_DST: Final = b"ic-crypto-vetkd-test-utils-generate-test-key"
_CANISTER_DST: Final = b"ic-vetkd-bls12-381-g2-canister-id"
_CONTEXT_DST: Final = b"ic-vetkd-bls12-381-g2-context"
_INPUT_DST: Final = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_AUG_"


class VetKdError(DevnetError, ValueError):
    """An unknown key name, or a transport key that is no valid point."""


def expand_message_xmd(message: bytes, dst: bytes, length: int) -> bytes:
    """`expand_message_xmd` with SHA-256 (RFC 9380, section 5.3.1)."""
    blocks = -(-length // _SHA256_BYTES)
    if blocks > 255 or len(dst) > 255:
        raise VetKdError(f"cannot expand to {length} bytes with a tag of {len(dst)} bytes")
    tag = dst + bytes([len(dst)])
    first = hashlib.sha256(
        bytes(_SHA256_BLOCK_BYTES) + message + length.to_bytes(2, "big") + b"\0" + tag
    ).digest()
    block = hashlib.sha256(first + b"\x01" + tag).digest()
    output = block
    for index in range(2, blocks + 1):
        mixed = bytes(a ^ b for a, b in zip(first, block, strict=True))
        block = hashlib.sha256(mixed + bytes([index]) + tag).digest()
        output += block
    return output[:length]


def hash_to_scalar(message: bytes, dst: bytes) -> int:
    """Scalar of a message: 48 expanded bytes modulo the curve order."""
    return int.from_bytes(expand_message_xmd(message, dst, _SCALAR_HASH_BYTES), "big") % CURVE_ORDER


@dataclass(frozen=True)
class _KeyPair:
    secret: int
    public: bytes

    @classmethod
    def of(cls, secret: int) -> "_KeyPair":
        return cls(secret, (G2Point() * Scalar(secret)).to_compressed_bytes())

    def derive(self, data: bytes, dst: bytes) -> "_KeyPair":
        offset = hash_to_scalar(_length_prefixed(self.public) + _length_prefixed(data), dst)
        return _KeyPair.of((self.secret + offset) % CURVE_ORDER)


class VetKd:
    """vetKD keys as a canister sees them."""

    def __init__(self, randomness: Callable[[int], bytes] = secrets.token_bytes) -> None:
        """Args:
        randomness: source of the blinding scalar of encrypted keys.
        """
        self._randomness = randomness
        self._masters: dict[str, _KeyPair] = {}
        self._derived: dict[tuple[bytes, bytes, str], _KeyPair] = {}

    def master_public_key(self, key_name: str) -> bytes:
        """96-byte master public key, from which clients derive canisters' keys offline.

        Raises:
            VetKdError: no key of that name.
        """
        return self._master(key_name).public

    def vetkd_public_key(self, canister_id: bytes, context: bytes, key_name: str) -> bytes:
        """96-byte public key (compressed G2) of a canister and context.

        Raises:
            VetKdError: no key of that name.
        """
        return self._canister_key(canister_id, context, key_name).public

    def vetkd_derive_key(
        self, canister_id: bytes, context: bytes, input: bytes, transport_public_key: bytes, key_name: str
    ) -> bytes:
        """192 bytes `E1 ‖ E2 ‖ E3`: the key for `input`, encrypted to the transport key (48 bytes, G1).

        Raises:
            VetKdError: no key of that name, or the transport key is malformed, outside the subgroup or zero.
        """
        transport = _transport_key(transport_public_key)
        key_pair = self._canister_key(canister_id, context, key_name)
        vetkey = G1Point.hash_to_curve(key_pair.public + input, _INPUT_DST) * Scalar(key_pair.secret)
        blinding = Scalar(int.from_bytes(self._randomness(48), "big") % (CURVE_ORDER - 1) + 1)
        parts = (
            (G1Point() * blinding).to_compressed_bytes(),
            (G2Point() * blinding).to_compressed_bytes(),
            (transport * blinding + vetkey).to_compressed_bytes(),
        )
        return b"".join(parts)

    def _canister_key(self, canister_id: bytes, context: bytes, key_name: str) -> _KeyPair:
        slot = (canister_id, context, key_name)
        if slot not in self._derived:
            if len(self._derived) >= MAX_CACHED_KEYS:
                self._derived.clear()
            key_pair = self._master(key_name).derive(canister_id, _CANISTER_DST)
            self._derived[slot] = key_pair.derive(context, _CONTEXT_DST) if context else key_pair
        return self._derived[slot]

    def _master(self, key_name: str) -> _KeyPair:
        if key_name not in KEY_NAMES:
            raise VetKdError(f"there is no vetKD key named {key_name!r}; use one of {', '.join(KEY_NAMES)}")
        if key_name not in self._masters:
            self._masters[key_name] = _KeyPair.of(hash_to_scalar(key_name.encode(), _MASTER_KEY_DST))
        return self._masters[key_name]


def _transport_key(encoded: bytes) -> G1Point:
    if len(encoded) != TRANSPORT_KEY_BYTES:
        raise VetKdError(f"a transport public key has {TRANSPORT_KEY_BYTES} bytes, got {len(encoded)}")
    try:
        point = G1Point.from_compressed_bytes(encoded)
    except ValueError as error:
        raise VetKdError(f"the transport public key is no point of the group: {error}") from error
    if point == G1Point.identity():
        raise VetKdError("the transport public key is the point at infinity")
    return point


def _length_prefixed(data: bytes) -> bytes:
    return len(data).to_bytes(8, "big") + data
