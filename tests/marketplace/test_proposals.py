"""Governance: what widens acceptance takes approvals and a delay; stopping takes one governor and no time."""

import dataclasses
from typing import Any

import pytest

from attestation import PRODUCTION, SIMULATED, AllOf, AnyOf, policy_to_json
from canisters.marketplace.core import (
    gate,
    governance,
    governance_log,
    installation,
    ledger_journal,
    limits,
    policies,
    proposals,
)
from canisters.marketplace.core.errors import (
    DeadlinePassed,
    EvidenceRefused,
    InvalidArgument,
    InvalidState,
    MarketError,
    NotAuthorized,
    NotFound,
)
from canisters.marketplace.core.governance_model import Change, Governance, Proposal
from canisters.marketplace.core.ledger_journal import Refused, Unanswered
from canisters.marketplace.core.types import ANONYMOUS, Principal, Seconds, Timestamp, Tokens
from tests.marketplace.world import GOVERNOR, RENTER, SECOND, STRANGER, WORKER, World, person

DELAY = 3_600
PROPOSER, *APPROVERS = (person(name) for name in ("proposer", "one", "two", "three"))
RULES = installation.InitialGovernance((PROPOSER,), tuple(APPROVERS), 2, Seconds(DELAY))
STRICT = dataclasses.replace(SIMULATED, name="strict-1", minimum_gpus=2)
ADOPT = Change(governance.ADOPT_POLICY, policy_to_json(STRICT))


@pytest.fixture
def ruled() -> World:
    """A market in which two of three approve what a proposer proposes, with an hour's delay."""
    world = World(governance=RULES)
    world.open_market()
    return world


def propose(world: World, change: Change = ADOPT, caller: Principal = PROPOSER) -> int:
    made: Proposal = world.do(proposals.propose, caller, change, "needed")
    return made.id


def approve(world: World, proposal: int, *approvers: Principal) -> Proposal:
    found: Proposal = proposals.get(world.state, proposal)
    for approver in approvers or APPROVERS[:2]:
        found = world.do(proposals.approve, approver, proposal)
    return found


def execute(world: World, proposal: int) -> Proposal:
    done: Proposal = world.do(proposals.execute, STRANGER, proposal)
    return done


def tick(world: World) -> list[int]:
    """What the timer does; the proposals that were due."""
    due: list[int] = proposals.due(world.state, world.message(STRANGER))
    for proposal in due:
        world.do(proposals.move_on, STRANGER, proposal)
    return due


def carry(world: World, change: Change) -> Proposal:
    """All the way to execution."""
    proposal = propose(world, change)
    approve(world, proposal)
    world.later(proposals.get(world.state, proposal).delay_s)
    return execute(world, proposal)


def names(world: World) -> list[str]:
    return [info.name for info in policies.offered(world.state)]


def unchanged(world: World, kind: type[MarketError], function: Any, *args: Any) -> Any:
    before = world.snapshot()
    with pytest.raises(kind) as caught:
        world.do(function, *args)
    assert world.snapshot() == before
    return caught.value


# --- A proposal's life ---


def test_a_policy_is_adopted_after_approvals_and_delay(ruled: World) -> None:
    proposal = propose(ruled)
    assert approve(ruled, proposal, APPROVERS[0]).state == "proposed"
    approved = approve(ruled, proposal, APPROVERS[1])
    assert (approved.state, approved.executable_at) == ("approved", ruled.now + DELAY * SECOND)
    ruled.now += DELAY * SECOND - 1
    unchanged(ruled, InvalidState, proposals.execute, STRANGER, proposal)
    assert "strict-1" not in names(ruled)
    ruled.now += 1
    done = execute(ruled, proposal)
    assert (done.state, done.finished_at) == ("executed", ruled.now)
    assert names(ruled) == ["production", "simulated", "strict-1"]
    assert policies.known(ruled.state, "strict-1") == STRICT
    kinds = [event.kind for event in governance_log.page(ruled.state, 0, 100)]
    assert kinds == ["propose", "approve", "approve", "execute"]


def test_the_timer_executes_what_is_due_and_expires_what_is_too_old(ruled: World) -> None:
    first, second = propose(ruled), propose(ruled, Change(governance.RETIRE_POLICY, "production"))
    approve(ruled, first)
    ruled.later(DELAY)
    assert tick(ruled) == [first]
    assert "strict-1" in names(ruled)
    ruled.later(limits.APPROVAL_WINDOW_S)
    unchanged(ruled, DeadlinePassed, proposals.approve, APPROVERS[0], second)
    assert tick(ruled) == [second]
    assert proposals.get(ruled.state, second).state == "expired"
    assert tick(ruled) == []


