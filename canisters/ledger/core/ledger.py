"""The token ledger: ICRC-1 and ICRC-2 (github.com/dfinity/ICRC-1, standards/ICRC-1 and ICRC-2).

Every method checks all that can be refused before it changes anything: a raised error means nothing changed.
Decisions the standards leave open:

- The fee of transfers and approvals is burned; mints and burns are free.
- A subaccount of another length than 32 bytes and a memo above 32 bytes are a `GenericError`, not a trap.
- The default subaccount and an absent one are the same account, also for deduplication and in blocks.
- Nobody may approve transfers to themselves; the minting account may neither approve nor be drawn from.
- An approval above `MAX_TOKENS` is capped to it.
- A repeated request is answered `Duplicate` before funds, allowance or expiration are looked at.
"""

from __future__ import annotations

from typing import Sequence

from canisters.ledger.core import settings as stored_settings
from canisters.ledger.core.accounts import Account
from canisters.ledger.core.allowances import Allowance, Allowances
from canisters.ledger.core.balances import MAX_TOKENS, Balances
from canisters.ledger.core.blocks import BlockLog
from canisters.ledger.core.deduplication import RecentTransactions
from canisters.ledger.core.errors import (
    AllowanceChanged,
    BadBurn,
    BadFee,
    Expired,
    InsufficientAllowance,
    InsufficientFunds,
    MemoTooLong,
    MintingAccountRefused,
    SelfApproval,
    SupplyExceeded,
)
from canisters.ledger.core.requests import Approval, Transfer, approval_value, transfer_value
from canisters.ledger.core.settings import MAX_MEMO_LENGTH, Settings
from canisters.ledger.core.storage import Storage
from canisters.ledger.core.values import hash_value

MAX_INITIAL_BALANCES = 1_000


