"""Finds the pages of a private file mapping that were written since they were last dropped.

The kernel tells: in `/proc/self/pagemap` a page of a private file mapping counts as file-backed until the
first write gives the process its own copy. Source: Linux `Documentation/admin-guide/mm/pagemap.rst`.
Where the file is missing (some sandboxes), pages are compared with the file instead.
"""

from __future__ import annotations

import mmap
import os
import re
from functools import lru_cache

from devnet.replica.wasm.address_space import differ

PAGE = mmap.PAGESIZE

_ENTRY_BYTES = 8
_PRESENT, _SWAPPED, _FILE_BACKED = 0x80, 0x40, 0x20
_GAP_PAGES = 4
"""Runs closer than this are taken as one: copying a few clean pages costs less than a system call."""

_written = bytes(top for top in range(256) if top & (_PRESENT | _SWAPPED) and not top & _FILE_BACKED)
_clean = bytes(set(range(256)) - set(_written))
_RUN = re.compile(
    b"[%b]+(?:[%b]{1,%d}[%b]+)*" % (re.escape(_written), re.escape(_clean), _GAP_PAGES, re.escape(_written))
)

Run = tuple[int, int]
"""First page and the page after the last."""


def written_runs(base: int, pages: int, file_view: int, file_pages: int) -> list[Run]:
    """Runs of pages at `base` that may differ from the file mapped there.

    Args:
        base: address of the private mapping.
        pages: its length; pages past `file_pages` are anonymous memory.
        file_view: address of a shared mapping of the same file.
    """
    source = _page_map(os.getpid())
    if source is None:
        return _compared(base, pages, file_view, file_pages)
    length = pages * _ENTRY_BYTES
    entries = os.pread(source, length, base // PAGE * _ENTRY_BYTES)
    if len(entries) != length:
        return _compared(base, pages, file_view, file_pages)
    return [match.span() for match in _RUN.finditer(entries[_ENTRY_BYTES - 1 :: _ENTRY_BYTES])]


@lru_cache(maxsize=1)
def _page_map(process: int) -> int | None:
    """Descriptor of this process's page map; keyed by id, since a forked child has another one."""
    try:
        return os.open("/proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def _compared(base: int, pages: int, file_view: int, file_pages: int) -> list[Run]:
    runs: list[Run] = []
    for page in range(min(pages, file_pages)):
        if differ(base + page * PAGE, file_view + page * PAGE, PAGE):
            runs.append((page, page + 1))
    if pages > file_pages:
        runs.append((file_pages, pages))
    return runs
