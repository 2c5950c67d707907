"""Transfers, mints and burns (ICRC-1)."""

import pytest

from canisters.ledger.core.accounts import MAX_KEY_LENGTH, Account, account_of
from canisters.ledger.core.balances import MAX_TOKENS
from canisters.ledger.core.deduplication import PERMITTED_DRIFT, TRANSACTION_WINDOW
from canisters.ledger.core.errors import (
    BadBurn,
    BadFee,
    CreatedInFuture,
    Duplicate,
    InsufficientFunds,
    InvalidSubaccount,
    LedgerError,
    MemoTooLong,
    MintingAccountRefused,
    SupplyExceeded,
    TooOld,
)
from canisters.ledger.core.ledger import MAX_INITIAL_BALANCES, Ledger
from canisters.ledger.core.requests import Transfer
from canisters.ledger.core.storage import Storage, check_version
from tests.ledger.memory import (
    ALICE,
    BOB,
    CAROL,
    FEE,
    MINTER,
    NOW,
    SETTINGS,
    memory_storage,
    new_ledger,
    rows_of,
)
from tests.ledger.replay import Replay, blocks_of, chain_hash


def send(ledger: Ledger, amount: int, now: int = NOW, **fields: object) -> int:
    return ledger.transfer(Transfer(ALICE, BOB, amount)._replace(**fields), now)


def test_a_transfer_moves_the_amount_and_burns_the_fee(ledger: Ledger) -> None:
    assert send(ledger, 300) == 2
    assert (ledger.balance_of(ALICE), ledger.balance_of(BOB)) == (1_000 - 300 - FEE, 400)
    assert ledger.total_supply() == 1_100 - FEE


def test_everything_can_be_sent_and_then_the_account_is_gone(ledger: Ledger, storage: Storage) -> None:
    send(ledger, 1_000 - FEE)
    assert ledger.balance_of(ALICE) == 0
    assert storage.balances.get(ALICE.key()) is None
    with pytest.raises(InsufficientFunds) as error:
        send(ledger, 0)
    assert error.value.variant() == {"InsufficientFunds": {"balance": 0}}


def test_one_unit_more_than_the_balance_is_refused(ledger: Ledger) -> None:
    with pytest.raises(InsufficientFunds) as error:
        send(ledger, 1_000 - FEE + 1)
    assert error.value.fields == {"balance": 1_000}


def test_a_transfer_to_oneself_costs_the_fee(ledger: Ledger) -> None:
    send(ledger, 500, to=ALICE)
    assert ledger.balance_of(ALICE) == 1_000 - FEE


def test_another_fee_is_refused_with_the_right_one(ledger: Ledger) -> None:
    send(ledger, 1, fee=FEE)
    for fee in (0, FEE - 1, FEE + 1, 2**100_000):
        with pytest.raises(BadFee) as error:
            send(ledger, 1, fee=fee)
        assert error.value.fields == {"expected_fee": FEE}


def test_minting_is_free_and_names_only_the_receiver(ledger: Ledger) -> None:
    index = ledger.transfer(Transfer(MINTER, BOB, 50, fee=0), NOW)
    assert ledger.balance_of(BOB) == 150 and ledger.total_supply() == 1_150
    block = blocks_of(ledger)[index]
    assert block["tx"] == {"op": "mint", "amt": 50, "to": [b"bob"]} and "fee" not in block
    with pytest.raises(BadFee):
        ledger.transfer(Transfer(MINTER, BOB, 50, fee=FEE), NOW)


def test_burning_is_free_and_has_a_minimum(ledger: Ledger) -> None:
    index = send(ledger, FEE, to=MINTER)
    assert ledger.balance_of(ALICE) == 1_000 - FEE and ledger.total_supply() == 1_100 - FEE
    assert blocks_of(ledger)[index]["tx"] == {"op": "burn", "amt": FEE, "from": [b"alice"]}
    with pytest.raises(BadBurn) as error:
        send(ledger, FEE - 1, to=MINTER)
    assert error.value.fields == {"min_burn_amount": FEE}


