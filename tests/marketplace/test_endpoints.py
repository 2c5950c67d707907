"""The endpoints over real Candid: the whole story, calls that fail, money that must not move twice,
upgrades.
"""

from typing import Any

import pytest

from cdk.candid import Principal
from cdk.testing import Rejected
from tests.marketplace.simulation import FEE, MANAGEMENT, TRANSPORT_KEY, VAULT, Failed, Simulation, person


@pytest.fixture
def simulation() -> Simulation:
    simulation = Simulation()
    simulation.open_market()
    return simulation


def failed(call: Any, *args: Any) -> Failed:
    with pytest.raises(Failed) as caught:
        call(*args)
    return caught.value


def test_the_whole_story_over_candid(simulation: Simulation) -> None:
    rental = simulation.settling()
    shown = simulation.do("renter", "get_rental", rental)
    assert shown["status"] == "settling"
    assert shown["attestation"]["simulated"] and all(
        claim["verdict"] == "valid" for claim in shown["attestation"]["claims"]
    )
    assert simulation.do("renter", "accept_result", rental)["charges"]["compute"] == 1_000
    key = simulation.do("renter", "release_key", {"Result": rental}, None, TRANSPORT_KEY)
    assert key == {
        "encrypted_key": bytes(192),
        "input": b"result/%d" % rental,
        "context": b"leasehold-v1",
    }
    assert [d["input"] for d in simulation.derived][-1] == b"result/%d" % rental
    assert simulation.granted[-1]["reader"] == person("renter")
    kinds = [event["kind"] for event in simulation.do("renter", "rental_events", rental, 0, 100)]
    assert (
        kinds == "create claim evidence_accepted key_released key_released result accept key_released".split()
    )
    movements = simulation.ask("renter", "movements", None, 100)
    rental_lines = [line for line in movements if line["rental"] == rental]
    assert rental_lines[0]["from_"] == f"available/{person('renter').to_str()}"
    into = sum(line["amount"] for line in rental_lines if line["to"] == f"escrow/{rental}")
    out = sum(line["amount"] for line in rental_lines if line["from_"] == f"escrow/{rental}")
    assert into == out == shown["price"]["total_max"]


def test_held_is_what_the_ledger_says_the_marketplace_has(simulation: Simulation) -> None:
    simulation.settling()
    assert simulation.ask("renter", "status")["held"] == simulation.tokens(simulation.market.id) == 150_000


def test_the_session_gets_keys_to_the_attested_transport_key_only(simulation: Simulation) -> None:
    rental = simulation.create()
    session = simulation.attest(rental)
    item = {"Listing": simulation.listing["id"]}
    other = TRANSPORT_KEY[:-1] + b"\x02"
    assert failed(simulation.do, session, "release_key", item, rental, other).kind == "InvalidArgument"
    simulation.do(session, "release_key", item, rental, None)
    assert simulation.derived[-1]["transport_public_key"] == TRANSPORT_KEY
    assert simulation.derived[-1]["key_id"] == {"curve": {"bls12_381_g2": None}, "name": "test_key_1"}
    assert (
        simulation.granted[-1]["until"]
        == simulation.do("renter", "get_rental", rental)["started_at"] + 10**12
    )


def test_a_rental_cancelled_while_the_key_is_derived_gives_no_key(simulation: Simulation) -> None:
    rental = simulation.create()
    session = simulation.attest(rental)
    derive = simulation.market.handlers[MANAGEMENT, "vetkd_derive_key"]

    def meanwhile(argument: bytes) -> bytes:
        simulation.do("renter", "cancel_rental", rental)
        return derive(argument)

    simulation.market.handlers[MANAGEMENT, "vetkd_derive_key"] = meanwhile
    item = {"Listing": simulation.listing["id"]}
    assert failed(simulation.do, session, "release_key", item, rental, None).kind == "InvalidState"


def test_a_rental_cancelled_while_the_vault_answers_derives_nothing(simulation: Simulation) -> None:
    rental = simulation.create()
    session = simulation.attest(rental)
    grant = simulation.market.handlers[VAULT, "grant"]

    def meanwhile(argument: bytes) -> bytes:
        simulation.do("renter", "cancel_rental", rental)
        return grant(argument)

    simulation.market.handlers[VAULT, "grant"] = meanwhile
    item = {"Dataset": simulation.dataset["id"]}
    assert failed(simulation.do, session, "release_key", item, rental, None).kind == "InvalidState"
    assert simulation.derived == []


def test_a_nonce_is_not_issued_when_the_rental_moved_on_while_randomness_was_fetched(
    simulation: Simulation,
) -> None:
    rental = simulation.create()
    simulation.do("worker", "claim_rental", simulation.offer["id"], rental)
    rand = simulation.market.handlers[MANAGEMENT, "raw_rand"]

    def meanwhile(argument: bytes) -> bytes:
        simulation.do("worker", "return_rental", rental, "SIGTERM")
        return rand(argument)

    simulation.market.handlers[MANAGEMENT, "raw_rand"] = meanwhile
    refused = failed(simulation.do, "worker", "begin_attestation", rental)
    assert refused.kind == "NotAuthorized"


