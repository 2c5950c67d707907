"""Creating and ending rentals from the renter's side: prices, bounds, money by hand-made examples."""

from dataclasses import replace
from typing import Any

import pytest

from canisters.marketplace.core import catalog, jobs, limits, rentals, views
from canisters.marketplace.core.errors import (
    InsufficientBalance,
    InvalidArgument,
    NotAuthorized,
    NotFound,
    PriceAboveMaximum,
    Unavailable,
)
from canisters.marketplace.core.installation import set_paused
from canisters.marketplace.core.queue import rentals_of
from canisters.marketplace.core.types import ANONYMOUS, Seconds, Status, Tokens
from tests.marketplace.world import (
    ARBITER,
    GOVERNOR,
    OPERATOR,
    OWNER,
    PUBLISHER,
    RENTER,
    STRANGER,
    WORKER,
    World,
    hyperparameters,
)


def refused(call: Any, *args: Any, **named: Any) -> InvalidArgument:
    with pytest.raises(InvalidArgument) as caught:
        call(*args, **named)
    return caught.value


def test_the_quote_is_what_creation_locks(world: World) -> None:
    args = world.rental_args(world.listing.id, (world.dataset.id,))
    quote = rentals.quote(world.state, world.message(STRANGER), args)
    assert quote.total_max == Tokens(13_860)
    rental = world.do(rentals.create, RENTER, args)
    assert rental.terms.quote == quote
    assert world.account(f"escrow/{rental.id}") == 13_860
    assert world.available(RENTER) == 100_000 - 13_860


def test_the_same_request_makes_one_rental(world: World) -> None:
    args = world.rental_args(world.listing.id, (world.dataset.id,))
    first = world.do(rentals.create, RENTER, args)
    before = world.snapshot()
    assert world.do(rentals.create, RENTER, args) == first
    assert world.snapshot() == before
    other = refused(world.do, rentals.create, RENTER, replace(args, max_price=Tokens(13_861)))
    assert other.field == "request_id"


def test_a_price_above_the_renter_s_maximum_is_refused_with_both(world: World) -> None:
    with pytest.raises(PriceAboveMaximum) as caught:
        world.create(max_price=Tokens(13_859))
    assert (caught.value.price, caught.value.maximum) == (13_860, 13_859)
    world.create(max_price=Tokens(13_860))


def test_insufficient_balance_changes_nothing(world: World) -> None:
    before = world.snapshot()
    with pytest.raises(InsufficientBalance) as caught:
        world.create(max_duration_s=Seconds(100_000))
    assert caught.value.available == 100_000
    assert world.snapshot() == before


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("request_id", bytes(16), bytes(17)),
        ("max_rate_per_second", Tokens(0), Tokens(limits.MAX_AMOUNT + 1)),
        ("max_price", Tokens(limits.MAX_AMOUNT), Tokens(limits.MAX_AMOUNT + 1)),
        ("max_price", Tokens(limits.MAX_AMOUNT), Tokens(10**5000)),
        ("max_duration_s", Seconds(1), Seconds(0)),
        ("max_duration_s", Seconds(1_000), Seconds(limits.MAX_DURATION_S + 1)),
        ("queue_timeout_s", Seconds(1), Seconds(0)),
        ("queue_timeout_s", Seconds(limits.MAX_QUEUE_TIMEOUT_S), Seconds(limits.MAX_QUEUE_TIMEOUT_S + 1)),
        ("policy", "production", "none"),
        ("policy", "simulated", "x" * 65),
    ],
)
def test_a_rental_s_bounds_hold_at_and_one_past(world: World, field: str, good: Any, bad: Any) -> None:
    world.create(**{field: good})
    before = world.snapshot()
    assert refused(world.create, **{field: bad}).field == field
    assert world.snapshot() == before


@pytest.mark.parametrize(
    ("field", "bounds"),
    [
        ("epochs", limits.EPOCHS),
        ("learning_rate", limits.LEARNING_RATE),
        ("batch_size", limits.BATCH_SIZE),
        ("max_length", limits.MAX_LENGTH),
        ("lora_rank", limits.LORA_RANK),
        ("lora_alpha", limits.LORA_ALPHA),
        ("lora_dropout", limits.LORA_DROPOUT),
        ("seed", limits.SEED),
    ],
)
def test_hyperparameters_hold_their_ranges(world: World, field: str, bounds: tuple[float, float]) -> None:
    least, most = bounds
    for good in bounds:
        world.create(hyperparameters=hyperparameters(**{field: good}), max_duration_s=Seconds(1))
    step = 1 if isinstance(most, int) else 1e-9
    for bad in (least - step, most + step, float("nan"), float("inf")):
        problem = refused(world.create, hyperparameters=hyperparameters(**{field: bad}))
        assert problem.field == f"hyperparameters.{field}"
        assert f"from {least} to {most}" in problem.problem


def test_the_task_must_be_one_of_the_listing_s(world: World) -> None:
    problem = refused(world.create, hyperparameters=hyperparameters(task="causal-lm"))
    assert problem.field == "hyperparameters.task"
    assert "text-classification" in problem.problem


