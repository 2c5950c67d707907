"""Regression tests: what people without any part in a rental, or one operator alone, can do to others."""

import hashlib
from typing import Any

import pytest

from attestation import Collateral
from attestation.errors import SignatureInvalid
from attestation.nvidia.ocsp import parse_answer
from attestation.simulator import Settings, SimulatedMachine
from canisters.marketplace.core import governance, held_collateral, jobs, ledger_journal, limits, proposals
from canisters.marketplace.core.errors import EvidenceRefused, InvalidArgument
from canisters.marketplace.core.governance_model import Change
from canisters.marketplace.core.ledger_journal import Accepted, Refused, Unanswered
from canisters.marketplace.core.model import Rental
from canisters.marketplace.core.records import Codec
from canisters.marketplace.core.state import CODECS
from canisters.marketplace.core.types import Seconds, Status, Timestamp, Tokens
from tests.marketplace.indexes import check_indexes
from tests.marketplace.test_collateral import attest, machine, only, outcomes, post, said
from tests.marketplace.test_proposals import APPROVERS, DELAY, RULES, approve, execute, propose
from tests.marketplace.test_queue import CountingMap
from tests.marketplace.world import OPERATOR, RENTER, STRANGER, WORKER, World, market, person

OTHER_OPERATOR, OTHER_WORKER = person("other operator"), person("other worker")


def refusing(*_: Any) -> Any:
    raise SignatureInvalid("cpu.signature", "does not verify")


# --- One operator alone ---


def hand_back(world: World, rental: int) -> None:
    world.do(jobs.hand_back, WORKER, rental, "no reason")


def be_refused(world: World, rental: int) -> None:
    assert isinstance(world.submit(rental, world.challenge(rental).nonce, refusing), EvidenceRefused)


def send_nothing(world: World, rental: int) -> None:
    world.later(limits.ATTESTATION_TIMEOUT_S)
    assert world.reap() == [rental]


@pytest.mark.parametrize("give_up", [hand_back, be_refused, send_nothing])
def test_one_operator_alone_cannot_fail_a_rental_without_evidence(world: World, give_up: Any) -> None:
    rental = world.create().id
    for _ in range(limits.MAX_FRUITLESS_TURNS):
        world.claim(rental)
        give_up(world, rental)
    assert world.rental(rental).status is Status.QUEUED
    assert world.next_job(world.offer.id) is None
    before = world.snapshot()
    with pytest.raises(InvalidArgument, match="without accepted evidence"):
        world.claim(rental)
    assert world.snapshot() == before


def test_others_may_claim_it_at_once_and_the_same_operator_later(world: World) -> None:
    rental = world.create(queue_timeout_s=Seconds(2 * limits.FRUITLESS_PAUSE_S)).id
    for _ in range(limits.MAX_FRUITLESS_TURNS):
        world.claim(rental)
        hand_back(world, rental)
    other = world.post_offer(OTHER_OPERATOR, worker=OTHER_WORKER)
    assert world.next_job(other.id) == rental
    same = world.post_offer(OPERATOR, worker=OTHER_WORKER)  # another offer is no way around
    assert world.next_job(same.id) is None
    world.later(limits.FRUITLESS_PAUSE_S - 1)
    assert world.next_job(world.offer.id) is None
    world.later(1)
    assert world.next_job(world.offer.id) == rental
    world.claim(rental)


def test_a_worker_that_restarts_once_goes_on_at_once(world: World) -> None:
    rental = world.create().id
    world.claim(rental)
    hand_back(world, rental)
    assert world.next_job(world.offer.id) == rental
    world.claim(rental)


def test_a_turn_whose_evidence_was_accepted_is_not_held_against_anybody(world: World) -> None:
    rental = world.create().id
    for _ in range(limits.MAX_FRUITLESS_TURNS + 1):
        world.claim(rental)
        world.attest(rental)
        hand_back(world, rental)
    assert world.next_job(world.offer.id) == rental


def test_a_rental_of_before_turns_were_counted_is_read(world: World) -> None:
    rental = world.create()
    old = Codec(Rental).encode(rental).replace(b',"fruitless":[]', b"")
    assert old[0] == 1
    assert CODECS["rentals"].decode(old) == rental


# --- A queue full of others ---


def crowd(world: World, count: int) -> int:
    """A rental that the offer suits, behind so many of its cell that it does not suit; its id."""
    world.fund(RENTER, 10**9)
    for _ in range(count):
        world.create(max_rate_per_second=Tokens(9), max_duration_s=Seconds(1_000))
    return world.create(max_rate_per_second=Tokens(10), max_duration_s=Seconds(1_000)).id


