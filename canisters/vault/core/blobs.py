"""Blob ids, and how a blob is cut into chunks (docs/interfaces.md, "Identifiers")."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple, Sequence

from canisters.vault.core.errors import InvalidArgument
from canisters.vault.core.limits import CHUNK_SIZE, MAX_BLOB_SIZE

HASH_LENGTH = 32
_PREFIX = b"leasehold-blob"


class Manifest(NamedTuple):
    """What an owner declares before sending chunks."""

    size: int
    sha256: bytes
    """Hash of the whole; kept for readers and not verified, since chunks arrive in any order."""
    chunk_hashes: bytes
    """The SHA-256 of each chunk, one after the other."""

    @property
    def chunk_count(self) -> int:
        """Number of chunks."""
        return len(self.chunk_hashes) // HASH_LENGTH

    def blob_key(self) -> bytes:
        """The 32 bytes of the blob's id."""
        return sha256(_PREFIX + self.size.to_bytes(8, "big") + self.chunk_hashes).digest()


def manifest(size: int, whole: bytes, chunk_hashes: Sequence[bytes]) -> Manifest:
    """Check a declaration. InvalidArgument if the parts do not fit each other."""
    if not 1 <= size <= MAX_BLOB_SIZE:
        raise InvalidArgument("size", str(size), f"a blob has 1 to {MAX_BLOB_SIZE} bytes")
    if len(whole) != HASH_LENGTH:
        raise InvalidArgument("sha256", whole.hex(), f"has {len(whole)} bytes, a SHA-256 has {HASH_LENGTH}")
    count = chunk_count(size)
    if len(chunk_hashes) != count:
        problem = f"{size} bytes are {count} chunks of {CHUNK_SIZE} bytes, so {count} hashes are needed"
        raise InvalidArgument("chunk_sha256s", str(len(chunk_hashes)), problem)
    for index, each in enumerate(chunk_hashes):
        if len(each) != HASH_LENGTH:
            problem = f"has {len(each)} bytes, a SHA-256 has {HASH_LENGTH}"
            raise InvalidArgument(f"chunk_sha256s[{index}]", each.hex(), problem)
    return Manifest(size, bytes(whole), b"".join(chunk_hashes))


def chunk_count(size: int) -> int:
    """Number of chunks of a blob of `size` bytes."""
    return (size + CHUNK_SIZE - 1) // CHUNK_SIZE


def chunk_length(size: int, index: int) -> int:
    """Bytes of chunk `index` of a blob of `size` bytes."""
    return min(CHUNK_SIZE, size - index * CHUNK_SIZE)


def key_of(blob_id: str) -> bytes:
    """The 32 bytes of a blob id. InvalidArgument unless it is 64 lower-case hexadecimal digits."""
    if len(blob_id) == 2 * HASH_LENGTH and not set(blob_id) - set("0123456789abcdef"):
        return bytes.fromhex(blob_id)
    raise InvalidArgument("blob_id", blob_id, "a blob id has 64 lower-case hexadecimal digits")
