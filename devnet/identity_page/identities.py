"""Development identities: names that people choose, and one key per identity and origin."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from devnet.crypto.node_keys import NodeKeys
from devnet.errors import StateFolderError
from devnet.identity_page.errors import IdentityError
from devnet.principal import self_authenticating
from devnet.state_folder import IDENTITIES_FILE

MAX_IDENTITIES: Final = 100
MAX_NAME_CHARACTERS: Final = 40
MAX_ORIGIN_CHARACTERS: Final = 300

_ORIGIN: Final = re.compile(r"https?://[a-z0-9.\-\[\]:]+")


class Identities:
    """The identities of one network. Their keys follow from the node's seed, so only names are kept."""

    def __init__(self, keys: NodeKeys, folder: Path | None) -> None:
        """Args:
        folder: where names are kept, so that other processes see them; None: in memory.
        """
        self._secret = HKDF(SHA256(), 32, salt=b"leasehold-devnet", info=b"identities").derive(
            keys.node.private_bytes_raw()
        )
        self._file = folder / IDENTITIES_FILE if folder else None
        self._names: list[str] = []
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Names in the order in which they were made.

        Raises:
            StateFolderError: the file is damaged.
        """
        if self._file is not None and self._file.exists():
            try:
                self._names = [str(name) for name in json.loads(self._file.read_text())]
            except (OSError, ValueError, TypeError) as error:
                raise StateFolderError(f"cannot use {self._file}: {error}") from error
        return list(self._names)

    def create(self, name: str) -> None:
        """Make an identity; one that exists already stays as it is.

        Raises:
            IdentityError: an unusable name, or too many identities.
        """
        ensure_name(name)
        with self._lock:
            names = self.names()
            if name in names:
                return
            if len(names) >= MAX_IDENTITIES:
                raise IdentityError(f"there are {MAX_IDENTITIES} identities already")
            self._names = [*names, name]
            if self._file is not None:
                part = self._file.with_suffix(".part")
                part.write_text(json.dumps(self._names, indent=2) + "\n")
                part.replace(self._file)

    def key(self, name: str, origin: str) -> Ed25519PrivateKey:
        """The key with which an identity appears to pages of an origin, as `http://host:port`.

        Raises:
            IdentityError: there is no such identity, or the origin is none.
        """
        if name not in self.names():
            raise IdentityError(f"there is no identity {name!r}; make it first")
        ensure_origin(origin)
        info = f"{len(name.encode())}:{name}@{origin}".encode()
        return Ed25519PrivateKey.from_private_bytes(HKDF(SHA256(), 32, self._secret, info).derive(b"key"))

    def principal(self, name: str, origin: str) -> bytes:
        """The principal with which an identity appears to pages of an origin."""
        return self_authenticating(public_key_der(self.key(name, origin)))


def public_key_der(key: Ed25519PrivateKey) -> bytes:
    """DER of a key's public half, 44 bytes."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def ensure_name(name: str) -> None:
    """Raises:
    IdentityError: empty, too long, or with characters that cannot be seen.
    """
    if not 0 < len(name) <= MAX_NAME_CHARACTERS or not name.isprintable() or name != name.strip():
        raise IdentityError(f"a name has 1 to {MAX_NAME_CHARACTERS} visible characters, got {name!r}")


def ensure_origin(origin: str) -> None:
    """Raises:
    IdentityError: not `http(s)://host` or `http(s)://host:port`.
    """
    if len(origin) > MAX_ORIGIN_CHARACTERS or not _ORIGIN.fullmatch(origin):
        raise IdentityError(
            f"{origin[:MAX_ORIGIN_CHARACTERS]!r} is not the origin of a page, as http://CANISTER.localhost:PORT"
        )