class Ledger:
    """Balances, allowances and the block log over `storage`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._balances = Balances(storage.balances)
        self._allowances = Allowances(storage)
        self._recent = RecentTransactions(storage.recent)
        self._settings: Settings | None = None
        self.blocks = BlockLog(storage)

    def install(self, settings: Settings, initial_balances: Sequence[tuple[Account, int]], now: int) -> None:
        """Store the settings and mint the initial balances. ValueError if there are too many of them."""
        if len(initial_balances) > MAX_INITIAL_BALANCES:
            raise ValueError(f"{len(initial_balances)} initial balances, at most {MAX_INITIAL_BALANCES}")
        stored_settings.save(self._storage.settings, settings)
        self._settings = settings
        for account, amount in initial_balances:
            self.transfer(Transfer(settings.minting_account, account, amount), now)

    @property
    def settings(self) -> Settings:
        """The token's settings."""
        if self._settings is None:
            self._settings = stored_settings.load(self._storage.settings)
        return self._settings

    def total_supply(self) -> int:
        """How many tokens exist outside the minting account."""
        return self.blocks.tip().supply

    def balance_of(self, account: Account) -> int:
        """What `account` holds."""
        return self._balances.of(account)

    def allowance(self, account: Account, spender: Account, now: int) -> Allowance:
        """What `spender` may draw from `account` at `now`."""
        return self._allowances.get(account, spender, now)

    def transfer(self, request: Transfer, now: int) -> int:
        """Carry out a transfer, mint or burn at time `now` (ns); returns the index of its block.

        Raises a subclass of LedgerError for each variant of ICRC-1 `TransferError` and ICRC-2
        `TransferFromError`.
        """
        minting_account = self.settings.minting_account
        mint, burn = request.source == minting_account, request.to == minting_account
        _check_memo(request.memo)
        self._check_parties(request, mint, burn)
        fee = 0 if mint or burn else self.settings.fee
        _check_fee(request.fee, fee)
        self._check_amount(request)
        transaction = transfer_value(request, minting_account)
        transaction_hash = hash_value(transaction)
        self._refuse_repetition(request.created_at, transaction_hash, now)
        if mint:
            self._check_supply(request.amount)
        if burn:
            self._check_burn(request)
        left = self._allowance_left(request, request.amount + fee, now)
        if not mint:
            self._balances.debit(request.source, request.amount + fee)
        if not burn:
            self._balances.credit(request.to, request.amount)
        if left is not None and request.spender is not None:
            self._allowances.set(request.source, request.spender, left)
        change = request.amount if mint else -request.amount if burn else -fee
        index = self.blocks.append(transaction, transaction_hash, fee, change, now)
        self._remember(request.created_at, transaction_hash, index, now)
        return index

    def approve(self, request: Approval, now: int) -> int:
        """Set an allowance at time `now` (ns); returns the index of its block.

        Raises a subclass of LedgerError for each variant of ICRC-2 `ApproveError`.
        """
        _check_memo(request.memo)
        if request.source == self.settings.minting_account:
            raise MintingAccountRefused("the minting account cannot approve: mints are not delegated")
        if request.source.owner == request.spender.owner:
            raise SelfApproval("the spender is the owner of the account: name another spender")
        _check_fee(request.fee, self.settings.fee)
        request = request._replace(amount=min(request.amount, MAX_TOKENS))
        if request.expected_allowance is not None and request.expected_allowance > MAX_TOKENS:
            raise AllowanceChanged(self.allowance(request.source, request.spender, now).amount)
        transaction = approval_value(request)
        transaction_hash = hash_value(transaction)
        self._refuse_repetition(request.created_at, transaction_hash, now)
        if request.expires_at is not None and request.expires_at <= now:
            raise Expired(now)
        self._check_expected_allowance(request, now)
        self._balances.debit(request.source, self.settings.fee)
        self._allowances.prune(now)
        self._allowances.set(request.source, request.spender, Allowance(request.amount, request.expires_at))
        index = self.blocks.append(transaction, transaction_hash, self.settings.fee, -self.settings.fee, now)
        self._remember(request.created_at, transaction_hash, index, now)
        return index

    def _check_parties(self, request: Transfer, mint: bool, burn: bool) -> None:
        if mint and burn:
            raise MintingAccountRefused("the minting account cannot send tokens to itself")
        if mint and request.spender is not None:
            raise MintingAccountRefused("the minting account cannot be drawn from: mints are not delegated")

    def _check_amount(self, request: Transfer) -> None:
        """Refuse what nobody can hold, before its digits are hashed."""
        if request.amount <= MAX_TOKENS:
            return
        if request.source == self.settings.minting_account:
            raise SupplyExceeded(f"at most {MAX_TOKENS} tokens may exist")
        raise InsufficientFunds(self.balance_of(request.source))

    def _check_supply(self, minted: int) -> None:
        if self.total_supply() + minted > MAX_TOKENS:
            raise SupplyExceeded(f"minting {minted} would bring the supply above {MAX_TOKENS}")

    def _check_burn(self, request: Transfer) -> None:
        minimum = max(1, min(self.settings.fee, self.balance_of(request.source)))
        if request.amount < minimum:
            raise BadBurn(minimum)

    def _allowance_left(self, request: Transfer, needed: int, now: int) -> Allowance | None:
        """The allowance after the transfer; None if the transfer draws on none."""
        if request.spender is None or request.spender == request.source:
            return None
        allowance = self.allowance(request.source, request.spender, now)
        if allowance.amount < needed:
            raise InsufficientAllowance(allowance.amount)
        return allowance._replace(amount=allowance.amount - needed)

    def _check_expected_allowance(self, request: Approval, now: int) -> None:
        if request.expected_allowance is None:
            return
        current = self.allowance(request.source, request.spender, now).amount
        if current != request.expected_allowance:
            raise AllowanceChanged(current)

    def _refuse_repetition(self, created_at: int | None, transaction_hash: bytes, now: int) -> None:
        if created_at is not None:
            self._recent.refuse_repetition(created_at, transaction_hash, now)

    def _remember(self, created_at: int | None, transaction_hash: bytes, index: int, now: int) -> None:
        if created_at is not None:
            self._recent.remember(created_at, transaction_hash, index, now)


def _check_memo(memo: bytes | None) -> None:
    if memo is not None and len(memo) > MAX_MEMO_LENGTH:
        raise MemoTooLong(f"a memo has at most {MAX_MEMO_LENGTH} bytes, this one has {len(memo)}")


def _check_fee(fee: int | None, expected: int) -> None:
    if fee is not None and fee != expected:
        raise BadFee(expected)