def test_the_delay_begins_with_the_approval_that_reaches_the_threshold(ruled: World) -> None:
    proposal = propose(ruled)
    approve(ruled, proposal, APPROVERS[0])
    ruled.later(10 * DELAY)
    assert approve(ruled, proposal, APPROVERS[1]).executable_at == ruled.now + DELAY * SECOND


def test_the_same_approval_twice_counts_once(ruled: World) -> None:
    proposal = propose(ruled)
    assert approve(ruled, proposal, APPROVERS[0], APPROVERS[0]).state == "proposed"


def test_only_the_right_people_propose_approve_and_cancel(ruled: World) -> None:
    for other in (STRANGER, GOVERNOR, APPROVERS[0], ANONYMOUS):
        unchanged(ruled, NotAuthorized, proposals.propose, other, ADOPT, "x")
    proposal = propose(ruled)
    for other in (STRANGER, GOVERNOR, PROPOSER, ANONYMOUS):
        unchanged(ruled, NotAuthorized, proposals.approve, other, proposal)
    for other in (STRANGER, APPROVERS[0]):
        unchanged(ruled, NotAuthorized, proposals.cancel, other, proposal, "x")


@pytest.mark.parametrize("who", [PROPOSER, GOVERNOR])
def test_an_approved_proposal_is_cancelled_for_good(ruled: World, who: Principal) -> None:
    proposal = propose(ruled)
    approve(ruled, proposal)
    assert ruled.do(proposals.cancel, who, proposal, "a mistake").outcome == "a mistake"
    ruled.later(DELAY)
    unchanged(ruled, InvalidState, proposals.execute, STRANGER, proposal)
    unchanged(ruled, InvalidState, proposals.approve, APPROVERS[2], proposal)
    unchanged(ruled, InvalidState, proposals.cancel, who, proposal, "again")


def test_a_change_that_became_impossible_fails_and_changes_nothing(ruled: World) -> None:
    first, second = propose(ruled), propose(ruled)
    approve(ruled, first)
    approve(ruled, second)
    ruled.later(DELAY)
    execute(ruled, first)
    before = ruled.snapshot()["policies"]
    failed = execute(ruled, second)
    assert failed.state == "failed" and "no policy changes" in (failed.outcome or "")
    assert ruled.snapshot()["policies"] == before


def test_open_proposals_are_bounded(ruled: World) -> None:
    for index in range(limits.MAX_OPEN_PROPOSALS):
        json = policy_to_json(dataclasses.replace(SIMULATED, name=f"p{index}"))
        propose(ruled, Change(governance.ADOPT_POLICY, json))
    unchanged(ruled, InvalidArgument, proposals.propose, PROPOSER, ADOPT, "one too many")
    ruled.do(proposals.cancel, PROPOSER, 0, "room")
    propose(ruled)


def test_there_is_no_proposal_that_was_not_made(ruled: World) -> None:
    unchanged(ruled, NotFound, proposals.approve, APPROVERS[0], 7)


# --- Policies ---


@pytest.mark.parametrize(
    ("json", "problem"),
    [
        ("{}", "cannot be adopted"),
        ("not json", "cannot be adopted"),
        (policy_to_json(SIMULATED), "no policy changes"),
        (policy_to_json(SIMULATED) + " " * limits.MAX_POLICY_BYTES, "longer than"),
    ],
)
def test_policies_that_cannot_be_adopted_are_not_even_proposed(ruled: World, json: str, problem: str) -> None:
    change = Change(governance.ADOPT_POLICY, json)
    assert problem in unchanged(ruled, InvalidArgument, proposals.propose, PROPOSER, change, "x").problem


def test_development_roots_are_never_adopted_where_simulated_evidence_is_not_allowed() -> None:
    world = World(allow_simulated=False, governance=RULES)
    inner = dataclasses.replace(SIMULATED, name="inner")
    mixed = AnyOf("mixed", (PRODUCTION, inner))
    for policy in (STRICT, mixed, AllOf("nested", (mixed,))):
        change = Change(governance.ADOPT_POLICY, policy_to_json(policy))
        error = unchanged(world, InvalidArgument, proposals.propose, PROPOSER, change, "x")
        assert "development roots" in error.problem
    carry(world, Change(governance.ADOPT_POLICY, policy_to_json(AllOf("fine", (PRODUCTION,)))))
    assert names(world) == ["fine", "production"]


