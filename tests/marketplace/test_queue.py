"""Finding work: the oldest suitable rental, without looking at all of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canisters.marketplace.core import jobs, limits, queue, rentals
from canisters.marketplace.core.catalog import retire_offer
from canisters.marketplace.core.errors import (
    InsufficientBalance,
    InvalidArgument,
    InvalidState,
    NotAuthorized,
)
from canisters.marketplace.core.storage import MemoryMap
from canisters.marketplace.core.types import Seconds, Status, Tokens
from tests.marketplace.indexes import check_indexes
from tests.marketplace.world import OPERATOR, RENTER, STRANGER, WORKER, World, market

RATES = st.integers(0, 40)
DURATIONS = st.integers(1, 40)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(RATES, DURATIONS, st.sampled_from(("simulated", "production"))), max_size=25),
    RATES,
    DURATIONS,
    st.sampled_from((("simulated",), ("production",), ("simulated", "production"))),
)
def test_the_oldest_suitable_rental_is_found(
    waiting: list[tuple[int, int, str]], rate: int, duration: int, policies: tuple[str, ...]
) -> None:
    world = market()
    world.fund(RENTER, 10**6)
    for most, length, policy in waiting:
        world.create(max_rate_per_second=Tokens(most), max_duration_s=Seconds(length), policy=policy)
    offer = world.post_offer(
        rate_per_second=Tokens(rate), max_duration_s=Seconds(duration), policies=policies
    )
    suitable = [
        number
        for number, (most, length, policy) in enumerate(waiting)
        if rate <= most and length <= duration and policy in policies
    ]
    assert world.next_job(offer.id) == min(suitable, default=None)
    check_indexes(world)


class CountingMap(MemoryMap):
    """Counts the rows that are read."""

    read = 0

    def range(self, start: bytes, stop: bytes | None, limit: int) -> list[tuple[bytes, bytes]]:
        found = super().range(start, stop, limit)
        self.read += len(found)
        return found


def test_unsuitable_rentals_are_skipped_by_cell_not_one_by_one() -> None:
    world = World()
    world.maps["queue"] = CountingMap()
    world.reopen()
    world.open_market()
    world.fund(RENTER, 10**10)
    for _ in range(300):
        world.create(max_rate_per_second=Tokens(1), max_duration_s=Seconds(10))
        world.create(max_rate_per_second=Tokens(500), max_duration_s=Seconds(5_000))
    wanted = world.create(max_rate_per_second=Tokens(100), max_duration_s=Seconds(20))
    counting = world.maps["queue"]
    assert isinstance(counting, CountingMap)
    counting.read = 0
    offer = world.post_offer(rate_per_second=Tokens(20), max_duration_s=Seconds(100))
    assert world.next_job(offer.id) == wanted.id
    assert counting.read < 2 * limits.QUEUE_CELL_SCAN


def test_a_rental_that_came_back_is_first_again(world: World) -> None:
    first, second = world.create().id, world.create().id
    world.claim(first)
    assert world.next_job(world.offer.id) == second
    world.do(jobs.hand_back, WORKER, first, "SIGTERM")
    assert world.next_job(world.offer.id) == first


def test_a_retired_or_unknown_offer_finds_nothing(world: World) -> None:
    world.create()
    assert world.next_job(99) is None
    world.do(retire_offer, OPERATOR, world.offer.id)
    assert world.next_job(world.offer.id) is None


def test_an_unsuitable_offer_cannot_claim(world: World) -> None:
    rental = world.create().id
    for changes in (
        {"rate_per_second": Tokens(13)},
        {"max_duration_s": Seconds(999)},
        {"policies": ("production",)},
    ):
        offer = world.post_offer(**changes)
        with pytest.raises(InvalidArgument, match="does not suit"):
            world.do(jobs.claim, WORKER, offer.id, rental)
    with pytest.raises(NotAuthorized):
        world.do(jobs.claim, STRANGER, world.offer.id, rental)


def test_a_claim_needs_the_bond(world: World) -> None:
    rental = world.create().id
    poor = world.post_offer(STRANGER)
    before = world.snapshot()
    with pytest.raises(InsufficientBalance) as caught:
        world.do(jobs.claim, WORKER, poor.id, rental)
    assert (caught.value.available, caught.value.required) == (0, 3_600)
    assert world.snapshot() == before


def test_claiming_again_is_the_same_job_and_another_s_claim_is_not(world: World) -> None:
    rental = world.create().id
    first = world.claim(rental)
    before = world.snapshot()
    assert world.claim(rental) == first
    assert world.snapshot() == before
    other = world.post_offer()
    with pytest.raises(InvalidState, match="attesting"):
        world.do(jobs.claim, WORKER, other.id, rental)


def test_only_queued_rentals_wait(world: World) -> None:
    rental = world.create()
    assert queue.suits(world.offer, rental)
    world.do(rentals.cancel, RENTER, rental.id)
    assert world.rental(rental.id).status is Status.CANCELLED
    assert world.next_job(world.offer.id) is None
