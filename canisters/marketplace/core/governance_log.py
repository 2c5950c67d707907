"""The log of what governors, proposers and approvers did: typed entries, for everybody to read."""

from __future__ import annotations

from canisters.marketplace.core import limits
from canisters.marketplace.core.governance_model import GovernanceEvent
from canisters.marketplace.core.state import State
from canisters.marketplace.core.storage import number_key
from canisters.marketplace.core.types import Message


def append(state: State, message: Message, kind: str, subject: str, proposal: int | None = None) -> None:
    """Log that the caller did `kind` about `subject`."""
    index = state.next_number("governance_events")
    shortened = subject[: limits.MAX_REASON_CHARACTERS]
    event = GovernanceEvent(index, message.now, kind, message.caller, proposal, shortened)
    state.governance_events.put(number_key(index), event)


def page(state: State, first: int, limit: int) -> list[GovernanceEvent]:
    """Entries from index `first` on, at most `limit` (1 to 100)."""
    most = max(1, min(limit, limits.MAX_PAGE))
    return [event for _, event in state.governance_events.range(number_key(first), None, most)]
