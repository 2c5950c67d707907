"""Representation-independent hashes, of which request ids are one use.

Source: IC interface specification, "Representation-independent hashing of structured data" and "Request ids".
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

Hashable = bytes | str | int | Sequence["Hashable"] | Mapping[str, "Hashable"]


def hash_of_map(fields: Mapping[str, Hashable]) -> bytes:
    """32-byte hash of a map; the order of its fields does not matter."""
    return hash_of_pairs(fields.items())


def hash_of_pairs(fields: Iterable[tuple[str, Hashable]]) -> bytes:
    """The same of pairs, whose keys may repeat, as those of HTTP headers do."""
    pairs = sorted(_hash_of_key(key) + _hash_of_value(value) for key, value in fields)
    return hashlib.sha256(b"".join(pairs)).digest()


def leb128(number: int) -> bytes:
    """Shortest unsigned LEB128 of a natural number.

    Raises:
        ValueError: the number is negative.
    """
    if number < 0:
        raise ValueError(f"unsigned LEB128 of a negative number: {number}")
    output = bytearray()
    while number > 0x7F:
        output.append(number & 0x7F | 0x80)
        number >>= 7
    output.append(number)
    return bytes(output)


@lru_cache(maxsize=128)
def _hash_of_key(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _hash_of_value(value: Hashable) -> bytes:
    if isinstance(value, bytes):
        return hashlib.sha256(value).digest()
    if isinstance(value, str):
        return hashlib.sha256(value.encode()).digest()
    if isinstance(value, int):
        return hashlib.sha256(leb128(value)).digest()
    if isinstance(value, Mapping):
        return hash_of_map(value)
    return hashlib.sha256(b"".join(map(_hash_of_value, value))).digest()
