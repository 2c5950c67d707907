"""The node's own keys: the subnet's BLS key (the root key) and the Ed25519 key that signs query answers."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from devnet.crypto.bls import BlsSecretKey
from devnet.errors import StateFolderError
from devnet.principal import self_authenticating
from devnet.state_folder import ROOT_KEY_FILE, SEED_FILE

SEED_BYTES: Final = 32


@dataclass(frozen=True)
class NodeKeys:
    """Keys of the one subnet and its one node.

    Args:
        subnet: signs certificates; its DER public key is the root key.
        node: signs query answers.
    """

    subnet: BlsSecretKey
    node: Ed25519PrivateKey

    @classmethod
    def from_seed(cls, seed: bytes) -> "NodeKeys":
        """Keys of a 32-byte seed; the same seed gives the same keys."""
        if len(seed) != SEED_BYTES:
            raise StateFolderError(f"the node's seed has {len(seed)} bytes, not {SEED_BYTES}")
        subnet = BlsSecretKey.from_seed(_expand(seed, b"subnet"))
        return cls(subnet, Ed25519PrivateKey.from_private_bytes(_expand(seed, b"node")))

    @classmethod
    def generate(cls) -> "NodeKeys":
        """Fresh keys that are kept nowhere."""
        return cls.from_seed(secrets.token_bytes(SEED_BYTES))

    @classmethod
    def open(cls, folder: Path) -> "NodeKeys":
        """Keys of a state folder, made on first use. The root key is written beside the seed.

        Raises:
            StateFolderError: the folder's seed is damaged or cannot be read.
        """
        path = folder / SEED_FILE
        try:
            if not path.exists():
                _write_private(path, secrets.token_bytes(SEED_BYTES).hex())
            keys = cls.from_seed(bytes.fromhex(path.read_text()))
            (folder / ROOT_KEY_FILE).write_bytes(keys.root_key)
        except (OSError, ValueError) as error:
            raise StateFolderError(f"cannot use the keys in {folder}: {error}") from error
        return keys

    @property
    def root_key(self) -> bytes:
        """DER of the subnet's public key."""
        return self.subnet.public_key_der

    @property
    def subnet_id(self) -> bytes:
        """Principal of the subnet."""
        return self_authenticating(self.root_key)

    @property
    def node_public_key(self) -> bytes:
        """44-byte DER of the node's public key."""
        return self.node.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def node_id(self) -> bytes:
        """Principal of the node."""
        return self_authenticating(self.node_public_key)


def _expand(seed: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), SEED_BYTES, salt=b"leasehold-devnet", info=purpose).derive(seed)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    part = path.with_suffix(".part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
