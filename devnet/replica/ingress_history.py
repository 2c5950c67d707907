"""What became of ingress messages, for as long as clients may ask.

Source: IC interface specification, "Request status". A finished message keeps its answer until its expiry and
a grace period have passed, is `done` for as long again, and is then unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

from devnet.replica.api import IngressState, IngressStatus, Reject
from devnet.replica.messages import Call


@dataclass
class IngressRecord:
    """One message's fate; `expiry` in ns."""

    state: IngressState
    sender: bytes
    canister_id: bytes
    effective_canister_id: bytes
    expiry: int
    reply: bytes | None = None
    reject: Reject | None = None

    def status(self) -> IngressStatus:
        return IngressStatus(
            self.state,
            self.sender,
            self.canister_id,
            self.effective_canister_id,
            self.reply,
            self.reject,
        )


_OPEN = (IngressState.RECEIVED, IngressState.PROCESSING)


class IngressHistory:
    """All known ingress messages by request id.

    Args:
        grace_ns: how long after a message's expiry its answer, and then its existence, is remembered.
        capacity: bytes of answers that are kept; the oldest are forgotten before their time.
    """

    def __init__(self, grace_ns: int, capacity: int) -> None:
        self.records: dict[bytes, IngressRecord] = {}
        self.changed: set[bytes] = set()
        """Request ids whose record changed or went since they were last saved."""
        self._answers: dict[bytes, int] = {}
        """Bytes of each answer, the oldest first."""
        self._answers_bytes = 0
        self._capacity = capacity
        self._grace = grace_ns
        self._next_prune = 0

    def restore(self, records: dict[bytes, IngressRecord]) -> None:
        """Continue with what was saved."""
        self.records = records
        for request_id, record in sorted(records.items(), key=lambda entry: entry[1].expiry):
            self._remember_answer(request_id, record)

    def __contains__(self, request_id: bytes) -> bool:
        return request_id in self.records

    def receive(self, request_id: bytes, call: Call, expiry: int) -> None:
        self.records[request_id] = IngressRecord(
            IngressState.RECEIVED, call.caller, call.callee, call.effective_canister_id, expiry
        )
        self.changed.add(request_id)

    def expired(self, request_id: bytes, now: int) -> bool:
        """Whether it is too late to begin a message."""
        record = self.records.get(request_id)
        return record is not None and now >= record.expiry

    def processing(self, request_id: bytes) -> None:
        record = self.records.get(request_id)
        if record is not None and record.state is IngressState.RECEIVED:
            record.state = IngressState.PROCESSING
            self.changed.add(request_id)

    def postpone(self, by_ns: int) -> None:
        """Let every message expire later: time is set forward, but its sender has not waited."""
        for request_id, record in self.records.items():
            record.expiry += by_ns
            self.changed.add(request_id)

    def finish(self, request_id: bytes, result: bytes | Reject) -> None:
        record = self.records.get(request_id)
        if record is None:
            return
        self.changed.add(request_id)
        if isinstance(result, Reject):
            record.state, record.reject = IngressState.REJECTED, result
        else:
            record.state, record.reply = IngressState.REPLIED, result
        self._remember_answer(request_id, record)
        while self._answers_bytes > self._capacity and len(self._answers) > 1:
            oldest = next(iter(self._answers))
            self._forget_answer(oldest, self.records[oldest])

    def _remember_answer(self, request_id: bytes, record: IngressRecord) -> None:
        if record.state in (IngressState.REPLIED, IngressState.REJECTED):
            size = len(record.reply or b"") + len(record.reject.message if record.reject else "")
            self._answers[request_id] = size
            self._answers_bytes += size

    def _forget_answer(self, request_id: bytes, record: IngressRecord) -> None:
        self._answers_bytes -= self._answers.pop(request_id, 0)
        record.state, record.reply, record.reject = IngressState.DONE, None, None
        self.changed.add(request_id)

    def status(self, request_id: bytes) -> IngressStatus | None:
        record = self.records.get(request_id)
        return None if record is None else record.status()

    def prune(self, now: int) -> None:
        """Forget answers, and then messages, that are old enough; looks at most once a second."""
        if now < self._next_prune:
            return
        self._next_prune = now + 1_000_000_000
        for request_id, record in list(self.records.items()):
            if record.state in _OPEN or now < record.expiry + self._grace:
                continue
            if record.state is not IngressState.DONE:
                self._forget_answer(request_id, record)
            if now >= record.expiry + 2 * self._grace:
                del self.records[request_id]
                self.changed.add(request_id)
