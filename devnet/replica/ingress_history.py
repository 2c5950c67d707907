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
    """

    def __init__(self, grace_ns: int) -> None:
        self.records: dict[bytes, IngressRecord] = {}
        self.changed: set[bytes] = set()
        """Request ids whose record changed or went since they were last saved."""
        self._grace = grace_ns
        self._next_prune = 0

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

    def finish(self, request_id: bytes, result: bytes | Reject) -> None:
        record = self.records.get(request_id)
        if record is None:
            return
        self.changed.add(request_id)
        if isinstance(result, Reject):
            record.state, record.reject = IngressState.REJECTED, result
        else:
            record.state, record.reply = IngressState.REPLIED, result

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
            if now >= record.expiry + 2 * self._grace:
                del self.records[request_id]
            elif record.state is not IngressState.DONE:
                record.state, record.reply, record.reject = IngressState.DONE, None, None
            else:
                continue
            self.changed.add(request_id)