@pytest.mark.parametrize(
    ("canister", "method"),
    [(VAULT, "grant"), (MANAGEMENT, "vetkd_derive_key")],
)
def test_a_service_that_rejects_is_named(simulation: Simulation, canister: Principal, method: str) -> None:
    rental = simulation.create()
    session = simulation.attest(rental)
    simulation.reject(canister, method)
    refused = failed(
        simulation.do, session, "release_key", {"Listing": simulation.listing["id"]}, rental, None
    )
    assert refused.kind == "Unavailable"
    assert "overloaded" in refused.fields["message"]


def test_a_marketplace_short_of_cycles_says_so_before_it_logs_a_release(simulation: Simulation) -> None:
    rental = simulation.create()
    session = simulation.attest(rental)
    simulation.market.system.cycles = 9_999_999_999
    item = {"Listing": simulation.listing["id"]}
    refused = failed(simulation.do, session, "release_key", item, rental, None)
    assert "top it up" in refused.fields["message"]
    assert simulation.granted == []


def test_the_sealing_key_is_asked_for_once(simulation: Simulation) -> None:
    first = simulation.do("stranger", "sealing_key")
    assert first == {"public_key": bytes(96), "context": b"leasehold-v1", "key_name": "test_key_1"}
    simulation.reject(MANAGEMENT, "vetkd_public_key")
    assert simulation.do("stranger", "sealing_key") == first


# --- Money ---


def test_a_deposit_needs_an_approval_and_says_so(simulation: Simulation) -> None:
    refused = failed(simulation.do, "renter", "deposit", 5_000, simulation.now + 7)
    assert refused.kind == "LedgerRefused"
    assert refused.fields["kind"] == "InsufficientAllowance"
    assert "approve" in refused.fields["message"]
    assert simulation.ask("renter", "balances")["available"] == 100_000


def test_the_same_deposit_twice_is_one_deposit(simulation: Simulation) -> None:
    created = simulation.now + 1
    simulation.deposit("renter", 5_000, created)
    assert simulation.do("renter", "deposit", 5_000, created)["available"] == 105_000
    refused = failed(simulation.do, "renter", "deposit", 6_000, created)
    assert refused.fields["field"] == "created_at_time"
    assert simulation.tokens(simulation.market.id) == 155_000


def test_a_withdrawal_costs_the_ledger_fee_once(simulation: Simulation) -> None:
    before = simulation.tokens(person("renter"))
    assert simulation.do("renter", "withdraw", 40_000, simulation.now)["available"] == 60_000
    assert simulation.tokens(person("renter")) == before + 40_000 - FEE
    assert simulation.tokens(simulation.market.id) == simulation.ask("renter", "status")["held"] == 110_000


def test_a_withdrawal_whose_answer_is_lost_is_resumed_and_paid_once(simulation: Simulation) -> None:
    before = simulation.tokens(person("renter"))
    transfer = simulation.market.handlers[simulation.ledger.id, "icrc1_transfer"]

    def lost(argument: bytes) -> bytes:
        transfer(argument)
        raise Rejected("the subnet restarted", 2)

    simulation.market.handlers[simulation.ledger.id, "icrc1_transfer"] = lost
    created = simulation.now
    assert failed(simulation.do, "renter", "withdraw", 40_000, created).kind == "Unavailable"
    assert simulation.ask("renter", "balances")["available"] == 60_000
    assert failed(simulation.do, "renter", "withdraw", 40_000, created).kind == "Unavailable"
    simulation.market.handlers[simulation.ledger.id, "icrc1_transfer"] = transfer
    simulation.advance(120)  # the timer resumes it
    assert simulation.do("renter", "withdraw", 40_000, created)["available"] == 60_000
    assert simulation.tokens(person("renter")) == before + 40_000 - FEE
    assert simulation.ask("renter", "status")["held"] == simulation.tokens(simulation.market.id)


def test_a_deposit_interrupted_by_an_upgrade_is_credited_once(simulation: Simulation) -> None:
    pull = simulation.market.handlers[simulation.ledger.id, "icrc2_transfer_from"]
    simulation.reject(simulation.ledger.id, "icrc2_transfer_from", "not delivered")
    created = simulation.now + 1
    assert failed(simulation.deposit, "renter", 7_000, created).kind == "Unavailable"
    simulation.market.upgrade()
    simulation.market.handlers[simulation.ledger.id, "icrc2_transfer_from"] = pull
    simulation.advance(120)
    assert simulation.ask("renter", "balances")["available"] == 107_000
    assert simulation.do("renter", "deposit", 7_000, created)["available"] == 107_000


def test_two_withdrawals_at_once_cannot_overdraw(simulation: Simulation) -> None:
    transfer = simulation.market.handlers[simulation.ledger.id, "icrc1_transfer"]
    inner: list[Failed] = []

    def meanwhile(argument: bytes) -> bytes:
        simulation.market.handlers[simulation.ledger.id, "icrc1_transfer"] = transfer
        inner.append(failed(simulation.do, "renter", "withdraw", 80_000, simulation.now + 1))
        return transfer(argument)

    simulation.market.handlers[simulation.ledger.id, "icrc1_transfer"] = meanwhile
    assert simulation.do("renter", "withdraw", 80_000, simulation.now)["available"] == 20_000
    assert inner[0].kind == "InsufficientBalance"


