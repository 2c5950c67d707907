"""ECDSA and Schnorr keys of canisters, derived from public test master keys.

Source: IC interface specification, `sign_with_ecdsa` and `sign_with_schnorr`. A canister's key is derived
from a master key by the canister's id and then by the caller's path. The master keys are those of PocketIC,
so a client that knows them offline agrees; they protect nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final

from devnet.crypto import ed25519, secp256k1
from devnet.crypto.vetkd import KEY_NAMES, VetKd
from devnet.errors import DevnetError

MAX_PATH_ELEMENTS: Final = 255
_MASTER_SEED: Final = b"\x2a" * 32
_RANDOM_BYTES: Final = 32


class SigningKeyError(DevnetError, ValueError):
    """An unknown key name, or something that cannot be signed with the key asked for."""


class Algorithm(StrEnum):
    """Kinds of signing keys; values as in `ic.did`."""

    ECDSA_SECP256K1 = "secp256k1"
    BIP340_SECP256K1 = "bip340secp256k1"
    ED25519 = "ed25519"


ExtendedKey = secp256k1.ExtendedKey | ed25519.ExtendedKey


class SigningKeys:
    """Signing keys of all canisters."""

    def __init__(self, randomness: Callable[[int], bytes] = secrets.token_bytes) -> None:
        """Args:
        randomness: source of what goes into nonces besides key and message.
        """
        self._random = randomness

    def signing_public_key(
        self, algorithm: str, canister_id: bytes, path: Sequence[bytes], key_name: str
    ) -> tuple[bytes, bytes]:
        """Public key (33 bytes SEC1, or 32 bytes for Ed25519) and chain code (32 bytes).

        Raises:
            SigningKeyError: no key of that name, or the path is too long.
        """
        key = _canister_key(Algorithm(algorithm), canister_id, path, key_name)
        return key.public_key, key.chain_code

    def sign(
        self,
        algorithm: str,
        canister_id: bytes,
        path: Sequence[bytes],
        key_name: str,
        message: bytes,
        merkle_root: bytes | None = None,
    ) -> bytes:
        """64-byte signature.

        Args:
            message: the 32-byte hash for ECDSA, otherwise anything.
            merkle_root: tweaks a BIP-340 key as BIP-341 says: 32 bytes, or empty without scripts.

        Raises:
            SigningKeyError: no key of that name, the path is too long, a hash or root of a wrong length, or
                a root with another algorithm.
        """
        kind = Algorithm(algorithm)
        secret = _canister_key(kind, canister_id, path, key_name).secret
        if merkle_root is not None:
            secret = _tweaked(kind, secret, merkle_root)
        if kind is Algorithm.ED25519:
            return ed25519.sign(secret, message, self._random(_RANDOM_BYTES))
        if kind is Algorithm.BIP340_SECP256K1:
            return secp256k1.sign_bip340(secret, message, self._random(_RANDOM_BYTES))
        if len(message) != secp256k1.HASH_BYTES:
            raise SigningKeyError(
                f"message_hash has {len(message)} bytes, {secp256k1.HASH_BYTES} are needed: send the hash"
            )
        return secp256k1.sign_ecdsa(secret, message)


class ThresholdKeyring(VetKd, SigningKeys):
    """All threshold keys of the subnet; fulfils the replica's `ThresholdKeys`."""

    def __init__(self, randomness: Callable[[int], bytes] = secrets.token_bytes) -> None:
        VetKd.__init__(self, randomness)
        SigningKeys.__init__(self, randomness)


def _tweaked(kind: Algorithm, secret: int, merkle_root: bytes) -> int:
    if kind is not Algorithm.BIP340_SECP256K1:
        raise SigningKeyError(f"aux bip341 is for bip340secp256k1 keys only, not for {kind}")
    if len(merkle_root) not in (0, secp256k1.HASH_BYTES):
        raise SigningKeyError(f"merkle_root_hash has {len(merkle_root)} bytes: it must have 32, or none")
    return secp256k1.tweak_bip341(secret, merkle_root)


def _canister_key(kind: Algorithm, canister_id: bytes, path: Sequence[bytes], key_name: str) -> ExtendedKey:
    if len(path) > MAX_PATH_ELEMENTS:
        raise SigningKeyError(
            f"derivation_path has {len(path)} elements, at most {MAX_PATH_ELEMENTS} are possible"
        )
    if key_name not in KEY_NAMES:
        raise SigningKeyError(f"there is no {kind} key named {key_name!r}; use one of {', '.join(KEY_NAMES)}")
    return _derived(kind is Algorithm.ED25519, key_name, (canister_id, *path))


@lru_cache(maxsize=1_024)
def _derived(edwards: bool, key_name: str, path: tuple[bytes, ...]) -> ExtendedKey:
    root = ed25519.ExtendedKey if edwards else secp256k1.ExtendedKey
    named = root.from_seed(_MASTER_SEED).child(key_name.encode())
    return root(named.secret).descendant(path)
