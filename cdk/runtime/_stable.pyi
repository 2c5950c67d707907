"""Ordered byte maps in stable memory, stored by SQLite.

Maps are named by small integers (0 to 2**31 - 1) and come into being at the first write. Keys sort as unsigned
bytes. Changes made in a message are kept if it succeeds and lost if it traps; nothing needs to be flushed. Errors of
the storage engine (corrupt database, out of stable memory) raise `StableError`, a RuntimeError.
"""

class StableError(RuntimeError):
    """SQLite refused: the message carries its text and code."""

def get(map: int, key: bytes, /) -> bytes | None: ...
def put(map: int, key: bytes, value: bytes, /) -> bytes | None:
    """Store `value` under `key`; answer the value it replaced, or None."""

def remove(map: int, key: bytes, /) -> bytes | None:
    """Remove `key`; answer the value it had, or None."""

def contains(map: int, key: bytes, /) -> bool: ...
def length(map: int, /) -> int:
    """Number of entries, in constant time."""

def items(
    map: int,
    start: bytes | None = None,
    stop: bytes | None = None,
    limit: int = -1,
    reverse: bool = False,
    /,
) -> list[tuple[bytes, bytes]]:
    """Entries with `start <= key < stop` in key order (descending if `reverse`), at most `limit` (-1: all)."""

def keys(
    map: int,
    start: bytes | None = None,
    stop: bytes | None = None,
    limit: int = -1,
    reverse: bool = False,
    /,
) -> list[bytes]:
    """The keys of `items` alone, without reading values."""

def clear(map: int, /) -> None:
    """Remove every entry of the map."""
