"""The one way a rental changes: table, record, indexes and log together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from canisters.marketplace.core import events, evidence_parts, queue
from canisters.marketplace.core.model import Rental
from canisters.marketplace.core.state import State
from canisters.marketplace.core.storage import number_key
from canisters.marketplace.core.transitions import TRANSITIONS, Kind
from canisters.marketplace.core.types import TERMINAL, Message, Status, Tokens

_ALLOWED = {(row.source, row.kind, target) for row in TRANSITIONS for target in row.targets}
_UNLOGGED = (Kind.PROGRESS, Kind.CHALLENGE)
"""Kinds too frequent or too small for the log: progress has its own."""


def change(
    state: State,
    message: Message,
    rental: Rental,
    kind: Kind,
    target: Status,
    reason: str | None = None,
    amounts: Mapping[str, Tokens] | None = None,
    note: str | None = None,
    **fields: Any,
) -> Rental:
    """Bring `rental` to `target` with `fields` replaced; index it, log it, store it.

    `reason` becomes the rental's reason and the event's; `note` the event's alone. Callers have asked
    `transitions.permit` before; a pair outside the table here is a bug and raises.
    """
    if (rental.status, kind, target) not in _ALLOWED:
        raise RuntimeError(f"no transition {kind.value} from {rental.status.value} to {target.value}")
    if target in TERMINAL and rental.status is not target:
        fields.update(deadline=None, finished_at=message.now)
    if reason is not None:
        fields["reason"] = reason
    if rental.status is Status.ATTESTING and target is not Status.ATTESTING:
        evidence_parts.clear(state, rental.id)
    changed = replace(rental, status=target, **fields)
    if kind not in _UNLOGGED:
        changed = events.append(state, message, changed, kind, rental.status.value, reason or note, amounts)
    queue.index(state, rental, changed)
    state.rentals.put(number_key(changed.id), changed)
    return changed
