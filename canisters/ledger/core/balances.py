"""Who holds how much, in base units."""

from __future__ import annotations

from canisters.ledger.core.accounts import Account
from canisters.ledger.core.errors import InsufficientFunds
from canisters.ledger.core.storage import OrderedMap, check_version

MAX_TOKENS = 2**128 - 1
"""The most tokens that may exist, so that any balance, allowance or sum takes 16 bytes."""

_VERSION = 1


def encode_tokens(amount: int) -> bytes:
    """`amount` (0 to MAX_TOKENS) as 16 bytes."""
    return amount.to_bytes(16, "big")


class Balances:
    """The accounts with tokens. Never negative; an account that falls to zero is removed."""

    def __init__(self, rows: OrderedMap) -> None:
        self._rows = rows

    def of(self, account: Account) -> int:
        """What `account` holds."""
        record = self._rows.get(account.key())
        if record is None:
            return 0
        check_version(record, _VERSION, "balance")
        return int.from_bytes(record[1:], "big")

    def require(self, account: Account, amount: int) -> int:
        """What `account` holds, if that is `amount` or more; InsufficientFunds otherwise."""
        balance = self.of(account)
        if balance < amount:
            raise InsufficientFunds(balance)
        return balance

    def debit(self, account: Account, amount: int) -> None:
        """Take `amount` from `account`; InsufficientFunds if it holds less."""
        self._set(account, self.require(account, amount) - amount)

    def credit(self, account: Account, amount: int) -> None:
        """Give `amount` to `account`. The supply's bound keeps the balance in range."""
        self._set(account, self.of(account) + amount)

    def _set(self, account: Account, balance: int) -> None:
        if balance:
            self._rows.insert(account.key(), bytes((_VERSION,)) + encode_tokens(balance))
        else:
            self._rows.remove(account.key())
