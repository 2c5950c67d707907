"""Money in and out of the token ledger: journalled before the call, deduplicated by the ledger, resumed after
a loss.

A transfer's `created_at_time` comes from the caller and its memo from its journal index, so sending the same
journal entry again can move nothing twice: the ledger answers ``Duplicate``, which counts as success. An
entry without an answer stays pending and is sent again by the timer or by `reap`; only a definite refusal
ends it.

A withdrawal is debited before the call (``available`` to ``transit``), so that two at once cannot overdraw.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeGuard

from canisters.marketplace.core import accounts, limits, validate
from canisters.marketplace.core.accounts import Entry
from canisters.marketplace.core.errors import LedgerRefused, Unavailable
from canisters.marketplace.core.model import Transfer
from canisters.marketplace.core.state import PRESENT, State, found
from canisters.marketplace.core.storage import number_after, number_key, number_of, prefix_end
from canisters.marketplace.core.types import Message, Principal, Timestamp, Tokens, later

DEPOSIT, WITHDRAW = "deposit", "withdraw"
PENDING, DONE, REFUSED, UNRESOLVED = "pending", "done", "refused", "unresolved"
_PENDING_PREFIX = b"pending/"
_UNRESOLVED_PREFIX = b"unresolved/"
_BLOCK_PREFIX = b"block/"

DEFINITE_ALWAYS = ("InsufficientFunds", "InsufficientAllowance")
"""Refusals a ledger gives only after it looked for a duplicate: nothing moved, now or in an earlier call."""
DEFINITE_AT_FIRST = (*DEFINITE_ALWAYS, "BadFee", "BadBurn", "TooOld", "CreatedInFuture", "GenericError")
"""Refusals that are definite as long as no earlier call of the entry is unanswered."""


@dataclass(frozen=True)
class Accepted:
    """The ledger made the transfer (or had made it: Duplicate) in `block`."""

    block: int


@dataclass(frozen=True)
class Refused:
    """The ledger's typed error `kind`; `expected_fee` when it is BadFee."""

    kind: str
    message: str
    expected_fee: int | None = None


@dataclass(frozen=True)
class Unanswered:
    """The call was rejected or its answer could not be read: the transfer may have happened."""

    message: str


Outcome = Accepted | Refused | Unanswered


@dataclass(frozen=True)
class Begun:
    """The journal entry, and whether it is now to be sent."""

    transfer: Transfer
    send: bool


def begin(state: State, message: Message, kind: str, amount: Tokens, created_at: Timestamp) -> Begun:
    """Journal a deposit or withdrawal of the caller, or find the one this `created_at` began.

    Raises `InvalidArgument`, `InsufficientBalance`, `LedgerRefused` (the same request was refused before) or
    `Unavailable` (its answer is still awaited).
    """
    validate.signed_in(message)
    earlier = state.transfer_index.get(_request_key(message.caller, kind, created_at))
    if earlier is not None:
        return _again(state, message, number_of(earlier), amount)
    _check(state, message, kind, amount, created_at)
    index = state.next_number("transfers")
    transfer = Transfer(
        index=index,
        kind=kind,
        owner=message.caller,
        amount=amount,
        fee=_fee(state),
        created_at_time=created_at,
        state=PENDING,
        sent=1,
        sent_at=message.now,
    )
    if kind == WITHDRAW:
        sweep(state, message)
        accounts.require_available(state, message.caller, amount)
        _move(
            state, message, transfer, accounts.available_of(transfer.owner), accounts.transit_of(index), kind
        )
    _save(state, transfer)
    state.transfer_index.put(_request_key(message.caller, kind, created_at), number_key(index))
    return Begun(transfer, True)


def resumable(state: State, message: Message) -> list[Transfer]:
    """Pending entries whose last call is too long ago, longest first, marked as sent again now; at most 5."""
    newest = later(message.now, -limits.RESUME_AFTER_S)
    stop = _PENDING_PREFIX + number_key(newest + 1)
    rows = state.transfer_index.range(_PENDING_PREFIX, stop, limits.RESUME_BATCH)
    return [_sent_again(state, message, _transfer(state, number_of(key))) for key, _ in rows]


