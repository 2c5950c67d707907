"""Where the bytes are: contents, their chunks and hashes, and the removal of what nobody holds any more."""

from __future__ import annotations

from canisters.vault.core import bitmaps
from canisters.vault.core.blobs import HASH_LENGTH, Manifest, chunk_count
from canisters.vault.core.records import Content
from canisters.vault.core.storage import Storage, number_key

_NEXT_NUMBER = b"next content"


class Contents:
    """Contents by blob key. A content lives as long as it has holders."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def get(self, blob: bytes) -> Content | None:
        """The content of `blob`, if anybody holds it."""
        record = self._storage.contents.get(blob)
        return None if record is None else Content.decode(record)

    def hold(self, blob: bytes, manifest: Manifest) -> None:
        """Add a holder whose upload begins, and the content itself if they are the first."""
        content = self.get(blob)
        if content is None:
            content = Content(self._next_number(), manifest.size, 0, 0, bitmaps.empty(manifest.chunk_count))
            self._storage.hashes.insert(number_key(content.number), manifest.chunk_hashes)
        self._save(blob, content._replace(holders=content.holders + 1))

    def complete(self, blob: bytes) -> None:
        """Note that one more holder has sent every chunk."""
        content = self._existing(blob)
        self._save(blob, content._replace(complete_holders=content.complete_holders + 1))

    def let_go(self, blob: bytes, complete: bool) -> None:
        """Remove a holder, `complete` or not; the last one leaves the content to be removed."""
        content = self._existing(blob)
        if content.holders > 1:
            complete_holders = content.complete_holders - complete
            self._save(blob, content._replace(holders=content.holders - 1, complete_holders=complete_holders))
            return
        number = number_key(content.number)
        self._storage.contents.remove(blob)
        self._storage.hashes.remove(number)
        self._storage.garbage.insert(number, chunk_count(content.size).to_bytes(4, "big"))

    def declared_hash(self, content: Content, index: int) -> bytes:
        """The SHA-256 that chunk `index` must have."""
        hashes = self._storage.hashes.get(number_key(content.number)) or b""
        return hashes[index * HASH_LENGTH : (index + 1) * HASH_LENGTH]

    def store(self, blob: bytes, content: Content, index: int, data: bytes) -> None:
        """Keep a verified chunk, unless another holder has brought it already."""
        if not bitmaps.contains(content.stored, index):
            self._storage.chunks.insert(_chunk_key(content.number, index), data)
            self._save(blob, content._replace(stored=bitmaps.with_index(content.stored, index)))

    def read(self, content: Content, index: int) -> bytes:
        """A stored chunk."""
        data = self._storage.chunks.get(_chunk_key(content.number, index))
        if data is None:
            raise LookupError(f"chunk {index} of content {content.number} is not stored")
        return data

    def collect(self, limit: int) -> bool:
        """Remove at most `limit` chunks of deleted contents. True if there is more to remove."""
        garbage = self._storage.garbage
        while limit > 0:
            oldest = garbage.range(None, None, 1)
            if not oldest:
                return False
            number, left = int.from_bytes(oldest[0][0], "big"), int.from_bytes(oldest[0][1], "big")
            rest = max(0, left - limit)
            for index in range(rest, left):
                self._storage.chunks.remove(_chunk_key(number, index))
            limit -= left - rest
            if rest:
                garbage.insert(oldest[0][0], rest.to_bytes(4, "big"))
            else:
                garbage.remove(oldest[0][0])
        return bool(garbage.range(None, None, 1))

    def _existing(self, blob: bytes) -> Content:
        content = self.get(blob)
        if content is None:
            raise LookupError(f"blob {blob.hex()} is claimed but has no content")
        return content

    def _next_number(self) -> int:
        number = int.from_bytes(self._storage.settings.get(_NEXT_NUMBER) or b"", "big")
        self._storage.settings.insert(_NEXT_NUMBER, number_key(number + 1))
        return number

    def _save(self, blob: bytes, content: Content) -> None:
        self._storage.contents.insert(blob, content.encode())


def _chunk_key(number: int, index: int) -> bytes:
    return number_key(number) + index.to_bytes(4, "big")
