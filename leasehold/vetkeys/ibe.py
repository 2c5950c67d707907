"""Identity-based encryption: anybody encrypts to an identity, whoever gets its vetKey decrypts.

| offset | bytes | field |
|---|---|---|
| 0 | 8 | header, `IC IBE` 00 01 |
| 8 | 96 | c1 = t * g2, compressed |
| 104 | 32 | c2, the masked seed |
| 136 | rest | c3, the masked message |

Source: the `IbeCiphertext` serialisation of `@dfinity/vetkeys` 0.4.0 (Boneh-Franklin with the
Fujisaki-Okamoto transform).
"""

import hashlib
import hmac
import secrets

from py_arkworks_bls12381 import GT, G2Point, Scalar

from leasehold.vetkeys.errors import VetKeyError
from leasehold.vetkeys.hashing import augmented_hash_to_g1, derive_symmetric_key, hash_to_scalar
from leasehold.vetkeys.keys import G2_BYTES, VetKey, g2_point

HEADER = b"IC IBE\x00\x01"
SEED_BYTES = 32
OVERHEAD_BYTES = len(HEADER) + G2_BYTES + SEED_BYTES
MAX_MESSAGE_BYTES = 1024 * 1024

_C1_AT = len(HEADER)
_C2_AT = _C1_AT + G2_BYTES
_C3_AT = _C2_AT + SEED_BYTES


def ibe_encrypt(
    derived_public_key: bytes, identity: bytes, message: bytes, seed: bytes | None = None
) -> bytes:
    """Encrypt a short message, such as a key, to an identity.

    Args:
        derived_public_key: 96 bytes, of the canister and context that can derive the vetKey.
        identity: the input of that vetKey.
        message: at most `MAX_MESSAGE_BYTES`.
        seed: 32 secret random bytes used once; drawn when not given (give them in tests only).

    Raises:
        VetKeyError: a malformed key, seed or an oversized message.
    """
    seed = secrets.token_bytes(SEED_BYTES) if seed is None else seed
    if len(seed) != SEED_BYTES or len(message) > MAX_MESSAGE_BYTES:
        raise VetKeyError(f"a seed has {SEED_BYTES} bytes, a message at most {MAX_MESSAGE_BYTES}")
    public = g2_point(derived_public_key, "the derived public key")
    t = _mask_scalar(seed, message)
    # e(H, pk)^t = e(H*t, pk): a multiplication in G1 instead of a power in GT.
    shared = GT.pairing(augmented_hash_to_g1(derived_public_key, identity) * t, public)
    c1 = (G2Point() * t).to_compressed_bytes()
    return HEADER + c1 + _mask_seed(seed, shared) + _mask_message(message, seed)


def ibe_decrypt(vetkey: VetKey, ciphertext: bytes) -> bytes:
    """Decrypt a message with the vetKey of its identity.

    Raises:
        VetKeyError: malformed, tampered with, or encrypted to another identity.
    """
    if not ciphertext.startswith(HEADER) or not 0 <= len(ciphertext) - OVERHEAD_BYTES <= MAX_MESSAGE_BYTES:
        raise VetKeyError("this is no IBE ciphertext: wrong header or length")
    c1 = ciphertext[_C1_AT:_C2_AT]
    shared = GT.pairing(vetkey.point, g2_point(c1, "c1 of the ciphertext"))
    seed = _mask_seed(ciphertext[_C2_AT:_C3_AT], shared)
    message = _mask_message(ciphertext[_C3_AT:], seed)
    expected = (G2Point() * _mask_scalar(seed, message)).to_compressed_bytes()
    if not hmac.compare_digest(expected, c1):
        raise VetKeyError("decryption failed: the ciphertext is damaged, or encrypted to another identity")
    return message


def _mask_scalar(seed: bytes, message: bytes) -> Scalar:
    return hash_to_scalar(HEADER + seed + message, "ic-vetkd-bls12-381-ibe-hash-to-mask")


def _mask_seed(seed: bytes, shared: GT) -> bytes:
    mask = derive_symmetric_key(_gt_bytes(shared), "ic-vetkd-bls12-381-ibe-mask-seed", SEED_BYTES)
    return _xor(seed, mask)


def _mask_message(message: bytes, seed: bytes) -> bytes:
    domain = f"ic-vetkd-bls12-381-ibe-mask-msg-{len(message):020d}"
    key = derive_symmetric_key(seed, domain, 32)
    return _xor(message, hashlib.shake_256(key).digest(len(message)))


def _gt_bytes(element: GT) -> bytes:
    # arkworks writes the 12 coefficients ascending and little-endian; the format has them descending and
    # big-endian: the same bytes backwards.
    return bytes.fromhex(str(element))[::-1]


def _xor(left: bytes, right: bytes) -> bytes:
    number = int.from_bytes(left, "big") ^ int.from_bytes(right, "big")
    return number.to_bytes(len(left), "big")
