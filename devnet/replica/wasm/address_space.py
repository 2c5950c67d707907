"""Raw memory: mapping, copying, comparing.

The C functions are called without releasing Python's interpreter lock: they take microseconds, and every
release would let another busy thread keep the lock for milliseconds.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from ctypes import c_char_p, c_int, c_long, c_size_t, c_void_p
from typing import Any

from devnet.errors import DevnetError

_MAP_NORESERVE = 0x4000
_MADV_DONTNEED = 4
_READ_WRITE = mmap.PROT_READ | mmap.PROT_WRITE
_MAP_FAILED = c_void_p(-1).value

MAP_FIXED = 0x10
"""`mmap(2)`: exactly at the given address, replacing what is mapped there."""

STATE_PAGE = 4096
"""Unit in which changes are noted for the state folder; divides the system's page size everywhere."""

_libc = ctypes.PyDLL(None, use_errno=True)


def _declare(name: str, result: Any, *arguments: Any) -> Any:
    function = _libc[name]
    function.restype, function.argtypes = result, arguments
    return function


_mmap = _declare("mmap", c_void_p, c_void_p, c_size_t, c_int, c_int, c_int, c_long)
_munmap = _declare("munmap", c_int, c_void_p, c_size_t)
_madvise = _declare("madvise", c_int, c_void_p, c_size_t, c_int)
_memcmp = _declare("memcmp", c_int, c_void_p, c_void_p, c_size_t)

copy = _declare("memmove", c_void_p, c_void_p, c_void_p, c_size_t)
"""`copy(to, from, size)` between addresses."""

copy_bytes = ctypes.PYFUNCTYPE(c_void_p, c_void_p, c_char_p, c_size_t)(("memmove", _libc))
"""`copy_bytes(to, data, size)` from a bytes object to an address."""

read_bytes = ctypes.string_at
"""`read_bytes(address, size)`."""


class MemoryMapError(DevnetError):
    """The operating system refused a memory mapping."""


def map_memory(address: int | None, size: int, flags: int, descriptor: int, offset: int = 0) -> int:
    """`mmap(2)`, readable and writable, without reserving swap; returns the address.

    Raises:
        MemoryMapError: with the system's reason.
    """
    got: int | None = _mmap(address, size, _READ_WRITE, flags | _MAP_NORESERVE, descriptor, offset)
    if got is None or got == _MAP_FAILED:
        raise MemoryMapError(f"cannot map {size} bytes: {os.strerror(ctypes.get_errno())}")
    return got


def unmap_memory(address: int, size: int) -> None:
    """`munmap(2)`."""
    _munmap(address, size)


def drop_pages(address: int, size: int) -> None:
    """Forget the private content of a page range: it shows the file, or zeros, again."""
    if _madvise(address, size, _MADV_DONTNEED):
        raise MemoryMapError(f"cannot drop {size} bytes: {os.strerror(ctypes.get_errno())}")


def differ(first: int, second: int, size: int) -> bool:
    """Whether two ranges hold different bytes."""
    return bool(_memcmp(first, second, size))