def test_a_retired_policy_is_no_longer_chosen_but_judges_what_it_was_chosen_for(ruled: World) -> None:
    rental = ruled.create().id
    carry(ruled, Change(governance.RETIRE_POLICY, "simulated"))
    ruled.offer = ruled.post_offer(policies=("production",))
    with pytest.raises(InvalidArgument, match="retired"):
        ruled.create()
    with pytest.raises(InvalidArgument, match="retired"):
        ruled.post_offer()
    assert policies.info(ruled.state, "simulated").state == "retired"
    assert policies.known(ruled.state, ruled.rental(rental).policy) == SIMULATED


def test_a_rental_is_judged_by_the_policy_it_was_created_under_whatever_newer_code_brings(
    ruled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rental = ruled.create().id
    monkeypatch.setitem(policies.BUILTIN_POLICIES, "simulated", dataclasses.replace(SIMULATED, gpu_chips=()))
    monkeypatch.setitem(policies.BUILTIN_POLICIES, "newer", dataclasses.replace(SIMULATED, name="newer"))
    ruled.reopen()
    ruled.do(installation.upgrade, STRANGER)
    assert policies.known(ruled.state, ruled.rental(rental).policy) == SIMULATED
    assert names(ruled) == ["newer", "production", "simulated"]


def test_revocation_stops_a_rental_whose_policy_was_adopted(ruled: World) -> None:
    carry(ruled, Change(governance.ADOPT_POLICY, policy_to_json(dataclasses.replace(SIMULATED, name="mine"))))
    ruled.offer = ruled.post_offer(policies=("mine",))
    rental = ruled.create(policy="mine").id
    ruled.claim(rental)
    ruled.do(policies.revoke_policy, GOVERNOR, "mine")
    outcome = ruled.submit(rental, ruled.do(gate.begin, WORKER, rental, bytes(32)).nonce)
    assert isinstance(outcome, EvidenceRefused) and outcome.kind == "PolicyRevoked"
    assert policies.info(ruled.state, "mine").state == "revoked"


def test_a_device_and_a_manifest_come_off_the_deny_list_by_proposal_only(ruled: World) -> None:
    for kind, deny, allow in (
        (policies.DEVICE, policies.deny_device, governance.ALLOW_DEVICE),
        (policies.MANIFEST, policies.deny_manifest, governance.ALLOW_MANIFEST),
    ):
        unchanged(ruled, InvalidArgument, proposals.propose, PROPOSER, Change(allow, "41ab"), "x")
        ruled.do(deny, GOVERNOR, "41AB")
        assert policies.is_denied(ruled.state, kind, "41ab")
        carry(ruled, Change(allow, "41ab"))
        assert not policies.is_denied(ruled.state, kind, "41ab")


# --- The rules themselves ---


def test_without_rules_of_their_own_governors_decide_by_majority_after_a_day(world: World) -> None:
    rules = governance.current(world.state)
    assert rules == Governance((GOVERNOR,), (GOVERNOR,), (GOVERNOR,), 1, Seconds(86_400))
    four = tuple(person(str(index)) for index in range(4))
    assert governance.current(World(governors=four).state).threshold == 3
    assert governance.current(World(governors=()).state).threshold == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 0},
        {"threshold": 4},
        {"approvers": (APPROVERS[0], APPROVERS[0])},
        {"approvers": (ANONYMOUS,)},
        {"delay_s": Seconds(limits.MAX_DELAY_S + 1)},
        {"governors": tuple(person(str(index)) for index in range(33))},
    ],
)
def test_rules_that_cannot_work_are_refused(ruled: World, wrong: dict[str, Any]) -> None:
    rules = governance.current(ruled.state)._replace(**wrong)
    change = Change(governance.SET_GOVERNANCE, governance=rules)
    unchanged(ruled, InvalidArgument, proposals.propose, PROPOSER, change, "x")


def test_a_genuine_marketplace_has_a_delay_of_an_hour_at_least() -> None:
    with pytest.raises(InvalidArgument, match="delay_s"):
        World(allow_simulated=False, governance=RULES._replace(delay_s=Seconds(limits.MIN_DELAY_S - 1)))
    World(allow_simulated=True, governance=RULES._replace(delay_s=Seconds(0)))


def test_new_governors_stop_things_and_former_ones_do_not(ruled: World) -> None:
    rules = governance.current(ruled.state)._replace(governors=(RENTER,))
    carry(ruled, Change(governance.SET_GOVERNANCE, governance=rules))
    unchanged(ruled, NotAuthorized, installation.set_paused, GOVERNOR, True)
    ruled.do(installation.set_paused, RENTER, True)
    assert governance_log.page(ruled.state, 0, 100)[-1].kind == "paused"


