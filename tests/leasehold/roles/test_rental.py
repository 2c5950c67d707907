from pathlib import Path

import pytest

from leasehold.agent import Principal
from leasehold.artifacts import release
from leasehold.errors import (
    InsufficientBalance,
    InvalidState,
    JobFailedError,
    NotAuthorized,
    NotFound,
    PriceAboveMaximum,
    TimedOutError,
    UsageError,
)
from leasehold.models import Hyperparameters, Item, Rental
from leasehold.roles import renter
from tests.leasehold.story import ADAPTER, ROWS, Story
from tests.leasehold.world import TOKEN, World


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story.open(World(tmp_path))


def test_a_rental_from_price_to_adapter(story: Story, tmp_path: Path) -> None:
    rental = story.rent()
    assert (rental.status, rental.escrow) == ("queued", rental.price.total_max)
    assert story.work(rental.id).status == "settling"
    assert (tmp_path / "worker" / "dataset.clear").read_text().count("\n") == len(ROWS)
    assert (tmp_path / "worker" / "model" / "model.safetensors").read_bytes() == b"weights"

    settled = story.renter.marketplace.accept_result(rental.id)
    assert (settled.status, settled.escrow, settled.bond) == ("succeeded", 0, 0)
    assert settled.attestation is not None
    assert settled.attestation.simulated

    names = renter.download_result(story.renter, settled, tmp_path / "adapter", tmp_path / "work")
    assert {name: (tmp_path / "adapter" / name).read_bytes() for name in names} == ADAPTER
    assert list((tmp_path / "work").iterdir()) == []


def test_following_a_rental_tells_everything_once(story: Story) -> None:
    rental = story.rent()
    statuses: list[str] = []
    losses: list[float] = []
    pauses = 0

    def act(seconds: float) -> None:
        # Whoever waits here lets the others go on.
        nonlocal pauses
        pauses += 1
        if pauses == 1:
            story.work(rental.id)
        else:
            story.renter.marketplace.accept_result(rental.id)

    for update in renter.follow(story.renter, rental.id, sleep=act):
        statuses += [event.to_status for event in update.events]
        losses += [point.progress.loss for point in update.progress]
    in_order = list(dict.fromkeys(statuses))
    assert in_order == ["queued", "attesting", "running", "settling", "succeeded"]
    assert losses == [0.5]


def test_following_gives_up_in_time(story: Story) -> None:
    rental = story.rent()
    now = iter(range(0, 1000, 10))
    with pytest.raises(TimedOutError, match="still 'queued' after 30 s"):
        for _ in renter.follow(
            story.renter, rental.id, timeout_s=30, sleep=lambda seconds: None, clock=lambda: next(now)
        ):
            pass


def test_nobody_else_gets_the_keys(story: Story) -> None:
    rental = story.rent()
    story.work(rental.id)
    for stranger in (story.world.person(9), story.operator, story.publisher):
        for item in (Item.result(rental.id), Item.dataset(story.dataset.id)):
            with pytest.raises((NotAuthorized, NotFound)):
                release(stranger, item)
    with pytest.raises(NotAuthorized):
        release(story.renter, Item.listing(story.listing.id))


def test_owners_get_their_keys_back(story: Story) -> None:
    assert bytes(release(story.publisher, Item.listing(story.listing.id)))
    assert bytes(release(story.renter, Item.dataset(story.dataset.id)))


def test_a_result_cannot_be_opened_before_it_is_paid(story: Story, tmp_path: Path) -> None:
    settling = story.work(story.rent().id)
    with pytest.raises(UsageError, match=r"'settling'.* so accept it first"):
        renter.download_result(story.renter, settling, tmp_path / "adapter", tmp_path / "work")
    with pytest.raises(InvalidState):
        release(story.renter, Item.result(settling.id))


def test_a_cancelled_rental_has_no_result(story: Story, tmp_path: Path) -> None:
    cancelled = story.renter.marketplace.cancel_rental(story.rent().id)
    assert (cancelled.status, cancelled.escrow) == ("cancelled", 0)
    with pytest.raises(JobFailedError, match="ended 'cancelled'"):
        renter.download_result(story.renter, cancelled, tmp_path / "adapter", tmp_path / "work")


def test_a_folder_with_files_is_not_written_to(story: Story, tmp_path: Path) -> None:
    rental = story.rent()
    story.work(rental.id)
    settled = story.renter.marketplace.accept_result(rental.id)
    with pytest.raises(UsageError, match="is not empty"):
        renter.download_result(story.renter, settled, tmp_path / "model", tmp_path / "work")


def create(story: Story, **changes: object) -> Rental:
    arguments = renter.rental_args(
        listing=story.listing.id,
        datasets=[story.dataset.id],
        hyperparameters=Hyperparameters(),
        policy="simulated",
        max_rate_per_second=1_000,
        max_duration_s=600,
    )
    return story.renter.marketplace.create_rental(arguments.model_copy(update=changes))


def test_a_rental_that_cannot_be_is_a_named_error(story: Story) -> None:
    before = story.renter.marketplace.balances()
    with pytest.raises(NotFound, match="there is no listing 'unknown'"):
        create(story, listing="unknown")
    with pytest.raises(PriceAboveMaximum, match="above the maximum 5"):
        create(story, max_price=5)
    with pytest.raises(InsufficientBalance, match="are needed; deposit"):
        create(story, max_rate_per_second=TOKEN)
    with pytest.raises(NotAuthorized):
        story.operator.marketplace.accept_result(story.rent().id)
    with pytest.raises(UsageError, match="needs a dataset"):
        renter.rental_args(
            listing="x",
            datasets=[],
            hyperparameters=Hyperparameters(),
            policy="simulated",
            max_rate_per_second=1,
            max_duration_s=1,
        )
    after = story.renter.marketplace.balances()
    assert before.available == after.available + after.escrowed


def test_the_same_request_is_one_rental(story: Story) -> None:
    request_id = b"r" * 16
    assert create(story, request_id=request_id).id == create(story, request_id=request_id).id
    assert len(story.renter.marketplace.my_rentals()) == 1


def test_the_listing_s_payees_travel(story: Story) -> None:
    found = story.renter.marketplace.get_listing(story.listing.id)
    assert [payee.basis_points for payee in found.payees] == [7_000, 3_000]
    assert all(isinstance(payee.account, Principal) for payee in found.payees)
