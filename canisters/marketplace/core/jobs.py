"""The operator's side of a rental: find a job, claim it, report, checkpoint, deliver, hand back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from canisters.marketplace.core import accounts, limits, policies, queue, validate
from canisters.marketplace.core.accounts import Entry
from canisters.marketplace.core.errors import NotAuthorized
from canisters.marketplace.core.lifecycle import change
from canisters.marketplace.core.model import (
    Artifact,
    Attempt,
    Dataset,
    Listing,
    Offer,
    Progress,
    ProgressPoint,
    Rental,
)
from canisters.marketplace.core.rentals import elapsed_s
from canisters.marketplace.core.settlement import Ending, requeue
from canisters.marketplace.core.state import State
from canisters.marketplace.core.storage import number_key
from canisters.marketplace.core.transitions import Kind, Who, parts_of, permit
from canisters.marketplace.core.types import Message, Status, Timestamp, later


@dataclass(frozen=True)
class Job:
    """What a worker needs to know of the rental it claimed."""

    rental: Rental
    attempt: Attempt
    listing: Listing
    datasets: tuple[Dataset, ...]


def next_job(state: State, offer_id: int, now: Timestamp) -> int | None:
    """The oldest queued rental that the offer could serve, or None."""
    offer = state.offers.get(number_key(offer_id))
    if offer is None or not offer.active or state.config.paused:
        return None
    usable = tuple(name for name in offer.policies if not policies.is_revoked(state, name))
    return queue.oldest_suitable(state, offer, usable, now)


def claim(state: State, message: Message, offer_id: int, rental_id: int) -> Job:
    """Take a queued rental: the operator's bond is locked and evidence is awaited.

    A worker that repeats its own claim, such as after a restart, gets the same job again. Raises
    `InsufficientBalance` for the bond and `InvalidArgument` when the offer does not suit the rental.
    """
    offer = state.offer(offer_id)
    rental = state.rental(rental_id)
    if message.caller != offer.worker:
        raise NotAuthorized(f"the worker of offer {offer_id}")
    if _is_own_claim(rental, offer):
        return _job(state, rental)
    validate.not_paused(state)
    permit(rental, Kind.CLAIM, {Who.OFFER_WORKER}, message.now)
    _check_suits(state, offer, rental)
    if queue.is_paused(rental, offer.operator, message.now):
        times = f"{limits.MAX_FRUITLESS_TURNS} times within {limits.FRUITLESS_PAUSE_S} s"
        problem = f"its operator had rental {rental.id} {times} without accepted evidence; wait"
        raise validate.refuse("offer", offer.id, problem)
    # Of what the rental may cost, not of the offer's rate: offers for nothing would hold jobs for nothing.
    bond = rental.terms.quote.compute_max.share(offer.bond_basis_points)
    accounts.require_available(state, offer.operator, bond)
    source, target = accounts.available_of(offer.operator), accounts.bond_of(rental.id)
    accounts.move(
        state,
        message,
        Entry(source, target, bond, accounts.BOND, rental.id, offer.operator, (rental.renter,)),
    )
    attempt = Attempt(rental.claims, offer.id, offer.operator, offer.worker, offer.rate_per_second)
    claimed = change(
        state,
        message,
        rental,
        Kind.CLAIM,
        Status.ATTESTING,
        amounts={"bond": bond},
        attempt=attempt,
        claims=rental.claims + 1,
        deadline=later(message.now, limits.ATTESTATION_TIMEOUT_S),
    )
    queue.add_party(state, offer.operator, claimed)
    queue.add_party(state, offer.worker, claimed)
    return _job(state, claimed)


def post_progress(state: State, message: Message, rental_id: int, points: tuple[Progress, ...]) -> Rental:
    """Append progress points; also the heartbeat, for which an empty list is enough."""
    validate.count("progress", points, 0, limits.MAX_PROGRESS_BATCH)
    for at, point in enumerate(points):
        _check_progress(f"progress[{at}]", point)
    rental = state.rental(rental_id)
    permit(rental, Kind.PROGRESS, parts_of(state, rental, message), message.now)
    first = rental.progress_points
    if first + len(points) > limits.MAX_PROGRESS_POINTS:
        problem = f"the rental has its {limits.MAX_PROGRESS_POINTS} points; send an empty list as heartbeat"
        raise validate.refuse("progress", f"{len(points)} more", problem)
    for at, point in enumerate(points):
        key = number_key(rental.id) + number_key(first + at)
        state.progress.put(key, ProgressPoint(message.now, point))
    deadline = _heartbeat_deadline(rental, message.now)
    return change(
        state,
        message,
        rental,
        Kind.PROGRESS,
        Status.RUNNING,
        progress_points=first + len(points),
        deadline=deadline,
    )


def progress_page(state: State, rental_id: int, first: int, limit: int) -> list[ProgressPoint]:
    """Progress points of a rental from index `first` on, at most `limit` (1 to 100)."""
    prefix = number_key(rental_id)
    rows = state.progress.range(
        prefix + number_key(first), prefix + b"\xff" * 9, max(1, min(limit, limits.MAX_PAGE))
    )
    return [point for _, point in rows]


def submit_checkpoint(state: State, message: Message, rental_id: int, artifact: Artifact) -> Rental:
    """Accept a checkpoint: the seconds up to now are the operator's, whatever happens next."""
    validate.artifact("checkpoint", artifact)
    rental = state.rental(rental_id)
    permit(rental, Kind.CHECKPOINT, parts_of(state, rental, message), message.now)
    if rental.checkpoint == artifact:
        return rental
    if rental.checkpoints >= limits.MAX_CHECKPOINTS:
        problem = f"the rental has its {limits.MAX_CHECKPOINTS} checkpoints; make them less often"
        raise validate.refuse("checkpoint", artifact.location, problem)
    attempt = _attempt(rental)
    seconds = elapsed_s(rental, message.now)
    return change(
        state,
        message,
        rental,
        Kind.CHECKPOINT,
        Status.RUNNING,
        amounts={"earned": attempt.rate_per_second.times(seconds)},
        checkpoint=artifact,
        checkpoints=rental.checkpoints + 1,
        attempt=replace(attempt, checkpoint_s=seconds),
        deadline=_heartbeat_deadline(rental, message.now),
    )


