"""The double-entry book: every amount that moves leaves one account and reaches another.

Accounts are texts: ``available/<principal>``, ``escrow/<rental>``, ``bond/<rental>``, ``transit/<transfer>``
(a withdrawal the ledger has not confirmed), ``platform``, ``treasury``, and ``external``, the ledger's side,
which alone may be negative. The sum over all of them is always zero.
"""

from __future__ import annotations

from dataclasses import dataclass

from canisters.marketplace.core import limits
from canisters.marketplace.core.errors import InsufficientBalance
from canisters.marketplace.core.model import Movement
from canisters.marketplace.core.state import PRESENT, State, owned_key, owned_prefix
from canisters.marketplace.core.storage import number_after, number_key, number_of, prefix_end
from canisters.marketplace.core.types import Message, Principal, Tokens, TokensError

EXTERNAL = "external"
PLATFORM = "platform"
TREASURY = "treasury"

DEPOSIT = "deposit"
WITHDRAW = "withdraw"
WITHDRAW_RETURNED = "withdraw_returned"
SWEEP = "sweep"
ESCROW = "escrow"
REFUND = "refund"
BOND = "bond"
BOND_RETURNED = "bond_returned"
SLASH = "slash"
COMPUTE = "compute"
LISTING_FEE = "listing_fee"
DATASET_FEE = "dataset_fee"
PLATFORM_SHARE = "platform_share"


def available_of(owner: Principal) -> str:
    return f"available/{owner}"


def escrow_of(rental: int) -> str:
    return f"escrow/{rental}"


def bond_of(rental: int) -> str:
    return f"bond/{rental}"


def transit_of(transfer: int) -> str:
    return f"transit/{transfer}"


@dataclass(frozen=True)
class Balances:
    """What a principal has: free to use, locked in own rentals, locked as bonds."""

    available: Tokens
    escrowed: Tokens
    bonded: Tokens


@dataclass(frozen=True)
class Entry:
    """A movement to make. `holder` is whose escrow or bond it touches; `viewers` may see it besides the
    owners.
    """

    source: str
    target: str
    amount: Tokens
    kind: str
    rental: int | None = None
    holder: Principal | None = None
    viewers: tuple[Principal, ...] = ()


def balance(state: State, account: str) -> Tokens:
    """What is in `account` (not `external`)."""
    return Tokens(_signed(state, account))


def external_balance(state: State) -> int:
    """The ledger's side of the book: minus what the marketplace holds for everyone."""
    return _signed(state, EXTERNAL)


def balances_of(state: State, owner: Principal) -> Balances:
    """A principal's three sums. The treasury's principal also sees `platform` and `treasury` as available."""
    available = balance(state, available_of(owner))
    if owner == state.config.treasury:
        available = available + balance(state, PLATFORM) + balance(state, TREASURY)
    escrowed, bonded = (balance(state, _total_of(kind, owner)) for kind in ("escrow", "bond"))
    return Balances(available, escrowed, bonded)


def require_available(state: State, owner: Principal, amount: Tokens) -> None:
    """Raise `InsufficientBalance` unless `owner` can pay `amount` now."""
    available = balance(state, available_of(owner))
    if available < amount:
        raise InsufficientBalance(available.base_units, amount.base_units)


def move(state: State, message: Message, entry: Entry) -> None:
    """Make one movement and journal it. Nothing is recorded for an amount of zero.

    Raises `TokensError` if an account but `external` would become negative: callers check first, so that is a
    bug.
    """
    if not entry.amount:
        return
    amount = entry.amount.base_units
    for account, change in ((entry.source, -amount), (entry.target, amount)):
        _change(state, account, change)
        kind = account.partition("/")[0]
        if kind in ("escrow", "bond"):
            if entry.holder is None:
                raise TokensError(f"movement {entry.kind} touches {account} and does not say whose that is")
            _change(state, _total_of(kind, entry.holder), change)
    index = state.next_number("movements")
    movement = Movement(
        index, message.now, entry.source, entry.target, entry.amount, entry.rental, entry.kind
    )
    state.movements.put(number_key(index), movement)
    for viewer in _viewers(entry):
        state.movement_viewers.put(owned_key(viewer, index), PRESENT)


def movements_for(state: State, caller: Principal, after: int | None, limit: int) -> list[Movement]:
    """Movements with index above `after`, oldest first, at most `limit` (1 to 100).

    Governors, the arbiter and the treasury see all; everyone else those that touch an account of theirs, and
    all of the rentals they are the renter of.
    """
    config = state.config
    limit = max(1, min(limit, limits.MAX_PAGE))
    first = number_after(after)
    if caller in (*config.governors, config.arbiter, config.treasury):
        return [movement for _, movement in state.movements.range(number_key(first), None, limit)]
    prefix = owned_prefix(caller)
    rows = state.movement_viewers.range(prefix + number_key(first), prefix_end(prefix), limit)
    seen = [state.movements.get(number_key(number_of(key))) for key, _ in rows]
    return [movement for movement in seen if movement is not None]


def _viewers(entry: Entry) -> set[Principal]:
    owners = {
        Principal(account.partition("/")[2])
        for account in (entry.source, entry.target)
        if account.startswith("available/")
    }
    if entry.holder is not None:
        owners.add(entry.holder)
    return owners | set(entry.viewers)


def _total_of(kind: str, owner: Principal) -> str:
    """Name of a derived sum, kept beside the accounts but no account itself."""
    return f"total/{kind}/{owner}"


def _signed(state: State, account: str) -> int:
    return state.balances.get(account.encode("ascii")) or 0


def _change(state: State, account: str, change: int) -> None:
    after = _signed(state, account) + change
    if after < 0 and account != EXTERNAL:
        raise TokensError(f"{account} would become {after}")
    if after == 0:
        state.balances.remove(account.encode("ascii"))
    else:
        state.balances.put(account.encode("ascii"), after)
