"""The state folder's database: tables and their statements.

One SQLite database; a checkpoint is one transaction, so a crash leaves the previous one.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from devnet.errors import StateFolderError

FORMAT = 2
_FILE, _LOCK = "replica.sqlite", "replica.lock"

_LOG_PAGES = 4096
"""How long the write-ahead log gets, in pages of 4 KiB, before it is merged into the database."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS module (hash BLOB PRIMARY KEY, wasm BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS canister (id BLOB PRIMARY KEY, record BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chunk (canister BLOB, hash BLOB, data BLOB, PRIMARY KEY (canister, hash));
CREATE TABLE IF NOT EXISTS snapshot (id BLOB PRIMARY KEY, canister BLOB, record BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS snapshot_page (
    snapshot BLOB, part TEXT, number INTEGER, data BLOB, PRIMARY KEY (snapshot, part, number)
);
CREATE TABLE IF NOT EXISTS native (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ingress (id BLOB PRIMARY KEY, record BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS memory (
    number INTEGER PRIMARY KEY, canister BLOB, name TEXT, UNIQUE (canister, name)
);
CREATE TABLE IF NOT EXISTS page (number INTEGER PRIMARY KEY, data BLOB);
"""


class Database:
    """An open state folder; only one process may hold it.

    Raises:
        StateFolderError: held by another process, unreadable, or written by another version.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _take_lock(folder / _LOCK)
        try:
            self._connection = sqlite3.connect(folder / _FILE, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA page_size = 4096")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_SCHEMA)
            self._check_format()
        except sqlite3.DatabaseError as error:
            os.close(self._lock)
            raise StateFolderError(f"cannot read the state in {folder}: {error}") from error
        except StateFolderError:
            os.close(self._lock)
            raise

    def _check_format(self) -> None:
        found = self.fact("format")
        if found is None:
            self.execute("INSERT INTO fact VALUES ('format', ?)", str(FORMAT).encode())
        elif found != str(FORMAT).encode():
            raise StateFolderError(
                f"the state folder has format {found.decode()}, this version reads {FORMAT}; "
                "use a new folder, or forget what is in it with `leasehold devnet reset`"
            )

    def execute(self, statement: str, *values: Any) -> None:
        self._connection.execute(statement, values)

    def execute_many(self, statement: str, rows: Iterator[tuple[Any, ...]]) -> None:
        self._connection.executemany(statement, rows)

    def rows(self, statement: str, *values: Any) -> Iterator[Any]:
        return iter(self._connection.execute(statement, values))

    def value(self, statement: str, *values: Any) -> Any:
        """First column of the first row; None without one."""
        row = self._connection.execute(statement, values).fetchone()
        return None if row is None else row[0]

    def fact(self, name: str) -> bytes | None:
        found: bytes | None = self.value("SELECT value FROM fact WHERE name = ?", name)
        return found

    def set_fact(self, name: str, value: bytes) -> None:
        self.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", name, value)

    def transaction(self) -> sqlite3.Connection:
        """To be used in `with`: commits at its end, rolls back on an exception."""
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def close(self) -> None:
        self._connection.close()
        os.close(self._lock)


def _take_lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StateFolderError(f"{path.parent} is used by another running node") from error
    return descriptor
