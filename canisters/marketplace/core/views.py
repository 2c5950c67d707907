"""Records as callers see them: joined with balances and attestation, internals left out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from canisters.marketplace.core import accounts, model, pricing
from canisters.marketplace.core.jobs import Job
from canisters.marketplace.core.rentals import elapsed_s
from canisters.marketplace.core.state import State
from canisters.marketplace.core.storage import number_key
from canisters.marketplace.core.types import TERMINAL, Principal, Seconds, Status, Timestamp, Tokens


@dataclass(frozen=True)
class QuoteView:
    """The Candid `PriceQuote`."""

    listing_fee: Tokens
    dataset_fees: Tokens
    compute_max: Tokens
    platform_max: Tokens
    total_max: Tokens
    refund_rule: str


@dataclass(frozen=True)
class RentalView:
    """The Candid `Rental`. `attempts` counts failed ones; `seconds_used` is up to the time of the
    question.
    """

    id: int
    renter: Principal
    listing: str
    datasets: tuple[str, ...]
    hyperparameters: model.Hyperparameters
    policy: str
    status: Status
    reason: str | None
    offer: int | None
    operator: Principal | None
    worker: Principal | None
    session: Principal | None
    max_rate_per_second: Tokens
    rate_per_second: Tokens | None
    max_duration_s: Seconds
    max_price: Tokens
    escrow: Tokens
    bond: Tokens
    price: QuoteView
    charges: model.Charges | None
    attempts: int
    attestation: model.AttestationRecord | None
    checkpoint: model.Artifact | None
    result: model.Artifact | None
    metrics: str | None
    deadline: Timestamp | None
    created_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None
    seconds_used: int


@dataclass(frozen=True)
class JobView:
    """The Candid `Job`. `deadline` is the rental's: for evidence, then for the next heartbeat."""

    rental: int
    operator: Principal
    listing: model.Listing
    datasets: tuple[model.Dataset, ...]
    hyperparameters: model.Hyperparameters
    policy: str
    max_duration_s: Seconds
    checkpoint: model.Artifact | None
    deadline: Timestamp


def quote_view(quote: model.PriceQuote) -> QuoteView:
    return QuoteView(
        quote.listing_fee,
        quote.dataset_fees,
        quote.compute_max,
        quote.platform_max,
        quote.total_max,
        pricing.REFUND_RULE,
    )


def rental_view(state: State, rental: model.Rental, now: int) -> RentalView:
    attempt = rental.attempt
    ended = rental.status in TERMINAL
    return RentalView(
        id=rental.id,
        renter=rental.renter,
        listing=rental.listing,
        datasets=rental.datasets,
        hyperparameters=rental.hyperparameters,
        policy=rental.policy,
        status=rental.status,
        reason=rental.reason,
        offer=attempt.offer if attempt else None,
        operator=attempt.operator if attempt else None,
        worker=attempt.worker if attempt else None,
        session=attempt.session if attempt else None,
        max_rate_per_second=rental.max_rate_per_second,
        rate_per_second=attempt.rate_per_second if attempt else None,
        max_duration_s=rental.max_duration_s,
        max_price=rental.max_price,
        escrow=accounts.balance(state, accounts.escrow_of(rental.id)),
        bond=accounts.balance(state, accounts.bond_of(rental.id)),
        price=quote_view(rental.terms.quote),
        charges=rental.charges,
        attempts=rental.failed_attempts,
        attestation=state.attestations.get(number_key(rental.id)),
        checkpoint=rental.checkpoint,
        result=rental.result,
        metrics=rental.metrics,
        deadline=rental.deadline,
        created_at=rental.created_at,
        started_at=rental.started_at,
        finished_at=rental.finished_at,
        seconds_used=rental.billed_s + (0 if ended else elapsed_s(rental, now)),
    )


def listed_view(state: State, rental: model.Rental, now: int) -> RentalView:
    """The same for a page of rentals: without the rows of the attestation, which of large machines would make
    a page longer than an answer may be.
    """
    view = rental_view(state, rental, now)
    if view.attestation is None:
        return view
    return replace(view, attestation=replace(view.attestation, claims=()))


def job_view(job: Job) -> JobView:
    rental = job.rental
    if rental.deadline is None:
        raise RuntimeError(f"rental {rental.id} is claimed and has no deadline")
    return JobView(
        rental=rental.id,
        operator=job.attempt.operator,
        listing=job.listing,
        datasets=job.datasets,
        hyperparameters=rental.hyperparameters,
        policy=rental.policy,
        max_duration_s=Seconds(rental.max_duration_s - rental.billed_s),
        checkpoint=rental.checkpoint,
        deadline=rental.deadline,
    )
