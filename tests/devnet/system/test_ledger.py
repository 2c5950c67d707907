"""The token ledger against an independent model, and its refusals one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devnet.replica.natives import NativeState
from devnet.system.accounts import account_identifier
from devnet.system.errors import Refused
from devnet.system.ledger import DRIFT_NS, WINDOW_NS, Order, TokenLedger

FEE = 10
NOW = 1_700_000_000 * 10**9
MINTER, ALICE, BOB, CAROL = (account_identifier(name.encode()) for name in ("minter", "a", "b", "c"))
ACCOUNTS = (MINTER, ALICE, BOB, CAROL)


@pytest.fixture
def ledger() -> TokenLedger:
    ledger = TokenLedger(NativeState(), "test", FEE, MINTER)
    ledger.mint(ALICE, 1_000, None, NOW)
    return ledger


def refused(order: Order, ledger: TokenLedger, now: int = NOW) -> tuple[str, object]:
    with pytest.raises(Refused) as failure:
        ledger.transfer(order, now)
    return failure.value.case, failure.value.content


def test_a_transfer_costs_its_fee_which_is_burnt(ledger: TokenLedger) -> None:
    assert ledger.transfer(Order(ALICE, BOB, 300), NOW) == 1
    assert (ledger.balance(ALICE), ledger.balance(BOB)) == (690, 300)
    assert ledger.total_supply == 990
    block = ledger.block(1)
    assert block is not None
    assert (block.kind, block.amount, block.fee, block.timestamp) == ("transfer", 300, FEE, NOW)


def test_all_but_the_fee_can_be_sent_and_no_more(ledger: TokenLedger) -> None:
    assert refused(Order(ALICE, BOB, 991), ledger) == ("InsufficientFunds", {"balance": 1_000})
    ledger.transfer(Order(ALICE, BOB, 990), NOW)
    assert (ledger.balance(ALICE), ledger.balance(BOB)) == (0, 990)


def test_a_wrong_fee_is_named(ledger: TokenLedger) -> None:
    assert refused(Order(ALICE, BOB, 1, fee=9), ledger) == ("BadFee", {"expected_fee": FEE})
    assert refused(Order(ALICE, MINTER, 100, fee=FEE), ledger) == ("BadFee", {"expected_fee": 0})


def test_the_minting_account_issues_and_takes_back_without_fee(ledger: TokenLedger) -> None:
    ledger.transfer(Order(MINTER, BOB, 50), NOW)
    assert ledger.total_supply == 1_050
    ledger.transfer(Order(BOB, MINTER, 50), NOW)
    assert (ledger.balance(BOB), ledger.total_supply) == (0, 1_000)
    assert refused(Order(ALICE, MINTER, FEE - 1), ledger) == ("BadBurn", {"min_burn_amount": FEE})


def test_the_same_transaction_counts_once_within_its_window(ledger: TokenLedger) -> None:
    order = Order(ALICE, BOB, 5, created_at=NOW, memo=b"m")
    index = ledger.transfer(order, NOW)
    assert refused(order, ledger, NOW + WINDOW_NS) == ("Duplicate", {"duplicate_of": index})
    ledger.transfer(Order(ALICE, BOB, 5, created_at=NOW + 1, memo=b"m"), NOW)
    assert ledger.balance(BOB) == 10


def test_old_and_future_transactions_are_refused_one_past_the_bounds(ledger: TokenLedger) -> None:
    late, early = NOW - WINDOW_NS - DRIFT_NS, NOW + DRIFT_NS
    ledger.transfer(Order(ALICE, BOB, 1, created_at=late), NOW)
    ledger.transfer(Order(ALICE, BOB, 1, created_at=early), NOW)
    assert refused(Order(ALICE, BOB, 1, created_at=late - 1), ledger) == ("TooOld", None)
    future = ("CreatedInFuture", {"ledger_time": NOW})
    assert refused(Order(ALICE, BOB, 1, created_at=early + 1), ledger) == future


def test_a_memo_has_32_bytes_at_most(ledger: TokenLedger) -> None:
    ledger.transfer(Order(ALICE, BOB, 1, memo=bytes(32)), NOW)
    assert refused(Order(ALICE, BOB, 1, memo=bytes(33)), ledger)[0] == "GenericError"


def test_an_allowance_is_spent_with_the_fees_and_ends(ledger: TokenLedger) -> None:
    ledger.approve(Order(ALICE, BOB, 100), NOW, expires_at=NOW + 5)
    assert ledger.balance(ALICE) == 1_000 - FEE
    ledger.transfer(Order(ALICE, CAROL, 60, spender=BOB), NOW)
    assert ledger.allowance(ALICE, BOB, NOW) == (30, NOW + 5)
    too_much = Order(ALICE, CAROL, 21, spender=BOB)
    assert refused(too_much, ledger) == ("InsufficientAllowance", {"allowance": 30})
    assert ledger.allowance(ALICE, BOB, NOW + 6) == (0, None)
    assert refused(Order(ALICE, CAROL, 1, spender=BOB), ledger, NOW + 6)[0] == "InsufficientAllowance"


def test_an_approval_can_depend_on_what_was_allowed_before(ledger: TokenLedger) -> None:
    with pytest.raises(Refused) as failure:
        ledger.approve(Order(ALICE, BOB, 7), NOW, expected=1)
    assert failure.value.case == "AllowanceChanged"
    ledger.approve(Order(ALICE, BOB, 7), NOW, expected=0)
    with pytest.raises(Refused) as failure:
        ledger.approve(Order(ALICE, BOB, 7), NOW, expires_at=NOW - 1)
    assert failure.value.case == "Expired"


account = st.sampled_from(ACCOUNTS)
orders = st.builds(Order, source=account, to=account, amount=st.integers(0, 400), spender=st.none() | account)


@given(st.lists(orders, max_size=30))
def test_replaying_the_blocks_gives_the_balances(wanted: list[Order]) -> None:
    state = NativeState()
    ledger = TokenLedger(state, "test", FEE, MINTER)
    ledger.mint(ALICE, 1_000, None, NOW)
    ledger.approve(Order(ALICE, BOB, 300), NOW)
    state.commit()
    for order in wanted:
        try:
            ledger.transfer(order, NOW)
        except Refused:
            state.rollback()
        else:
            state.commit()
    balances = dict.fromkeys(ACCOUNTS, 0)
    for index in range(2 + len(wanted)):
        if (block := ledger.block(index)) is None:
            break
        if block.kind != "mint":
            balances[block.source] -= block.fee + (0 if block.kind == "approve" else block.amount)
        if block.kind in ("mint", "transfer"):
            balances[block.to] += block.amount
    assert balances == {identifier: ledger.balance(identifier) for identifier in ACCOUNTS}
    assert ledger.total_supply == sum(balances.values())
    assert all(held >= 0 for held in balances.values())
