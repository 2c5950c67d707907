"""The renter's side of a rental: quote, create, cancel, accept, dispute; and the arbiter's ruling."""

from __future__ import annotations

from canisters.marketplace.core import accounts, limits, policies, pricing, queue, requests, validate
from canisters.marketplace.core.accounts import Entry
from canisters.marketplace.core.catalog import visible_dataset
from canisters.marketplace.core.errors import NotAuthorized, PriceAboveMaximum
from canisters.marketplace.core.events import append
from canisters.marketplace.core.lifecycle import change
from canisters.marketplace.core.model import (
    Dataset,
    DatasetFee,
    Listing,
    PriceQuote,
    Rental,
    RentalArgs,
    Terms,
)
from canisters.marketplace.core.settlement import Ending, close
from canisters.marketplace.core.state import State
from canisters.marketplace.core.storage import number_key
from canisters.marketplace.core.transitions import Kind, parts_of, permit
from canisters.marketplace.core.types import Message, Status, later, total


def quote(state: State, message: Message, args: RentalArgs) -> PriceQuote:
    """What a rental with these arguments would cost at most. Raises what `create` would, but for money."""
    _check_arguments(args)
    return _terms(state, message, args).quote


def create(state: State, message: Message, args: RentalArgs) -> Rental:
    """Create a rental and lock its maximum price in escrow. Idempotent by `request_id`.

    Raises `InvalidArgument`, `NotFound`, `PriceAboveMaximum` or `InsufficientBalance`.
    """
    validate.signed_in(message)
    _check_arguments(args)
    before = requests.made_before(state, message, "rental", args.request_id, args)
    if before is not None:
        return state.rental(before)
    validate.not_paused(state)
    terms = _terms(state, message, args)
    price = terms.quote.total_max
    if price > args.max_price:
        raise PriceAboveMaximum(price.base_units, args.max_price.base_units)
    accounts.require_available(state, message.caller, price)
    rental = Rental(
        id=state.next_number("rentals"),
        renter=message.caller,
        listing=args.listing,
        datasets=args.datasets,
        hyperparameters=args.hyperparameters,
        policy=args.policy,
        max_rate_per_second=args.max_rate_per_second,
        max_duration_s=args.max_duration_s,
        max_price=args.max_price,
        queue_timeout_s=args.queue_timeout_s,
        terms=terms,
        created_at=message.now,
        deadline=later(message.now, args.queue_timeout_s),
    )
    source, target = accounts.available_of(rental.renter), accounts.escrow_of(rental.id)
    accounts.move(state, message, Entry(source, target, price, accounts.ESCROW, rental.id, rental.renter))
    rental = append(state, message, rental, Kind.CREATE, "", None, {"escrow": price})
    queue.index(state, None, rental)
    queue.add_party(state, rental.renter, rental)
    requests.remember(state, message, "rental", args.request_id, args, rental.id)
    state.rentals.put(number_key(rental.id), rental)
    return rental


def cancel(state: State, message: Message, rental_id: int) -> Rental:
    """End a queued or running rental: seconds used are paid, fees pro rata, the rest refunded."""
    rental = state.rental(rental_id)
    permit(rental, Kind.CANCEL, parts_of(state, rental, message), message.now)
    ending = Ending(paid_s=elapsed_s(rental, message.now))
    return close(state, message, rental, Kind.CANCEL, Status.CANCELLED, "cancelled by the renter", ending)


def accept(state: State, message: Message, rental_id: int) -> Rental:
    """Accept the result: everyone is paid."""
    rental = state.rental(rental_id)
    permit(rental, Kind.ACCEPT, parts_of(state, rental, message), message.now)
    return succeed(state, message, rental, Kind.ACCEPT, None)


def dispute(state: State, message: Message, rental_id: int, reason: str) -> Rental:
    """Refuse the result within the review window; the arbiter rules."""
    validate.text("reason", reason, limits.MAX_REASON_CHARACTERS)
    rental = state.rental(rental_id)
    permit(rental, Kind.DISPUTE, parts_of(state, rental, message), message.now)
    deadline = later(message.now, limits.RULING_WINDOW_S)
    return change(state, message, rental, Kind.DISPUTE, Status.DISPUTED, reason, deadline=deadline)


