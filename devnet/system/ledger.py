"""A token ledger: balances, allowances and blocks, by ICRC-1 and ICRC-2.

Accounts are 32-byte account identifiers. Amounts are integers in the token's base unit. Sources: the ICRC-1
and ICRC-2 standards, and the defaults of the ICP and cycles ledgers.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Final

import cbor2

from devnet.replica.natives import NativeState
from devnet.system.errors import Refused, generic

WINDOW_NS: Final = 24 * 3600 * 1_000_000_000
"""How long a transaction is remembered for deduplication."""

DRIFT_NS: Final = 60 * 1_000_000_000
MAX_MEMO_BYTES: Final = 32


@dataclass(frozen=True)
class Block:
    """One transaction; `kind` is `transfer`, `mint`, `burn` or `approve`; `timestamp` in ns."""

    kind: str
    source: bytes
    to: bytes
    amount: int
    fee: int
    memo: bytes | None
    created_at: int | None
    timestamp: int


@dataclass(frozen=True)
class Order:
    """What a caller asked for.

    Args:
        spender: who spends from `source` on its allowance; None: the owner itself.
        fee: the one the caller expects; None: whatever it is.
        created_at: ns; makes the ledger refuse a second transaction that is the same.
    """

    source: bytes
    to: bytes
    amount: int
    fee: int | None = None
    memo: bytes | None = None
    created_at: int | None = None
    spender: bytes | None = None


class TokenLedger:
    """One token. `minting` is the account that issues and takes back; None: there is none."""

    def __init__(self, state: NativeState, name: str, fee: int, minting: bytes | None) -> None:
        self.fee = fee
        self.minting = minting
        self._state = state
        self._name = name

    def balance(self, account: bytes) -> int:
        return int(self._state.get(self._key("balance", account), 0))

    @property
    def total_supply(self) -> int:
        return int(self._state.get(f"{self._name}/supply", 0))

    def block(self, index: int) -> Block | None:
        found = self._state.get(f"{self._name}/block/{index}")
        return None if found is None else Block(*found)

    def transfer(self, order: Order, now: int) -> int:
        """Move tokens; from the minting account this mints, to it burns, both without fee.

        Returns:
            The block's index.

        Raises:
            Refused: with the case of ICRC-1's `TransferError` or ICRC-2's `TransferFromError`.
        """
        kind = self._kind(order)
        fee = self.fee if kind == "transfer" else 0
        key = self._check(order, fee, now)
        if kind == "burn" and order.amount < self.fee:
            raise Refused("BadBurn", min_burn_amount=self.fee)
        if order.spender is not None and order.spender != order.source:
            self._spend_allowance(order, fee, now)
        if kind != "mint":
            self._debit(order.source, order.amount + fee)
        if kind != "burn":
            self._credit(order.to, order.amount)
        return self._append(kind, order, fee, key, now)

    def mint(self, to: bytes, amount: int, memo: bytes | None, now: int) -> int:
        """Issue tokens out of nothing; returns the block's index."""
        self._credit(to, amount)
        return self._append("mint", Order(b"", to, amount, memo=memo), 0, None, now)

    def burn(self, order: Order, now: int, fee: int) -> int:
        """Take tokens out of circulation, and the fee; `order.to` says what for.

        Raises:
            Refused: the account holds less, or the order is old, of the future, or a duplicate.
        """
        key = self._check(order, fee, now)
        self._debit(order.source, order.amount + fee)
        return self._append("burn", order, fee, key, now)

    def approve(
        self, order: Order, now: int, expected: int | None = None, expires_at: int | None = None
    ) -> int:
        """Let `order.to` spend `order.amount` of `order.source`, instead of what it may spend so far.

        Raises:
            Refused: with the case of ICRC-2's `ApproveError`.
        """
        key = self._check(order, self.fee, now)
        current, _ = self.allowance(order.source, order.to, now)
        if expected is not None and expected != current:
            raise Refused("AllowanceChanged", current_allowance=current)
        if expires_at is not None and expires_at < now:
            raise Refused("Expired", ledger_time=now)
        self._debit(order.source, self.fee)
        self._state.put(self._key("allowance", order.source + order.to), [order.amount, expires_at])
        return self._append("approve", order, self.fee, key, now)

    def allowance(self, source: bytes, spender: bytes, now: int) -> tuple[int, int | None]:
        """What may be spent, and until when (ns)."""
        amount, expires_at = self._state.get(self._key("allowance", source + spender), (0, None))
        if expires_at is not None and expires_at < now:
            return 0, None
        return int(amount), expires_at

    def _kind(self, order: Order) -> str:
        if self.minting is None or self.minting not in (order.source, order.to):
            return "transfer"
        return "mint" if order.source == self.minting else "burn"

    def _check(self, order: Order, fee: int, now: int) -> bytes | None:
        """Refuse a wrong fee, memo or time, and duplicates; returns what to remember the order by."""
        if order.fee is not None and order.fee != fee:
            raise Refused("BadFee", expected_fee=fee)
        if order.memo is not None and len(order.memo) > MAX_MEMO_BYTES:
            raise generic(f"a memo has at most {MAX_MEMO_BYTES} bytes, not {len(order.memo)}")
        if order.created_at is None:
            return None
        if order.created_at + WINDOW_NS + DRIFT_NS < now:
            raise Refused("TooOld")
        if order.created_at > now + DRIFT_NS:
            raise Refused("CreatedInFuture", ledger_time=now)
        key = hashlib.sha256(cbor2.dumps(list(asdict(order).values()))).digest()
        earlier = self._state.get(self._key("transaction", key))
        if earlier is not None:
            raise Refused("Duplicate", duplicate_of=earlier)
        return key

    def _spend_allowance(self, order: Order, fee: int, now: int) -> None:
        assert order.spender is not None
        allowed, expires_at = self.allowance(order.source, order.spender, now)
        if allowed < order.amount + fee:
            raise Refused("InsufficientAllowance", allowance=allowed)
        if self.balance(order.source) < order.amount + fee:
            raise Refused("InsufficientFunds", balance=self.balance(order.source))
        left = [allowed - order.amount - fee, expires_at]
        self._state.put(self._key("allowance", order.source + order.spender), left)

    def _debit(self, account: bytes, amount: int) -> None:
        held = self.balance(account)
        if held < amount:
            raise Refused("InsufficientFunds", balance=held)
        key = self._key("balance", account)
        if held == amount:
            self._state.delete(key)
        else:
            self._state.put(key, held - amount)
        self._state.put(f"{self._name}/supply", self.total_supply - amount)

    def _credit(self, account: bytes, amount: int) -> None:
        self._state.put(self._key("balance", account), self.balance(account) + amount)
        self._state.put(f"{self._name}/supply", self.total_supply + amount)

    def _append(self, kind: str, order: Order, fee: int, key: bytes | None, now: int) -> int:
        index = int(self._state.get(f"{self._name}/height", 0))
        block = Block(kind, order.source, order.to, order.amount, fee, order.memo, order.created_at, now)
        self._state.put(f"{self._name}/block/{index}", list(asdict(block).values()))
        self._state.put(f"{self._name}/height", index + 1)
        if key is not None:
            self._state.put(self._key("transaction", key), index)
        return index

    def _key(self, kind: str, raw: bytes) -> str:
        return f"{self._name}/{kind}/{raw.hex()}"
