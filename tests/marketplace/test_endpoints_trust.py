"""Collateral, evidence in parts and governance over real Candid."""

import dataclasses
from functools import cache
from typing import Any

import pytest

from attestation import SIMULATED, encode_collateral, policy_to_json, with_issuers
from attestation.simulator import Settings, SimulatedMachine, collateral_of
from canisters.marketplace.core import proposals
from cdk.candid import Principal
from tests.marketplace.simulation import START, TRANSPORT_KEY, Failed, Simulation, person, session_key

TDX = SimulatedMachine("tdx", cpu="tdx")
BOARD = SimulatedMachine("board", 8, Settings(gpu_mode="protected-pcie"), switches=4)


@pytest.fixture
def simulation() -> Simulation:
    simulation = Simulation()
    simulation.open_market()
    return simulation


@cache
def container(machine: SimulatedMachine = TDX, at: int = START) -> bytes:
    evidence = machine.collect(bytes(32), b"\x01", session_key("session"), TRANSPORT_KEY)
    return encode_collateral(with_issuers(collateral_of(machine, at), evidence))


def failed(call: Any, *args: Any) -> Failed:
    with pytest.raises(Failed) as caught:
        call(*args)
    return caught.value


def claimed(simulation: Simulation, machine: SimulatedMachine = TDX) -> tuple[int, Principal, bytes]:
    """A rental, the session that is to attest, and its evidence."""
    rental = simulation.create()
    simulation.do("worker", "claim_rental", simulation.offer["id"], rental)
    nonce = simulation.do("worker", "begin_attestation", rental)["nonce"]
    session = Principal.self_authenticating(session_key("session"))
    return rental, session, simulation.evidence(nonce, "session", machine)


def test_posted_collateral_is_shown_and_lets_tdx_evidence_pass_in_parts(simulation: Simulation) -> None:
    outcomes = simulation.do("stranger", "post_collateral", container())
    assert {entry["outcome"] for entry in outcomes} == {"added"}
    again = simulation.do("somebody else", "post_collateral", container())
    assert {entry["outcome"] for entry in again} == {"unchanged"}
    page = simulation.ask("anyone", "collateral", None, 100)
    assert len(page) == len(outcomes)
    last = {"kind": page[-2]["kind"], "subject": page[-2]["subject"]}
    assert simulation.ask("anyone", "collateral", last, 100) == page[-1:]
    piece = simulation.do("anyone", "get_collateral", last)
    assert piece["info"] == page[-2] and len(piece["content"]) == page[-2]["size"]

    rental, session, bundle = claimed(simulation)
    half = len(bundle) // 2
    assert simulation.do("worker", "upload_evidence", rental, 1, 2, bundle[half:]) == {
        "received": 1,
        "count": 2,
    }
    assert failed(simulation.do, session, "continue_attestation", rental).kind == "InvalidState"
    simulation.do("worker", "upload_evidence", rental, 0, 2, bundle[:half])
    accepted = simulation.do(session, "continue_attestation", rental)["Accepted"]
    assert (accepted["cpu_kind"], accepted["switches"]) == ("tdx", [])
    assert simulation.do("renter", "get_rental", rental)["attestation"] == accepted


def test_an_unfinished_verification_survives_an_upgrade(simulation: Simulation) -> None:
    rental, session, bundle = claimed(simulation, BOARD)
    half = len(bundle) // 2
    for index, part in enumerate((bundle[:half], bundle[half:])):
        simulation.do("worker", "upload_evidence", rental, index, 2, part)
    first = simulation.do(session, "continue_attestation", rental)["Unfinished"]
    assert 0 < first["done"] < first["total"]
    assert simulation.do("renter", "get_rental", rental)["status"] == "attesting"
    simulation.market.upgrade()  # forgets what was verified in memory
    accepted = simulation.do(session, "continue_attestation", rental)["Accepted"]
    assert (len(accepted["gpus"]), len(accepted["switches"])) == (8, 4)


def test_refused_collateral_names_the_piece(simulation: Simulation) -> None:
    damaged = bytearray(container())
    damaged[-10] ^= 1
    error = failed(simulation.do, "stranger", "post_collateral", bytes(damaged))
    assert error.kind == "CollateralRefused"
    assert error.fields["piece"].startswith("collateral.certificates[")
    assert simulation.ask("anyone", "collateral", None, 100) == []


