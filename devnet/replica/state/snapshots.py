"""Snapshots in the state folder: a record, and the pages of their images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from devnet.replica.canister import Canister
from devnet.replica.snapshots import IMAGES, GlobalValue, Image, Snapshot
from devnet.replica.state.database import Database
from devnet.replica.state.encoding import decode, encode


@dataclass
class SnapshotFacts:
    """A snapshot without its images' content; fields as in `Snapshot`."""

    taken_at: int
    version: int
    uploaded: bool
    globals: list[GlobalValue]
    certified_data: bytes
    global_timer: int | None
    sizes: list[int]
    chunks: dict[bytes, bytes]


def save_snapshots(database: Database, canisters: Iterable[Canister], known: set[bytes]) -> None:
    """Write what changed, delete what is gone; `known` are the ids in the database, brought up to date."""
    kept: set[bytes] = set()
    for canister in canisters:
        for snapshot in canister.snapshots.values():
            kept.add(snapshot.id)
            _save(database, snapshot)
    for identifier in known - kept:
        database.execute("DELETE FROM snapshot WHERE id = ?", identifier)
        database.execute("DELETE FROM snapshot_page WHERE snapshot = ?", identifier)
    known.clear()
    known.update(kept)


def mark_saved(canisters: Iterable[Canister]) -> None:
    """Note that the state folder holds all snapshots."""
    for canister in canisters:
        for snapshot in canister.snapshots.values():
            snapshot.saved = True
            for image in snapshot.images.values():
                image.dirty.clear()


def load_snapshots(database: Database, canister: Canister) -> None:
    """Read a canister's snapshots."""
    rows = database.rows("SELECT id, record FROM snapshot WHERE canister = ? ORDER BY id", canister.id)
    for identifier, record in list(rows):
        facts: SnapshotFacts = decode(SnapshotFacts, record)
        images = {name: Image(size) for name, size in zip(IMAGES, facts.sizes, strict=True)}
        snapshot = Snapshot(
            identifier,
            canister.id,
            facts.taken_at,
            facts.version,
            facts.uploaded,
            facts.globals,
            facts.certified_data,
            facts.global_timer,
            images,
            facts.chunks,
            saved=True,
        )
        for name, image in snapshot.images.items():
            query = "SELECT number, data FROM snapshot_page WHERE snapshot = ? AND part = ?"
            image.pages.update(database.rows(query, identifier, name))
        canister.snapshots[identifier] = snapshot


def _save(database: Database, snapshot: Snapshot) -> None:
    if not snapshot.saved:
        facts = SnapshotFacts(
            snapshot.taken_at,
            snapshot.version,
            snapshot.uploaded,
            snapshot.globals,
            snapshot.certified_data,
            snapshot.global_timer,
            [snapshot.images[name].size for name in IMAGES],
            snapshot.chunks,
        )
        database.execute(
            "REPLACE INTO snapshot VALUES (?, ?, ?)", snapshot.id, snapshot.canister, encode(facts)
        )
    for name, image in snapshot.images.items():
        if image.dirty:
            rows = _rows(snapshot.id, name, image)
            database.execute_many("REPLACE INTO snapshot_page VALUES (?, ?, ?, ?)", rows)


def _rows(identifier: bytes, name: str, image: Image) -> Iterator[tuple[bytes, str, int, bytes]]:
    for number in sorted(image.dirty):
        if number in image.pages:
            yield identifier, name, number, image.pages[number]