def test_the_treasury_withdraws_the_platform_share_and_what_was_slashed(simulation: Simulation) -> None:
    rental = simulation.settling()
    simulation.do("renter", "accept_result", rental)
    assert simulation.ask("treasury", "balances")["available"] == 100
    simulation.do("treasury", "withdraw", 100, simulation.now)
    assert simulation.tokens(person("treasury")) == 90


# --- Time and upgrades ---


def test_the_timer_reaps_what_nobody_finishes(simulation: Simulation) -> None:
    rental = simulation.create(queue_timeout_s=60)
    simulation.advance(75)
    assert simulation.do("renter", "get_rental", rental)["status"] == "expired"
    assert simulation.ask("renter", "balances") == {"available": 100_000, "escrowed": 0, "bonded": 0}


def test_an_upgrade_in_the_middle_of_a_rental_loses_nothing(simulation: Simulation) -> None:
    rental = simulation.create()
    session = simulation.attest(rental)
    simulation.get_keys(rental, session)
    before = simulation.do("renter", "get_rental", rental)
    simulation.market.upgrade()
    assert simulation.do("renter", "get_rental", rental) == before
    simulation.advance(50)
    simulation.do(session, "post_progress", rental, [])
    result = {"rental": rental, "artifact": simulation.artifact("adapter"), "metrics": "{}"}
    simulation.do(session, "submit_result", result)
    simulation.advance(80)  # the timer was armed again: the review window ends by itself
    assert simulation.do("renter", "get_rental", rental)["status"] == "succeeded"


def test_anyone_may_reap_even_anonymously(simulation: Simulation) -> None:
    rental = simulation.create(queue_timeout_s=60)
    simulation.market.system.timer = 0
    simulation.advance(60)
    assert simulation.ask(Principal.anonymous(), "reap", None) == [rental]
    assert simulation.ask(Principal.anonymous(), "reap", rental) == []


# --- Privacy and bad input ---


@pytest.mark.parametrize("method", ["get_rental", "rental_events", "rental_progress"])
def test_strangers_do_not_see_rentals(simulation: Simulation, method: str) -> None:
    rental = simulation.create()
    rest = () if method == "get_rental" else (0, 10)
    assert failed(simulation.do, "stranger", method, rental, *rest).kind == "NotAuthorized"
    assert simulation.ask("stranger", "my_rentals", None, 10) == []
    assert simulation.ask("stranger", "movements", None, 10) == []
    for party in ("renter", "arbiter", "governor"):
        simulation.do(party, method, rental, *rest)


def test_a_truncated_bundle_is_a_named_error_and_leaves_the_attempt_open(simulation: Simulation) -> None:
    rental = simulation.create()
    simulation.do("worker", "claim_rental", simulation.offer["id"], rental)
    nonce = simulation.do("worker", "begin_attestation", rental)["nonce"]
    bundle = simulation.evidence(nonce, "session")
    refused = failed(simulation.do, "worker", "submit_attestation", rental, bundle[:-1])
    assert refused.kind == "EvidenceRefused" and refused.fields["kind"] == "MalformedEvidence"
    assert simulation.do("renter", "get_rental", rental)["status"] == "attesting"


def test_unknown_ids_are_not_found(simulation: Simulation) -> None:
    for method, args in (
        ("get_listing", ("nothing",)),
        ("get_dataset", ("nothing",)),
        ("retire_offer", (99,)),
        ("cancel_rental", (99,)),
        ("get_rental", (99,)),
        ("claim_rental", (99, 0)),
    ):
        assert failed(simulation.do, "renter", method, *args).kind == "NotFound"


def test_amounts_beyond_the_bound_are_named(simulation: Simulation) -> None:
    refused = failed(simulation.do, "renter", "deposit", 2**96 + 1, simulation.now)
    assert refused.fields["field"] == "amount"


def test_governors_pause_new_business_but_not_exits(simulation: Simulation) -> None:
    rental = simulation.create()
    assert failed(simulation.do, "renter", "set_paused", True).kind == "NotAuthorized"
    simulation.do("governor", "set_paused", True)
    assert simulation.ask("renter", "status")["paused"]
    assert failed(simulation.do, "renter", "create_rental", simulation.rental_args()).kind == "Unavailable"
    assert simulation.do("renter", "cancel_rental", rental)["status"] == "cancelled"
    simulation.do("renter", "withdraw", 100_000, simulation.now)


def test_a_marketplace_without_simulation_does_not_know_the_simulated_policy() -> None:
    simulation = Simulation(allow_simulated=False, vetkd_key_name="key_1")
    assert [policy["name"] for policy in simulation.ask("renter", "policies")] == ["production"]
    args = simulation.offer_args()
    assert failed(simulation.do, "operator", "post_offer", args).fields["field"] == "policy"
