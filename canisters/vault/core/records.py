"""The vault's records and their encodings: a version byte, fixed fields, then a bitmap."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from canisters.vault.core import bitmaps
from canisters.vault.core.blobs import chunk_count, chunk_length
from canisters.vault.core.storage import check_version

_VERSION = 1
_CONTENT = Struct(">BQQII")
"""Version, number, size, holders, complete holders."""
_CLAIM = Struct(">BQQI32sQ")
"""Version, size, created_at, missing, sha256, ends_at."""

MAX_RECORD_SIZE = 512


class Content(NamedTuple):
    """A blob's bytes, stored once however many own it."""

    number: int
    """Names the chunks in storage. Never used again, so old chunks can be removed at leisure."""
    size: int
    holders: int
    """Owners with a claim, complete or not."""
    complete_holders: int
    stored: bytes
    """Bitmap of the chunks in storage."""

    def encode(self) -> bytes:
        """The record at rest."""
        head = _CONTENT.pack(_VERSION, self.number, self.size, self.holders, self.complete_holders)
        return head + self.stored

    @classmethod
    def decode(cls, record: bytes) -> Content:
        """The content that `encode` made `record` from."""
        check_version(record, _VERSION, "content")
        _, number, size, holders, complete_holders = _CONTENT.unpack_from(record)
        return cls(number, size, holders, complete_holders, record[_CONTENT.size :])


class Claim(NamedTuple):
    """One owner's upload of a content, and their possession of it once complete.

    Each owner sends every chunk, also of a content that others have stored already: knowing the hashes of a
    blob, which listings publish, must not be enough to read it.
    """

    size: int
    created_at: int
    missing: int
    """Chunks this owner has not sent; 0 makes the claim complete."""
    sha256: bytes
    """Hash of the whole as this owner declared it."""
    ends_at: int
    """When the upload is dropped if it is not complete."""
    received: bytes
    """Bitmap of the chunks this owner has sent."""

    @property
    def complete(self) -> bool:
        """Whether the owner has sent every chunk."""
        return self.missing == 0

    @property
    def chunk_count(self) -> int:
        """Number of chunks of the blob."""
        return chunk_count(self.size)

    @property
    def received_bytes(self) -> int:
        """How much of the blob this owner has sent."""
        indexes = (index for index in range(self.chunk_count) if bitmaps.contains(self.received, index))
        return self.size if self.complete else sum(chunk_length(self.size, index) for index in indexes)

    def with_chunk(self, index: int) -> Claim:
        """The claim after chunk `index` has been sent, perhaps once more."""
        if bitmaps.contains(self.received, index):
            return self
        return self._replace(missing=self.missing - 1, received=bitmaps.with_index(self.received, index))

    def encode(self) -> bytes:
        """The record at rest."""
        head = _CLAIM.pack(_VERSION, self.size, self.created_at, self.missing, self.sha256, self.ends_at)
        return head + self.received

    @classmethod
    def decode(cls, record: bytes) -> Claim:
        """The claim that `encode` made `record` from."""
        check_version(record, _VERSION, "claim")
        _, size, created_at, missing, whole, ends_at = _CLAIM.unpack_from(record)
        return cls(size, created_at, missing, whole, ends_at, record[_CLAIM.size :])
