"""A canister: its committed state and what is waiting for it."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from devnet.replica import prices
from devnet.replica.api import GIB, KIB, MIB, Limits
from devnet.replica.logs import CanisterLog
from devnet.replica.messages import Callback, CallContext, Message, Origin, StopRequest
from devnet.replica.record import Change, Consumed, QueryStats
from devnet.replica.snapshots import Snapshot
from devnet.replica.stable_memory import StableMemory
from devnet.replica.wasm.engine import MEMORY_RESERVATION, CompiledModule
from devnet.replica.wasm.heap import WASM_PAGE, Heap
from devnet.replica.wasm.instance import Globals, Instance

_HEAP_32 = 4 * GIB
_DAY_S = 86_400
CHUNK_BYTES = MIB
"""What any chunk of the chunk store counts for."""

_GLOBAL_BYTES = 8
_CHANGE_BYTES = 120
"""What a history entry counts for."""


class Status(IntEnum):
    """Values of `ic0.canister_status`."""

    RUNNING = 1
    STOPPING = 2
    STOPPED = 3


@dataclass(frozen=True)
class Visibility:
    """Who may see something: `controllers`, `public`, or `allowed_viewers` with the principals listed."""

    kind: str = "controllers"
    viewers: tuple[bytes, ...] = ()


@dataclass
class Settings:
    """Definite settings; defaults and units as in the interface specification, `canister_settings`."""

    controllers: tuple[bytes, ...] = ()
    compute_allocation: int = 0
    memory_allocation: int = 0
    freezing_threshold: int = 30 * _DAY_S
    reserved_cycles_limit: int = 5_000_000_000_000
    minimum_incoming_canister_call_cycles: int = 0
    log_visibility: Visibility = field(default_factory=Visibility)
    log_memory_limit: int = 4 * KIB
    snapshot_visibility: Visibility = field(default_factory=Visibility)
    status_visibility: Visibility = field(default_factory=Visibility)
    wasm_memory_limit: int = 3 * GIB
    wasm_memory_threshold: int = 0
    environment_variables: dict[str, str] = field(default_factory=dict)


class Code:
    """An installed module with its heap: the part of a canister that an upgrade replaces."""

    def __init__(self, module: CompiledModule) -> None:
        self.module = module
        self.heap = Heap(MEMORY_RESERVATION if module.info.is_64 else _HEAP_32)
        self.heap.restore(module.info.memory_pages * WASM_PAGE, module.info.segments)
        self.globals: Globals | None = None
        self.instructions: dict[str | int, int] = {}
        """What each entry point took at its last run; callbacks by the complement of their table index."""
        self._instance: Instance | None = None

    @property
    def exports(self) -> Mapping[str, int]:
        """Exported functions with their indices."""
        return self.module.info.exports

    def instance(self) -> Instance:
        """The live instance, made if there is none."""
        if self._instance is None:
            self._instance = Instance(self.module, self.heap, self.globals)
            if self.globals is None:
                self.globals = self._instance.initial
        return self._instance

    def commit(self) -> None:
        """Keep what the last execution did to heap and globals."""
        self.globals = self.instance().commit()

    def rollback(self) -> None:
        """Undo what executions since the last commit did to heap and globals."""
        if self._instance is None or self.globals is None:
            return
        if not self._instance.rollback(self.globals):
            self.discard_instance()

    def discard_instance(self) -> None:
        """Drop the live instance; the next use starts from the committed state.

        After a trap tables and dropped segments have to be as they were too; only a new instance gives that.
        """
        if self._instance is not None:
            self._instance.close()
            self._instance = None

    def close(self) -> None:
        self.discard_instance()
        self.heap.close()


@dataclass
class Canister:
    """Everything the replica keeps about one canister."""

    id: bytes
    cycles: int
    stable: StableMemory
    log: CanisterLog
    settings: Settings = field(default_factory=Settings)
    status: Status = Status.RUNNING
    version: int = 0
    code: Code | None = None
    certified_data: bytes = b""
    global_timer: int = 0
    queue: deque[Message] = field(default_factory=deque)
    contexts: dict[int, CallContext] = field(default_factory=dict)
    callbacks: dict[int, Callback] = field(default_factory=dict)
    stop_waiters: list[StopRequest] = field(default_factory=list)
    next_context: int = 1
    next_callback: int = 1
    chunks: OrderedDict[bytes, bytes] = field(default_factory=OrderedDict)
    snapshots: dict[bytes, Snapshot] = field(default_factory=dict)
    next_snapshot: int = 0
    history: list[Change] = field(default_factory=list)
    total_changes: int = 0
    query_stats: QueryStats = field(default_factory=QueryStats)
    consumed: Consumed = field(default_factory=Consumed)
    low_memory_fired: bool = False
    charged_until: int = 0
    created_at: int = 0
    installed_at: int = 0
    """When code was installed or loaded last, ns; 0 without code."""
    outstanding_to: Counter[bytes] = field(default_factory=Counter)

    @property
    def memory_bytes(self) -> int:
        """Everything the canister pays storage for."""
        return sum(self.memory_metrics.values())

    @property
    def memory_metrics(self) -> dict[str, int]:
        """Bytes of each of its parts; names as in `canister_status`."""
        code = self.code
        return {
            "wasm_memory_size": code.heap.size if code else 0,
            "stable_memory_size": self.stable.size,
            "global_memory_size": _GLOBAL_BYTES * len(code.module.info.mutable_globals) if code else 0,
            "wasm_binary_size": len(code.module.wasm) if code else 0,
            "custom_sections_size": code.module.info.custom_sections_bytes if code else 0,
            "canister_history_size": _CHANGE_BYTES * len(self.history),
            "wasm_chunk_store_size": CHUNK_BYTES * len(self.chunks),
            "snapshots_size": self.snapshot_bytes,
            "log_memory_store_size": self.log.size,
        }

    @property
    def snapshot_bytes(self) -> int:
        """All its snapshots."""
        return sum(snapshot.total_size for snapshot in self.snapshots.values())

    @property
    def idle_per_day(self) -> int:
        """Cycles burned in a day without doing anything."""
        settings = self.settings
        return prices.idle_per_day(self.memory_bytes, settings.memory_allocation, settings.compute_allocation)

    @property
    def freezing_limit(self) -> int:
        """Cycles below which the canister is frozen."""
        return self.idle_per_day * self.settings.freezing_threshold // _DAY_S

    def pay(self, use: str, amount: int) -> None:
        """Take cycles for something, which is named as in `Consumed`; no more than there are."""
        paid = min(amount, self.cycles)
        self.cycles -= paid
        setattr(self.consumed, use, getattr(self.consumed, use) + paid)

    def calls_to(self, callee: bytes) -> int:
        """Calls to a canister that have no response yet."""
        return self.outstanding_to[callee]

    def open_context(self, origin: Origin, caller: bytes, method: str, cycles: int) -> CallContext:
        """Begin to work on a call."""
        context = CallContext(self.next_context, origin, caller, method, cycles)
        self.contexts[context.id] = context
        self.next_context += 1
        return context

    def register_callback(self, callback: Callback) -> int:
        """Remember what to do with a response; returns the id the response has to carry."""
        identifier = self.next_callback
        self.next_callback += 1
        self.callbacks[identifier] = callback
        self.outstanding_to[callback.callee] += 1
        self.contexts[callback.context_id].outstanding += 1
        return identifier

    def take_callback(self, identifier: int) -> Callback | None:
        """Remove a callback; None if its response was already processed."""
        callback = self.callbacks.pop(identifier, None)
        if callback is not None:
            self.outstanding_to[callback.callee] -= 1
            if not self.outstanding_to[callback.callee]:
                del self.outstanding_to[callback.callee]
        return callback

    def replace_code(self, code: Code | None, installed_at: int = 0) -> None:
        """Install other code at a time (ns), or none; the timer goes with the old."""
        if self.code is not None:
            self.code.close()
        self.code = code
        self.installed_at = installed_at
        self.global_timer = 0
        self.low_memory_fired = False

    def replace_stable(self, stable: StableMemory) -> None:
        self.stable.close()
        self.stable = stable

    def record(self, change: Change, kept: int) -> None:
        """Append to the history, of which the last `kept` entries stay."""
        self.history.append(change)
        self.total_changes += 1
        del self.history[:-kept]

    def close(self) -> None:
        """Release memory."""
        if self.code is not None:
            self.code.close()
        self.stable.close()


def new_canister(identifier: bytes, cycles: int, limits: Limits, now: int) -> Canister:
    """An empty, running canister."""
    settings = Settings()
    return Canister(
        id=identifier,
        cycles=cycles,
        stable=StableMemory(limits.stable_bytes),
        log=CanisterLog(settings.log_memory_limit),
        settings=settings,
        charged_until=now,
        created_at=now,
    )
