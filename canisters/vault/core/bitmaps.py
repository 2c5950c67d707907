"""Sets of chunk indexes as bitmaps: bit `index % 8` of byte `index // 8`, least significant first."""

from __future__ import annotations


def empty(count: int) -> bytes:
    """No chunk of `count`."""
    return bytes((count + 7) // 8)


def contains(bitmap: bytes, index: int) -> bool:
    """Whether chunk `index` is in the set."""
    return bool(bitmap[index >> 3] & 1 << (index & 7))


def with_index(bitmap: bytes, index: int) -> bytes:
    """The set with chunk `index` added."""
    changed = bytearray(bitmap)
    changed[index >> 3] |= 1 << (index & 7)
    return bytes(changed)


def missing(bitmap: bytes, count: int) -> list[int]:
    """The indexes below `count` that are not in the set, ascending."""
    return [index for index in range(count) if not bitmap[index >> 3] & 1 << (index & 7)]
