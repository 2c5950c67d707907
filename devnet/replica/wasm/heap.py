"""A canister's committed Wasm memory, and how an instance works on it without changing it.

The committed bytes live in an anonymous file. An instance's linear memory is replaced by a private
(copy-on-write) mapping of that file, so a message pays only for the pages it writes: rolling back drops the
instance's copies, committing moves them into the file.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable

from devnet.replica.wasm.address_space import (
    MAP_FIXED,
    STATE_PAGE,
    MemoryMapError,
    copy,
    copy_bytes,
    differ,
    drop_pages,
    map_memory,
    read_bytes,
    unmap_memory,
)
from devnet.replica.wasm.page_map import PAGE, written_runs

WASM_PAGE = 65536


class Heap:
    """Committed Wasm memory of one canister.

    `dirty` are the 4 KiB pages changed since `mark_saved`; before the first one (`saved` False) all are.

    Args:
        capacity: upper bound of its size in bytes; address space is taken for it, memory is not.
    """

    def __init__(self, capacity: int) -> None:
        self.size = 0
        self.saved = False
        self.dirty: set[int] = set()
        self._capacity = capacity
        self._file = os.memfd_create("canister-heap")
        self._view = map_memory(None, capacity, mmap.MAP_SHARED, self._file)

    def attach(self, base: int, start: int = 0) -> None:
        """Map the committed bytes from `start` privately over an instance's memory at `base`."""
        if start < self.size:
            flags = mmap.MAP_PRIVATE | MAP_FIXED
            map_memory(base + start, self.size - start, flags, self._file, start)

    def commit(self, base: int, size: int) -> None:
        """Make what the instance at `base` wrote the committed state; `size` is its memory's size now."""
        runs = written_runs(base, size // PAGE, self._view, self.size // PAGE)
        old_size = self.size
        if size > old_size:
            self._resize(size)
        for first, end in runs:
            start, length = first * PAGE, (end - first) * PAGE
            if self.saved:
                self._note_changes(base, start, start + length, old_size)
            copy(self._view + start, base + start, length)
            drop_pages(base + start, length)
        self.attach(base, old_size)

    def _note_changes(self, base: int, start: int, end: int, old_size: int) -> None:
        """Of the pages written, those that hold something else now.

        Most do not: Python counts references up and down again.
        """
        for offset in range(start, end, STATE_PAGE):
            if offset >= old_size or differ(base + offset, self._view + offset, STATE_PAGE):
                self.dirty.add(offset // STATE_PAGE)

    def rollback(self, base: int) -> None:
        """Undo the instance's writes within the committed size."""
        pages = self.size // PAGE
        for first, end in written_runs(base, pages, self._view, pages):
            drop_pages(base + first * PAGE, (end - first) * PAGE)

    def read(self, offset: int, size: int) -> bytes:
        """Committed bytes; the range must lie within `size`."""
        return read_bytes(self._view + offset, size)

    def copy_from(self, address: int, size: int) -> None:
        """Begin with the content of another canister's or version's memory."""
        self._resize(size)
        copy(self._view, address, size)

    def extend(self, size: int) -> None:
        """Grow the committed memory by zeros up to `size` bytes."""
        self._resize(max(size, self.size))

    def restore(self, size: int, chunks: Iterable[tuple[int, bytes]]) -> None:
        """Set size and content: those of a fresh module, or read back from a state folder or a snapshot."""
        self._resize(0)
        self._resize(size)
        for offset, data in chunks:
            if offset + len(data) > size:
                raise ValueError(f"heap chunk at {offset} runs past the heap's {size} bytes")
            copy_bytes(self._view + offset, data, len(data))

    def mark_saved(self) -> None:
        """Note that the state folder holds the committed content."""
        self.saved = True
        self.dirty.clear()

    def close(self) -> None:
        unmap_memory(self._view, self._capacity)
        os.close(self._file)

    def _resize(self, size: int) -> None:
        if size > self._capacity:
            raise MemoryMapError(f"a heap of {size} bytes exceeds the capacity of {self._capacity}")
        os.ftruncate(self._file, size)
        self.size = size
