"""Money in and out: journalled first, never twice, whatever answers are lost or come late."""

from typing import Any

import pytest

from canisters.marketplace.core import ledger_journal
from canisters.marketplace.core.errors import (
    InsufficientBalance,
    InvalidArgument,
    LedgerRefused,
    NotAuthorized,
    Unavailable,
)
from canisters.marketplace.core.ledger_journal import (
    DEPOSIT,
    PENDING,
    REFUSED,
    UNRESOLVED,
    WITHDRAW,
    Accepted,
    Begun,
    Refused,
    Unanswered,
)
from canisters.marketplace.core.model import Transfer
from canisters.marketplace.core.types import ANONYMOUS, Timestamp, Tokens
from tests.marketplace.world import LEDGER_FEE, OPERATOR, RENTER, SECOND, World

HOUR = 3_600 * SECOND


def begin(world: World, kind: str, amount: int, created: int | None = None, caller: Any = RENTER) -> Begun:
    at = Timestamp(created or world.now)
    begun: Begun = world.do(ledger_journal.begin, caller, kind, Tokens(amount), at)
    return begun


def finish(world: World, begun: Begun, outcome: ledger_journal.Outcome) -> Transfer:
    transfer: Transfer = world.do(ledger_journal.finish, RENTER, begun.transfer.index, outcome)
    return transfer


def resumable(world: World) -> list[Transfer]:
    found: list[Transfer] = world.do(ledger_journal.resumable, OPERATOR)
    return found


def test_a_deposit_is_credited_when_the_ledger_accepted_it(world: World) -> None:
    begun = begin(world, DEPOSIT, 500)
    assert begun.send
    assert world.available(RENTER) == 100_000
    finish(world, begun, Accepted(7))
    assert world.available(RENTER) == 100_500


def test_an_answer_that_comes_twice_credits_once(world: World) -> None:
    begun = begin(world, DEPOSIT, 500)
    for _ in range(3):
        finish(world, begun, Accepted(7))
    assert world.available(RENTER) == 100_500


def test_a_withdrawal_is_debited_before_the_call_and_waits_in_transit(world: World) -> None:
    begun = begin(world, WITHDRAW, 400)
    assert world.available(RENTER) == 99_600
    assert world.account(f"transit/{begun.transfer.index}") == 400
    finish(world, begun, Accepted(9))
    assert world.account(f"transit/{begun.transfer.index}") == 0
    assert world.book()["external"] == -149_600


@pytest.mark.parametrize("kind", ["InsufficientFunds", "BadFee", "TooOld", "CreatedInFuture", "GenericError"])
def test_a_definite_refusal_of_the_first_call_gives_the_money_back(world: World, kind: str) -> None:
    begun = begin(world, WITHDRAW, 400)
    refused = finish(world, begun, Refused(kind, "no", 12 if kind == "BadFee" else None))
    assert refused.state == REFUSED
    assert world.available(RENTER) == 100_000
    with pytest.raises(LedgerRefused) as caught:
        ledger_journal.answer(refused)
    assert caught.value.kind == kind


def test_the_same_request_after_a_refusal_says_so_again(world: World) -> None:
    finish(world, begin(world, DEPOSIT, 400), Refused("InsufficientAllowance", "approve first"))
    with pytest.raises(LedgerRefused, match="approve first"):
        begin(world, DEPOSIT, 400)
    assert begin(world, DEPOSIT, 400, world.now + 1).send


def test_an_unanswered_call_keeps_the_money_in_transit_until_it_is_resumed(world: World) -> None:
    begun = begin(world, WITHDRAW, 400)
    assert finish(world, begun, Unanswered("subnet down")).state == PENDING
    with pytest.raises(Unavailable, match="no answer yet"):
        begin(world, WITHDRAW, 400)
    assert resumable(world) == []
    world.later(60)
    (again,) = resumable(world)
    assert (again.index, again.sent) == (begun.transfer.index, 2)
    assert again.created_at_time == begun.transfer.created_at_time
    assert ledger_journal.memo(world.state, again) == ledger_journal.memo(world.state, begun.transfer)
    assert resumable(world) == []
    finish(world, begun, Accepted(1))
    assert (world.available(RENTER), world.account(f"transit/{again.index}")) == (99_600, 0)


