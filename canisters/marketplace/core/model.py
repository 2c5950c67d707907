"""The records the marketplace keeps, and the arguments it is given.

All are frozen: a change is a new record (`dataclasses.replace`) that is put back into its table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from canisters.marketplace.core.errors import ClaimRow
from canisters.marketplace.core.types import ZERO, BasisPoints, Principal, Seconds, Status, Timestamp, Tokens


@dataclass(frozen=True)
class Config:
    """What the canister was installed with, and what its governors changed since."""

    self_id: Principal
    ledger: Principal
    vault: Principal
    governors: tuple[Principal, ...]
    arbiter: Principal
    treasury: Principal
    platform_basis_points: BasisPoints
    vetkd_key_name: str
    allow_simulated: bool
    review_window_s: Seconds
    installed_at: Timestamp
    paused: bool
    ledger_fee: Tokens | None
    vetkd_public_key: bytes | None


# --- Catalog ---


@dataclass(frozen=True)
class Artifact:
    """A sealed file: where it is, its size in bytes, its hash, and its age identity under IBE."""

    location: str
    size: int
    sha256: bytes
    sealed_identity: bytes


@dataclass(frozen=True)
class Payee:
    account: Principal
    basis_points: BasisPoints


@dataclass(frozen=True)
class ListingArgs:
    id: str
    salt: bytes
    title: str
    description: str
    base_model: str
    tasks: tuple[str, ...]
    fee: Tokens
    payees: tuple[Payee, ...]
    artifact: Artifact


@dataclass(frozen=True)
class Listing:
    id: str
    publisher: Principal
    title: str
    description: str
    base_model: str
    tasks: tuple[str, ...]
    fee: Tokens
    payees: tuple[Payee, ...]
    artifact: Artifact
    active: bool
    created_at: Timestamp


@dataclass(frozen=True)
class DatasetArgs:
    id: str
    salt: bytes
    title: str
    rows: int
    fee: Tokens
    public: bool
    artifact: Artifact


@dataclass(frozen=True)
class Dataset:
    id: str
    owner: Principal
    title: str
    rows: int
    fee: Tokens
    public: bool
    artifact: Artifact
    active: bool
    created_at: Timestamp


@dataclass(frozen=True)
class OfferArgs:
    request_id: bytes
    title: str
    rate_per_second: Tokens
    max_duration_s: Seconds
    bond_basis_points: BasisPoints
    policies: tuple[str, ...]
    hardware: str
    worker: Principal


@dataclass(frozen=True)
class Offer:
    id: int
    operator: Principal
    worker: Principal
    title: str
    rate_per_second: Tokens
    max_duration_s: Seconds
    bond_basis_points: BasisPoints
    policies: tuple[str, ...]
    hardware: str
    active: bool
    created_at: Timestamp


@dataclass(frozen=True)
class Request:
    """What an idempotent creation made: the record's id and the hash of the arguments it was made from."""

    id: int
    arguments_sha256: bytes


# --- Rentals ---


@dataclass(frozen=True)
class Hyperparameters:
    task: str
    epochs: int
    learning_rate: float
    batch_size: int
    max_length: int
    lora_rank: int
    lora_alpha: int
    lora_dropout: float
    seed: int


@dataclass(frozen=True)
class RentalArgs:
    request_id: bytes
    listing: str
    datasets: tuple[str, ...]
    hyperparameters: Hyperparameters
    policy: str
    max_rate_per_second: Tokens
    max_duration_s: Seconds
    max_price: Tokens
    queue_timeout_s: Seconds


@dataclass(frozen=True)
class PriceQuote:
    listing_fee: Tokens
    dataset_fees: Tokens
    compute_max: Tokens
    platform_max: Tokens
    total_max: Tokens


@dataclass(frozen=True)
class DatasetFee:
    dataset: str
    owner: Principal
    fee: Tokens


@dataclass(frozen=True)
class Terms:
    """Price, payees and rules as they were when the rental was created; later changes do not touch it."""

    quote: PriceQuote
    publisher: Principal
    payees: tuple[Payee, ...]
    dataset_fees: tuple[DatasetFee, ...]
    platform_basis_points: BasisPoints
    review_window_s: Seconds


