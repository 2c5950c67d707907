"""An ordered map in ordinary memory, and a ledger over such maps."""

from __future__ import annotations

from canisters.ledger.core.accounts import Account
from canisters.ledger.core.ledger import Ledger
from canisters.ledger.core.settings import Settings
from canisters.ledger.core.storage import Storage

FEE = 10
NOW = 1_800_000_000_000_000_000
MINTER = Account(b"minter")
ALICE = Account(b"alice")
BOB = Account(b"bob")
CAROL = Account(b"carol", b"\x07" * 32)
SETTINGS = Settings(MINTER, "Test Token", "TEST", 8, FEE)


class MemoryMap:
    """Bytes to bytes, in key order."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.rows.get(key)

    def insert(self, key: bytes, value: bytes) -> None:
        self.rows[key] = value

    def remove(self, key: bytes) -> None:
        self.rows.pop(key, None)

    def range(self, start: bytes | None, stop: bytes | None, limit: int) -> list[tuple[bytes, bytes]]:
        inside = [k for k in self.rows if (start is None or start <= k) and (stop is None or k < stop)]
        return [(key, self.rows[key]) for key in sorted(inside)[:limit]]


def memory_storage() -> Storage:
    """Empty maps."""
    return Storage(*(MemoryMap() for _ in Storage._fields))


def rows_of(storage: Storage) -> list[dict[bytes, bytes]]:
    """A copy of everything stored."""
    return [dict(each.rows) for each in storage if isinstance(each, MemoryMap)]


def new_ledger(storage: Storage, *balances: tuple[Account, int]) -> Ledger:
    """A freshly installed ledger."""
    ledger = Ledger(storage)
    ledger.install(SETTINGS, balances, NOW)
    return ledger
