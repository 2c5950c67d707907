"""The facade over the engine: submit, query, run, look."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from devnet.principal import MANAGEMENT_CANISTER, canister_id
from devnet.replica import prices, rejects
from devnet.replica.api import (
    CanisterView,
    Clock,
    Ingress,
    IngressStatus,
    Limits,
    LogSink,
    Query,
    ThresholdKeys,
)
from devnet.replica.canister import Canister
from devnet.replica.executor import Executor
from devnet.replica.installation import Installer
from devnet.replica.management.canister import Management
from devnet.replica.messages import Call, FromUser
from devnet.replica.natives import MakeNatives, NativeServices
from devnet.replica.outcalls.fetching import Fetcher, HttpFetcher
from devnet.replica.outcalls.pending import Outcalls
from devnet.replica.processing import Processor
from devnet.replica.queries import QueryRunner
from devnet.replica.scheduler import Scheduler
from devnet.replica.state.store import StateStore
from devnet.replica.subnet import LAST_CANISTER_INDEX, Subnet
from devnet.replica.subnet_metrics import SubnetMetrics, measure
from devnet.replica.wasm.engine import default_cache_folder

DEFAULT_ROUND = 64


class Replica:
    """One subnet of canisters, executed in this process.

    The thread that calls it needs a stack larger than `Limits.wasm_stack_bytes` (see `threading.stack_size`).
    """

    def __init__(
        self,
        *,
        keys: ThresholdKeys,
        subnet_id: bytes,
        clock: Clock,
        root_key: bytes = b"",
        state_dir: Path | None = None,
        limits: Limits | None = None,
        randomness: Callable[[int], bytes] = os.urandom,
        log: LogSink | None = None,
        cache_dir: Path | None = None,
        natives: MakeNatives | None = None,
        node_id: bytes = b"",
        fetcher: Fetcher | None = None,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """Open the state in `state_dir`, or start empty.

        Args:
            root_key: DER, returned by `ic0.root_key_copy`.
            state_dir: kept up to date by `checkpoint()` and `close()`; None keeps everything in memory only.
            cache_dir: for compiled modules; None takes the user's cache folder.
            natives: makes the canisters that are part of the node; None: there are none.
            node_id: the one node's, for `node_metrics_history`.
            fetcher: makes canisters' HTTP requests; None: `HttpFetcher`.
            wake: called on another thread when `run` has something to do that nobody asked for.

        Raises:
            StateFolderError: `state_dir` cannot be read.
        """
        self._limits = limits or Limits()
        cache = cache_dir or default_cache_folder()
        self._executor = Executor(
            limits=self._limits, subnet_id=subnet_id, root_key=root_key, cache=cache, log=log
        )
        self._subnet = Subnet(self._limits, clock)
        self._processor = Processor(self._subnet, self._executor)
        # The management canister makes queries too, for outcalls, so it is asked for only when it exists.
        self._queries = QueryRunner(self._subnet, self._executor, lambda query: self._management.query(query))
        installer = Installer(self._subnet, self._executor)
        self._outcalls = Outcalls(self._subnet, self._queries, fetcher or HttpFetcher(), wake)
        self._management = Management(
            self._subnet,
            installer,
            self._processor,
            self._outcalls,
            keys,
            randomness,
            self._limits,
            subnet_id,
            node_id,
        )
        self._store = None if state_dir is None else StateStore(state_dir)
        if self._store is not None:
            self._store.load(self._subnet, self._executor)
            self._outcalls.abandon()
        if natives is not None:
            services = NativeServices(self._management, subnet_id)
            self._subnet.natives.install(natives(services, self._subnet.natives.state))
        self._scheduler = Scheduler(
            self._subnet, self._processor, self._management, installer, self._outcalls
        )

    def submit(self, ingress: Ingress) -> None:
        """Accept an ingress message for execution by `run`; the same request id again is ignored.

        Raises:
            Reject: not accepted: no such canister, stopped, out of cycles, refused by inspection, queue full.
        """
        if ingress.request_id in self._subnet.ingress:
            return
        call = Call(
            FromUser(ingress.request_id, ingress.sender_info),
            ingress.sender,
            ingress.canister_id,
            ingress.method,
            ingress.arg,
            0,
            ingress.effective_canister_id,
        )
        payer: Canister | None
        if ingress.canister_id == MANAGEMENT_CANISTER:
            payer = self._check_management(call)
        elif call.callee in self._subnet.natives:
            payer = None
            self._check_native(call)
        else:
            payer = self._check_canister(call)
        if payer is not None:
            fee = prices.ingress(len(call.arg) + len(call.method.encode()))
            payer.pay("ingress_induction", fee)
        self._subnet.ingress.receive(ingress.request_id, call, ingress.ingress_expiry)
        self._subnet.send(call)

    def _check_management(self, call: Call) -> Canister | None:
        if len(self._subnet.management_queue) >= self._limits.ingress_queue:
            raise rejects.queue_full(MANAGEMENT_CANISTER)
        payer = self._management.check_ingress(call.caller, call.method, call.arg)
        return None if payer is None else self._subnet.canister(payer)

    def _check_native(self, call: Call) -> None:
        if len(self._subnet.management_queue) >= self._limits.ingress_queue:
            raise rejects.queue_full(call.callee)
        self._subnet.natives.check(call.callee, call.method)

    def _check_canister(self, call: Call) -> Canister:
        canister = self._subnet.canister(call.callee)
        refusal = self._processor.refusal(canister, call.method)
        if refusal is not None:
            raise refusal
        if len(canister.queue) >= self._limits.ingress_queue:
            raise rejects.queue_full(canister.id)
        if not self._queries.inspect(canister, call):
            raise rejects.refused_by_inspection(canister.id)
        return canister

    def ingress_status(self, request_id: bytes) -> IngressStatus | None:
        """State of an ingress message; None when it is not known (any more)."""
        return self._subnet.ingress.status(request_id)

    def query(self, query: Query) -> bytes:
        """Reply bytes of a query; changes nothing.

        Raises:
            Reject: the canister rejected, trapped, or does not exist.
        """
        if query.canister_id == MANAGEMENT_CANISTER:
            return self._management.query(query)
        return self._queries.query(query)

    def run(self, max_messages: int = DEFAULT_ROUND) -> bool:
        """Execute up to that many queued messages and due timers; True if more is runnable now."""
        return self._scheduler.run(max_messages)

    def next_wakeup(self) -> int | None:
        """Time (ns) at which `run` will have something to do without new input; None: never."""
        return self._scheduler.next_wakeup()

    def canister_view(self, canister_id: bytes) -> CanisterView | None:
        """What the state tree shows of a canister; None when it does not exist."""
        if canister_id in self._subnet.natives:
            return self._subnet.natives.view(canister_id)
        canister = self._subnet.canisters.get(canister_id)
        if canister is None:
            return None
        module = canister.code.module if canister.code else None
        return CanisterView(
            canister_id=canister_id,
            module_hash=module.hash if module else None,
            controllers=canister.settings.controllers,
            certified_data=canister.certified_data,
            public_metadata=module.info.public_metadata if module else {},
            private_metadata=module.info.private_metadata if module else {},
            created_at=canister.created_at,
            installed_at=canister.installed_at,
        )

    def last_instructions(self, canister_id: bytes, export: str) -> int | None:
        """What an export, such as `canister_update transfer`, took when it last ran; None: it has not yet."""
        canister = self._subnet.canisters.get(canister_id)
        return None if canister is None or canister.code is None else canister.code.instructions.get(export)

    def canister_ids(self) -> list[bytes]:
        """Ids of all canisters, sorted."""
        return sorted([*self._subnet.canisters, *self._subnet.natives])

    def canister_ranges(self) -> list[tuple[bytes, bytes]]:
        """Inclusive ranges of canister ids that this subnet hosts or may create."""
        return [(canister_id(0), canister_id(LAST_CANISTER_INDEX))]

    def metrics(self) -> SubnetMetrics:
        """Totals of the subnet."""
        return measure(self._subnet)

    def time(self) -> int:
        """The replica's time: monotonic, never behind what any canister saw."""
        return self._subnet.now()

    def postpone_expiries(self, by_ns: int) -> None:
        """Keep ingress messages and their answers that much longer, for when time is set forward."""
        self._subnet.ingress.postpone(by_ns)

    def checkpoint(self) -> None:
        """Write the whole state to the state folder, atomically."""
        if self._store is not None:
            self._store.save(self._subnet)

    def close(self) -> None:
        """Checkpoint and release everything; HTTP outcalls in progress are given up."""
        self._outcalls.close()
        self.checkpoint()
        for canister in self._subnet.canisters.values():
            canister.close()
        self._subnet.canisters.clear()
        if self._store is not None:
            self._store.close()
            self._store = None