@dataclass(frozen=True)
class Charges:
    """What a finished rental cost; everything but `slashed` came out of the escrow."""

    listing_fee: Tokens
    dataset_fees: Tokens
    compute: Tokens
    platform: Tokens
    refund: Tokens
    slashed: Tokens


@dataclass(frozen=True)
class Release:
    """How often the key of `input` went to the session of attempt number `attempt`, the last that got it."""

    input: str
    attempt: int
    count: int


class FruitlessTurn(NamedTuple):
    """A turn of `operator` that ended before evidence was accepted; it counts until `until`."""

    operator: Principal
    until: Timestamp


@dataclass(frozen=True)
class Attempt:
    """One operator's turn at a rental, from claim to hand-over or end."""

    number: int
    offer: int
    operator: Principal
    worker: Principal
    rate_per_second: Tokens
    nonce: bytes | None = None
    nonce_expires_at: Timestamp | None = None
    session: Principal | None = None
    transport_public_key: bytes | None = None
    started_at: Timestamp | None = None
    ends_at: Timestamp | None = None
    checkpoint_s: int = 0
    used_s: int = 0


@dataclass(frozen=True)
class Rental:
    """One rental. `deadline` is when anyone may move it on; `billed_s` and `compute_paid` are of ended
    attempts.
    """

    id: int
    renter: Principal
    listing: str
    datasets: tuple[str, ...]
    hyperparameters: Hyperparameters
    policy: str
    max_rate_per_second: Tokens
    max_duration_s: Seconds
    max_price: Tokens
    queue_timeout_s: Seconds
    terms: Terms
    created_at: Timestamp
    status: Status = Status.QUEUED
    reason: str | None = None
    deadline: Timestamp | None = None
    attempt: Attempt | None = None
    claims: int = 0
    failed_attempts: int = 0
    hand_backs: int = 0
    fruitless: tuple[FruitlessTurn, ...] = ()
    billed_s: int = 0
    compute_paid: Tokens = ZERO
    slashed: Tokens = ZERO
    releases: tuple[Release, ...] = ()
    checkpoint: Artifact | None = None
    checkpoints: int = 0
    progress_points: int = 0
    result: Artifact | None = None
    metrics: str | None = None
    charges: Charges | None = None
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    events: int = 0
    event_head: bytes = bytes(32)


@dataclass(frozen=True)
class Progress:
    step: int
    total_steps: int
    epoch: float
    loss: float
    eval_loss: float | None
    eval_accuracy: float | None


@dataclass(frozen=True)
class ProgressPoint:
    at: Timestamp
    progress: Progress


@dataclass(frozen=True)
class AttestationRecord:
    """Evidence that was accepted for a rental's latest attested attempt."""

    policy: str
    simulated: bool
    cpu_kind: str
    measurement: str
    chip_id: str
    gpus: tuple[str, ...]
    switches: tuple[str, ...]
    session: Principal
    bundle_sha256: bytes
    verified_at: Timestamp
    expires_at: Timestamp
    claims: tuple[ClaimRow, ...]


@dataclass(frozen=True)
class AmountLine:
    name: str
    amount: int


@dataclass(frozen=True)
class Event:
    """One entry of a rental's log; `head` chains it to all before it (see `events`)."""

    index: int
    at: Timestamp
    kind: str
    source: str
    target: str
    actor: Principal
    reason: str | None
    amounts: tuple[AmountLine, ...]


# --- Money ---


@dataclass(frozen=True)
class Movement:
    """One double entry: `amount` left `source` and reached `target`."""

    index: int
    at: Timestamp
    source: str
    target: str
    amount: Tokens
    rental: int | None
    kind: str


@dataclass(frozen=True)
class Transfer:
    """One journalled call to the token ledger.

    `kind` is ``deposit`` or ``withdraw``; `state` is ``pending``, ``done``, ``refused`` (nothing moved) or
    ``unresolved`` (the ledger can no longer tell; nothing is paid twice).
    """

    index: int
    kind: str
    owner: Principal
    amount: Tokens
    fee: Tokens
    created_at_time: Timestamp
    state: str
    sent: int
    sent_at: Timestamp
    block: int | None = None
    problem_kind: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class KeyQuota:
    """How many keys a principal got outside rentals on `day` (days since 1970)."""

    day: int
    count: int
