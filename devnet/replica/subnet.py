"""The subnet's state: canisters, queues, ingress history, time."""

from __future__ import annotations

import heapq
from collections import deque

from devnet.principal import MANAGEMENT_CANISTER, canister_id
from devnet.replica import rejects
from devnet.replica.api import Clock, Limits, Reject
from devnet.replica.canister import Canister, new_canister
from devnet.replica.ingress_history import IngressHistory
from devnet.replica.messages import Call, FromCanister, FromUser, Message, Origin, PendingOutcall, Response
from devnet.replica.natives import NativeRunner

FIRST_CANISTER_INDEX = 0x8000_0000_0010_0000
"""Ids begin at bnz7o-iuaaa-aaaaa-qaaaa-cai, as developers know it from other local networks."""

LAST_CANISTER_INDEX = 0xFFFF_FFFF_FFFF_FFFF


class Subnet:
    """All state that survives between executions."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self.limits = limits
        self.canisters: dict[bytes, Canister] = {}
        self.management_queue: deque[Call] = deque()
        """Calls to the management canister and to native canisters."""
        self.natives = NativeRunner()
        self.ingress = IngressHistory(limits.ingress_ttl_ns, limits.ingress_history_bytes)
        self.next_index = FIRST_CANISTER_INDEX
        self.retired: set[bytes] = set()
        """Ids of deleted canisters that were asked for, which `next_index` has not passed yet."""
        self.ready: dict[bytes, None] = {}
        """Canisters with queued messages, in the order in which they get their turn (an ordered set)."""
        self.rounds = 0
        self.messages_executed = 0
        self.consumed_by_deleted = 0
        """Cycles that canisters had consumed which do not exist any more."""
        self.outcalls: dict[int, PendingOutcall] = {}
        self.next_outcall = 0
        self.deadlines: list[tuple[int, bytes, int]] = []
        """Heap of (deadline, canister, callback id) of calls with best-effort response."""
        self._clock = clock
        self._time = 0

    def now(self) -> int:
        """The clock's time, but never backwards."""
        self._time = max(self._time, self._clock.now_ns())
        return self._time

    def restore_time(self, time: int) -> None:
        """Continue after a time that canisters have already seen."""
        self._time = max(self._time, time)

    def canister(self, identifier: bytes) -> Canister:
        """The canister with this id.

        Raises:
            Reject: there is none.
        """
        found = self.canisters.get(identifier)
        if found is None:
            raise rejects.canister_not_found(identifier)
        return found

    def create_canister(self, cycles: int, wanted: bytes | None = None) -> Canister:
        """An empty canister, with the next free id or the wanted one.

        Raises:
            Reject: the wanted id is taken, or was.
        """
        if wanted is not None and self._was_given(wanted):
            raise rejects.id_taken(wanted)
        identifier = wanted or self._free_id()
        canister = new_canister(identifier, cycles, self.limits, self.now())
        self.canisters[identifier] = canister
        return canister

    def remove_canister(self, canister: Canister) -> None:
        """Delete a canister; calls still waiting for it are rejected."""
        del self.canisters[canister.id]
        if not self._was_given(canister.id):
            self.retired.add(canister.id)
        self.consumed_by_deleted += canister.consumed.total
        for message in canister.queue:
            if isinstance(message, Call):
                self.respond(message.origin, rejects.canister_not_found(canister.id), message.cycles)
        canister.close()

    def _free_id(self) -> bytes:
        while True:
            identifier = canister_id(self.next_index)
            self.next_index += 1
            if identifier not in self.canisters and identifier not in self.retired:
                return identifier
            self.retired.discard(identifier)

    def _was_given(self, identifier: bytes) -> bool:
        """Whether a canister has or had this id."""
        index = int.from_bytes(identifier[:8], "big")
        passed = FIRST_CANISTER_INDEX <= index < self.next_index and identifier == canister_id(index)
        return (
            passed or identifier in self.canisters or identifier in self.natives or identifier in self.retired
        )

    def enqueue(self, canister: Canister, message: Message) -> None:
        """Queue a message and give the canister a turn."""
        canister.queue.append(message)
        self.ready.setdefault(canister.id)

    def enqueue_first(self, canister: Canister, message: Message) -> None:
        """Queue a message before all others."""
        canister.queue.appendleft(message)
        self.ready.setdefault(canister.id)

    def next_canister(self) -> Canister | None:
        """The canister whose turn it is; it goes to the end of the line if it has more to do."""
        while self.ready:
            identifier = next(iter(self.ready))
            del self.ready[identifier]
            canister = self.canisters.get(identifier)
            if canister is not None and canister.queue:
                if len(canister.queue) > 1:
                    self.ready[identifier] = None
                return canister
        return None

    def send(self, call: Call) -> None:
        """Deliver a call; one to a canister that does not exist is rejected."""
        if call.callee == MANAGEMENT_CANISTER or call.callee in self.natives:
            self.management_queue.append(call)
            return
        callee = self.canisters.get(call.callee)
        if callee is None:
            self.respond(call.origin, rejects.canister_not_found(call.callee), call.cycles)
            return
        self.enqueue(callee, call)

    def respond(self, origin: Origin, result: bytes | Reject, refund: int) -> None:
        """Deliver an answer to whoever made the call."""
        if isinstance(origin, FromUser):
            self.ingress.finish(origin.request_id, result)
        elif isinstance(origin, FromCanister):
            caller = self.canisters.get(origin.canister_id)
            if caller is not None:
                self.enqueue(caller, Response(origin.callback_id, _carried(result), refund))

    def register_deadline(self, deadline: int, canister: Canister, callback_id: int) -> None:
        heapq.heappush(self.deadlines, (deadline, canister.id, callback_id))

    def expire_calls(self) -> None:
        """Answer calls with best-effort response whose time is up; a later answer only returns its cycles."""
        now = self.now()
        while self.deadlines and self.deadlines[0][0] <= now:
            _, identifier, callback_id = heapq.heappop(self.deadlines)
            canister = self.canisters.get(identifier)
            if canister is not None and callback_id in canister.callbacks:
                self.enqueue(canister, Response(callback_id, _carried(rejects.deadline_expired()), 0))


def _carried(result: bytes | Reject) -> bytes | Reject:
    """A canister sees a reject's error code only in its text; what another canister said stays as it is."""
    if isinstance(result, Reject) and result.error_code != rejects.CANISTER_REJECTED:
        return Reject(result.code, f"{result.error_code}: {result.message}", result.error_code)
    return result
