"""Tables over ordered byte maps, with every change of a message held back until the message is decided.

In the canister each map is a `StableBTreeMap`; in tests it is a `MemoryMap`. A `Table` keeps changes in
memory until `commit`, so a refused message changes nothing and one record saved five times is written once.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Generic, Protocol, TypeVar

R = TypeVar("R")


class OrderedMap(Protocol):
    """What is asked of a map from bytes to bytes whose keys sort as unsigned bytes."""

    def get(self, key: bytes) -> bytes | None: ...

    def insert(self, key: bytes, value: bytes) -> object: ...

    def remove(self, key: bytes) -> object: ...

    def range(self, start: bytes, stop: bytes | None, limit: int) -> list[tuple[bytes, bytes]]:
        """At most `limit` entries with ``start <= key < stop`` (None: no end), in key order."""
        ...


class RecordCodec(Protocol[R]):
    """Turns a table's values into bytes and back."""

    def encode(self, value: R) -> bytes: ...

    def decode(self, data: bytes) -> R: ...


class MemoryMap:
    """An `OrderedMap` in ordinary memory, for tests and simulations."""

    def __init__(self) -> None:
        self._keys: list[bytes] = []
        self._values: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self._values.get(key)

    def insert(self, key: bytes, value: bytes) -> None:
        if key not in self._values:
            insort(self._keys, key)
        self._values[key] = value

    def remove(self, key: bytes) -> None:
        if self._values.pop(key, None) is not None:
            del self._keys[bisect_left(self._keys, key)]

    def range(self, start: bytes, stop: bytes | None, limit: int) -> list[tuple[bytes, bytes]]:
        first = bisect_left(self._keys, start)
        last = len(self._keys) if stop is None else bisect_left(self._keys, stop)
        return [(key, self._values[key]) for key in self._keys[first : min(last, first + limit)]]


class Table(Generic[R]):
    """Records of one kind by key. Reads see the message's own changes; `commit` makes them last."""

    def __init__(self, rows: OrderedMap, codec: RecordCodec[R]) -> None:
        self._rows = rows
        self._codec = codec
        self._changes: dict[bytes, R | None] = {}

    def get(self, key: bytes) -> R | None:
        """The record under `key`, or None."""
        if key in self._changes:
            return self._changes[key]
        data = self._rows.get(key)
        return None if data is None else self._codec.decode(data)

    def put(self, key: bytes, record: R) -> None:
        """Store `record` under `key`, replacing what was there."""
        self._changes[key] = record

    def remove(self, key: bytes) -> None:
        """Remove what is under `key`, if anything is."""
        self._changes[key] = None

    def range(self, start: bytes, stop: bytes | None, limit: int) -> list[tuple[bytes, R]]:
        """At most `limit` records with ``start <= key < stop``, in key order."""
        changed = {k: v for k, v in self._changes.items() if start <= k and (stop is None or k < stop)}
        stored = self._rows.range(start, stop, limit + len(changed))
        found = [(key, self._codec.decode(data)) for key, data in stored if key not in changed]
        if changed:
            found += [(key, record) for key, record in changed.items() if record is not None]
            found.sort(key=lambda row: row[0])
        return found[:limit]

    @property
    def changed(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self._changes)

    def encoded(self) -> list[tuple[bytes, bytes | None]]:
        """The changes as they are to be stored; whatever cannot be is found here, before anything is."""
        return [
            (key, None if record is None else self._codec.encode(record))
            for key, record in self._changes.items()
        ]

    def commit(self, encoded: list[tuple[bytes, bytes | None]] | None = None) -> None:
        """Write the changes, as `encoded` gave them."""
        for key, data in self.encoded() if encoded is None else encoded:
            if data is None:
                self._rows.remove(key)
            else:
                self._rows.insert(key, data)
        self._changes.clear()

    def rollback(self) -> None:
        """Forget the changes."""
        self._changes.clear()


def number_key(number: int) -> bytes:
    """Eight bytes that sort as `number` (0 to 2^64 - 1) does."""
    return number.to_bytes(8, "big")


def number_of(key: bytes) -> int:
    """The number in the last eight bytes of `key`."""
    return int.from_bytes(key[-8:], "big")


def prefix_end(prefix: bytes) -> bytes:
    """The least key above all keys that begin with `prefix` (which does not end in 0xFF)."""
    return prefix[:-1] + bytes((prefix[-1] + 1,))


def number_after(last: int | None) -> int:
    """The first number of a page that follows `last` (None: from the beginning)."""
    return 0 if last is None else min(last + 1, 2**64 - 1)
