"""Accounts: an owner's principal and a subaccount, in the forms the ledger needs."""

from __future__ import annotations

from typing import NamedTuple

from canisters.ledger.core.errors import InvalidSubaccount
from canisters.ledger.core.values import Value

SUBACCOUNT_LENGTH = 32
DEFAULT_SUBACCOUNT = bytes(SUBACCOUNT_LENGTH)
MAX_KEY_LENGTH = 1 + 29 + SUBACCOUNT_LENGTH
"""Bytes of the longest account key: a principal has at most 29 bytes."""

_HAS_SUBACCOUNT = 0x80


class Account(NamedTuple):
    """An ICRC-1 account. The default subaccount is kept as None, so that equal accounts are equal."""

    owner: bytes
    subaccount: bytes | None = None

    def key(self) -> bytes:
        """Self-delimiting bytes for use in keys: length and flag, owner, subaccount if there is one."""
        if self.subaccount is None:
            return bytes((len(self.owner),)) + self.owner
        return bytes((len(self.owner) | _HAS_SUBACCOUNT,)) + self.owner + self.subaccount

    def value(self) -> Value:
        """The account in a block (ICRC-3, account type)."""
        return [self.owner] if self.subaccount is None else [self.owner, self.subaccount]

    @classmethod
    def from_value(cls, value: Value) -> Account:
        """The account that `value` made."""
        assert isinstance(value, list)
        parts = [bytes(part) for part in value if isinstance(part, bytes)]
        return cls(parts[0], parts[1] if len(parts) > 1 else None)


def account_of(owner: bytes, subaccount: bytes | None) -> Account:
    """The account of a request. InvalidSubaccount unless the subaccount is absent or 32 bytes."""
    if subaccount is None or subaccount == DEFAULT_SUBACCOUNT:
        return Account(owner)
    if len(subaccount) != SUBACCOUNT_LENGTH:
        raise InvalidSubaccount(f"a subaccount has {SUBACCOUNT_LENGTH} bytes, this one has {len(subaccount)}")
    return Account(owner, bytes(subaccount))
