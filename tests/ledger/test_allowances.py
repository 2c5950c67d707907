"""Approvals and transfers on the strength of them (ICRC-2)."""

import pytest

from canisters.ledger.core.accounts import Account
from canisters.ledger.core.allowances import Allowance
from canisters.ledger.core.balances import MAX_TOKENS
from canisters.ledger.core.errors import (
    AllowanceChanged,
    BadFee,
    Duplicate,
    Expired,
    InsufficientAllowance,
    InsufficientFunds,
    MemoTooLong,
    MintingAccountRefused,
    SelfApproval,
    TooOld,
)
from canisters.ledger.core.ledger import Ledger
from canisters.ledger.core.requests import Approval, Transfer
from canisters.ledger.core.storage import Storage
from tests.ledger.memory import ALICE, BOB, CAROL, FEE, MINTER, NOW
from tests.ledger.replay import blocks_of


def approve(ledger: Ledger, amount: int, now: int = NOW, **fields: object) -> int:
    return ledger.approve(Approval(ALICE, CAROL, amount)._replace(**fields), now)


def draw(ledger: Ledger, amount: int, now: int = NOW, **fields: object) -> int:
    return ledger.transfer(Transfer(ALICE, BOB, amount, spender=CAROL)._replace(**fields), now)


def allowed(ledger: Ledger, now: int = NOW) -> int:
    return ledger.allowance(ALICE, CAROL, now).amount


def test_an_approval_costs_the_fee_and_replaces_the_allowance(ledger: Ledger) -> None:
    approve(ledger, 100)
    approve(ledger, 40)
    assert allowed(ledger) == 40
    assert ledger.balance_of(ALICE) == 1_000 - 2 * FEE
    assert ledger.total_supply() == 1_100 - 2 * FEE


def test_more_than_the_balance_may_be_approved_but_the_fee_must_be_there(ledger: Ledger) -> None:
    approve(ledger, 5_000)
    with pytest.raises(InsufficientFunds) as error:
        approve(ledger, 5, source=Account(b"pauper"))
    assert error.value.fields == {"balance": 0}


def test_a_draw_reduces_the_allowance_by_amount_and_fee(ledger: Ledger) -> None:
    approve(ledger, 100)
    draw(ledger, 30)
    assert allowed(ledger) == 100 - 30 - FEE
    assert ledger.balance_of(ALICE) == 1_000 - FEE - 30 - FEE
    with pytest.raises(InsufficientAllowance) as error:
        draw(ledger, 100 - 30 - 2 * FEE + 1)
    assert error.value.fields == {"allowance": 60}


def test_a_used_up_allowance_is_removed(ledger: Ledger, storage: Storage) -> None:
    approve(ledger, 30 + FEE, expires_at=NOW + 5)
    draw(ledger, 30)
    assert ledger.allowance(ALICE, CAROL, NOW) == Allowance(0)
    assert storage.allowances.range(None, None, 9) == storage.expirations.range(None, None, 9) == []


def test_an_allowance_without_funds_draws_nothing(ledger: Ledger) -> None:
    approve(ledger, 5_000)
    with pytest.raises(InsufficientFunds):
        draw(ledger, 2_000)
    assert allowed(ledger) == 5_000


def test_without_approval_nothing_can_be_drawn(ledger: Ledger) -> None:
    with pytest.raises(InsufficientAllowance) as error:
        draw(ledger, 1)
    assert error.value.fields == {"allowance": 0}


def test_an_allowance_is_for_one_account_of_the_spender(ledger: Ledger) -> None:
    approve(ledger, 100)
    with pytest.raises(InsufficientAllowance):
        draw(ledger, 1, spender=Account(CAROL.owner))


def test_drawing_from_ones_own_account_needs_no_allowance(ledger: Ledger) -> None:
    index = draw(ledger, 30, spender=ALICE)
    assert ledger.balance_of(BOB) == 130
    assert blocks_of(ledger)[index]["tx"]["spender"] == [b"alice"]


def test_drawing_to_the_minting_account_burns(ledger: Ledger) -> None:
    approve(ledger, 100)
    index = draw(ledger, 60, to=MINTER)
    assert allowed(ledger) == 40
    assert blocks_of(ledger)[index]["tx"]["op"] == "burn"
    assert ledger.total_supply() == 1_100 - FEE - 60


def test_mints_cannot_be_delegated(ledger: Ledger) -> None:
    with pytest.raises(MintingAccountRefused):
        approve(ledger, 5, source=MINTER)
    with pytest.raises(MintingAccountRefused):
        draw(ledger, 5, source=MINTER)


def test_nobody_approves_transfers_to_themselves(ledger: Ledger) -> None:
    for spender in (ALICE, Account(b"alice", b"\x01" * 32)):
        with pytest.raises(SelfApproval) as error:
            approve(ledger, 5, spender=spender)
        assert error.value.variant()["GenericError"]["error_code"] == 3