def test_a_rest_below_the_fee_can_still_be_burned(ledger: Ledger) -> None:
    send(ledger, 1_000 - FEE - 3)
    with pytest.raises(BadBurn) as error:
        send(ledger, 2, to=MINTER)
    assert error.value.fields == {"min_burn_amount": 3}
    send(ledger, 3, to=MINTER)
    with pytest.raises(BadBurn):
        send(ledger, 0, to=MINTER)


def test_the_minting_account_holds_nothing_and_cannot_send_to_itself(ledger: Ledger) -> None:
    assert ledger.balance_of(MINTER) == 0
    with pytest.raises(MintingAccountRefused):
        ledger.transfer(Transfer(MINTER, MINTER, 50), NOW)


def test_no_more_tokens_than_sixteen_bytes_can_be_minted(ledger: Ledger) -> None:
    free = MAX_TOKENS - ledger.total_supply()
    for amount in (free + 1, MAX_TOKENS + 1):
        with pytest.raises(SupplyExceeded) as error:
            ledger.transfer(Transfer(MINTER, BOB, amount), NOW)
    assert error.value.variant()["GenericError"]["error_code"] == 5
    ledger.transfer(Transfer(MINTER, CAROL, free), NOW)
    assert ledger.total_supply() == MAX_TOKENS


def test_an_absurd_amount_is_insufficient_funds(ledger: Ledger) -> None:
    with pytest.raises(InsufficientFunds):
        send(ledger, 2**100_000, created_at=NOW)


def test_a_memo_has_at_most_32_bytes(ledger: Ledger) -> None:
    index = send(ledger, 1, memo=bytes(32))
    assert blocks_of(ledger)[index]["tx"]["memo"] == bytes(32)
    with pytest.raises(MemoTooLong, match="33"):
        send(ledger, 1, memo=bytes(33))


def test_a_missing_subaccount_is_the_default_one() -> None:
    assert account_of(b"owner", None) == account_of(b"owner", bytes(32)) == Account(b"owner")
    assert account_of(b"owner", b"\x01" * 32) == Account(b"owner", b"\x01" * 32)


@pytest.mark.parametrize("length", [0, 1, 31, 33])
def test_a_subaccount_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(InvalidSubaccount) as error:
        account_of(b"owner", bytes(length))
    assert error.value.variant()["GenericError"]["error_code"] == 1


def test_account_keys_are_unambiguous() -> None:
    longest = Account(b"\xff" * 29, b"\x01" * 32)
    accounts = [
        Account(b""),
        Account(b"a"),
        Account(b"a", b"\x01" * 32),
        Account(b"a" + b"\x01" * 28),
        longest,
    ]
    pairs = {one.key() + other.key() for one in accounts for other in accounts}
    assert len(pairs) == len(accounts) ** 2
    assert max(len(account.key()) for account in accounts) == MAX_KEY_LENGTH


def test_a_repeated_transfer_is_a_duplicate(ledger: Ledger) -> None:
    index = send(ledger, 300, created_at=NOW)
    for now in (NOW, NOW + TRANSACTION_WINDOW + PERMITTED_DRIFT):
        with pytest.raises(Duplicate) as error:
            send(ledger, 300, created_at=NOW, now=now)
        assert error.value.fields == {"duplicate_of": index}
    with pytest.raises(TooOld):
        send(ledger, 300, created_at=NOW, now=NOW + TRANSACTION_WINDOW + PERMITTED_DRIFT + 1)


def test_a_duplicate_is_told_even_if_the_funds_are_gone(ledger: Ledger) -> None:
    index = send(ledger, 1_000 - FEE, created_at=NOW)
    with pytest.raises(Duplicate) as error:
        send(ledger, 1_000 - FEE, created_at=NOW)
    assert error.value.fields == {"duplicate_of": index}


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 2},
        {"memo": b""},
        {"memo": b"x"},
        {"fee": FEE},
        {"created_at": NOW + 1},
        {"to": CAROL},
        {"source": BOB, "to": ALICE},
        {"source": BOB, "spender": BOB},
    ],
)
def test_a_transfer_that_differs_in_anything_is_another_one(
    ledger: Ledger, change: dict[str, object]
) -> None:
    send(ledger, 1, created_at=NOW)
    send(ledger, **{"amount": 1, "created_at": NOW, **change})


