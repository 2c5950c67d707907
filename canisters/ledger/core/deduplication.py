"""Refusing the same transaction twice (ICRC-1, transaction deduplication)."""

from __future__ import annotations

from canisters.ledger.core.errors import CreatedInFuture, Duplicate, TooOld
from canisters.ledger.core.storage import OrderedMap, number_key

SECOND = 1_000_000_000
TRANSACTION_WINDOW = 24 * 60 * 60 * SECOND
"""How long (ns) after its `created_at_time` a transaction is remembered."""
PERMITTED_DRIFT = 2 * 60 * SECOND
"""How far (ns) the caller's clock may be from the ledger's."""
PRUNE_LIMIT = 4
"""Forgotten transactions per remembered one, so the table shrinks to what the window holds."""


class RecentTransactions:
    """Transactions that carry a `created_at_time`, for as long as a repetition would be accepted."""

    def __init__(self, rows: OrderedMap) -> None:
        self._rows = rows

    def refuse_repetition(self, created_at: int, transaction_hash: bytes, now: int) -> None:
        """Raise TooOld, CreatedInFuture or Duplicate unless the transaction is new."""
        if created_at + TRANSACTION_WINDOW + PERMITTED_DRIFT < now:
            raise TooOld
        if created_at > now + PERMITTED_DRIFT:
            raise CreatedInFuture(now)
        index = self._rows.get(number_key(created_at) + transaction_hash)
        if index is not None:
            raise Duplicate(int.from_bytes(index, "big"))

    def remember(self, created_at: int, transaction_hash: bytes, index: int, now: int) -> None:
        """Note the transaction's block and forget a few that are too old to be repeated."""
        self._rows.insert(number_key(created_at) + transaction_hash, number_key(index))
        oldest = max(0, now - TRANSACTION_WINDOW - PERMITTED_DRIFT)
        for key, _ in self._rows.range(None, number_key(oldest), PRUNE_LIMIT):
            self._rows.remove(key)
