"""Whatever people do in whatever order: nothing is adopted without the approvals and the delay in force."""

import dataclasses
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from attestation import SIMULATED, policy_to_json
from canisters.marketplace.core import governance, installation, proposals
from canisters.marketplace.core.errors import MarketError
from canisters.marketplace.core.governance_model import Change, Governance, Proposal
from canisters.marketplace.core.types import Principal, Seconds
from tests.marketplace.test_proposals import APPROVERS, PROPOSER, RULES, names, tick
from tests.marketplace.world import GOVERNOR, SECOND, STRANGER, World


class Deciding(RuleBasedStateMachine):
    """Random people, changes and times against a model that only knows when each approval was given."""

    people = (PROPOSER, *APPROVERS, GOVERNOR, STRANGER)

    def __init__(self) -> None:
        super().__init__()
        self.world = World(governance=RULES)
        self.fresh = 0
        self.approvals: dict[int, dict[Principal, int]] = {}
        self.adopting: dict[int, str] = {}
        self.cancelled: set[int] = set()
        # When each set of rules came into force.
        self.rules = [(self.world.now, governance.current(self.world.state))]

    def attempt(self, function: Any, *args: Any) -> Any:
        before = self.world.snapshot()
        try:
            return self.world.do(function, *args)
        except MarketError:
            assert self.world.snapshot() == before
            return None

    @rule(caller=st.sampled_from(people))
    def propose_a_policy(self, caller: Principal) -> None:
        self.fresh += 1
        name = f"policy-{self.fresh}"
        change = Change(governance.ADOPT_POLICY, policy_to_json(dataclasses.replace(SIMULATED, name=name)))
        made = self.attempt(proposals.propose, caller, change, "why not")
        if made is not None:
            assert caller in self.rules[-1][1].proposers
            self.approvals[made.id], self.adopting[made.id] = {}, name

    @rule(
        caller=st.sampled_from(people),
        approvers=st.sets(st.sampled_from(people), min_size=1),
        threshold=st.integers(1, 3),
        delay=st.sampled_from((0, 1_800, 7_200)),
    )
    def propose_rules(self, caller: Principal, approvers: set[Principal], threshold: int, delay: int) -> None:
        rules = Governance((GOVERNOR,), (PROPOSER,), tuple(sorted(approvers)), threshold, Seconds(delay))
        made = self.attempt(
            proposals.propose, caller, Change(governance.SET_GOVERNANCE, governance=rules), "why not"
        )
        if made is not None:
            self.approvals[made.id] = {}

    def some(self, data: st.DataObject) -> int:
        """A proposal, an open one if there is any, or one that does not exist."""
        states = {number: proposals.get(self.world.state, number).state for number in self.approvals}
        still_open = [number for number, state in states.items() if state in proposals.OPEN]
        number: int = data.draw(st.sampled_from(still_open or [*states, len(states)]))
        return number

    @rule(data=st.data())
    def everybody_approves(self, data: st.DataObject) -> None:
        proposal = self.some(data)
        for caller in self.people:
            self.approve_one(caller, data=None, proposal=proposal)

    @rule(caller=st.sampled_from(people), data=st.data())
    def approve_one(self, caller: Principal, data: st.DataObject | None, proposal: int | None = None) -> None:
        if data is not None:
            proposal = self.some(data)
        assert proposal is not None
        if self.attempt(proposals.approve, caller, proposal) is not None:
            assert caller in self.rules[-1][1].approvers
            self.approvals[proposal].setdefault(caller, self.world.now)

    @rule(caller=st.sampled_from(people), data=st.data())
    def cancel_one(self, caller: Principal, data: st.DataObject) -> None:
        proposal = self.some(data)
        if self.attempt(proposals.cancel, caller, proposal, "no") is not None:
            assert caller in (GOVERNOR, PROPOSER)
            self.cancelled.add(proposal)

    @rule(caller=st.sampled_from(people), data=st.data())
    def execute_one(self, caller: Principal, data: st.DataObject) -> None:
        proposal = self.some(data)
        done = self.attempt(proposals.execute, caller, proposal)
        if done is not None:
            self.check(done)

    @rule()
    def tick(self) -> None:
        for proposal in tick(self.world):
            self.check(proposals.get(self.world.state, proposal))

    @rule(seconds=st.sampled_from((1, 1_800, 3_600, 7_200)))
    def wait(self, seconds: int) -> None:
        self.world.later(seconds)

    @precondition(lambda self: len(self.approvals) > 2)
    @rule()
    def wait_long(self) -> None:
        self.world.later(86_400 * 20)

    @rule()
    def upgrade(self) -> None:
        self.world.reopen()
        self.world.do(installation.upgrade, STRANGER)

    def check(self, done: Proposal) -> None:
        """Whatever was executed had the approvals in force, and the delay after them."""
        if done.state != "executed":
            assert done.state in ("failed", "expired")
            return
        assert done.id not in self.cancelled
        _, rules = self.rules[-1]
        given = sorted(at for who, at in self.approvals[done.id].items() if who in rules.approvers)
        assert len(given) >= rules.threshold
        # Enough approvals under the rules in force were there for at least the delay in force.
        reached = given[rules.threshold - 1]
        assert self.world.now - reached >= rules.delay_s * SECOND
        if done.change.governance is not None:
            self.rules.append((self.world.now, done.change.governance))

    @invariant()
    def only_executed_policies_are_offered(self) -> None:
        offered = set(names(self.world)) - {"production", "simulated"}
        executed = {
            name
            for proposal, name in self.adopting.items()
            if proposals.get(self.world.state, proposal).state == "executed"
        }
        assert offered == executed

    @invariant()
    def the_rules_are_those_of_the_last_executed_change(self) -> None:
        assert governance.current(self.world.state) == self.rules[-1][1]


Deciding.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestDeciding = Deciding.TestCase
