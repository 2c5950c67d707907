"""Where a rental's money goes when an attempt ends and when the rental ends.

Ending an attempt pays the operator for seconds that count and returns or slashes the bond. Closing a rental
pays the fees and the platform's share on top, and refunds what is left in escrow, so nothing remains.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from canisters.marketplace.core import accounts, limits, pricing, queue
from canisters.marketplace.core.accounts import Entry
from canisters.marketplace.core.lifecycle import change
from canisters.marketplace.core.model import Attempt, Charges, FruitlessTurn, Rental
from canisters.marketplace.core.state import State
from canisters.marketplace.core.transitions import Kind
from canisters.marketplace.core.types import (
    ZERO,
    BasisPoints,
    Message,
    Principal,
    Status,
    Tokens,
    later,
    total,
)


@dataclass(frozen=True)
class Ending:
    """How an attempt ends: `paid_s` seconds are paid, `slash` of the bond is lost, `fees_in_full` on
    success.
    """

    paid_s: int = 0
    slash: int = 0
    fees_in_full: bool = False


def end_attempt(
    state: State, message: Message, rental: Rental, ending: Ending
) -> tuple[Rental, dict[str, Tokens]]:
    """Pay and release the operator; returns the rental without its attempt, and the amounts for the log."""
    attempt = rental.attempt
    if attempt is None:
        return rental, {}
    compute = attempt.rate_per_second.times(ending.paid_s)
    _from_escrow(state, message, rental, attempt.operator, compute, accounts.COMPUTE)
    bond = accounts.balance(state, accounts.bond_of(rental.id))
    slashed = bond.share(BasisPoints(ending.slash))
    _from_bond(state, message, rental, attempt, accounts.TREASURY, slashed, accounts.SLASH)
    home = accounts.available_of(attempt.operator)
    _from_bond(state, message, rental, attempt, home, bond - slashed, accounts.BOND_RETURNED)
    ended = replace(
        rental,
        attempt=None,
        billed_s=rental.billed_s + ending.paid_s,
        compute_paid=rental.compute_paid + compute,
        slashed=rental.slashed + slashed,
    )
    return ended, {"compute": compute, "slashed": slashed, "bond_returned": bond - slashed}


def requeue(
    state: State, message: Message, rental: Rental, kind: Kind, reason: str, ending: Ending, *, failed: bool
) -> Rental:
    """End the attempt and let the rental wait for another operator, or fail when it has had enough of them.

    `failed` says whether the attempt counts towards `MAX_FAILED_ATTEMPTS`, or is a hand-back.
    """
    rental = replace(
        rental,
        failed_attempts=rental.failed_attempts + int(failed),
        hand_backs=rental.hand_backs + int(not failed),
        fruitless=_fruitless(message, rental),
    )
    billed = rental.billed_s + ending.paid_s
    exhausted = (
        rental.failed_attempts >= limits.MAX_FAILED_ATTEMPTS or rental.hand_backs >= limits.MAX_HAND_BACKS
    )
    if exhausted or billed >= rental.max_duration_s:
        return close(state, message, rental, kind, Status.FAILED, reason, ending)
    _forget_operator(state, rental)
    ended, amounts = end_attempt(state, message, rental, ending)
    return change(
        state,
        message,
        rental,
        kind,
        Status.QUEUED,
        reason,
        amounts,
        attempt=None,
        billed_s=ended.billed_s,
        compute_paid=ended.compute_paid,
        slashed=ended.slashed,
        deadline=later(message.now, rental.queue_timeout_s),
    )


def _fruitless(message: Message, rental: Rental) -> tuple[FruitlessTurn, ...]:
    if rental.attempt is None or rental.status is not Status.ATTESTING:
        return rental.fruitless
    until = later(message.now, limits.FRUITLESS_PAUSE_S)
    return (*rental.fruitless, FruitlessTurn(rental.attempt.operator, until))


def close(
    state: State,
    message: Message,
    rental: Rental,
    kind: Kind,
    target: Status,
    reason: str | None,
    ending: Ending,
) -> Rental:
    """End the rental in the terminal status `target`: everyone is paid, the rest refunded, nothing is
    left.
    """
    ended, amounts = end_attempt(state, message, rental, ending)
    listing_fee = _pay_listing(state, message, ended, ending.fees_in_full)
    dataset_fees = _pay_datasets(state, message, ended, ending.fees_in_full)
    platform = (listing_fee + dataset_fees + ended.compute_paid).share(rental.terms.platform_basis_points)
    _move_escrow(state, message, rental, accounts.PLATFORM, platform, accounts.PLATFORM_SHARE)
    refund = accounts.balance(state, accounts.escrow_of(rental.id))
    _move_escrow(state, message, rental, accounts.available_of(rental.renter), refund, accounts.REFUND)
    charges = Charges(listing_fee, dataset_fees, ended.compute_paid, platform, refund, ended.slashed)
    amounts.update(listing_fee=listing_fee, dataset_fees=dataset_fees, platform=platform, refund=refund)
    return change(
        state,
        message,
        rental,
        kind,
        target,
        reason,
        amounts,
        attempt=_kept(rental.attempt),
        billed_s=ended.billed_s,
        compute_paid=ended.compute_paid,
        slashed=ended.slashed,
        charges=charges,
    )


def _pay_listing(state: State, message: Message, rental: Rental, in_full: bool) -> Tokens:
    fee = _fee_due(rental, f"listing/{rental.listing}", rental.terms.quote.listing_fee, in_full)
    for payee, part in pricing.split(fee, rental.terms.payees):
        _from_escrow(state, message, rental, payee, part, accounts.LISTING_FEE)
    return fee


def _pay_datasets(state: State, message: Message, rental: Rental, in_full: bool) -> Tokens:
    paid = []
    for line in rental.terms.dataset_fees:
        fee = _fee_due(rental, f"dataset/{line.dataset}", line.fee, in_full)
        _from_escrow(state, message, rental, line.owner, fee, accounts.DATASET_FEE)
        paid.append(fee)
    return total(paid)


def _fee_due(rental: Rental, key_input: str, fee: Tokens, in_full: bool) -> Tokens:
    """A fee is due only once its key was released: in full on success, else pro rata to the seconds paid."""
    if all(release.input != key_input for release in rental.releases):
        return ZERO
    return fee if in_full else pricing.earned(fee, rental.billed_s, rental.max_duration_s)


def _kept(attempt: Attempt | None) -> Attempt | None:
    """What a closed rental still shows of its last attempt: who and at what rate, no nonce."""
    return None if attempt is None else replace(attempt, nonce=None, nonce_expires_at=None)


def _forget_operator(state: State, rental: Rental) -> None:
    if rental.attempt is not None:
        queue.remove_party(state, rental.attempt.operator, rental)
        queue.remove_party(state, rental.attempt.worker, rental)


def _from_escrow(
    state: State, message: Message, rental: Rental, to: Principal, amount: Tokens, kind: str
) -> None:
    _move_escrow(state, message, rental, accounts.available_of(to), amount, kind)


def _move_escrow(state: State, message: Message, rental: Rental, to: str, amount: Tokens, kind: str) -> None:
    source = accounts.escrow_of(rental.id)
    accounts.move(state, message, Entry(source, to, amount, kind, rental.id, rental.renter))


def _from_bond(
    state: State, message: Message, rental: Rental, attempt: Attempt, to: str, amount: Tokens, kind: str
) -> None:
    source = accounts.bond_of(rental.id)
    viewers = (rental.renter,)
    accounts.move(state, message, Entry(source, to, amount, kind, rental.id, attempt.operator, viewers))