def test_a_change_of_the_rules_recounts_what_is_open(ruled: World) -> None:
    change = governance.current(ruled.state)._replace(approvers=(APPROVERS[2],), threshold=1)
    waiting, rules = propose(ruled), propose(ruled, Change(governance.SET_GOVERNANCE, governance=change))
    approve(ruled, rules)
    ruled.later(DELAY)
    approve(ruled, waiting)
    execute(ruled, rules)
    recounted = proposals.get(ruled.state, waiting)
    assert (recounted.state, recounted.executable_at) == ("proposed", None)
    ruled.later(DELAY)
    unchanged(ruled, InvalidState, proposals.execute, STRANGER, waiting)
    unchanged(ruled, NotAuthorized, proposals.approve, APPROVERS[0], waiting)
    assert approve(ruled, waiting, APPROVERS[2]).executable_at == ruled.now + DELAY * SECOND


def test_a_longer_delay_applies_to_what_was_approved_already(ruled: World) -> None:
    longer = governance.current(ruled.state)._replace(delay_s=Seconds(5 * DELAY))
    rules = propose(ruled, Change(governance.SET_GOVERNANCE, governance=longer))
    approve(ruled, rules)
    ruled.later(DELAY)
    waiting = propose(ruled)
    approved = approve(ruled, waiting)
    execute(ruled, rules)
    after = proposals.get(ruled.state, waiting).executable_at
    assert after == (approved.approved_at or 0) + 5 * DELAY * SECOND


# --- Transfers that the ledger can no longer tell about ---


def unresolved(world: World, kind: str, amount: int = 1_000) -> int:
    """A transfer whose first call had no answer and whose second came too late."""
    created = Timestamp(world.now - world.fresh())
    index: int = world.do(ledger_journal.begin, RENTER, kind, Tokens(amount), created).transfer.index
    world.do(ledger_journal.finish, RENTER, index, Unanswered("lost"))
    world.later(limits.RESUME_AFTER_S)
    world.do(ledger_journal.resumable, STRANGER)
    world.do(ledger_journal.finish, RENTER, index, Refused("TooOld", "too old"))
    return index


@pytest.mark.parametrize(
    ("kind", "block", "difference"),
    [("withdraw", 7, -1_000), ("withdraw", None, 0), ("deposit", 7, 1_000), ("deposit", None, 0)],
)
def test_an_unresolved_transfer_is_settled_once_by_proposal(
    ruled: World, kind: str, block: int | None, difference: int
) -> None:
    had = ruled.available(RENTER)
    index = unresolved(ruled, kind)
    message = ruled.message(RENTER)
    assert [t.index for t in ledger_journal.unresolved(ruled.state, message, None, 10, False)] == [index]
    assert ledger_journal.unresolved(ruled.state, ruled.message(STRANGER), None, 10, False) == []
    carry(ruled, Change(governance.RESOLVE_TRANSFER, transfer=index, block=block))
    assert ruled.available(RENTER) == had + difference
    assert ruled.account(f"transit/{index}") == 0 and sum(ruled.book().values()) == 0
    assert ledger_journal.unresolved(ruled.state, message, None, 10, True) == []
    again = Change(governance.RESOLVE_TRANSFER, transfer=index, block=None)
    unchanged(ruled, InvalidArgument, proposals.propose, PROPOSER, again, "twice")


def test_two_proposals_about_one_transfer_pay_once(ruled: World) -> None:
    had = ruled.available(RENTER)
    index = unresolved(ruled, "withdraw")
    both = [propose(ruled, Change(governance.RESOLVE_TRANSFER, transfer=index, block=b)) for b in (None, 9)]
    for proposal in both:
        approve(ruled, proposal)
    ruled.later(DELAY)
    assert [execute(ruled, proposal).state for proposal in both] == ["executed", "failed"]
    assert ruled.available(RENTER) == had


def test_a_block_settles_one_transfer_only(ruled: World) -> None:
    first, second = unresolved(ruled, "withdraw"), unresolved(ruled, "withdraw")
    carry(ruled, Change(governance.RESOLVE_TRANSFER, transfer=first, block=7))
    change = Change(governance.RESOLVE_TRANSFER, transfer=second, block=7)
    unchanged(ruled, InvalidArgument, proposals.propose, PROPOSER, change, "x")


def test_only_unresolved_transfers_are_resolved(ruled: World) -> None:
    created = Timestamp(ruled.now)
    index = ruled.do(ledger_journal.begin, RENTER, "withdraw", Tokens(100), created).transfer.index
    change = Change(governance.RESOLVE_TRANSFER, transfer=index)
    unchanged(ruled, InvalidArgument, proposals.propose, PROPOSER, change, "pending")
