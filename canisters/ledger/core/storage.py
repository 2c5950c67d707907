"""What the ledger asks of its storage: ordered maps from bytes to bytes."""

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
    """The ledger's maps."""

    settings: OrderedMap
    """Singletons by name: the token's settings and the tip of the block log."""
    balances: OrderedMap
    """Account key → amount. An account without tokens has no entry."""
    blocks: OrderedMap
    """Block index (8 bytes) → block."""
    recent: OrderedMap
    """`created_at_time` (8 bytes) ‖ transaction hash → block index, while a repetition could be accepted."""
    allowances: OrderedMap
    """Account key ‖ spender key → allowance."""
    expirations: OrderedMap
    """`expires_at` (8 bytes) ‖ allowance key → nothing: which allowances end when."""


class CorruptRecordError(Exception):
    """Stored bytes are not what this version writes: a newer version wrote them, or a bug did."""


def check_version(record: bytes, version: int, what: str) -> None:
    """Refuse a stored record whose first byte is not `version`."""
    if record[:1] != bytes((version,)):
        raise CorruptRecordError(f"{what}: stored record begins with {record[:1].hex()}, not {version:02x}")


def number_key(number: int) -> bytes:
    """Eight bytes that sort as `number` (0 to 2^64 - 1) does."""
    return number.to_bytes(8, "big")
