"""Proposals: changes that take several approvals and a delay in which everybody can see them coming.

| from | event (who) | to |
|---|---|---|
| none | propose (proposer) | proposed |
| proposed | approve (approver) | proposed, or approved at the threshold: the delay begins |
| approved | approve (approver) | approved |
| proposed, approved | cancel (who proposed it, or a governor) | cancelled |
| proposed, approved | recount (canister, when the rules change) | proposed, approved |
| approved | execute (anyone, timer; the delay is over) | executed, or failed: it cannot be made any more |
| proposed, approved | expire (anyone, timer; its time is over) | expired |

Only approvals of those who are approvers count, each once, when they are counted.
"""

from __future__ import annotations

from typing import NamedTuple

from canisters.marketplace.core import governance, governance_log, limits, validate
from canisters.marketplace.core.errors import DeadlinePassed, InvalidState, MarketError, NotAuthorized
from canisters.marketplace.core.governance_model import Change, Governance, Proposal
from canisters.marketplace.core.state import PRESENT, State, found
from canisters.marketplace.core.storage import number_after, number_key, number_of
from canisters.marketplace.core.types import Message, Timestamp, later

PROPOSED, APPROVED = "proposed", "approved"
EXECUTED, FAILED, CANCELLED, EXPIRED = "executed", "failed", "cancelled", "expired"
OPEN = (PROPOSED, APPROVED)
PROPOSE, APPROVE, CANCEL = "propose", "approve", "cancel"
RECOUNT, EXECUTE, EXPIRE = "recount", "execute", "expire"
PROPOSER, AUTHOR, APPROVER = "a proposer", "who proposed it", "an approver"
GOVERNOR, ANYONE, CANISTER = "a governor", "anyone", "the marketplace itself"


class Step(NamedTuple):
    """One row: in `source`, `who` may cause `kind`, which leads to one of `targets`."""

    source: str
    kind: str
    who: tuple[str, ...]
    targets: tuple[str, ...]


STEPS = (
    Step("", PROPOSE, (PROPOSER,), (PROPOSED,)),
    Step(PROPOSED, APPROVE, (APPROVER,), (PROPOSED, APPROVED)),
    Step(APPROVED, APPROVE, (APPROVER,), (APPROVED,)),
    Step(PROPOSED, CANCEL, (AUTHOR, GOVERNOR), (CANCELLED,)),
    Step(APPROVED, CANCEL, (AUTHOR, GOVERNOR), (CANCELLED,)),
    Step(PROPOSED, RECOUNT, (CANISTER,), OPEN),
    Step(APPROVED, RECOUNT, (CANISTER,), OPEN),
    Step(APPROVED, EXECUTE, (ANYONE,), (EXECUTED, FAILED)),
    Step(PROPOSED, EXPIRE, (ANYONE,), (EXPIRED,)),
    Step(APPROVED, EXPIRE, (ANYONE,), (EXPIRED,)),
)
_BY_KIND = {(step.source, step.kind): step for step in STEPS}


def propose(state: State, message: Message, change: Change, reason: str) -> Proposal:
    """Propose a change, which must be possible now."""
    rules = governance.current(state)
    _permit(rules, None, PROPOSE, message)
    validate.text("reason", reason, limits.MAX_REASON_CHARACTERS)
    if len(_open(state)) >= limits.MAX_OPEN_PROPOSALS:
        problem = f"{limits.MAX_OPEN_PROPOSALS} proposals are open; cancel or wait for some"
        raise validate.refuse("change", change.kind, problem)
    governance.check_change(state, change)
    proposal = Proposal(
        id=state.next_number("proposals"),
        change=change,
        reason=reason,
        proposer=message.caller,
        approvals=(),
        state=PROPOSED,
        delay_s=rules.delay_s,
        created_at=message.now,
        approved_at=None,
        executable_at=None,
        expires_at=later(message.now, limits.APPROVAL_WINDOW_S),
        finished_at=None,
        outcome=None,
    )
    return _save(state, message, proposal, PROPOSE, governance.subject(change))


def approve(state: State, message: Message, proposal_id: int) -> Proposal:
    """Add the caller's approval; the one that reaches the threshold starts the delay. Safe to repeat."""
    proposal, rules = get(state, proposal_id), governance.current(state)
    _permit(rules, proposal, APPROVE, message)
    _before_expiry(proposal, message.now)
    if message.caller in proposal.approvals:
        return proposal
    approved = proposal._replace(approvals=(*proposal.approvals, message.caller))
    return _save(state, message, _counted(approved, rules, message.now), APPROVE, message.caller)


def cancel(state: State, message: Message, proposal_id: int, reason: str) -> Proposal:
    """End a proposal that was not executed."""
    proposal = get(state, proposal_id)
    _permit(governance.current(state), proposal, CANCEL, message)
    validate.text("reason", reason, limits.MAX_REASON_CHARACTERS)
    return _finish(state, message, proposal, CANCEL, CANCELLED, reason)


