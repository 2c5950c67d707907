"""ICRC-2 allowances: how much a spender may draw from an account, and until when."""

from __future__ import annotations

from typing import NamedTuple

from canisters.ledger.core.accounts import Account
from canisters.ledger.core.balances import encode_tokens
from canisters.ledger.core.storage import Storage, check_version, number_key

PRUNE_LIMIT = 4
"""Ended allowances that one approval removes. It adds at most one, so the table of expirations is bounded."""

_VERSION = 1
_NEVER = 2**64 - 1
"""Stands for "no expiration" at rest; as a time it lies in the year 2554."""


class Allowance(NamedTuple):
    """What a spender may still draw, in base units, and the time (ns) at which that ends, if it does."""

    amount: int
    expires_at: int | None = None


NOTHING = Allowance(0)


class Allowances:
    """Allowances by account and spender. Used up and ended ones are removed."""

    def __init__(self, storage: Storage) -> None:
        self._rows = storage.allowances
        self._expirations = storage.expirations

    def get(self, account: Account, spender: Account, now: int) -> Allowance:
        """What `spender` may draw from `account` at `now`: an allowance holds while ``now < expires_at``."""
        allowance = self._stored(account.key() + spender.key())
        if allowance.expires_at is not None and allowance.expires_at <= now:
            return NOTHING
        return allowance

    def set(self, account: Account, spender: Account, allowance: Allowance) -> None:
        """Replace what `spender` may draw from `account`."""
        key = account.key() + spender.key()
        previous = self._stored(key).expires_at
        if previous is not None and previous != allowance.expires_at:
            self._expirations.remove(number_key(previous) + key)
        if allowance.amount == 0:
            self._remove(key, allowance.expires_at)
            return
        expires_at = _NEVER if allowance.expires_at is None else allowance.expires_at
        self._rows.insert(key, bytes((_VERSION,)) + number_key(expires_at) + encode_tokens(allowance.amount))
        if allowance.expires_at is not None and previous != allowance.expires_at:
            self._expirations.insert(number_key(expires_at) + key, b"")

    def prune(self, now: int) -> None:
        """Remove a few allowances that have ended."""
        for entry, _ in self._expirations.range(None, number_key(now) + b"\xff", PRUNE_LIMIT):
            self._expirations.remove(entry)
            self._rows.remove(entry[8:])

    def _remove(self, key: bytes, expires_at: int | None) -> None:
        self._rows.remove(key)
        if expires_at is not None:
            self._expirations.remove(number_key(expires_at) + key)

    def _stored(self, key: bytes) -> Allowance:
        record = self._rows.get(key)
        if record is None:
            return NOTHING
        check_version(record, _VERSION, "allowance")
        expires_at = int.from_bytes(record[1:9], "big")
        return Allowance(int.from_bytes(record[9:], "big"), None if expires_at == _NEVER else expires_at)
