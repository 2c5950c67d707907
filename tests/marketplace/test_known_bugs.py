"""One test for each bug that escrow systems of this kind had: what must never happen here."""

from typing import Any

import pytest

from attestation import SignatureInvalid
from canisters.marketplace.core import accounts, jobs, ledger_journal, pricing, rentals
from canisters.marketplace.core.catalog import retire_dataset, retire_listing
from canisters.marketplace.core.errors import InsufficientBalance, InvalidState, NotAuthorized
from canisters.marketplace.core.storage import number_key
from canisters.marketplace.core.types import Seconds, Status, Timestamp, Tokens
from tests.marketplace.indexes import check_indexes
from tests.marketplace.world import (
    GOVERNOR,
    OPERATOR,
    OWNER,
    PUBLISHER,
    RENTER,
    STRANGER,
    TREASURY,
    WORKER,
    World,
)


def refusing(*_: Any) -> Any:
    raise SignatureInvalid("cpu.signature", "does not verify")


def test_a_withdraw_in_the_same_tick_as_a_settle(world: World) -> None:
    rental = world.settling()
    world.do(rentals.accept, RENTER, rental)
    earned = world.available(OPERATOR)
    now = Timestamp(world.now)
    world.do(ledger_journal.begin, OPERATOR, ledger_journal.WITHDRAW, Tokens(earned), now)
    assert world.available(OPERATOR) == 0
    with pytest.raises(InsufficientBalance):
        world.do(ledger_journal.begin, OPERATOR, ledger_journal.WITHDRAW, Tokens(earned), Timestamp(now + 1))
    with pytest.raises(InvalidState):
        world.do(rentals.accept, RENTER, rental)
    assert sum(world.book().values()) == 0


def test_one_failing_close_does_not_stop_the_loop_over_all(world: World) -> None:
    world.fund(RENTER, 10**7)
    due = [world.create(queue_timeout_s=Seconds(60 + number)).id for number in range(30)]
    broken = due[:27]  # more than a whole batch
    for rental in broken:
        world.maps["balances"].insert(f"escrow/{rental}".encode(), b"-1")
    world.later(200)
    reaped: list[int] = []
    for _ in range(3):
        reaped += world.reap()
    assert set(due) - set(broken) <= set(reaped)
    assert {rental for rental, _ in world.reported} == set(broken)
    for rental in broken:
        assert world.rental(rental).status is Status.QUEUED


def test_indexes_agree_with_the_records_after_an_upgrade(world: World) -> None:
    running, queued, settling = world.running(), world.create().id, world.settling()
    world.reopen()
    check_indexes(world)
    world.finish(running)
    world.do(rentals.cancel, RENTER, queued)
    world.later(3_600)
    assert sorted(world.reap()) == sorted((running, settling))
    check_indexes(world)


@pytest.mark.parametrize("rate", [0, 1, 3, 7])
@pytest.mark.parametrize("seconds", [1, 59, 333])
def test_no_dust_is_left_after_close(world: World, rate: int, seconds: int) -> None:
    world.offer = world.post_offer(rate_per_second=Tokens(rate))
    for end in ("cancel", "accept", "fail"):
        rental = world.running(max_rate_per_second=Tokens(rate + 2), max_duration_s=Seconds(777))
        world.work(rental, seconds)
        if end == "accept":
            world.finish(rental)
            world.do(rentals.accept, RENTER, rental)
        elif end == "cancel":
            world.do(rentals.cancel, RENTER, rental)
        else:
            world.checkpoint(rental)
            world.work(rental, 700 - seconds)
            world.later(120)
            world.reap()
        assert f"escrow/{rental}" not in world.book()
        if world.rental(rental).status is not Status.QUEUED:
            continue
        world.do(rentals.cancel, RENTER, rental)
    assert not [name for name in world.book() if name.startswith(("escrow/", "bond/"))]