def finish(state: State, message: Message, index: int, outcome: Outcome, sent: int | None = None) -> Transfer:
    """Note the ledger's answer to one call of entry `index`. Safe to repeat, in any order of answers.

    `sent` is the number of that call (`Transfer.sent` when it was made; the last one by default). A refusal
    of a call that was followed by another decides nothing: the later one may still move the money.
    """
    transfer = _transfer(state, index)
    if isinstance(outcome, Refused) and _is_amount(outcome.expected_fee):
        remember_fee(state, Tokens(outcome.expected_fee))
    if transfer.state == UNRESOLVED and isinstance(outcome, Accepted):
        return _settled(state, message, transfer, outcome)  # an earlier call's answer, which came late
    if transfer.state != PENDING:
        return transfer
    if isinstance(outcome, Accepted):
        return _done(state, message, transfer, outcome)
    if isinstance(outcome, Refused) and sent in (None, transfer.sent):
        definite = DEFINITE_AT_FIRST if transfer.sent == 1 else DEFINITE_ALWAYS
        if outcome.kind in definite:
            return _refused(state, message, transfer, outcome)
        if outcome.kind == "TooOld":
            state.transfer_index.put(_UNRESOLVED_PREFIX + number_key(index), PRESENT)
            return _save(state, replace(_explained(transfer, outcome), state=UNRESOLVED))
    return _save(state, _explained(transfer, outcome))


def check_resolvable(state: State, index: int, block: int | None) -> Transfer:
    """The transfer, if it may be declared paid in the ledger's `block`, or never paid (None).

    Raises `InvalidArgument` unless the ledger has said that it can no longer tell, so that it will not pay
    any more either; and for a block that is known to have made another transfer.
    """
    transfer = _transfer(state, index)
    if transfer.state != UNRESOLVED:
        raise validate.refuse("transfer", index, f"is {transfer.state}; only unresolved ones are resolved")
    if block is not None and state.transfer_index.get(_BLOCK_PREFIX + number_key(block)) is not None:
        raise validate.refuse("block", block, "made another transfer; look at the memo of the block")
    return transfer


def resolve(state: State, message: Message, index: int, block: int | None) -> Transfer:
    """Settle an unresolved transfer by what the ledger's blocks show, once and for all."""
    transfer = check_resolvable(state, index, block)
    if block is not None:
        return _settled(state, message, transfer, Accepted(block))
    never = Refused("NeverPaid", "the ledger's blocks do not have it")
    return _settled(state, message, transfer, never)


def unresolved(
    state: State, message: Message, after: int | None, limit: int, all_of_them: bool
) -> list[Transfer]:
    """Transfers the ledger can no longer tell about: the caller's, or `all_of_them`."""
    start = _UNRESOLVED_PREFIX + number_key(number_after(after))
    rows = state.transfer_index.range(start, prefix_end(_UNRESOLVED_PREFIX), limits.MAX_UNRESOLVED_SCAN)
    transfers = (_transfer(state, number_of(key)) for key, _ in rows)
    seen = [transfer for transfer in transfers if all_of_them or transfer.owner == message.caller]
    return seen[: max(1, min(limit, limits.MAX_PAGE))]


def remember_fee(state: State, fee: Tokens) -> None:
    """Note the ledger's transfer fee."""
    state.configure(replace(state.config, ledger_fee=fee))


def _is_amount(number: int | None) -> TypeGuard[int]:
    return number is not None and 0 <= number <= limits.MAX_AMOUNT


def memo(state: State, transfer: Transfer) -> bytes:
    """16 bytes that no other entry of this installation has."""
    return number_key(state.config.installed_at) + number_key(transfer.index)


def answer(transfer: Transfer) -> None:
    """Raise what the caller of a deposit or withdrawal is told unless it is done."""
    if transfer.state == REFUSED:
        raise LedgerRefused(transfer.problem_kind or "", transfer.problem or "")
    if transfer.state == UNRESOLVED:
        text = (
            f"{transfer.kind} {transfer.index} had no answer in time; the governors must compare the ledger"
        )
        raise Unavailable("ledger", text)
    if transfer.state == PENDING:
        text = f"{transfer.kind} {transfer.index} has no answer yet ({transfer.problem}); it is resumed later"
        raise Unavailable("ledger", text)


def sweep(state: State, message: Message) -> None:
    """Move what the platform earned and what was slashed to the treasury's principal when it withdraws."""
    treasury = state.config.treasury
    if message.caller != treasury:
        return
    for account in (accounts.PLATFORM, accounts.TREASURY):
        amount = accounts.balance(state, account)
        target = accounts.available_of(treasury)
        accounts.move(state, message, Entry(account, target, amount, accounts.SWEEP))


