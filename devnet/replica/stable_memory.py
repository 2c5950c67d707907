"""Stable memory: bytes that survive upgrades, with an undo log for the message in progress."""

from __future__ import annotations

import mmap
from collections.abc import Iterable

from devnet.replica.wasm.address_space import (
    STATE_PAGE,
    copy,
    copy_bytes,
    drop_pages,
    map_memory,
    read_bytes,
    unmap_memory,
)
from devnet.replica.wasm.heap import WASM_PAGE
from devnet.replica.wasm.page_map import PAGE

_SHIFT = PAGE.bit_length() - 1
_STATE_PAGES = PAGE // STATE_PAGE
_FLAGS = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS


class StableMemory:
    """Growable memory in pages of 64 KiB.

    Writes go straight in; before a page's first write in a message its old content is kept, so that
    `rollback` can put it back. Bounds are the caller's to check against `size`.

    `dirty` are the 4 KiB pages changed since `mark_saved`; before the first one (`saved` False) all are.

    Args:
        capacity: the most bytes it may grow to; takes address space at first growth, memory when written.
    """

    def __init__(self, capacity: int) -> None:
        self.size = 0
        self._capacity = capacity
        self._address = 0
        self._committed_size = 0
        self._undo: dict[int, bytes] = {}
        self.saved = False
        self.dirty: set[int] = set()

    def grow(self, pages: int) -> int:
        """Grow by that many 64 KiB pages of zeros; returns the old size in pages, or -1 past the capacity."""
        old = self.size
        new = old + pages * WASM_PAGE
        if new > self._capacity:
            return -1
        if not self._address and new:
            self._address = map_memory(None, self._capacity, _FLAGS, -1)
        self.size = new
        return old // WASM_PAGE

    def read_to(self, address: int, offset: int, size: int) -> None:
        """Copy `size` bytes at `offset` to a memory address."""
        copy(address, self._address + offset, size)

    def write_from(self, offset: int, address: int, size: int) -> None:
        """Copy `size` bytes from a memory address to `offset`."""
        if size:
            undo = self._undo
            first, last = offset >> _SHIFT, (offset + size - 1) >> _SHIFT
            if first != last or first not in undo:
                self._remember(first, last)
            copy(self._address + offset, address, size)

    def read(self, offset: int, size: int) -> bytes:
        return read_bytes(self._address + offset, size) if size else b""

    def commit(self) -> None:
        """Keep what was written."""
        for page in self._undo:
            self.dirty.update(range(page * _STATE_PAGES, (page + 1) * _STATE_PAGES))
        self.dirty.update(range(self._committed_size // STATE_PAGE, self.size // STATE_PAGE))
        self._undo.clear()
        self._committed_size = self.size

    def rollback(self) -> None:
        """Return to the state of the last commit."""
        for page, content in self._undo.items():
            copy_bytes(self._address + (page << _SHIFT), content, PAGE)
        self._undo.clear()
        if self.size > self._committed_size:
            drop_pages(self._address + self._committed_size, self.size - self._committed_size)
            self.size = self._committed_size

    def restore(self, size: int, chunks: Iterable[tuple[int, bytes]]) -> None:
        """Set size and content, as read back from a state folder."""
        self.grow(size // WASM_PAGE)
        for offset, data in chunks:
            if offset + len(data) > size:
                raise ValueError(f"stable chunk at {offset} runs past the memory's {size} bytes")
            copy_bytes(self._address + offset, data, len(data))
        self._committed_size = size

    def mark_saved(self) -> None:
        """Note that the state folder holds the committed content."""
        self.saved = True
        self.dirty.clear()

    def close(self) -> None:
        if self._address:
            unmap_memory(self._address, self._capacity)
            self._address = 0

    def _remember(self, first: int, last: int) -> None:
        undo = self._undo
        committed_pages = self._committed_size >> _SHIFT
        for page in range(first, min(last + 1, committed_pages)):
            if page not in undo:
                undo[page] = read_bytes(self._address + (page << _SHIFT), PAGE)