@pytest.mark.parametrize("end", ["cancel", "accept", "refuse", "hand back", "no evidence", "time over"])
def test_a_stake_is_always_returned(world: World, end: str) -> None:
    rental = world.create(max_duration_s=Seconds(100)).id
    world.claim(rental)
    bond = world.account(f"bond/{rental}")
    if end == "refuse":
        world.submit(rental, world.challenge(rental).nonce, refusing)
    elif end == "no evidence":
        world.later(600)
        world.reap()
    else:
        world.attest(rental)
        if end == "cancel":
            world.do(rentals.cancel, RENTER, rental)
        elif end == "hand back":
            world.do(jobs.hand_back, WORKER, rental, "SIGTERM")
        elif end == "accept":
            world.finish(rental)
            world.do(rentals.accept, RENTER, rental)
        else:
            world.later(100)
            world.reap()
    slashed = world.account("treasury")
    assert world.account(f"bond/{rental}") == 0
    assert world.available(OPERATOR) == 50_000 - slashed
    assert slashed in ((bond * 5 // 100,) if end == "no evidence" else (0,))


def test_division_by_zero_paid_time(world: World) -> None:
    rental = world.running()
    cancelled = world.do(rentals.cancel, RENTER, rental)
    assert cancelled.charges.compute == Tokens(0)
    assert cancelled.charges.refund == Tokens(13_860)
    assert pricing.earned(Tokens(5), 0, 0) == Tokens(5)


def test_sums_are_decremented_on_cancel(world: World) -> None:
    for rental in (world.running(), world.create().id):
        world.do(rentals.cancel, RENTER, rental)
    renter, operator = accounts.balances_of(world.state, RENTER), accounts.balances_of(world.state, OPERATOR)
    assert renter.escrowed == operator.bonded == Tokens(0)
    check_indexes(world)


def test_retiring_what_was_never_used_inflates_nothing(world: World) -> None:
    before = world.book()
    world.do(retire_listing, PUBLISHER, world.listing.id)
    world.do(retire_dataset, OWNER, world.dataset.id)
    for _ in range(2):
        world.do(retire_listing, PUBLISHER, world.listing.id)
    assert world.book() == before
    check_indexes(world)


def test_no_double_payment_when_a_checkpoint_was_paid_before_the_result(world: World) -> None:
    rental = world.running()
    world.work(rental, 100)
    world.checkpoint(rental)
    world.work(rental, 10)
    world.do(jobs.hand_back, WORKER, rental, "SIGTERM")
    assert world.available(OPERATOR) == 51_000
    world.claim(rental)
    world.attest(rental)
    world.work(rental, 50)
    world.checkpoint(rental)
    world.work(rental, 50)
    world.finish(rental)
    done = world.do(rentals.accept, RENTER, rental)
    assert done.charges.compute == Tokens(2_000)
    assert done.billed_s == 200
    assert world.available(OPERATOR) == 52_000


def test_settlement_does_not_depend_on_a_callee(world: World) -> None:
    """Paying is book-keeping: a ledger that is down, or refuses a payee, cannot hold anyone else up."""
    rental = world.settling()
    world.do(ledger_journal.begin, OPERATOR, ledger_journal.WITHDRAW, Tokens(100), Timestamp(world.now))
    world.later(3_600)
    assert world.reap() == [rental]
    assert world.rental(rental).status is Status.SUCCEEDED


def test_refunds_go_to_the_renter_whoever_triggers_them(world: World) -> None:
    rental = world.create(queue_timeout_s=Seconds(60)).id
    world.later(60)
    assert world.reaper.run(world.state, world.message(STRANGER)) == [rental]
    assert world.available(RENTER) == 100_000
    assert world.available(STRANGER) == 0


def test_slashed_bonds_go_to_the_treasury_never_to_the_renter(world: World) -> None:
    rental = world.create().id
    world.claim(rental)
    world.later(600)
    world.reap()
    assert world.account("treasury") == 180
    world.do(rentals.cancel, RENTER, rental)
    assert world.available(RENTER) == 100_000
    assert accounts.balances_of(world.state, TREASURY).available == Tokens(180)
    assert accounts.balances_of(world.state, GOVERNOR).available == Tokens(0)


def test_no_pay_for_time_without_proof_of_work(world: World) -> None:
    rental = world.running()
    world.work(rental, 900)
    world.later(120)
    world.reap()
    assert world.rental(rental).status in (Status.QUEUED, Status.FAILED)
    assert world.available(OPERATOR) <= 50_000


def test_settling_a_thousand_times_pays_as_much_as_once(world: World) -> None:
    rental = world.running()
    for _ in range(200):
        world.later(1)
        world.checkpoint(rental)
    world.do(jobs.hand_back, WORKER, rental, "SIGTERM")
    assert world.available(OPERATOR) == 52_000


def test_a_dead_provider_does_not_hold_a_job(world: World) -> None:
    rental = world.running()
    world.work(rental, 100)
    world.checkpoint(rental)
    first = world.session(rental)
    world.later(120)
    world.reap()
    again = world.rental(rental)
    assert (again.status, again.failed_attempts, again.attempt) == (Status.QUEUED, 1, None)
    assert again.checkpoint is not None
    assert "silent" in (again.reason or "")
    assert world.account("treasury") == 180
    with pytest.raises(NotAuthorized):
        world.do(jobs.post_progress, first, rental, ())
    world.claim(rental)
    assert world.next_job(world.offer.id) is None


def test_a_rental_nobody_can_finish_fails_after_three_attempts(world: World) -> None:
    rental = world.create().id
    for _ in range(3):
        world.claim(rental)
        world.attest(rental)
        world.later(120)
        world.reap()
    failed = world.rental(rental)
    assert failed.status is Status.FAILED
    assert failed.charges is not None and failed.charges.refund == Tokens(13_860)
    assert world.account("treasury") == 3 * 180


def test_hand_backs_end_too(world: World) -> None:
    rental = world.create().id
    for _ in range(10):
        assert world.rental(rental).status is Status.QUEUED
        world.claim(rental)
        world.attest(rental)
        world.do(jobs.hand_back, WORKER, rental, "SIGTERM")
    assert world.rental(rental).status is Status.FAILED
    assert world.available(RENTER) == 100_000


def test_a_record_that_was_never_stored_is_not_conjured_up(world: World) -> None:
    assert world.state.rentals.get(number_key(12345)) is None
    assert not world.reaper.run_one(world.state, world.message(STRANGER), 12345)
    assert world.reported == []