def execute(state: State, message: Message, proposal_id: int) -> Proposal:
    """Make the change of an approved proposal whose delay is over."""
    proposal = get(state, proposal_id)
    _permit(governance.current(state), proposal, EXECUTE, message)
    _before_expiry(proposal, message.now)
    if proposal.executable_at is None or message.now < proposal.executable_at:
        raise InvalidState("approved, in its delay", [f"approved, from {proposal.executable_at} ns on"])
    try:
        governance.make(state, message, proposal.change)
    except MarketError as problem:  # it was possible when it was proposed, and changed nothing now
        return _finish(state, message, proposal, EXECUTE, FAILED, str(problem))
    done = _finish(state, message, proposal, EXECUTE, EXECUTED, None)
    if proposal.change.kind == governance.SET_GOVERNANCE:
        _recount_all(state, message)
    return done


def due(state: State, message: Message) -> list[int]:
    """Proposals to be executed or expired; each is its own change, see `move_on`."""
    return [proposal.id for proposal in _open(state) if _is_due(proposal, message.now)]


def move_on(state: State, message: Message, proposal_id: int) -> None:
    """Execute or expire a proposal that is due; nothing happens to one that is not, or no longer."""
    proposal = get(state, proposal_id)
    if proposal.state not in OPEN or not _is_due(proposal, message.now):
        return
    if message.now >= proposal.expires_at:
        _finish(state, message, proposal, EXPIRE, EXPIRED, "nobody executed it in time")
    else:
        execute(state, message, proposal_id)


def get(state: State, proposal_id: int) -> Proposal:
    """The proposal, or `NotFound`."""
    return found(state.proposals.get(number_key(proposal_id)), "proposal", proposal_id)


def page(state: State, after: int | None, limit: int) -> list[Proposal]:
    """Proposals after the one with this id, at most `limit` (1 to 100)."""
    start = number_key(number_after(after))
    rows = state.proposals.range(start, None, max(1, min(limit, limits.MAX_PAGE)))
    return [proposal for _, proposal in rows]


def _permit(rules: Governance, proposal: Proposal | None, kind: str, message: Message) -> None:
    source = "" if proposal is None else proposal.state
    parts = {ANYONE}
    if message.caller in rules.proposers:
        parts.add(PROPOSER)
    if message.caller in rules.approvers:
        parts.add(APPROVER)
    if message.caller in rules.governors:
        parts.add(GOVERNOR)
    if proposal is not None and message.caller == proposal.proposer:
        parts.add(AUTHOR)
    rows = [step for step in STEPS if step.kind == kind]
    if not any(parts.intersection(step.who) for step in rows):
        raise NotAuthorized(" or ".join(dict.fromkeys(who for step in rows for who in step.who)))
    if (source, kind) not in _BY_KIND:
        raise InvalidState(source, [step.source for step in rows])


def _before_expiry(proposal: Proposal, now: Timestamp) -> None:
    if now >= proposal.expires_at:
        raise DeadlinePassed(proposal.expires_at, now)


def _counted(proposal: Proposal, rules: Governance, now: Timestamp) -> Proposal:
    """The proposal in the state that its approvals make under `rules`."""
    enough = len(set(proposal.approvals) & set(rules.approvers)) >= rules.threshold
    if enough and proposal.state == PROPOSED:
        ready = later(now, max(proposal.delay_s, rules.delay_s))
        return proposal._replace(
            state=APPROVED,
            approved_at=now,
            executable_at=ready,
            expires_at=later(ready, limits.EXECUTION_WINDOW_S),
        )
    if not enough and proposal.state == APPROVED:
        return proposal._replace(state=PROPOSED, approved_at=None, executable_at=None)
    return proposal


def _recount_all(state: State, message: Message) -> None:
    rules = governance.current(state)
    for proposal in _open(state):
        if message.now >= proposal.expires_at:
            continue  # its time is over, whatever the rules: nothing brings it back
        counted = _counted(proposal, rules, message.now)
        ready = None if counted.approved_at is None else later(counted.approved_at, rules.delay_s)
        if ready is not None and counted.executable_at is not None and ready > counted.executable_at:
            expires_at = later(ready, limits.EXECUTION_WINDOW_S)
            counted = counted._replace(executable_at=ready, expires_at=expires_at)
        if counted != proposal:
            _save(state, message, counted, RECOUNT, counted.state)


def _is_due(proposal: Proposal, now: Timestamp) -> bool:
    ready = proposal.executable_at is not None and now >= proposal.executable_at
    return ready or now >= proposal.expires_at


def _finish(
    state: State, message: Message, proposal: Proposal, kind: str, target: str, outcome: str | None
) -> Proposal:
    ended = proposal._replace(state=target, finished_at=message.now, outcome=outcome)
    return _save(state, message, ended, kind, outcome or governance.subject(proposal.change))


def _save(state: State, message: Message, proposal: Proposal, kind: str, subject: str) -> Proposal:
    before = state.proposals.get(number_key(proposal.id))
    step = _BY_KIND[before.state if before else "", kind]
    if proposal.state not in step.targets:
        raise RuntimeError(f"no step {kind} from {step.source or 'nothing'} to {proposal.state}")
    state.proposals.put(number_key(proposal.id), proposal)
    if proposal.state in OPEN:
        state.open_proposals.put(number_key(proposal.id), PRESENT)
    else:
        state.open_proposals.remove(number_key(proposal.id))
    logged = FAILED if proposal.state == FAILED else kind
    governance_log.append(state, message, logged, subject, proposal.id)
    return proposal


def _open(state: State) -> list[Proposal]:
    rows = state.open_proposals.range(b"", None, limits.MAX_OPEN_PROPOSALS)
    return [get(state, number_of(key)) for key, _ in rows]