def test_datasets_are_one_to_eight_distinct_and_allowed(world: World) -> None:
    def create(*datasets: str) -> Any:
        return world.do(rentals.create, RENTER, world.rental_args(world.listing.id, datasets))

    ids = tuple(world.publish_dataset(fee=Tokens(0)).id for _ in range(9))
    create(*ids[:8])
    assert refused(create, *ids).field == "datasets"
    assert refused(create).field == "datasets"
    assert refused(create, ids[0], ids[0]).problem.startswith("is named twice")
    secret = world.publish_dataset(public=False).id
    with pytest.raises(NotFound):
        create(secret)
    own = world.publish_dataset(RENTER, public=False).id
    create(own)
    world.do(catalog.retire_dataset, RENTER, own)
    assert "retired" in refused(create, own).problem


def test_a_retired_listing_is_not_rented_but_what_is_rented_goes_on(world: World) -> None:
    rental = world.create().id
    world.do(catalog.retire_listing, PUBLISHER, world.listing.id)
    assert "retired" in refused(world.create).problem
    world.claim(rental)
    world.attest(rental)
    world.release(rental)


def test_the_anonymous_caller_rents_nothing(world: World) -> None:
    args = world.rental_args(world.listing.id, (world.dataset.id,))
    with pytest.raises(NotAuthorized):
        world.do(rentals.create, ANONYMOUS, args)
    world.do(set_paused, GOVERNOR, True)
    with pytest.raises(Unavailable):
        world.do(rentals.create, RENTER, args)


def test_cancelling_a_running_rental_pays_everyone_pro_rata(world: World) -> None:
    rental = world.running()
    world.work(rental, 250)
    cancelled = world.do(rentals.cancel, RENTER, rental)
    charges = cancelled.charges
    assert cancelled.status is Status.CANCELLED
    assert (charges.listing_fee, charges.dataset_fees) == (Tokens(250), Tokens(50))
    assert charges.compute == Tokens(2_500)
    assert charges.platform == Tokens((250 + 50 + 2_500) * 5 // 100)
    assert charges.refund == Tokens(13_860 - 2_940)
    assert world.available(OPERATOR) == 52_500
    assert world.available(OWNER) == 50


def test_fees_are_not_due_for_keys_that_were_never_released(world: World) -> None:
    rental = world.create().id
    world.claim(rental)
    world.attest(rental)
    world.work(rental, 100)
    charges = world.do(rentals.cancel, RENTER, rental).charges
    assert (charges.listing_fee, charges.dataset_fees, charges.compute) == (
        Tokens(0),
        Tokens(0),
        Tokens(1_000),
    )


def test_a_ruling_against_the_work_refunds_the_attempt_and_takes_the_bond(world: World) -> None:
    rental = world.disputed()
    ruled = world.do(rentals.rule, ARBITER, rental, False, "the adapter is random")
    assert ruled.status is Status.FAILED
    assert ruled.reason == "the adapter is random"
    assert ruled.charges.refund == Tokens(13_860)
    assert ruled.charges.slashed == Tokens(3_600)
    assert world.account("treasury") == 3_600
    assert world.available(RENTER) == 100_000
    assert world.available(OPERATOR) == 46_400


@pytest.mark.parametrize("reason", ["", " ", "x" * 2_001])
def test_reasons_are_given_and_bounded(world: World, reason: str) -> None:
    rental = world.disputed()
    for call in (
        lambda: world.do(rentals.dispute, RENTER, rental, reason),
        lambda: world.do(rentals.rule, ARBITER, rental, True, reason),
        lambda: world.do(jobs.hand_back, WORKER, rental, reason),
    ):
        assert refused(call).field == "reason"


def test_only_parties_see_a_rental(world: World) -> None:
    rental = world.running()
    for party in (RENTER, OPERATOR, WORKER, world.session(rental), ARBITER, GOVERNOR):
        assert rentals.visible(world.state, world.message(party), rental).id == rental
    for other in (STRANGER, PUBLISHER, OWNER, ANONYMOUS):
        with pytest.raises(NotAuthorized):
            rentals.visible(world.state, world.message(other), rental)


def test_my_rentals_are_those_one_has_a_part_in(world: World) -> None:
    first, second = world.create().id, world.create().id
    world.claim(second)

    def ids(party: Any, after: int | None = None) -> list[int]:
        return [rental.id for rental in rentals_of(world.state, party, after, 10)]

    assert ids(RENTER) == [first, second]
    assert ids(RENTER, first) == [second]
    assert ids(OPERATOR) == ids(WORKER) == [second]
    world.do(jobs.hand_back, WORKER, second, "SIGTERM")
    assert ids(OPERATOR) == ids(WORKER) == ids(STRANGER) == []


def test_the_view_counts_seconds_up_to_the_question_and_no_further_than_the_end(world: World) -> None:
    rental = world.running()
    world.later(30.5)

    def seen() -> views.RentalView:
        return views.rental_view(world.state, world.rental(rental), world.now)

    assert seen().seconds_used == 31
    assert seen().attestation is not None
    assert (seen().escrow, seen().bond) == (Tokens(13_860), Tokens(3_600))
    world.finish(rental)
    world.later(100)
    assert seen().seconds_used == 31
    world.do(rentals.accept, RENTER, rental)
    assert seen().seconds_used == 31
    assert (seen().escrow, seen().bond, seen().deadline) == (Tokens(0), Tokens(0), None)
