"""A vault over maps in ordinary memory, and blobs to put into it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from canisters.vault.core.blobs import Manifest, manifest
from canisters.vault.core.limits import CHUNK_SIZE
from canisters.vault.core.storage import Storage
from canisters.vault.core.vault import Vault
from tests.ledger.memory import MemoryMap

NOW = 1_800_000_000_000_000_000
MARKETPLACE = b"marketplace"
ALICE, BOB, READER = b"alice", b"bob", b"reader"


@dataclass(frozen=True)
class Blob:
    """Bytes, cut into chunks."""

    data: bytes = field(repr=False)

    @cached_property
    def chunks(self) -> list[bytes]:
        return [self.data[at : at + CHUNK_SIZE] for at in range(0, len(self.data), CHUNK_SIZE)]

    @cached_property
    def manifest(self) -> Manifest:
        hashes = [sha256(chunk).digest() for chunk in self.chunks]
        return manifest(len(self.data), sha256(self.data).digest(), hashes)

    @cached_property
    def id(self) -> str:
        """As docs/interfaces.md says."""
        hashes = b"".join(sha256(chunk).digest() for chunk in self.chunks)
        return sha256(b"leasehold-blob" + len(self.data).to_bytes(8, "big") + hashes).hexdigest()


SMALL = Blob(b"sealed")
LARGE = Blob(bytes(range(256)) * 4096 + b"\x01" * CHUNK_SIZE + b"rest")


def memory_storage() -> Storage:
    """Empty maps."""
    return Storage(*(MemoryMap() for _ in Storage._fields))


def rows_of(storage: Storage) -> dict[str, dict[bytes, bytes]]:
    """A copy of everything stored."""
    return {
        name: dict(each.rows)
        for name, each in zip(Storage._fields, storage, strict=True)
        if isinstance(each, MemoryMap)
    }


def new_vault(storage: Storage) -> Vault:
    """A freshly installed vault."""
    vault = Vault(storage)
    vault.install(MARKETPLACE)
    return vault


def upload(vault: Vault, owner: bytes, blob: Blob, now: int = NOW) -> None:
    """Upload a blob completely."""
    vault.begin_upload(owner, blob.manifest, now)
    for index, chunk in enumerate(blob.chunks):
        vault.put_chunk(owner, blob.id, index, chunk, now)
