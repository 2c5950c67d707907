"""What happens when nobody acts: every funded state has an exit here that anyone may trigger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from canisters.marketplace.core import limits, queue
from canisters.marketplace.core.errors import NotFound
from canisters.marketplace.core.model import Rental
from canisters.marketplace.core.rentals import succeed
from canisters.marketplace.core.settlement import Ending, close, requeue
from canisters.marketplace.core.state import State
from canisters.marketplace.core.transitions import Kind, Who, permit
from canisters.marketplace.core.types import Message, Status


@dataclass
class Reaper:
    """Moves rentals on whose deadline has passed, a bounded batch at a time.

    A rental that cannot be moved (a bug, by definition) is reported to `report` and skipped: it never keeps
    others from their exit. `_start` remembers where the next batch begins, so that skipped ones do not fill
    every batch.
    """

    report: Callable[[int, Exception], None]
    _start: bytes = b""

    def run(self, state: State, message: Message) -> list[int]:
        """Reap at most `REAP_BATCH` due rentals; returns their ids. Each one is its own atomic change."""
        rows = queue.due(state, message.now, self._start, limits.REAP_BATCH)
        if not rows and self._start:
            rows = queue.due(state, message.now, b"", limits.REAP_BATCH)
        self._start = b"" if len(rows) < limits.REAP_BATCH else rows[-1][0] + b"\x00"
        return [rental_id for _, rental_id in rows if self.run_one(state, message, rental_id)]

    def run_one(self, state: State, message: Message, rental_id: int) -> bool:
        """Reap one rental; False when it was not due or could not be moved."""
        try:
            with state.atomically():
                return reap(state, message, rental_id)
        except NotFound:
            return False
        except Exception as problem:  # the loop over all must survive any one
            self.report(rental_id, problem)
            return False


def reap(state: State, message: Message, rental_id: int) -> bool:
    """Do what the deadline of this rental calls for; False (and no change) when it has none that passed."""
    rental = state.rental(rental_id)
    if rental.deadline is None or message.now < rental.deadline:
        return False
    kind = _due_kind(rental)
    permit(rental, kind, {Who.ANYONE}, message.now)
    _EXITS[kind](state, message, rental)
    return True


def _due_kind(rental: Rental) -> Kind:
    if rental.status is Status.RUNNING:
        out_of_time = rental.attempt is not None and rental.deadline == rental.attempt.ends_at
        return Kind.DURATION_OVER if out_of_time else Kind.HEARTBEAT_MISSED
    return _KINDS[rental.status]


def _expire(state: State, message: Message, rental: Rental) -> None:
    reason = f"no operator finished it within {rental.queue_timeout_s} s in the queue"
    close(state, message, rental, Kind.QUEUE_DEADLINE, Status.EXPIRED, reason, Ending())


def _attestation_missed(state: State, message: Message, rental: Rental) -> None:
    reason = f"no accepted evidence within {limits.ATTESTATION_TIMEOUT_S} s"
    ending = Ending(slash=limits.SLASH_DEADLINE_BASIS_POINTS)
    requeue(state, message, rental, Kind.ATTESTATION_DEADLINE, reason, ending, failed=True)


def _heartbeat_missed(state: State, message: Message, rental: Rental) -> None:
    reason = f"the worker was silent for {limits.HEARTBEAT_WINDOW_S} s"
    ending = Ending(paid_s=_checkpoint_s(rental), slash=limits.SLASH_DEADLINE_BASIS_POINTS)
    requeue(state, message, rental, Kind.HEARTBEAT_MISSED, reason, ending, failed=True)


def _duration_over(state: State, message: Message, rental: Rental) -> None:
    reason = f"no result within {rental.max_duration_s} s of compute"
    ending = Ending(paid_s=_checkpoint_s(rental))
    close(state, message, rental, Kind.DURATION_OVER, Status.FAILED, reason, ending)


def _review_over(state: State, message: Message, rental: Rental) -> None:
    succeed(state, message, rental, Kind.REVIEW_OVER, None)


def _ruling_missed(state: State, message: Message, rental: Rental) -> None:
    reason = f"no ruling within {limits.RULING_WINDOW_S} s: the attested result stands"
    succeed(state, message, rental, Kind.RULING_DEADLINE, reason)


def _checkpoint_s(rental: Rental) -> int:
    return 0 if rental.attempt is None else rental.attempt.checkpoint_s


_KINDS = {
    Status.QUEUED: Kind.QUEUE_DEADLINE,
    Status.ATTESTING: Kind.ATTESTATION_DEADLINE,
    Status.SETTLING: Kind.REVIEW_OVER,
    Status.DISPUTED: Kind.RULING_DEADLINE,
}
_EXITS: dict[Kind, Callable[[State, Message, Rental], None]] = {
    Kind.QUEUE_DEADLINE: _expire,
    Kind.ATTESTATION_DEADLINE: _attestation_missed,
    Kind.HEARTBEAT_MISSED: _heartbeat_missed,
    Kind.DURATION_OVER: _duration_over,
    Kind.REVIEW_OVER: _review_over,
    Kind.RULING_DEADLINE: _ruling_missed,
}
