"""Upgrades between a call and its answer: the answer reaches no task of the new code."""

from typing import Any

import pytest

from cdk.candid import Codec, Principal
from cdk.testing import PendingCall, Trapped
from tests.marketplace.simulation import FEE, Failed, Simulation, person

AMOUNT = 700


@pytest.fixture
def market() -> Simulation:
    simulation = Simulation()
    simulation.open_market()
    return simulation


def approve(market: Simulation, who: str, amount: int) -> None:
    approval = {
        "from_subaccount": None,
        "spender": {"owner": market.market.id, "subaccount": None},
        "amount": amount + FEE,
        "expected_allowance": None,
        "expires_at": None,
        "fee": None,
        "memo": None,
        "created_at_time": None,
    }
    assert "Ok" in market.ledger.update("icrc2_approve", approval, caller=person(who))


def begin(market: Simulation, who: str | Principal, method: str, *args: Any) -> PendingCall:
    """Start an endpoint and hold back its first call to another canister."""
    simulator = market.market
    entry = simulator.loaded.methods.METHODS[method]
    simulator.system.caller = (person(who) if isinstance(who, str) else who).bytes
    simulator.system.argument = Codec(entry.arguments).encode(args)
    simulator.system.reply = simulator.system.reject = None
    simulator._dispatch("method", simulator._index(method))
    [call] = simulator.system.calls
    simulator.system.calls.clear()
    return call


def answer(market: Simulation, call: PendingCall) -> None:
    """Let a held call be executed and its answer arrive."""
    system = market.market.system
    system.argument = market.market._answer(call)
    system.reply = system.reject = None
    market.market._dispatch("reply", call.callback_id)


def held(market: Simulation) -> int:
    owed: int = market.ask("renter", "status")["held"]
    return owed


def test_an_answer_to_the_code_before_an_upgrade_credits_nobody_else(market: Simulation) -> None:
    """Found: callback ids began at 1 again after an upgrade, so a late answer to one deposit was taken for
    the answer to another, which was then credited without any token having moved.
    """
    approve(market, "renter", AMOUNT)
    before = begin(market, "renter", "deposit", AMOUNT, market.now - 1)
    market.market.upgrade()
    # Nothing was approved for these: as many as it takes to use the id of the call before the upgrade again.
    after = [begin(market, "operator", "deposit", 10**6, market.now - at) for at in range(1, 9)]

    with pytest.raises(Trapped):
        answer(market, before)
    for call in after:
        answer(market, call)
    assert market.ask("operator", "balances")["available"] == 50_000

    market.advance(80)  # the journal entry without an answer is sent again
    assert market.ask("renter", "balances")["available"] == 100_000 + AMOUNT
    assert held(market) == market.tokens(market.market.id) == 150_000 + AMOUNT


@pytest.mark.parametrize("executed", [True, False])
def test_an_upgrade_in_the_middle_of_a_withdrawal_pays_once(market: Simulation, executed: bool) -> None:
    had = market.tokens(person("renter"))
    call = begin(market, "renter", "withdraw", AMOUNT, market.now)
    if executed:
        market.market._answer(call)
    market.market.upgrade()
    assert market.ask("renter", "balances")["available"] == 100_000 - AMOUNT
    with pytest.raises(Failed, match="no answer yet"):
        market.do("renter", "withdraw", AMOUNT, market.now)
    market.advance(80)
    assert market.tokens(person("renter")) == had + AMOUNT - FEE
    assert held(market) == market.tokens(market.market.id) == 150_000 - AMOUNT


def test_an_upgrade_in_the_middle_of_a_key_release_loses_only_the_answer(market: Simulation) -> None:
    rental = market.create()
    session = market.attest(rental)
    call = begin(market, session, "release_key", {"Listing": market.listing["id"]}, rental, None)
    market.market.upgrade()
    with pytest.raises(Trapped):
        answer(market, call)
    assert market.derived == []
    market.get_keys(rental, session)
    assert len(market.derived) == 2


def test_an_upgrade_in_the_middle_of_begin_attestation_issues_no_nonce(market: Simulation) -> None:
    rental = market.create()
    market.do("worker", "claim_rental", market.offer["id"], rental)
    call = begin(market, "worker", "begin_attestation", rental)
    market.market.upgrade()
    with pytest.raises(Trapped):
        answer(market, call)
    with pytest.raises(Failed, match="attesting without nonce"):
        market.do("session", "submit_attestation", rental, b"LHEV")
