"""Ordered byte maps in stable memory, stored by SQLite (layout: cdk/runtime/store.h).

Maps are numbered 0 to 255 and come into being at the first write. Keys sort as unsigned bytes; keys and
values are at most 64 MiB. Changes made in a message are kept if it succeeds and lost if it traps; nothing
needs to be flushed. A failure of the storage engine (damaged database, stable memory full) traps the message:
with no journal, nothing half-done may stay. Arguments out of range raise ValueError or TypeError.
"""

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
    """Entries with `start <= key < stop` in key order (descending if `reverse`), `limit` or all (-1)."""

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
