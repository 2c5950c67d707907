"""What the vault asks of its storage: ordered maps from bytes to bytes."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class OrderedMap(Protocol):
    """A map whose keys sort as unsigned bytes; `StableBTreeMap[blob, blob]` in the canister."""

    def get(self, key: bytes) -> bytes | None: ...

    def insert(self, key: bytes, value: bytes) -> object: ...

    def remove(self, key: bytes) -> object: ...

    def range(self, start: bytes | None, stop: bytes | None, limit: int) -> list[tuple[bytes, bytes]]:
        """At most `limit` entries with ``start <= key < stop`` (None: no bound), in key order."""
        ...


class Storage(NamedTuple):
    """The vault's maps. `blob` is a blob id (32 bytes), `principal` a principal after its length byte."""

    settings: OrderedMap
    """Singletons by name."""
    contents: OrderedMap
    """blob → `Content`: what is stored once, however many own it."""
    hashes: OrderedMap
    """content number → the SHA-256 of each chunk, one after the other."""
    chunks: OrderedMap
    """content number ‖ index (4 bytes) → the chunk."""
    claims: OrderedMap
    """principal ‖ blob → `Claim`: one owner's upload or possession."""
    holders: OrderedMap
    """blob ‖ principal → nothing: who has a claim."""
    usage: OrderedMap
    """principal → bytes (8) counted towards the owner's quota."""
    uploads: OrderedMap
    """end (8 bytes) ‖ principal ‖ blob → nothing: unfinished uploads by when they are dropped."""
    grants: OrderedMap
    """blob ‖ principal → end (8 bytes): who may read, and until when."""
    grant_ends: OrderedMap
    """end (8 bytes) ‖ blob ‖ principal → nothing."""
    garbage: OrderedMap
    """content number → chunk count (4 bytes): deleted contents whose chunks are still to be removed."""


class CorruptRecordError(Exception):
    """Stored bytes are not what this version writes: a newer version wrote them, or a bug did."""


def check_version(record: bytes, version: int, what: str) -> None:
    """Refuse a stored record whose first byte is not `version`."""
    if record[:1] != bytes((version,)):
        raise CorruptRecordError(f"{what}: stored record begins with {record[:1].hex()}, not {version:02x}")


def number_key(number: int) -> bytes:
    """Eight bytes that sort as `number` (0 to 2^64 - 1) does."""
    return number.to_bytes(8, "big")


def principal_key(principal: bytes) -> bytes:
    """A principal as a self-delimiting part of a key."""
    return bytes((len(principal),)) + principal


def prefix_end(prefix: bytes) -> bytes | None:
    """The least key above all keys that begin with `prefix`; None if there is none."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes((stripped[-1] + 1,)) if stripped else None