@pytest.fixture
def quick() -> Simulation:
    """A marketplace whose governor decides alone, after a minute."""
    one = [person("governor")]
    return Simulation(governance={"proposers": one, "approvers": one, "threshold": 1, "delay_s": 60})


def test_a_policy_is_adopted_by_the_timer_and_governance_is_public(quick: Simulation) -> None:
    simulation = quick
    json = policy_to_json(dataclasses.replace(SIMULATED, name="simulated-2"))
    made = simulation.do("governor", "propose", {"AdoptPolicy": json}, "newer guests")
    assert (made["state"], made["change"]) == ("proposed", {"AdoptPolicy": json})
    assert failed(simulation.do, "renter", "approve_proposal", made["id"]).kind == "NotAuthorized"
    approved = simulation.do("governor", "approve_proposal", made["id"])
    assert approved["approvals"] == [person("governor")]
    assert failed(simulation.do, "anyone", "execute_proposal", made["id"]).kind == "InvalidState"
    simulation.advance(80)
    assert simulation.do("anyone", "get_proposal", made["id"])["state"] == "executed"
    assert [info["name"] for info in simulation.ask("anyone", "policies")] == [
        "production",
        "simulated",
        "simulated-2",
    ]
    assert simulation.do("anyone", "get_policy", "simulated-2")["json"] == json
    assert simulation.ask("anyone", "proposals", None, 10)[0]["state"] == "executed"
    events = simulation.ask("anyone", "governance_events", 0, 100)
    assert [event["kind"] for event in events] == ["propose", "approve", "execute"]
    assert simulation.ask("governor", "unresolved_transfers", None, 10) == []


def test_the_rules_are_changed_by_a_proposal(quick: Simulation) -> None:
    simulation = quick
    rules = {
        "governors": [person("governor")],
        "proposers": [person("governor")],
        "approvers": [person("a"), person("b")],
        "threshold": 2,
        "delay_s": 0,
    }
    made = simulation.do("governor", "propose", {"SetGovernance": rules}, "two heads")
    simulation.do("governor", "approve_proposal", made["id"])
    simulation.advance(80)
    assert simulation.ask("anyone", "governance") == rules
    gone = simulation.do("governor", "propose", {"RetirePolicy": "simulated"}, "over")
    cancelled = simulation.do("governor", "cancel_proposal", gone["id"], "not yet")
    assert (cancelled["state"], cancelled["outcome"]) == ("cancelled", "not yet")


def test_a_marketplace_is_installed_with_its_own_rules() -> None:
    given = {"proposers": [person("p")], "approvers": [person("a")], "threshold": 1, "delay_s": 60}
    simulation = Simulation(governance=given)
    assert simulation.ask("anyone", "governance") == {**given, "governors": [person("governor")]}


def test_a_manifest_is_denied_at_once(simulation: Simulation) -> None:
    assert failed(simulation.do, "renter", "deny_manifest", "ab" * 32).kind == "NotAuthorized"
    simulation.do("governor", "deny_manifest", "ab" * 32)
    assert simulation.ask("anyone", "governance_events", 0, 10)[0]["kind"] == "manifest_denied"


def test_bundles_of_the_whole_story_still_pass_in_one_message(simulation: Simulation) -> None:
    simulation.do("stranger", "post_collateral", container())
    rental, session, bundle = claimed(simulation)
    assert simulation.do(session, "submit_attestation", rental, bundle)["simulated"]


def test_a_proposal_that_cannot_be_moved_on_keeps_no_rental_from_its_exit(
    quick: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.open_market()
    rental = quick.create(queue_timeout_s=60)
    made = quick.do("governor", "propose", {"RetirePolicy": "production"}, "over")
    quick.do("governor", "approve_proposal", made["id"])

    def break_down(*_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(proposals, "move_on", break_down)
    quick.advance(80)
    assert quick.do("renter", "get_rental", rental)["status"] == "expired"
    assert quick.do("anyone", "get_proposal", made["id"])["state"] == "approved"
    monkeypatch.undo()
    quick.advance(20)
    assert quick.do("anyone", "get_proposal", made["id"])["state"] == "executed"
