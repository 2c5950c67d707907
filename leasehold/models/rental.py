"""Rentals, their events, progress and prices."""

from typing import Literal

from pydantic import Field

from leasehold.agent.principal import Principal
from leasehold.models.attestation import AttestationRecord
from leasehold.models.base import Bytes, Model, Seconds, SignedTokens, Timestamp, Tokens
from leasehold.models.hyperparameters import Hyperparameters
from leasehold.models.items import Artifact, Dataset, Listing

Status = Literal[
    "queued",
    "attesting",
    "running",
    "settling",
    "disputed",
    "succeeded",
    "cancelled",
    "expired",
    "failed",
]
TERMINAL_STATUSES = frozenset({"succeeded", "cancelled", "expired", "failed"})


class PriceQuote(Model):
    """The most a rental can cost, and how the rest comes back."""

    listing_fee: Tokens
    dataset_fees: Tokens
    compute_max: Tokens
    platform_max: Tokens
    total_max: Tokens
    refund_rule: str


class Charges(Model):
    """What a finished rental cost. `slashed` comes out of the operator's bond, not of the escrow."""

    listing_fee: Tokens
    dataset_fees: Tokens
    compute: Tokens
    platform: Tokens
    refund: Tokens
    slashed: Tokens


class Progress(Model):
    """A point of the loss curve."""

    step: int = Field(ge=0, lt=1 << 32)
    total_steps: int = Field(ge=0, lt=1 << 32)
    epoch: float
    loss: float
    eval_loss: float | None = None
    eval_accuracy: float | None = None


class ProgressPoint(Model):
    """A point of the loss curve and when it was posted."""

    at: Timestamp
    progress: Progress


class RentalArgs(Model):
    """What a renter asks for."""

    request_id: Bytes
    listing: str
    datasets: list[str]
    hyperparameters: Hyperparameters
    policy: str
    max_rate_per_second: Tokens
    max_duration_s: Seconds
    max_price: Tokens
    queue_timeout_s: Seconds


class Rental(Model):
    """A rental as the marketplace knows it."""

    id: int
    renter: Principal
    listing: str
    datasets: list[str]
    hyperparameters: Hyperparameters
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
    price: PriceQuote
    charges: Charges | None
    attempts: int
    attestation: AttestationRecord | None
    checkpoint: Artifact | None
    result: Artifact | None
    metrics: str | None
    deadline: Timestamp | None
    created_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None
    seconds_used: Seconds

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status in TERMINAL_STATUSES


class Event(Model):
    """An entry of a rental's log: what happened, who did it, and what moved."""

    index: int
    at: Timestamp
    kind: str
    from_status: str = Field(alias="from")
    to_status: str = Field(alias="to")
    actor: Principal
    reason: str | None
    amounts: list[tuple[str, SignedTokens]]


class Job(Model):
    """What a worker is told about the rental it claimed."""

    rental: int
    operator: Principal
    listing: Listing
    datasets: list[Dataset]
    hyperparameters: Hyperparameters
    policy: str
    max_duration_s: Seconds
    checkpoint: Artifact | None
    deadline: Timestamp