def submit_result(state: State, message: Message, rental_id: int, artifact: Artifact, metrics: str) -> Rental:
    """Deliver the sealed adapter: the meter stops and the renter's review begins.

    The same session sending the same result again gets the same answer.
    """
    validate.artifact("artifact", artifact)
    validate.metrics("metrics", metrics)
    rental = state.rental(rental_id)
    parts = parts_of(state, rental, message)
    if rental.status is Status.SETTLING and Who.SESSION in parts and rental.result == artifact:
        return rental
    permit(rental, Kind.RESULT, parts, message.now)
    attempt = replace(_attempt(rental), used_s=elapsed_s(rental, message.now))
    return change(
        state,
        message,
        rental,
        Kind.RESULT,
        Status.SETTLING,
        amounts={"earned": attempt.rate_per_second.times(attempt.used_s)},
        result=artifact,
        metrics=metrics,
        attempt=attempt,
        deadline=later(message.now, rental.terms.review_window_s),
    )


def hand_back(state: State, message: Message, rental_id: int, reason: str) -> Rental:
    """Give a claimed or running rental back to the queue without slash, paid up to the last checkpoint."""
    validate.text("reason", reason, limits.MAX_REASON_CHARACTERS)
    rental = state.rental(rental_id)
    permit(rental, Kind.HAND_BACK, parts_of(state, rental, message), message.now)
    ending = Ending(paid_s=_attempt(rental).checkpoint_s)
    return requeue(state, message, rental, Kind.HAND_BACK, reason, ending, failed=False)


def _heartbeat_deadline(rental: Rental, now: Timestamp) -> Timestamp:
    ends_at = _attempt(rental).ends_at
    silence = later(now, limits.HEARTBEAT_WINDOW_S)
    return silence if ends_at is None else min(silence, ends_at)


def _check_progress(field: str, point: Progress) -> None:
    validate.number(f"{field}.step", point.step, (0, max(0, point.total_steps)))
    for name in ("epoch", "loss", "eval_loss", "eval_accuracy"):
        value = getattr(point, name)
        if value is not None:
            validate.number(f"{field}.{name}", value, (-1e12, 1e12))


def _check_suits(state: State, offer: Offer, rental: Rental) -> None:
    if not queue.suits(offer, rental):
        problem = (
            "does not suit the rental: inactive, too dear, too short, or without its policy; ask next_job"
        )
        raise validate.refuse("offer", offer.id, problem)
    policies.known(state, rental.policy)


def _is_own_claim(rental: Rental, offer: Offer) -> bool:
    attempt = rental.attempt
    held = rental.status in (Status.ATTESTING, Status.RUNNING)
    return held and attempt is not None and attempt.offer == offer.id


def _attempt(rental: Rental) -> Attempt:
    if rental.attempt is None:
        raise RuntimeError(f"rental {rental.id} is {rental.status.value} and has no attempt")
    return rental.attempt


def _job(state: State, rental: Rental) -> Job:
    datasets = tuple(state.dataset(dataset) for dataset in rental.datasets)
    return Job(rental, _attempt(rental), state.listing(rental.listing), datasets)
