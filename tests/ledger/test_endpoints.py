"""The ledger's Candid endpoints, in this process through the real codec."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cdk.candid import Principal
from cdk.testing import Simulator, Trapped

ROOT = Path(__file__).parents[2]
MINTER, ALICE, BOB, CAROL = (Principal(name) for name in (b"minter", b"alice", b"bob", b"carol"))
FEE = 10


def account(owner: Principal, subaccount: bytes | None = None) -> dict[str, Any]:
    return {"owner": owner, "subaccount": subaccount}


def init_arguments() -> dict[str, Any]:
    return {
        "minting_account": account(MINTER),
        "token_name": "Test Token",
        "token_symbol": "TEST",
        "decimals": 8,
        "transfer_fee": FEE,
        "initial_balances": [(account(ALICE), 1_000), (account(BOB, b"\x05" * 32), 7)],
    }


@pytest.fixture
def ledger() -> Simulator:
    return Simulator("canisters.ledger.main", init_arguments(), root=ROOT)


def transfer(ledger: Simulator, to: Principal, amount: int, caller: Principal = ALICE, **fields: Any) -> Any:
    return ledger.update("icrc1_transfer", {"to": account(to), "amount": amount, **fields}, caller=caller)


def balance(ledger: Simulator, owner: Principal, subaccount: bytes | None = None) -> Any:
    return ledger.query("icrc1_balance_of", account(owner, subaccount))


def test_the_token_describes_itself(ledger: Simulator) -> None:
    assert ledger.query("icrc1_name") == "Test Token"
    assert ledger.query("icrc1_symbol") == "TEST"
    assert ledger.query("icrc1_decimals") == 8
    assert ledger.query("icrc1_fee") == FEE
    assert ledger.query("icrc1_total_supply") == 1_007
    assert ledger.query("icrc1_minting_account") == account(MINTER)
    assert dict(ledger.query("icrc1_metadata")) == {
        "icrc1:name": {"Text": "Test Token"},
        "icrc1:symbol": {"Text": "TEST"},
        "icrc1:decimals": {"Nat": 8},
        "icrc1:fee": {"Nat": FEE},
        "icrc1:max_memo_length": {"Nat": 32},
    }
    assert [each["name"] for each in ledger.query("icrc1_supported_standards")] == ["ICRC-1", "ICRC-2"]


def test_transfers_answer_the_block_index(ledger: Simulator) -> None:
    assert transfer(ledger, BOB, 100) == {"Ok": 2}
    assert transfer(ledger, BOB, 100) == {"Ok": 3}
    assert (balance(ledger, ALICE), balance(ledger, BOB)) == (1_000 - 2 * (100 + FEE), 200)
    assert balance(ledger, BOB, bytes(32)) == 200 and balance(ledger, BOB, b"\x05" * 32) == 7


def test_every_refusal_of_a_transfer_is_a_variant(ledger: Simulator) -> None:
    now = ledger.system.now
    assert transfer(ledger, BOB, 2_000) == {"Err": {"InsufficientFunds": {"balance": 1_000}}}
    assert transfer(ledger, BOB, 1, fee=3) == {"Err": {"BadFee": {"expected_fee": FEE}}}
    assert transfer(ledger, MINTER, 3) == {"Err": {"BadBurn": {"min_burn_amount": FEE}}}
    assert transfer(ledger, BOB, 1, created_at_time=0) == {"Err": {"TooOld": None}}
    future = {"Err": {"CreatedInFuture": {"ledger_time": now}}}
    assert transfer(ledger, BOB, 1, created_at_time=2**64 - 1) == future
    assert transfer(ledger, BOB, 1, created_at_time=now) == {"Ok": 2}
    assert transfer(ledger, BOB, 1, created_at_time=now) == {"Err": {"Duplicate": {"duplicate_of": 2}}}
    for fields, code in (({"from_subaccount": b"short"}, 1), ({"memo": bytes(33)}, 2)):
        assert transfer(ledger, BOB, 1, **fields)["Err"]["GenericError"]["error_code"] == code
    assert transfer(ledger, MINTER, 1, caller=MINTER)["Err"]["GenericError"]["error_code"] == 4
    assert transfer(ledger, BOB, 2**128, caller=MINTER)["Err"]["GenericError"]["error_code"] == 5


def test_a_query_about_a_malformed_account_traps(ledger: Simulator) -> None:
    with pytest.raises(Trapped, match="a subaccount has 32 bytes, this one has 5"):
        balance(ledger, ALICE, b"short")


def test_approving_and_drawing(ledger: Simulator) -> None:
    allowance = {"account": account(ALICE), "spender": account(CAROL)}
    end = ledger.system.now + 5
    wanted = {"spender": account(CAROL), "amount": 100, "expires_at": end}
    assert ledger.update("icrc2_approve", wanted, caller=ALICE) == {"Ok": 2}
    assert ledger.query("icrc2_allowance", allowance) == {"allowance": 100, "expires_at": end}
    drawn = {"from_": account(ALICE), "to": account(BOB), "amount": 50}
    assert ledger.update("icrc2_transfer_from", drawn, caller=CAROL) == {"Ok": 3}
    assert ledger.query("icrc2_allowance", allowance) == {"allowance": 40, "expires_at": end}
    refused = ledger.update("icrc2_transfer_from", drawn, caller=CAROL)
    assert refused == {"Err": {"InsufficientAllowance": {"allowance": 40}}}
    assert balance(ledger, BOB) == 50 and balance(ledger, ALICE) == 1_000 - FEE - 50 - FEE
    ledger.system.now = end
    assert ledger.query("icrc2_allowance", allowance) == {"allowance": 0, "expires_at": None}


def test_every_refusal_of_an_approval_is_a_variant(ledger: Simulator) -> None:
    now = ledger.system.now

    def approve(caller: Principal = ALICE, **fields: Any) -> Any:
        arguments = {"spender": account(CAROL), "amount": 5, **fields}
        return ledger.update("icrc2_approve", arguments, caller=caller)

    assert approve(fee=1) == {"Err": {"BadFee": {"expected_fee": FEE}}}
    assert approve(caller=BOB) == {"Err": {"InsufficientFunds": {"balance": 0}}}
    assert approve(expected_allowance=4) == {"Err": {"AllowanceChanged": {"current_allowance": 0}}}
    assert approve(expires_at=now) == {"Err": {"Expired": {"ledger_time": now}}}
    assert approve(created_at_time=0) == {"Err": {"TooOld": None}}
    assert approve(spender=account(ALICE))["Err"]["GenericError"]["error_code"] == 3
    assert approve(caller=MINTER)["Err"]["GenericError"]["error_code"] == 4


def test_an_upgrade_keeps_everything(ledger: Simulator) -> None:
    transfer(ledger, BOB, 100)
    ledger.upgrade()
    assert (balance(ledger, BOB), ledger.query("icrc1_name")) == (100, "Test Token")
    assert transfer(ledger, BOB, 100) == {"Ok": 3}


@pytest.mark.parametrize(
    "change",
    [
        lambda args: {**args, "transfer_fee": 2**128},
        lambda args: {**args, "token_name": ""},
        lambda args: {**args, "minting_account": account(MINTER, b"short")},
        lambda args: {**args, "initial_balances": [(account(MINTER), 5)]},
    ],
)
def test_an_installation_that_makes_no_sense_traps(change: Callable[[Any], Any]) -> None:
    with pytest.raises(Trapped):
        Simulator("canisters.ledger.main", change(init_arguments()), root=ROOT)
