"""How long answers to ingress messages are remembered."""

from __future__ import annotations

import os

from devnet.replica import IngressState, Reject
from devnet.replica.ingress_history import IngressHistory
from devnet.replica.messages import Call, FromUser

GRACE = 300
CAPACITY = 1_000


def history() -> IngressHistory:
    return IngressHistory(GRACE, CAPACITY)


def finished(kept: IngressHistory, result: bytes | Reject, expiry: int = 100) -> bytes:
    request_id = os.urandom(32)
    kept.receive(request_id, Call(FromUser(request_id), b"user", b"callee", "m", b""), expiry)
    kept.finish(request_id, result)
    return request_id


def state(kept: IngressHistory, request_id: bytes) -> IngressState | None:
    status = kept.status(request_id)
    return None if status is None else status.state


def test_the_oldest_answers_make_room_for_new_ones() -> None:
    kept = history()
    first, second = finished(kept, bytes(400)), finished(kept, Reject(4, "m" * 400, "IC0406"))
    assert state(kept, first) is IngressState.REPLIED
    third = finished(kept, bytes(300))
    assert state(kept, first) is IngressState.DONE
    assert (state(kept, second), state(kept, third)) == (IngressState.REJECTED, IngressState.REPLIED)
    assert first in kept.changed


def test_an_answer_larger_than_all_there_is_room_for_is_kept_until_the_next() -> None:
    kept = history()
    large = finished(kept, bytes(2 * CAPACITY))
    assert state(kept, large) is IngressState.REPLIED
    finished(kept, b"")
    assert state(kept, large) is IngressState.DONE


def test_answers_are_forgotten_when_their_time_is_up() -> None:
    kept = history()
    request_id = finished(kept, bytes(CAPACITY), expiry=100)
    for now, expected in (
        (100 + GRACE - 1, IngressState.REPLIED),
        (100 + GRACE, IngressState.DONE),
        (100 + 2 * GRACE - 1, IngressState.DONE),
        (100 + 2 * GRACE, None),
    ):
        kept._next_prune = 0
        kept.prune(now)
        assert state(kept, request_id) is expected
    assert state(kept, finished(kept, bytes(CAPACITY))) is IngressState.REPLIED


def test_what_was_saved_counts_too() -> None:
    before, after = history(), history()
    old, new = finished(before, bytes(600), expiry=1), finished(before, bytes(300), expiry=2)
    after.restore(before.records)
    finished(after, bytes(300))
    assert (state(after, old), state(after, new)) == (IngressState.DONE, IngressState.REPLIED)