def test_a_flood_of_unfitting_rentals_does_not_hide_one_that_fits() -> None:
    world = market()
    wanted = crowd(world, 3 * limits.QUEUE_CELL_SCAN)
    assert world.next_job(world.offer.id) == wanted
    check_indexes(world)


def test_a_flood_costs_a_bounded_number_of_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "QUEUE_CELL_SCAN", 8)
    monkeypatch.setattr(limits, "MAX_QUEUE_SCANS", 4)
    world = World()
    world.maps["queue"] = counting = CountingMap()
    world.reopen()
    world.open_market()
    crowd(world, 200)
    counting.read = 0
    assert world.next_job(world.offer.id) is None
    assert counting.read <= 2 + 8 * (1 + 4)


# --- Collateral about other machines ---


def test_answers_about_other_machines_do_not_push_out_those_a_machine_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = market()
    mine = said(machine())
    post(world, mine)
    attest(world, world.create().id, machine())
    wanted = {row.sha256 for row in held_collateral.page(world.state, None, 100) if row.kind == "ocsp"}
    most = len(wanted) * 4 // limits.WANTED_QUARTERS + 1
    monkeypatch.setitem(limits.MAX_HELD, "ocsp", most)
    added = 0
    for name in ("one", "two", "three", "four", "five"):
        others = said(SimulatedMachine(name, 1, Settings()))
        post(world, only(others, "certificates"))
        added += sum(outcomes(world, Collateral(ocsp=(answer,))) == {"added"} for answer in others.ocsp)
    assert added > most - len(wanted)
    held = [row.sha256 for row in held_collateral.page(world.state, None, 100) if row.kind == "ocsp"]
    assert wanted < set(held)
    assert len(held) == most


def test_wanted_answers_leave_room_for_all_that_one_machine_posts(monkeypatch: pytest.MonkeyPatch) -> None:
    world = market()
    mine = said(machine())
    post(world, mine)
    attest(world, world.create().id, machine())
    monkeypatch.setitem(limits.MAX_HELD, "ocsp", len(mine.ocsp))  # full of what was wanted
    known = {parse_answer(answer, "").certificate for answer in mine.ocsp}
    machines = [said(SimulatedMachine(name, 1, Settings())) for name in ("one", "two")]
    answers = [answer for new in machines for answer in new.ocsp]
    about_them = tuple(answer for answer in answers if parse_answer(answer, "").certificate not in known)
    assert len(about_them) > 1
    for new in machines:
        post(world, only(new, "certificates"))
    assert outcomes(world, Collateral(ocsp=about_them)) == {"added"}
    held = {row.sha256 for row in held_collateral.page(world.state, None, 100) if row.kind == "ocsp"}
    assert {hashlib.sha256(answer).digest() for answer in about_them} <= held


# --- Late answers, and proposals whose time is over ---


def test_a_late_answer_settles_an_unresolved_withdrawal_once(world: World) -> None:
    created = Timestamp(world.now)
    begun = world.do(ledger_journal.begin, OPERATOR, ledger_journal.WITHDRAW, Tokens(400), created)
    index = begun.transfer.index
    world.do(ledger_journal.finish, STRANGER, index, Unanswered("lost"), 1)
    world.later(limits.RESUME_AFTER_S)
    world.do(ledger_journal.resumable, STRANGER)
    assert world.do(ledger_journal.finish, STRANGER, index, Refused("TooOld", ""), 2).state == "unresolved"
    assert world.do(ledger_journal.finish, STRANGER, index, Accepted(7), 1).state == "done"
    assert world.account(f"transit/{index}") == 0
    after = world.snapshot()
    assert world.do(ledger_journal.finish, STRANGER, index, Accepted(7), 2).state == "done"
    assert world.snapshot() == after
    with pytest.raises(InvalidArgument, match="only unresolved"):
        world.do(ledger_journal.resolve, STRANGER, index, None)
    assert sum(world.book().values()) == 0


def test_a_proposal_whose_time_is_over_does_not_come_back_with_new_rules() -> None:
    world = World(governance=RULES)
    waiting = propose(world)
    approve(world, waiting, APPROVERS[0])
    world.later(limits.APPROVAL_WINDOW_S - 2 * DELAY)
    easier = governance.current(world.state)._replace(threshold=1)
    rules = propose(world, Change(governance.SET_GOVERNANCE, governance=easier))
    approve(world, rules)
    world.later(2 * DELAY)
    execute(world, rules)
    assert proposals.get(world.state, waiting).state == "proposed"
    world.do(proposals.move_on, STRANGER, waiting)
    assert proposals.get(world.state, waiting).state == "expired"
