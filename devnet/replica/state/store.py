"""Saves a subnet to its state folder, only what changed since the last time, and loads it again."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

import cbor2

from devnet.errors import StateFolderError
from devnet.replica.canister import Canister, Code, new_canister
from devnet.replica.executor import Executor
from devnet.replica.ingress_history import IngressRecord
from devnet.replica.messages import Call, PendingOutcall
from devnet.replica.state.database import Database
from devnet.replica.state.encoding import decode, encode
from devnet.replica.state.memories import delete_memory, save_memory, stored_pages
from devnet.replica.state.snapshots import load_snapshots, mark_saved, save_snapshots
from devnet.replica.subnet import Subnet
from devnet.replica.wasm.instance import Globals, GlobalValue

_NOT_STORED = {"id", "stable", "code", "chunks", "snapshots"}
_STORED = {name: hint for name, hint in get_type_hints(Canister).items() if name not in _NOT_STORED}
MEMORIES = ("stable", "heap")
"""Names of a canister's memories in the database."""


@dataclass
class SubnetFacts:
    """State of the subnet as a whole."""

    time: int
    next_index: int
    ready: list[bytes]
    management_queue: list[Call]
    outcalls: list[PendingOutcall]
    rounds: int
    messages_executed: int
    consumed_by_deleted: int
    retired: list[bytes]


@dataclass
class CodeFacts:
    """An installed module, without its heap's content."""

    module_hash: bytes
    heap_size: int
    globals: list[GlobalValue]


@dataclass
class CanisterFacts:
    """A canister, without its memories' content."""

    stable_size: int
    code: CodeFacts | None
    fields: list[bytes] = field(default_factory=list)