def rule(state: State, message: Message, rental_id: int, succeeded: bool, reason: str) -> Rental:
    """Decide a dispute: succeeded pays as if accepted; failed refunds this attempt and takes the bond."""
    validate.text("reason", reason, limits.MAX_REASON_CHARACTERS)
    rental = state.rental(rental_id)
    permit(rental, Kind.RULING, parts_of(state, rental, message), message.now)
    if succeeded:
        return succeed(state, message, rental, Kind.RULING, reason)
    ending = Ending(slash=limits.SLASH_RULING_BASIS_POINTS)
    return close(state, message, rental, Kind.RULING, Status.FAILED, reason, ending)


def succeed(state: State, message: Message, rental: Rental, kind: Kind, reason: str | None) -> Rental:
    """Close as succeeded: the seconds of the result are paid, fees in full."""
    used = 0 if rental.attempt is None else rental.attempt.used_s
    return close(
        state, message, rental, kind, Status.SUCCEEDED, reason, Ending(paid_s=used, fees_in_full=True)
    )


def elapsed_s(rental: Rental, now: int) -> int:
    """Seconds the current attempt has used by `now`: counted from accepted evidence, fixed once a result is
    in.
    """
    attempt = rental.attempt
    if attempt is None or attempt.started_at is None:
        return 0
    if rental.status is not Status.RUNNING:
        return attempt.used_s
    return pricing.seconds_used(attempt.started_at, now, rental.max_duration_s - rental.billed_s)


def visible(state: State, message: Message, rental_id: int) -> Rental:
    """The rental if the caller has a part in it (renter, operator, worker, session, arbiter, governor)."""
    rental = state.rental(rental_id)
    parties = [rental.renter, state.config.arbiter, *state.config.governors]
    if rental.attempt is not None:
        attempt = rental.attempt
        parties += [attempt.operator, attempt.worker, *([attempt.session] if attempt.session else [])]
    if message.caller not in parties:
        raise NotAuthorized(f"a party of rental {rental_id}: its renter, operator, worker or session")
    return rental


def _terms(state: State, message: Message, args: RentalArgs) -> Terms:
    policies.require_offered(state, args.policy)
    listing = _rentable_listing(state, args)
    datasets = tuple(_rentable_dataset(state, message, dataset) for dataset in args.datasets)
    fees = tuple(DatasetFee(dataset.id, dataset.owner, dataset.fee) for dataset in datasets)
    platform = state.config.platform_basis_points
    price = pricing.quote(
        listing.fee, total(fee.fee for fee in fees), args.max_rate_per_second, args.max_duration_s, platform
    )
    return Terms(price, listing.publisher, listing.payees, fees, platform, state.config.review_window_s)


def _check_arguments(args: RentalArgs) -> None:
    validate.count("datasets", args.datasets, 1, limits.MAX_DATASETS)
    validate.distinct("datasets", args.datasets)
    validate.hyperparameters(args.hyperparameters)
    validate.text("policy", args.policy, limits.MAX_POLICY_NAME_CHARACTERS)
    validate.amount("max_rate_per_second", args.max_rate_per_second)
    validate.amount("max_price", args.max_price)
    validate.number("max_duration_s", args.max_duration_s, (1, limits.MAX_DURATION_S))
    validate.number("queue_timeout_s", args.queue_timeout_s, (1, limits.MAX_QUEUE_TIMEOUT_S))


def _rentable_listing(state: State, args: RentalArgs) -> Listing:
    listing = state.listing(args.listing)
    if not listing.active:
        raise validate.refuse("listing", listing.id, "is retired; choose an active listing")
    task = args.hyperparameters.task
    if task not in listing.tasks:
        problem = f"is not a task of listing {listing.id}, which has: {', '.join(listing.tasks)}"
        raise validate.refuse("hyperparameters.task", task, problem)
    return listing


def _rentable_dataset(state: State, message: Message, dataset_id: str) -> Dataset:
    dataset = visible_dataset(state, message, dataset_id)
    if not dataset.active:
        raise validate.refuse("datasets", dataset_id, "is retired; choose an active dataset")
    return dataset
