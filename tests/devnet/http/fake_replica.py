"""A replica without Wasm: one counter canister whose methods are Python functions."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable

from devnet.principal import MANAGEMENT_CANISTER, canister_id
from devnet.replica.api import (
    CanisterView,
    Clock,
    Ingress,
    IngressState,
    IngressStatus,
    Query,
    Reject,
    RejectCode,
)
from devnet.replica.subnet_metrics import SubnetMetrics

COUNTER = canister_id(1)
CONTROLLER = b"\x09" * 29


class ManualClock:
    """A clock that a test moves."""

    def __init__(self, now: int = 1_800_000_000_000_000_000) -> None:
        self.now = now

    def now_ns(self) -> int:
        return self.now


class FakeReplica:
    """Keeps the contract of `devnet.replica.Replica` for what the HTTP side uses."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.closed = False
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._queue: list[Ingress] = []
        self._statuses: dict[bytes, IngressStatus] = {}
        self._held = False
        self.rounds = 0
        self.counter = 0
        self.certified_data = b""
        self.wakeup: int | None = None
        self.fault: Exception | None = None
        self.blocked: threading.Event | None = None
        self.unsavable: Exception | None = None
        self.saved: set[bytes] = set()

    def hold(self, held: bool) -> None:
        """Stop or resume executing messages."""
        self._held = held

    def submit(self, ingress: Ingress) -> None:
        if ingress.canister_id not in (COUNTER, MANAGEMENT_CANISTER):
            raise Reject(RejectCode.DESTINATION_INVALID, "Canister not found", "IC0301")
        if ingress.request_id in self._statuses:
            return
        self._queue.append(ingress)
        self._set(ingress, IngressState.RECEIVED)

    def ingress_status(self, request_id: bytes) -> IngressStatus | None:
        return self._statuses.get(request_id)

    def query(self, query: Query) -> bytes:
        if query.canister_id != COUNTER:
            raise Reject(RejectCode.DESTINATION_INVALID, "Canister not found", "IC0301")
        methods: dict[str, Callable[[], bytes]] = {
            "get": lambda: str(self.counter).encode(),
            "caller": lambda: query.sender,
            "certificate": lambda: query.data_certificate() if query.data_certificate else b"",
        }
        if query.method not in methods:
            raise Reject(RejectCode.DESTINATION_INVALID, f"no query method {query.method!r}", "IC0536")
        return methods[query.method]()

    def run(self, max_messages: int = 64) -> bool:
        if self.blocked is not None:
            self.blocked.wait()
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        if self.wakeup is not None and self._clock.now_ns() >= self.wakeup:
            self.wakeup = None
            self.counter += 1000
        if self._held:
            return False
        self.rounds += 1
        for ingress in self._queue[:max_messages]:
            self._execute(ingress)
        del self._queue[:max_messages]
        return bool(self._queue)

    def next_wakeup(self) -> int | None:
        return self.wakeup

    def canister_view(self, canister_id: bytes) -> CanisterView | None:
        if canister_id != COUNTER:
            return None
        return CanisterView(
            canister_id=COUNTER,
            module_hash=hashlib.sha256(b"counter").digest(),
            controllers=(CONTROLLER,),
            certified_data=self.certified_data,
            public_metadata={"candid:service": b"service : {}"},
            private_metadata={"secret": b"for controllers"},
        )

    def canister_ids(self) -> list[bytes]:
        return [COUNTER]

    def canister_ranges(self) -> list[tuple[bytes, bytes]]:
        return [(canister_id(0), canister_id(2**64 - 1))]

    def metrics(self) -> SubnetMetrics:
        return SubnetMetrics()

    def time(self) -> int:
        return self._clock.now_ns()

    def postpone_expiries(self, by_ns: int) -> None: ...

    def checkpoint(self) -> None:
        if self.unsavable is not None:
            raise self.unsavable
        self.saved = set(self._statuses)

    def close(self) -> None:
        self.closed = True

    def _execute(self, ingress: Ingress) -> None:
        if ingress.method == "trap":
            reject = Reject(RejectCode.CANISTER_ERROR, "Canister trapped: unreachable", "IC0502")
            self._set(ingress, IngressState.REJECTED, reject=reject)
            return
        self.counter += 1
        self.certified_data = str(self.counter).encode()
        reply = ingress.sender if ingress.method == "caller" else str(self.counter).encode()
        self._set(ingress, IngressState.REPLIED, reply=reply)

    def _set(
        self, ingress: Ingress, state: IngressState, reply: bytes | None = None, reject: Reject | None = None
    ) -> None:
        self._statuses[ingress.request_id] = IngressStatus(
            state=state,
            sender=ingress.sender,
            canister_id=ingress.canister_id,
            effective_canister_id=ingress.effective_canister_id,
            reply=reply,
            reject=reject,
        )
