"""The pages of heaps and stable memories in the state folder.

A memory has a number; the key of a page is that number followed by the page's own in the low bits, so that a
page is found and replaced by its integer key alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from devnet.replica.state.database import Database
from devnet.replica.wasm.address_space import STATE_PAGE

_PAGE_BITS = 32
_ZEROS = bytes(STATE_PAGE)


class SavedMemory(Protocol):
    """A memory that knows what changed since it was last saved."""

    size: int
    saved: bool
    dirty: set[int]

    def read(self, offset: int, size: int) -> bytes:
        """Committed bytes."""

    def mark_saved(self) -> None:
        """Note that all is saved."""


def save_memory(database: Database, canister: bytes, name: str, memory: SavedMemory | None) -> None:
    """Write what changed; forget what was stored when there is no memory, or another one."""
    if memory is None or not memory.saved:
        delete_memory(database, canister, name)
    if memory is None or memory.size == 0:
        return
    numbers: Iterable[int] = sorted(memory.dirty) if memory.saved else range(memory.size // STATE_PAGE)
    if numbers:
        database.execute_many(
            "REPLACE INTO page VALUES (?, ?)", _rows(database, canister, name, memory, numbers)
        )


def _rows(
    database: Database, canister: bytes, name: str, memory: SavedMemory, numbers: Iterable[int]
) -> Iterator[tuple[int, bytes]]:
    first = _first_key(database, canister, name)
    for number in numbers:
        data = memory.read(number * STATE_PAGE, STATE_PAGE)
        # Zeros are not stored, but they have to replace what was.
        if memory.saved or data != _ZEROS:
            yield first | number, b"" if data == _ZEROS else data


def _first_key(database: Database, canister: bytes, name: str) -> int:
    query = "SELECT number FROM memory WHERE canister = ? AND name = ?"
    number: int | None = database.value(query, canister, name)
    if number is None:
        database.execute("INSERT INTO memory (canister, name) VALUES (?, ?)", canister, name)
        number = database.value(query, canister, name)
    assert number is not None
    return number << _PAGE_BITS


def delete_memory(database: Database, canister: bytes, name: str) -> None:
    """Forget a memory's pages."""
    query = "SELECT number FROM memory WHERE canister = ? AND name = ?"
    number = database.value(query, canister, name)
    if number is not None:
        first = number << _PAGE_BITS
        database.execute(
            "DELETE FROM page WHERE number BETWEEN ? AND ?", first, first + (1 << _PAGE_BITS) - 1
        )
        database.execute("DELETE FROM memory WHERE number = ?", number)


def stored_pages(database: Database, canister: bytes, name: str) -> Iterator[tuple[int, bytes]]:
    """Offset and content of the stored pages."""
    number = database.value("SELECT number FROM memory WHERE canister = ? AND name = ?", canister, name)
    if number is None:
        return
    first = number << _PAGE_BITS
    query = "SELECT number, data FROM page WHERE number BETWEEN ? AND ?"
    for key, data in database.rows(query, first, first + (1 << _PAGE_BITS) - 1):
        yield (key - first) * STATE_PAGE, data
