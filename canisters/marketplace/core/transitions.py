"""The one table that says what may happen to a rental, to whom it is allowed, and when.

Everything else in the core asks `permit` before it changes a rental. Deadlines are half-open: an action needs
``now < deadline``, a reaper needs ``now >= deadline``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from canisters.marketplace.core.errors import DeadlinePassed, InvalidState, NotAuthorized
from canisters.marketplace.core.model import Rental
from canisters.marketplace.core.state import State
from canisters.marketplace.core.types import Message, Status


class Who(Enum):
    """The part a caller plays towards one rental."""

    RENTER = "the renter"
    OFFER_WORKER = "the worker of the offer"
    WORKER = "the worker that claimed the rental"
    SESSION = "the attested session"
    CANISTER = "the marketplace itself"
    ARBITER = "the arbiter"
    ANYONE = "anyone"


class When(Enum):
    """How a row relates to the rental's deadline."""

    BEFORE = "now < deadline"
    AFTER = "now >= deadline"
    ANY = "there is no deadline"


class Kind(str, Enum):
    """What happened: the `kind` of an event in a rental's log."""

    CREATE = "create"
    CLAIM = "claim"
    CHALLENGE = "challenge"
    EVIDENCE_ACCEPTED = "evidence_accepted"
    EVIDENCE_REFUSED = "evidence_refused"
    ATTESTATION_DEADLINE = "attestation_deadline"
    PROGRESS = "progress"
    CHECKPOINT = "checkpoint"
    KEY_RELEASED = "key_released"
    HAND_BACK = "hand_back"
    HEARTBEAT_MISSED = "heartbeat_missed"
    DURATION_OVER = "duration_over"
    RESULT = "result"
    CANCEL = "cancel"
    QUEUE_DEADLINE = "queue_deadline"
    ACCEPT = "accept"
    REVIEW_OVER = "review_over"
    DISPUTE = "dispute"
    RULING = "ruling"
    RULING_DEADLINE = "ruling_deadline"


@dataclass(frozen=True)
class Transition:
    """One row: in `source`, `who` may cause `kind`, which leads to one of `targets`."""

    source: Status | None
    kind: Kind
    who: tuple[Who, ...]
    targets: tuple[Status, ...]
    when: When


_Q, _A, _R, _S, _D = Status.QUEUED, Status.ATTESTING, Status.RUNNING, Status.SETTLING, Status.DISPUTED
_AGAIN = (Status.QUEUED, Status.FAILED)
_GUEST = (Who.SESSION, Who.WORKER)

