"""Who governs: the sets of principals, the number of approvals, the delay; and what a change does.

Stopping something is immediate and takes one governor. Whatever widens what is accepted is a proposal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from canisters.marketplace.core import ledger_journal, limits, policies, validate
from canisters.marketplace.core.governance_model import Change, Governance
from canisters.marketplace.core.state import State
from canisters.marketplace.core.types import Message, Principal, Seconds

_KEY = b"governance"
ADOPT_POLICY, RETIRE_POLICY = "AdoptPolicy", "RetirePolicy"
ALLOW_DEVICE, ALLOW_MANIFEST = "AllowDevice", "AllowManifest"
SET_GOVERNANCE, RESOLVE_TRANSFER = "SetGovernance", "ResolveTransfer"


def initial(governors: tuple[Principal, ...]) -> Governance:
    """The rules when none are named: governors propose and approve, by majority, with a day's delay."""
    return Governance(
        governors=governors,
        proposers=governors,
        approvers=governors,
        threshold=len(governors) // 2 + 1,
        delay_s=Seconds(limits.DEFAULT_DELAY_S),
    )


def current(state: State) -> Governance:
    """The rules in force."""
    rules = state.governance.get(_KEY)
    return initial(state.config.governors) if rules is None else rules


def takes_part(state: State, caller: Principal) -> bool:
    """Whether the caller is a governor, proposer or approver."""
    rules = current(state)
    return any(caller in members for members in (rules.governors, rules.proposers, rules.approvers))


def check(state: State, rules: Governance) -> None:
    """Raise `InvalidArgument` for rules that cannot work here."""
    for field in ("governors", "proposers", "approvers"):
        members: tuple[Principal, ...] = getattr(rules, field)
        validate.count(field, members, 0, limits.MAX_GOVERNANCE_MEMBERS)
        validate.distinct(field, members)
        for at, member in enumerate(members):
            validate.not_anonymous(f"{field}[{at}]", member)
    validate.number("threshold", rules.threshold, (1, max(1, len(rules.approvers))))
    least = 0 if state.config.allow_simulated else limits.MIN_DELAY_S
    validate.number("delay_s", rules.delay_s, (least, limits.MAX_DELAY_S))


def establish(state: State, rules: Governance) -> None:
    """Put rules in force."""
    check(state, rules)
    state.governance.put(_KEY, rules)
    if state.config.governors != rules.governors:
        state.configure(replace(state.config, governors=rules.governors))


def check_change(state: State, change: Change) -> None:
    """Raise unless the change could be made now."""
    _KINDS[change.kind].check(state, change)


def make(state: State, message: Message, change: Change) -> None:
    """Make the change; raises, and has changed nothing, when it cannot be made any more."""
    _KINDS[change.kind].check(state, change)
    _KINDS[change.kind].make(state, message, change)


def subject(change: Change) -> str:
    """What the change is about, in a few words."""
    if change.kind == ADOPT_POLICY:
        return f"{change.kind} {policies.name_in(change.text)}"
    if change.kind == RESOLVE_TRANSFER:
        paid = "never paid" if change.block is None else f"paid in block {change.block}"
        return f"{change.kind} {change.transfer}: {paid}"
    return f"{change.kind} {change.text}".strip()


class _Kind(NamedTuple):
    check: Callable[[State, Change], object]
    make: Callable[[State, Message, Change], object]


def _rules(change: Change) -> Governance:
    if change.governance is None:
        raise RuntimeError("a change of governance without rules")
    return change.governance


def _transfer(change: Change) -> int:
    if change.transfer is None:
        raise RuntimeError("a change that resolves no transfer")
    return change.transfer


_KINDS = {
    ADOPT_POLICY: _Kind(
        lambda state, change: policies.check_new(state, change.text),
        lambda state, message, change: policies.adopt(state, message, change.text),
    ),
    RETIRE_POLICY: _Kind(
        lambda state, change: policies.check_offered(state, change.text),
        lambda state, _, change: policies.retire(state, change.text),
    ),
    ALLOW_DEVICE: _Kind(
        lambda state, change: policies.check_denied(state, policies.DEVICE, change.text),
        lambda state, _, change: policies.allow(state, policies.DEVICE, change.text),
    ),
    ALLOW_MANIFEST: _Kind(
        lambda state, change: policies.check_denied(state, policies.MANIFEST, change.text),
        lambda state, _, change: policies.allow(state, policies.MANIFEST, change.text),
    ),
    SET_GOVERNANCE: _Kind(
        lambda state, change: check(state, _rules(change)),
        lambda state, _, change: establish(state, _rules(change)),
    ),
    RESOLVE_TRANSFER: _Kind(
        lambda state, change: ledger_journal.check_resolvable(state, _transfer(change), change.block),
        lambda state, message, change: ledger_journal.resolve(
            state, message, _transfer(change), change.block
        ),
    ),
}
KINDS = tuple(_KINDS)