class StateStore:
    """The state folder of one subnet.

    Raises:
        StateFolderError: see `Database`.
    """

    def __init__(self, folder: Path) -> None:
        self._database = Database(folder)
        self._read_index()

    def _read_index(self) -> None:
        """What the database holds, so that saving need not ask."""
        self._known = {row[0] for row in self._database.rows("SELECT id FROM canister")}
        self._snapshots = {row[0] for row in self._database.rows("SELECT id FROM snapshot")}
        self._modules = {row[0] for row in self._database.rows("SELECT hash FROM module")}
        self._chunks: dict[bytes, set[bytes]] = {}
        for canister, digest in self._database.rows("SELECT canister, hash FROM chunk"):
            self._chunks.setdefault(canister, set()).add(digest)
        self._fingerprints: dict[bytes, tuple[Any, ...]] = {}

    def close(self) -> None:
        self._database.close()

    def save(self, subnet: Subnet) -> None:
        """Write everything that changed, in one transaction."""
        try:
            with self._database.transaction():
                self._save_all(subnet)
        except BaseException:
            self._read_index()
            raise
        for canister in subnet.canisters.values():
            canister.stable.mark_saved()
            if canister.code is not None:
                canister.code.heap.mark_saved()
        mark_saved(subnet.canisters.values())
        subnet.ingress.changed.clear()
        subnet.natives.state.changed.clear()

    def _save_all(self, subnet: Subnet) -> None:
        self._save_facts(subnet)
        self._save_modules(subnet)
        self._save_ingress(subnet)
        self._save_natives(subnet)
        self._remove_deleted(subnet)
        for canister in subnet.canisters.values():
            self._save_canister(canister)
        save_snapshots(self._database, subnet.canisters.values(), self._snapshots)

    def load(self, subnet: Subnet, executor: Executor) -> None:
        """Fill an empty subnet with what was saved last, if anything was."""
        raw = self._database.fact("subnet")
        if raw is None:
            return
        facts: SubnetFacts = decode(SubnetFacts, raw)
        subnet.restore_time(facts.time)
        subnet.next_index = facts.next_index
        subnet.management_queue.extend(facts.management_queue)
        subnet.rounds = facts.rounds
        subnet.messages_executed = facts.messages_executed
        subnet.consumed_by_deleted = facts.consumed_by_deleted
        subnet.retired.update(facts.retired)
        subnet.outcalls.update(enumerate(facts.outcalls))
        subnet.next_outcall = len(facts.outcalls)
        subnet.ready.update(dict.fromkeys(facts.ready))
        for identifier, record in self._database.rows("SELECT id, record FROM canister ORDER BY id"):
            canister = self._load_canister(identifier, decode(CanisterFacts, record), subnet, executor)
            subnet.canisters[identifier] = canister
            for callback_id, callback in canister.callbacks.items():
                if callback.deadline:
                    heapq.heappush(subnet.deadlines, (callback.deadline, identifier, callback_id))
        rows = self._database.rows("SELECT id, record FROM ingress")
        subnet.ingress.restore({request_id: decode(IngressRecord, record) for request_id, record in rows})
        for name, value in self._database.rows("SELECT name, value FROM native"):
            subnet.natives.state.values[name] = cbor2.loads(value)

    def _save_facts(self, subnet: Subnet) -> None:
        facts = SubnetFacts(
            subnet.now(),
            subnet.next_index,
            list(subnet.ready),
            list(subnet.management_queue),
            list(subnet.outcalls.values()),
            subnet.rounds,
            subnet.messages_executed,
            subnet.consumed_by_deleted,
            sorted(subnet.retired),
        )
        self._database.set_fact("subnet", encode(facts))

    def _save_modules(self, subnet: Subnet) -> None:
        used = {
            canister.code.module.hash: canister.code.module.wasm
            for canister in subnet.canisters.values()
            if canister.code is not None
        }
        for module_hash in self._modules - used.keys():
            self._database.execute("DELETE FROM module WHERE hash = ?", module_hash)
        for module_hash in used.keys() - self._modules:
            self._database.execute("REPLACE INTO module VALUES (?, ?)", module_hash, used[module_hash])
        self._modules = set(used)

    def _save_ingress(self, subnet: Subnet) -> None:
        for request_id in subnet.ingress.changed:
            record = subnet.ingress.records.get(request_id)
            if record is None:
                self._database.execute("DELETE FROM ingress WHERE id = ?", request_id)
            else:
                self._database.execute("REPLACE INTO ingress VALUES (?, ?)", request_id, encode(record))

    def _save_natives(self, subnet: Subnet) -> None:
        values = subnet.natives.state.values
        for name in subnet.natives.state.changed:
            if name in values:
                self._database.execute("REPLACE INTO native VALUES (?, ?)", name, cbor2.dumps(values[name]))
            else:
                self._database.execute("DELETE FROM native WHERE name = ?", name)

    def _remove_deleted(self, subnet: Subnet) -> None:
        for identifier in self._known - subnet.canisters.keys():
            self._database.execute("DELETE FROM canister WHERE id = ?", identifier)
            self._database.execute("DELETE FROM chunk WHERE canister = ?", identifier)
            for name in MEMORIES:
                delete_memory(self._database, identifier, name)
            self._chunks.pop(identifier, None)
            self._fingerprints.pop(identifier, None)
        self._known = set(subnet.canisters)

    def _save_canister(self, canister: Canister) -> None:
        fingerprint = _fingerprint(canister)
        if self._fingerprints.get(canister.id) != fingerprint:
            self._save_record(canister)
            self._fingerprints[canister.id] = fingerprint
        self._save_chunks(canister)
        heap = None if canister.code is None else canister.code.heap
        for name, memory in zip(MEMORIES, (canister.stable, heap), strict=True):
            save_memory(self._database, canister.id, name, memory)

    def _save_record(self, canister: Canister) -> None:
        code = None
        if canister.code is not None:
            values = canister.code.globals.values if canister.code.globals else []
            code = CodeFacts(canister.code.module.hash, canister.code.heap.size, values)
        stored = [encode(getattr(canister, name)) for name in _STORED]
        facts = CanisterFacts(canister.stable.size, code, stored)
        self._database.execute("REPLACE INTO canister VALUES (?, ?)", canister.id, encode(facts))

    def _save_chunks(self, canister: Canister) -> None:
        known = self._chunks.get(canister.id, set())
        for digest in known - canister.chunks.keys():
            self._database.execute("DELETE FROM chunk WHERE canister = ? AND hash = ?", canister.id, digest)
        for digest in canister.chunks.keys() - known:
            self._database.execute(
                "REPLACE INTO chunk VALUES (?, ?, ?)", canister.id, digest, canister.chunks[digest]
            )
        self._chunks[canister.id] = set(canister.chunks)

    def _load_canister(
        self, identifier: bytes, facts: CanisterFacts, subnet: Subnet, executor: Executor
    ) -> Canister:
        canister = new_canister(identifier, 0, subnet.limits, 0)
        if len(facts.fields) != len(_STORED):
            raise StateFolderError("the state folder was written by another version; use a new folder")
        for (name, hint), raw in zip(_STORED.items(), facts.fields, strict=True):
            setattr(canister, name, decode(hint, raw))
        rows = self._database.rows("SELECT hash, data FROM chunk WHERE canister = ?", identifier)
        canister.chunks.update(rows)
        load_snapshots(self._database, canister)
        canister.stable.restore(facts.stable_size, stored_pages(self._database, identifier, "stable"))
        canister.stable.mark_saved()
        if facts.code is not None:
            canister.code = self._load_code(identifier, facts.code, executor)
        return canister

    def _load_code(self, identifier: bytes, facts: CodeFacts, executor: Executor) -> Code:
        rows = self._database.rows("SELECT wasm FROM module WHERE hash = ?", facts.module_hash)
        row = next(rows, None)
        if row is None:
            raise StateFolderError(f"the state folder lacks module {facts.module_hash.hex()}")
        code = Code(executor.compile(row[0]))
        code.heap.restore(facts.heap_size, stored_pages(self._database, identifier, "heap"))
        code.heap.mark_saved()
        code.globals = Globals(facts.globals)
        return code


def _fingerprint(canister: Canister) -> tuple[Any, ...]:
    """Differs whenever a stored field does: the others change only together with one of these."""
    return (
        canister.version,
        canister.cycles,
        canister.consumed.http_outcalls,
        canister.charged_until,
        canister.status,
        canister.settings,
        canister.global_timer,
        canister.code,
        canister.total_changes,
        canister.next_snapshot,
        canister.log.next_index,
        canister.log.capacity,
        canister.query_stats.calls,
        canister.next_context,
        canister.next_callback,
        len(canister.contexts),
        len(canister.callbacks),
        len(canister.stop_waiters),
        # The messages themselves: an id may be that of a message which took the place of a finished one.
        tuple(canister.queue),
    )
