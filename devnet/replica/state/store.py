"""Saves a subnet to its state folder, only what changed since the last time, and loads it again."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from devnet.errors import StateFolderError
from devnet.replica.canister import Canister, Code, new_canister
from devnet.replica.executor import Executor
from devnet.replica.ingress_history import IngressRecord
from devnet.replica.messages import Call
from devnet.replica.stable_memory import StableMemory
from devnet.replica.state.database import Database
from devnet.replica.state.encoding import decode, encode
from devnet.replica.subnet import Subnet
from devnet.replica.wasm.heap import WASM_PAGE, Heap
from devnet.replica.wasm.instance import Globals, GlobalValue

_NOT_STORED = {"id", "stable", "code", "chunks"}
_STORED = {name: hint for name, hint in get_type_hints(Canister).items() if name not in _NOT_STORED}
_ZEROS = bytes(WASM_PAGE)


@dataclass
class SubnetFacts:
    """State of the subnet as a whole."""

    time: int
    next_index: int
    ready: list[bytes]
    management_queue: list[Call]


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
        self._modules: set[bytes] = set()

    def close(self) -> None:
        self._database.close()

    def save(self, subnet: Subnet) -> None:
        """Write everything that changed, in one transaction."""
        with self._database.transaction():
            self._save_facts(subnet)
            self._save_modules(subnet)
            self._save_ingress(subnet)
            self._remove_deleted(subnet)
            for canister in subnet.canisters.values():
                self._save_canister(canister)
        for canister in subnet.canisters.values():
            canister.stable.mark_saved()
            if canister.code is not None:
                canister.code.heap.mark_saved()
        subnet.ingress.changed.clear()

    def load(self, subnet: Subnet, executor: Executor) -> None:
        """Fill an empty subnet with what was saved last, if anything was."""
        raw = self._database.fact("subnet")
        if raw is None:
            return
        facts: SubnetFacts = decode(SubnetFacts, raw)
        subnet.restore_time(facts.time)
        subnet.next_index = facts.next_index
        subnet.management_queue.extend(facts.management_queue)
        subnet.ready.extend(facts.ready)
        for identifier, record in self._database.rows("SELECT id, record FROM canister ORDER BY id"):
            canister = self._load_canister(identifier, decode(CanisterFacts, record), subnet, executor)
            subnet.canisters[identifier] = canister
            for callback_id, callback in canister.callbacks.items():
                if callback.deadline:
                    heapq.heappush(subnet.deadlines, (callback.deadline, identifier, callback_id))
        for request_id, record in self._database.rows("SELECT id, record FROM ingress"):
            subnet.ingress.records[request_id] = decode(IngressRecord, record)

    def _save_facts(self, subnet: Subnet) -> None:
        facts = SubnetFacts(
            subnet.now(), subnet.next_index, list(subnet.ready), list(subnet.management_queue)
        )
        self._database.set_fact("subnet", encode(facts))

    def _save_modules(self, subnet: Subnet) -> None:
        used = {
            canister.code.module.hash: canister.code.module.wasm
            for canister in subnet.canisters.values()
            if canister.code is not None
        }
        known = {row[0] for row in self._database.rows("SELECT hash FROM module")}
        for module_hash in known - used.keys():
            self._database.execute("DELETE FROM module WHERE hash = ?", module_hash)
        for module_hash in used.keys() - known:
            self._database.execute("INSERT INTO module VALUES (?, ?)", module_hash, used[module_hash])

    def _save_ingress(self, subnet: Subnet) -> None:
        for request_id in subnet.ingress.changed:
            record = subnet.ingress.records.get(request_id)
            if record is None:
                self._database.execute("DELETE FROM ingress WHERE id = ?", request_id)
            else:
                self._database.execute(
                    "INSERT OR REPLACE INTO ingress VALUES (?, ?)", request_id, encode(record)
                )

    def _remove_deleted(self, subnet: Subnet) -> None:
        known = {row[0] for row in self._database.rows("SELECT id FROM canister")}
        for identifier in known - subnet.canisters.keys():
            self._database.execute("DELETE FROM canister WHERE id = ?", identifier)
            self._database.execute("DELETE FROM chunk WHERE canister = ?", identifier)
            self._database.execute("DELETE FROM page WHERE canister = ?", identifier)

    def _save_canister(self, canister: Canister) -> None:
        code = None
        if canister.code is not None:
            values = canister.code.globals.values if canister.code.globals else []
            code = CodeFacts(canister.code.module.hash, canister.code.heap.size, values)
        stored = [encode(getattr(canister, name)) for name in _STORED]
        facts = CanisterFacts(canister.stable.size, code, stored)
        self._database.execute("INSERT OR REPLACE INTO canister VALUES (?, ?)", canister.id, encode(facts))
        self._save_chunks(canister)
        self._save_memory(canister.id, "stable", canister.stable)
        self._save_memory(canister.id, "heap", None if canister.code is None else canister.code.heap)

    def _save_chunks(self, canister: Canister) -> None:
        query = "SELECT hash FROM chunk WHERE canister = ?"
        known = {row[0] for row in self._database.rows(query, canister.id)}
        for digest in known - canister.chunks.keys():
            self._database.execute("DELETE FROM chunk WHERE canister = ? AND hash = ?", canister.id, digest)
        for digest in canister.chunks.keys() - known:
            self._database.execute(
                "INSERT INTO chunk VALUES (?, ?, ?)", canister.id, digest, canister.chunks[digest]
            )

    def _save_memory(self, identifier: bytes, name: str, memory: Heap | StableMemory | None) -> None:
        if memory is None or not memory.saved:
            self._database.execute("DELETE FROM page WHERE canister = ? AND memory = ?", identifier, name)
        if memory is None:
            return
        numbers: Iterable[int] = memory.dirty if memory.saved else range(memory.size // WASM_PAGE)
        for number in numbers:
            data = memory.read(number * WASM_PAGE, WASM_PAGE)
            if data == _ZEROS:
                self._database.execute(
                    "DELETE FROM page WHERE canister = ? AND memory = ? AND number = ?",
                    identifier,
                    name,
                    number,
                )
            else:
                self._database.execute(
                    "INSERT OR REPLACE INTO page VALUES (?, ?, ?, ?)", identifier, name, number, data
                )

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
        canister.stable.restore(facts.stable_size, self._pages(identifier, "stable"))
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
        code.heap.restore(facts.heap_size, self._pages(identifier, "heap"))
        code.heap.mark_saved()
        code.globals = Globals(facts.globals)
        return code

    def _pages(self, identifier: bytes, name: str) -> Iterator[tuple[int, Any]]:
        query = "SELECT number, data FROM page WHERE canister = ? AND memory = ?"
        for number, data in self._database.rows(query, identifier, name):
            yield number * WASM_PAGE, data