def test_without_created_at_time_nothing_is_a_duplicate(ledger: Ledger) -> None:
    assert send(ledger, 1) + 1 == send(ledger, 1)


def test_a_callers_clock_may_be_two_minutes_ahead(ledger: Ledger) -> None:
    send(ledger, 1, created_at=NOW + PERMITTED_DRIFT)
    with pytest.raises(CreatedInFuture) as error:
        send(ledger, 1, created_at=NOW + PERMITTED_DRIFT + 1)
    assert error.value.fields == {"ledger_time": NOW}
    with pytest.raises(CreatedInFuture):
        send(ledger, 1, created_at=2**64 - 1)


def test_a_callers_clock_may_be_a_day_and_two_minutes_behind(ledger: Ledger) -> None:
    oldest = NOW - TRANSACTION_WINDOW - PERMITTED_DRIFT
    send(ledger, 1, created_at=oldest)
    with pytest.raises(TooOld) as error:
        send(ledger, 1, created_at=oldest - 1)
    assert error.value.variant() == {"TooOld": None}


def test_the_memory_of_repetitions_is_bounded_by_the_window(ledger: Ledger, storage: Storage) -> None:
    step = TRANSACTION_WINDOW // 10
    for index in range(40):
        now = NOW + index * step
        send(ledger, 1, created_at=now, now=now)
        assert len(storage.recent.range(None, None, 100)) <= 11


def test_refusals_change_nothing(ledger: Ledger, storage: Storage) -> None:
    before = rows_of(storage)
    refused: list[dict[str, object]] = [
        {"amount": 10_000},
        {"fee": 1},
        {"memo": bytes(40)},
        {"created_at": 0},
        {"created_at": 2**63},
        {"to": MINTER},
        {"source": BOB, "spender": CAROL},
        {"amount": 10_000, "created_at": NOW},
        {"source": MINTER, "spender": CAROL},
    ]
    for change in refused:
        with pytest.raises(LedgerError):
            send(ledger, **{"amount": 1, **change})
        assert rows_of(storage) == before


def test_blocks_form_a_chain_that_replays_to_the_balances(ledger: Ledger) -> None:
    send(ledger, 5, memo=b"memo", created_at=NOW, fee=FEE)
    send(ledger, 7, to=CAROL)
    blocks = blocks_of(ledger)
    assert chain_hash(blocks) == ledger.blocks.tip().hash
    assert blocks[2]["ts"] == NOW
    assert blocks[2]["tx"] == {
        "op": "xfer", "amt": 5, "from": [b"alice"], "to": [b"bob"], "fee": FEE, "memo": b"memo", "ts": NOW,
    }  # fmt: skip
    replay = Replay(blocks)
    assert replay.balances[CAROL.owner, CAROL.subaccount or b""] == 7
    assert replay.supply == ledger.total_supply()
    with pytest.raises(IndexError, match="4"):
        ledger.blocks.get(4)


def test_a_ledger_opened_again_knows_everything(ledger: Ledger, storage: Storage) -> None:
    send(ledger, 5)
    again = Ledger(storage)
    assert again.settings == SETTINGS
    assert (again.balance_of(BOB), again.total_supply()) == (105, 1_100 - FEE)
    assert again.blocks.tip() == ledger.blocks.tip()


def test_settings_are_bounded() -> None:
    for wrong in ({"name": ""}, {"name": "n" * 101}, {"symbol": "s" * 101}, {"fee": MAX_TOKENS + 1}):
        with pytest.raises(ValueError):
            Ledger(memory_storage()).install(SETTINGS._replace(**wrong), [], NOW)
    with pytest.raises(ValueError, match="initial balances"):
        new_ledger(memory_storage(), *[(ALICE, 1)] * (MAX_INITIAL_BALANCES + 1))
    with pytest.raises(LookupError):
        _ = Ledger(memory_storage()).settings


def test_a_record_of_another_version_is_refused() -> None:
    with pytest.raises(Exception, match="begins with 02, not 01"):
        check_version(b"\x02data", 1, "balance")