def test_an_allowance_ends_at_its_time(ledger: Ledger) -> None:
    approve(ledger, 100, expires_at=NOW + 5)
    assert ledger.allowance(ALICE, CAROL, NOW + 4) == Allowance(100, NOW + 5)
    assert ledger.allowance(ALICE, CAROL, NOW + 5) == Allowance(0)
    with pytest.raises(InsufficientAllowance):
        draw(ledger, 1, now=NOW + 5)
    draw(ledger, 1, now=NOW + 4)
    assert ledger.allowance(ALICE, CAROL, NOW + 4) == Allowance(100 - 1 - FEE, NOW + 5)


def test_an_approval_that_has_ended_before_it_begins_is_refused(ledger: Ledger) -> None:
    with pytest.raises(Expired) as error:
        approve(ledger, 100, expires_at=NOW)
    assert error.value.fields == {"ledger_time": NOW}


def test_the_expected_allowance_is_compared(ledger: Ledger) -> None:
    approve(ledger, 100, expected_allowance=0)
    for expected in (0, 99, 2**100_000):
        with pytest.raises(AllowanceChanged) as error:
            approve(ledger, 5, expected_allowance=expected)
        assert error.value.fields == {"current_allowance": 100}
    approve(ledger, 5, expected_allowance=100)


def test_an_ended_allowance_counts_as_none_for_the_expected_one(ledger: Ledger) -> None:
    approve(ledger, 100, expires_at=NOW + 5)
    approve(ledger, 7, expected_allowance=0, now=NOW + 5)
    assert allowed(ledger, NOW + 5) == 7


def test_an_approval_of_nothing_removes_the_allowance(ledger: Ledger, storage: Storage) -> None:
    approve(ledger, 100, expires_at=NOW + 5)
    approve(ledger, 0)
    assert storage.allowances.range(None, None, 9) == storage.expirations.range(None, None, 9) == []


def test_ended_allowances_are_removed_by_later_approvals(ledger: Ledger, storage: Storage) -> None:
    for index in range(8):
        approve(ledger, 50, spender=Account(b"spender%d" % index), expires_at=NOW + 5)
    approve(ledger, 50, now=NOW + 5)
    assert len(storage.allowances.range(None, None, 99)) == 5
    approve(ledger, 50, now=NOW + 5)
    assert len(storage.allowances.range(None, None, 99)) == 1
    assert storage.expirations.range(None, None, 99) == []


def test_a_renewed_allowance_outlives_its_first_expiration(ledger: Ledger) -> None:
    approve(ledger, 50, expires_at=NOW + 5)
    approve(ledger, 60, expires_at=NOW + 9)
    approve(ledger, 1, spender=BOB, now=NOW + 6)
    assert allowed(ledger, NOW + 6) == 60


def test_an_ended_allowance_can_be_renewed_in_the_moment_it_is_removed(ledger: Ledger) -> None:
    approve(ledger, 50, expires_at=NOW + 5)
    approve(ledger, 60, expires_at=NOW + 9, now=NOW + 5)
    assert allowed(ledger, NOW + 5) == 60


def test_a_huge_approval_is_capped(ledger: Ledger) -> None:
    approve(ledger, 2**100_000)
    assert allowed(ledger) == MAX_TOKENS


def test_a_repeated_approval_is_a_duplicate_even_after_use(ledger: Ledger) -> None:
    fields = {"created_at": NOW, "expected_allowance": 0, "expires_at": NOW + 5}
    index = approve(ledger, 100, **fields)
    draw(ledger, 10)
    with pytest.raises(Duplicate) as error:
        approve(ledger, 100, now=NOW + 7, **fields)
    assert error.value.fields == {"duplicate_of": index}
    with pytest.raises(TooOld):
        approve(ledger, 100, created_at=0)


def test_fee_and_memo_of_an_approval_are_checked(ledger: Ledger) -> None:
    approve(ledger, 1, fee=FEE, memo=bytes(32))
    with pytest.raises(BadFee) as error:
        approve(ledger, 1, fee=0)
    assert error.value.fields == {"expected_fee": FEE}
    with pytest.raises(MemoTooLong):
        approve(ledger, 1, memo=bytes(33))


def test_the_block_of_an_approval_says_what_was_asked(ledger: Ledger) -> None:
    index = approve(ledger, 9, expected_allowance=0, expires_at=NOW + 5, fee=FEE, memo=b"m", created_at=NOW)
    block = blocks_of(ledger)[index]
    assert block["fee"] == FEE
    assert block["tx"] == {
        "op": "approve", "amt": 9, "from": [b"alice"], "spender": [b"carol", b"\x07" * 32], "fee": FEE,
        "expected_allowance": 0, "expires_at": NOW + 5, "memo": b"m", "ts": NOW,
    }  # fmt: skip
