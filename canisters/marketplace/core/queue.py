"""Where rentals wait, and how they are found by status, deadline and party without looking at all of them.

Queue rows are keyed by policy, size class of the rate, size class of the duration, rental id. A size class is
the bit length of the number, so all rows of a cell above an offer's class are suitable and the first one is
the oldest.
"""

from __future__ import annotations

from collections.abc import Iterator

from canisters.marketplace.core import limits
from canisters.marketplace.core.model import Offer, Rental
from canisters.marketplace.core.state import PRESENT, State, owned_key, owned_prefix
from canisters.marketplace.core.storage import number_after, number_key, number_of, prefix_end
from canisters.marketplace.core.types import Principal, Status, Timestamp

_RATE_BYTES = 13
_CELL_BYTES = 2


def index(state: State, before: Rental | None, after: Rental) -> None:
    """Bring the queue and deadline indexes from what `before` needed to what `after` needs."""
    was_queued = before is not None and before.status is Status.QUEUED
    is_queued = after.status is Status.QUEUED
    if was_queued and not is_queued:
        state.queue.remove(_queue_key(after))
    elif is_queued and not was_queued:
        state.queue.put(_queue_key(after), _queue_value(after))
    was_due = None if before is None else before.deadline
    if was_due != after.deadline:
        if was_due is not None:
            state.deadlines.remove(_deadline_key(was_due, after.id))
        if after.deadline is not None:
            state.deadlines.put(_deadline_key(after.deadline, after.id), PRESENT)


def due(state: State, now: Timestamp, start: bytes, limit: int) -> list[tuple[bytes, int]]:
    """(index key, rental id) of at most `limit` rentals whose deadline is `now` or earlier, from key `start`
    on.
    """
    rows = state.deadlines.range(start, number_key(now + 1), limit)
    return [(key, number_of(key)) for key, _ in rows]


def oldest_suitable(state: State, offer: Offer, policies: tuple[str, ...], now: Timestamp) -> int | None:
    """The queued rental with the least id that `offer` could serve under one of `policies`, or None."""
    scans = iter(range(limits.MAX_QUEUE_SCANS))
    found: list[int] = []
    for policy in policies:
        for cell, wholly in _cells(state, offer, policy):
            fitting = _fitting(state, offer, cell, wholly, scans)
            found += next(([i] for i in fitting if not is_paused(state.rental(i), offer.operator, now)), [])
    return min(found, default=None)


def is_paused(rental: Rental, operator: Principal, now: Timestamp) -> bool:
    """Whether `operator` had too many turns at the rental lately that came to nothing."""
    turns = sum(turn.operator == operator and now < turn.until for turn in rental.fruitless)
    return turns >= limits.MAX_FRUITLESS_TURNS


def suits(offer: Offer, rental: Rental) -> bool:
    """Whether `offer` may serve `rental`."""
    return (
        offer.active
        and offer.rate_per_second <= rental.max_rate_per_second
        and offer.max_duration_s >= rental.max_duration_s
        and rental.policy in offer.policies
    )


def add_party(state: State, party: Principal, rental: Rental) -> None:
    """Let `rental` appear among `party`'s rentals."""
    state.parties.put(owned_key(party, rental.id), PRESENT)


def remove_party(state: State, party: Principal, rental: Rental) -> None:
    """Take `rental` from `party`'s rentals, unless they are its renter."""
    if party != rental.renter:
        state.parties.remove(owned_key(party, rental.id))


def rentals_of(state: State, party: Principal, after: int | None, limit: int) -> list[Rental]:
    """Rentals that `party` has a part in, ids above `after`, oldest first, at most `limit` (1 to 100)."""
    prefix = owned_prefix(party)
    limit = max(1, min(limit, limits.MAX_PAGE))
    rows = state.parties.range(prefix + number_key(number_after(after)), prefix_end(prefix), limit)
    return [state.rental(number_of(key)) for key, _ in rows]


def _cells(state: State, offer: Offer, policy: str) -> Iterator[tuple[bytes, bool]]:
    """Cells with rentals that `offer` may suit, and whether it suits all of them."""
    prefix = policy.encode("ascii") + b"\x00"
    end = prefix_end(prefix)
    rate_class, duration_class = _classes(offer.rate_per_second.base_units, offer.max_duration_s)
    cursor = prefix + bytes((rate_class,))
    while True:
        rows = state.queue.range(cursor, end, 1)
        if not rows:
            return
        cell = rows[0][0][: len(prefix) + _CELL_BYTES]
        rate, duration = cell[-2], cell[-1]
        if duration > duration_class:
            cursor = prefix + bytes((rate + 1,))
            continue
        yield cell, rate != rate_class and duration != duration_class
        cursor = cell + b"\xff" * 9


def _fitting(state: State, offer: Offer, cell: bytes, wholly: bool, scans: Iterator[int]) -> Iterator[int]:
    """Rentals of a cell that `offer` suits, oldest first; each look after the first takes one of `scans`."""
    cursor, limit = cell, 1 if wholly else limits.QUEUE_CELL_SCAN
    while True:
        rows = state.queue.range(cursor, cell + b"\xff" * 9, limit)
        yield from (number_of(key) for key, value in rows if _fits(offer, value))
        if len(rows) < limit or next(scans, None) is None:
            return
        cursor, limit = rows[-1][0] + b"\x00", limits.QUEUE_CELL_SCAN


def _classes(rate: int, duration_s: int) -> tuple[int, int]:
    return rate.bit_length(), duration_s.bit_length()


def _queue_key(rental: Rental) -> bytes:
    classes = _classes(rental.max_rate_per_second.base_units, rental.max_duration_s)
    return rental.policy.encode("ascii") + b"\x00" + bytes(classes) + number_key(rental.id)


def _queue_value(rental: Rental) -> bytes:
    return rental.max_rate_per_second.base_units.to_bytes(_RATE_BYTES, "big") + number_key(
        rental.max_duration_s
    )


def _fits(offer: Offer, value: bytes) -> bool:
    rate = int.from_bytes(value[:_RATE_BYTES], "big")
    return offer.rate_per_second.base_units <= rate and offer.max_duration_s >= number_of(value)


def _deadline_key(deadline: Timestamp, rental_id: int) -> bytes:
    return number_key(deadline) + number_key(rental_id)