def test_asking_again_resumes_a_stale_call(world: World) -> None:
    created = world.now
    begun = begin(world, DEPOSIT, 400, created)
    world.later(60)
    again = begin(world, DEPOSIT, 400, created)
    assert again.send and again.transfer.index == begun.transfer.index
    finish(world, again, Accepted(1))
    assert not begin(world, DEPOSIT, 400, created).send
    assert world.available(RENTER) == 100_400


def test_a_trapped_callback_is_the_same_as_no_answer(world: World) -> None:
    """The entry was journalled before the call, so an upgrade or trap after it leaves something to resume."""
    begun = begin(world, DEPOSIT, 400)
    world.reopen()
    world.later(60)
    assert [transfer.index for transfer in resumable(world)] == [begun.transfer.index]


@pytest.mark.parametrize("kind", ["BadFee", "GenericError", "TemporarilyUnavailable"])
def test_a_resumed_call_is_not_refused_by_what_says_nothing_about_the_first(world: World, kind: str) -> None:
    begun = begin(world, WITHDRAW, 400)
    world.later(60)
    resumable(world)
    assert finish(world, begun, Refused(kind, "no")).state == PENDING
    assert world.available(RENTER) == 99_600


def test_a_resumed_call_that_is_too_old_is_left_for_people_to_compare(world: World) -> None:
    begun = begin(world, WITHDRAW, 400)
    world.later(60)
    resumable(world)
    unresolved = finish(world, begun, Refused("TooOld", "too old"))
    assert unresolved.state == UNRESOLVED
    assert world.account(f"transit/{begun.transfer.index}") == 400
    world.later(3_600)
    assert resumable(world) == []
    with pytest.raises(Unavailable, match="governors"):
        ledger_journal.answer(unresolved)


def test_only_so_many_calls_are_resumed_at_once(world: World) -> None:
    for number in range(7):
        begin(world, DEPOSIT, 100, world.now - HOUR - number)
    world.later(60)
    first, second = resumable(world), resumable(world)
    assert (len(first), len(second)) == (5, 2)
    world.later(59)
    assert resumable(world) == []
    world.later(1)
    assert [transfer.index for transfer in resumable(world)] == [transfer.index for transfer in first]


def test_calls_that_stay_unanswered_do_not_keep_others_from_being_resumed(world: World) -> None:
    for number in range(12):
        begin(world, DEPOSIT, 100, world.now - HOUR - number)
    seen: set[int] = set()
    for _ in range(3):
        world.later(60)
        seen |= {transfer.index for transfer in resumable(world)}
    assert len(seen) == 12


def test_another_amount_under_the_same_time_is_refused(world: World) -> None:
    begin(world, DEPOSIT, 400)
    with pytest.raises(InvalidArgument, match="began a deposit of 400"):
        begin(world, DEPOSIT, 401)
    begin(world, WITHDRAW, 401)
    begin(world, DEPOSIT, 401, caller=OPERATOR)


def test_a_changed_fee_is_remembered_for_the_next_transfer(world: World) -> None:
    finish(world, begin(world, WITHDRAW, 400), Refused("BadFee", "now 25", 25))
    assert begin(world, WITHDRAW, 400, world.now + 1).transfer.fee == Tokens(25)


def test_amounts_and_times_are_bounded(world: World) -> None:
    for kind, amount in ((DEPOSIT, 0), (WITHDRAW, LEDGER_FEE), (DEPOSIT, 2**96 + 1)):
        with pytest.raises(InvalidArgument) as caught:
            begin(world, kind, amount)
        assert caught.value.field == "amount"
    begin(world, WITHDRAW, LEDGER_FEE + 1)
    for good in (world.now - 12 * HOUR, world.now + 60 * SECOND):
        begin(world, DEPOSIT, 1, good)
    for bad in (world.now - 12 * HOUR - 1, world.now + 60 * SECOND + 1):
        with pytest.raises(InvalidArgument) as caught:
            begin(world, DEPOSIT, 1, bad)
        assert caught.value.field == "created_at_time"


def test_nobody_overdraws_and_the_anonymous_have_nothing(world: World) -> None:
    before = world.snapshot()
    with pytest.raises(InsufficientBalance):
        begin(world, WITHDRAW, 100_001)
    with pytest.raises(NotAuthorized):
        begin(world, DEPOSIT, 5, caller=ANONYMOUS)
    assert world.snapshot() == before
