"""A rental's log: typed entries, each chained to all before it by SHA-256.

``head(n) = SHA-256("leasehold-event" ‖ head(n - 1) ‖ stored bytes of entry n)``, ``head(-1)`` = 32 zero
bytes. A receipt that names the head therefore fixes the whole log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from canisters.marketplace.core import limits
from canisters.marketplace.core.model import AmountLine, Event, Rental
from canisters.marketplace.core.state import CODECS, State
from canisters.marketplace.core.storage import number_key
from canisters.marketplace.core.transitions import Kind
from canisters.marketplace.core.types import Message, Tokens

DOMAIN = b"leasehold-event"


def append(
    state: State,
    message: Message,
    rental: Rental,
    kind: Kind,
    source: str,
    reason: str | None = None,
    amounts: Mapping[str, Tokens] | None = None,
) -> Rental:
    """Log that `kind` brought `rental` from status `source` to the one it has; returns it with the new
    head.
    """
    lines = tuple(AmountLine(name, amount.base_units) for name, amount in (amounts or {}).items())
    event = Event(
        index=rental.events,
        at=message.now,
        kind=kind.value,
        source=source,
        target=rental.status.value,
        actor=message.caller,
        reason=reason,
        amounts=lines,
    )
    state.events.put(number_key(rental.id) + number_key(event.index), event)
    return replace(rental, events=rental.events + 1, event_head=chain(rental.event_head, event))


def chain(head: bytes, event: Event) -> bytes:
    """The head after `event`."""
    return hashlib.sha256(DOMAIN + head + CODECS["events"].encode(event)).digest()


def page(state: State, rental_id: int, first: int, limit: int) -> list[Event]:
    """Events of a rental from index `first` on, at most `limit` (1 to 100)."""
    return [
        event
        for _, event in state.events.range(*_span(rental_id, first), max(1, min(limit, limits.MAX_PAGE)))
    ]


def _span(rental_id: int, first: int) -> tuple[bytes, bytes]:
    prefix = number_key(rental_id)
    return prefix + number_key(first), prefix + b"\xff" * 9