def _again(state: State, message: Message, index: int, amount: Tokens) -> Begun:
    transfer = _transfer(state, index)
    if transfer.amount != amount:
        problem = f"began a {transfer.kind} of {transfer.amount.base_units}; use another created_at_time"
        raise validate.refuse("created_at_time", transfer.created_at_time, problem)
    if transfer.state == PENDING and _may_resend(transfer, message.now):
        return Begun(_sent_again(state, message, transfer), True)
    answer(transfer)
    return Begun(transfer, False)


def _check(state: State, message: Message, kind: str, amount: Tokens, created_at: Timestamp) -> None:
    validate.amount("amount", amount)
    least = _fee(state).base_units + 1 if kind == WITHDRAW else 1
    if amount.base_units < least:
        raise validate.refuse("amount", amount.base_units, f"must be at least {least} base units")
    earliest = later(message.now, -limits.TRANSFER_PAST_S)
    latest = later(message.now, limits.TRANSFER_FUTURE_S)
    if not earliest <= created_at <= latest:
        raise validate.refuse(
            "created_at_time", created_at, f"must be from {earliest} to {latest}: use the time now"
        )


def _fee(state: State) -> Tokens:
    fee = state.config.ledger_fee
    if fee is None:
        raise Unavailable("ledger", "its transfer fee is not known yet; ask again")
    return fee


def _done(state: State, message: Message, transfer: Transfer, outcome: Accepted) -> Transfer:
    if transfer.kind == DEPOSIT:
        _move(
            state,
            message,
            transfer,
            accounts.EXTERNAL,
            accounts.available_of(transfer.owner),
            accounts.DEPOSIT,
        )
    else:
        source = accounts.transit_of(transfer.index)
        _move(state, message, transfer, source, accounts.EXTERNAL, accounts.WITHDRAW)
    # A block number that no ledger has would not fit the record; the transfer is done all the same.
    block = outcome.block if outcome.block < 2**64 else None
    if block is not None:
        state.transfer_index.put(_BLOCK_PREFIX + number_key(block), number_key(transfer.index))
    return _save(state, replace(transfer, state=DONE, block=block, problem_kind=None, problem=None))


def _refused(state: State, message: Message, transfer: Transfer, outcome: Refused) -> Transfer:
    if transfer.kind == WITHDRAW:
        source, target = accounts.transit_of(transfer.index), accounts.available_of(transfer.owner)
        _move(state, message, transfer, source, target, accounts.WITHDRAW_RETURNED)
    return _save(state, replace(_explained(transfer, outcome), state=REFUSED))


def _settled(state: State, message: Message, transfer: Transfer, outcome: Accepted | Refused) -> Transfer:
    """End an unresolved transfer."""
    state.transfer_index.remove(_UNRESOLVED_PREFIX + number_key(transfer.index))
    if isinstance(outcome, Accepted):
        return _done(state, message, transfer, outcome)
    return _refused(state, message, transfer, outcome)


def _explained(transfer: Transfer, outcome: Refused | Unanswered) -> Transfer:
    kind = outcome.kind if isinstance(outcome, Refused) else "Unanswered"
    return replace(transfer, problem_kind=kind, problem=outcome.message[: limits.MAX_REASON_CHARACTERS])


def _move(state: State, message: Message, transfer: Transfer, source: str, target: str, kind: str) -> None:
    entry = Entry(source, target, transfer.amount, kind, viewers=(transfer.owner,))
    accounts.move(state, message, entry)


def _sent_again(state: State, message: Message, transfer: Transfer) -> Transfer:
    state.transfer_index.remove(_pending_key(transfer))
    return _save(state, replace(transfer, sent=transfer.sent + 1, sent_at=message.now))


def _may_resend(transfer: Transfer, now: Timestamp) -> bool:
    return now >= later(transfer.sent_at, limits.RESUME_AFTER_S)


def _save(state: State, transfer: Transfer) -> Transfer:
    state.transfers.put(number_key(transfer.index), transfer)
    if transfer.state == PENDING:
        state.transfer_index.put(_pending_key(transfer), PRESENT)
    else:
        state.transfer_index.remove(_pending_key(transfer))
    return transfer


def _pending_key(transfer: Transfer) -> bytes:
    """Pending entries in the order of their last call, so that none keeps others waiting."""
    return _PENDING_PREFIX + number_key(transfer.sent_at) + number_key(transfer.index)


def _transfer(state: State, index: int) -> Transfer:
    return found(state.transfers.get(number_key(index)), "transfer", index)


def _request_key(owner: Principal, kind: str, created_at: Timestamp) -> bytes:
    return f"request/{kind}/{owner}/".encode("ascii") + number_key(created_at)