TRANSITIONS: tuple[Transition, ...] = (
    Transition(None, Kind.CREATE, (Who.RENTER,), (_Q,), When.ANY),
    Transition(_Q, Kind.CLAIM, (Who.OFFER_WORKER,), (_A,), When.BEFORE),
    Transition(_Q, Kind.CANCEL, (Who.RENTER,), (Status.CANCELLED,), When.BEFORE),
    Transition(_Q, Kind.QUEUE_DEADLINE, (Who.ANYONE,), (Status.EXPIRED,), When.AFTER),
    Transition(_A, Kind.CHALLENGE, (Who.WORKER,), (_A,), When.BEFORE),
    Transition(_A, Kind.EVIDENCE_ACCEPTED, (Who.CANISTER,), (_R,), When.BEFORE),
    Transition(_A, Kind.EVIDENCE_REFUSED, (Who.CANISTER,), _AGAIN, When.BEFORE),
    Transition(_A, Kind.ATTESTATION_DEADLINE, (Who.ANYONE,), _AGAIN, When.AFTER),
    Transition(_A, Kind.HAND_BACK, (Who.WORKER,), _AGAIN, When.BEFORE),
    Transition(_R, Kind.PROGRESS, (Who.SESSION,), (_R,), When.BEFORE),
    Transition(_R, Kind.CHECKPOINT, (Who.SESSION,), (_R,), When.BEFORE),
    Transition(_R, Kind.KEY_RELEASED, (Who.SESSION,), (_R,), When.BEFORE),
    Transition(_R, Kind.HAND_BACK, _GUEST, _AGAIN, When.BEFORE),
    Transition(_R, Kind.HEARTBEAT_MISSED, (Who.ANYONE,), _AGAIN, When.AFTER),
    Transition(_R, Kind.DURATION_OVER, (Who.ANYONE,), (Status.FAILED,), When.AFTER),
    Transition(_R, Kind.CANCEL, (Who.RENTER,), (Status.CANCELLED,), When.BEFORE),
    Transition(_R, Kind.RESULT, (Who.SESSION,), (_S,), When.BEFORE),
    Transition(_S, Kind.ACCEPT, (Who.RENTER,), (Status.SUCCEEDED,), When.BEFORE),
    Transition(_S, Kind.REVIEW_OVER, (Who.ANYONE,), (Status.SUCCEEDED,), When.AFTER),
    Transition(_S, Kind.DISPUTE, (Who.RENTER,), (_D,), When.BEFORE),
    Transition(_D, Kind.RULING, (Who.ARBITER,), (Status.SUCCEEDED, Status.FAILED), When.BEFORE),
    Transition(_D, Kind.RULING_DEADLINE, (Who.ANYONE,), (Status.SUCCEEDED,), When.AFTER),
    Transition(Status.SUCCEEDED, Kind.KEY_RELEASED, (Who.RENTER,), (Status.SUCCEEDED,), When.ANY),
)

_BY_STATUS_AND_KIND = {(row.source, row.kind): row for row in TRANSITIONS}
_BY_KIND = {kind: tuple(row for row in TRANSITIONS if row.kind is kind) for kind in Kind}


def parts_of(state: State, rental: Rental, message: Message) -> set[Who]:
    """Which parts the caller plays towards `rental`."""
    caller = message.caller
    parts = {Who.ANYONE}
    if caller == rental.renter:
        parts.add(Who.RENTER)
    if rental.attempt is not None and caller == rental.attempt.worker:
        parts.add(Who.WORKER)
    if rental.attempt is not None and caller == rental.attempt.session:
        parts.add(Who.SESSION)
    config = state.config
    if caller == config.arbiter:
        parts.add(Who.ARBITER)
    if caller == config.self_id:
        parts.add(Who.CANISTER)
    return parts


def permit(rental: Rental, kind: Kind, parts: set[Who], now: int) -> Transition:
    """The row that allows `kind` to a caller with these `parts` now.

    Raises `NotAuthorized` (no row gives the caller this), `InvalidState` (not in this status),
    `DeadlinePassed` (an action that came too late) in this order, so that strangers learn nothing about a
    rental's state.
    """
    rows = _BY_KIND[kind]
    if not any(parts.intersection(row.who) for row in rows):
        raise NotAuthorized(_required(rows, rental))
    here = _BY_STATUS_AND_KIND.get((rental.status, kind))
    if here is None:
        raise InvalidState(rental.status.value, [row.source.value for row in rows if row.source is not None])
    if not parts.intersection(here.who):
        raise NotAuthorized(_required((here,), rental))
    deadline = rental.deadline
    if here.when is not When.ANY:
        if deadline is None:
            raise RuntimeError(f"rental {rental.id} is {rental.status.value} and has no deadline")
        if here.when is When.BEFORE and now >= deadline:
            raise DeadlinePassed(deadline, now)
        if here.when is When.AFTER and now < deadline:
            raise InvalidState(
                f"{rental.status.value} until {deadline}", [f"{rental.status.value}, deadline passed"]
            )
    return here


def _required(rows: tuple[Transition, ...], rental: Rental) -> str:
    who = dict.fromkeys(part.value for row in rows for part in row.who)
    return f"{' or '.join(who)} of rental {rental.id}"
