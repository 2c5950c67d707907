"""What a rental may cost, what of it has been earned, and how a sum is split. Exact to the base unit."""

from __future__ import annotations

from canisters.marketplace.core.model import Payee, PriceQuote
from canisters.marketplace.core.types import BasisPoints, Principal, Tokens

REFUND_RULE = (
    "Queued: everything is refunded. Running: cancelling pays the seconds used and the same part of the fees "
    "whose keys were released; a failed rental pays only what its last accepted checkpoint covers. "
    "Succeeded: the unused compute and its platform share are refunded."
)


def earned(price: Tokens, elapsed: int, term: int) -> Tokens:
    """The part of `price` earned after `elapsed` of `term` seconds.

    Cumulative: what is paid is ``earned(now) - already paid``, the same however often it is settled.
    """
    if term <= 0 or elapsed >= term:
        return price
    return Tokens(price.base_units * max(0, elapsed) // term)


def quote(
    listing_fee: Tokens, dataset_fees: Tokens, rate: Tokens, duration_s: int, platform: BasisPoints
) -> PriceQuote:
    """The most a rental can cost at the ceiling `rate` per second for `duration_s` seconds."""
    compute = rate.times(duration_s)
    share = (listing_fee + dataset_fees + compute).share(platform)
    return PriceQuote(listing_fee, dataset_fees, compute, share, listing_fee + dataset_fees + compute + share)


def seconds_used(started_at: int, now: int, most: int) -> int:
    """Whole seconds from `started_at` to `now` (ns), begun ones counted, at most `most`."""
    return min(most, max(0, -(-(now - started_at) // 1_000_000_000)))


def split(amount: Tokens, payees: tuple[Payee, ...]) -> list[tuple[Principal, Tokens]]:
    """Each payee's part of `amount` in order; the last takes the remainder, so that the parts sum to it."""
    parts: list[tuple[Principal, Tokens]] = []
    left = amount
    for payee in payees[:-1]:
        part = amount.share(payee.basis_points)
        parts.append((payee.account, part))
        left = left - part
    parts.append((payees[-1].account, left))
    return parts
