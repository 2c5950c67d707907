"""The Candid types of marketplace.did, as Kybra annotations."""

from kybra import (
    Opt,
    Principal,
    Record,
    Tuple,
    Variant,
    Vec,
    blob,
    float64,
    nat,
    nat16,
    nat32,
    nat64,
    null,
    text,
)


class InitialGovernance(Record):
    proposers: Vec[Principal]
    approvers: Vec[Principal]
    threshold: nat32
    delay_s: nat64


class InitArgs(Record):
    ledger: Opt[Principal]
    vault: Opt[Principal]
    governors: Opt[Vec[Principal]]
    arbiter: Opt[Principal]
    treasury: Opt[Principal]
    platform_basis_points: Opt[nat16]
    vetkd_key_name: Opt[text]
    allow_simulated: Opt[bool]
    review_window_s: Opt[nat64]
    governance: Opt[InitialGovernance]


class Artifact(Record):
    location: text
    size: nat64
    sha256: blob
    sealed_identity: blob


class Payee(Record):
    account: Principal
    basis_points: nat16


class ListingArgs(Record):
    id: text
    salt: blob
    title: text
    description: text
    base_model: text
    tasks: Vec[text]
    fee: nat
    payees: Vec[Payee]
    artifact: Artifact


class Listing(Record):
    id: text
    publisher: Principal
    title: text
    description: text
    base_model: text
    tasks: Vec[text]
    fee: nat
    payees: Vec[Payee]
    artifact: Artifact
    active: bool
    created_at: nat64


class DatasetArgs(Record):
    id: text
    salt: blob
    title: text
    rows: nat64
    fee: nat
    public: bool
    artifact: Artifact


class Dataset(Record):
    id: text
    owner: Principal
    title: text
    rows: nat64
    fee: nat
    public: bool
    artifact: Artifact
    active: bool
    created_at: nat64


class OfferArgs(Record):
    request_id: blob
    title: text
    rate_per_second: nat
    max_duration_s: nat64
    bond_basis_points: nat16
    policies: Vec[text]
    hardware: text
    worker: Principal


class Offer(Record):
    id: nat64
    operator: Principal
    worker: Principal
    title: text
    rate_per_second: nat
    max_duration_s: nat64
    bond_basis_points: nat16
    policies: Vec[text]
    hardware: text
    active: bool
    created_at: nat64


class Hyperparameters(Record):
    task: text
    epochs: nat32
    learning_rate: float64
    batch_size: nat32
    max_length: nat32
    lora_rank: nat32
    lora_alpha: nat32
    lora_dropout: float64
    seed: nat64


class RentalArgs(Record):
    request_id: blob
    listing: text
    datasets: Vec[text]
    hyperparameters: Hyperparameters
    policy: text
    max_rate_per_second: nat
    max_duration_s: nat64
    max_price: nat
    queue_timeout_s: nat64


class PriceQuote(Record):
    listing_fee: nat
    dataset_fees: nat
    compute_max: nat
    platform_max: nat
    total_max: nat
    refund_rule: text


class Charges(Record):
    listing_fee: nat
    dataset_fees: nat
    compute: nat
    platform: nat
    refund: nat
    slashed: nat


class Progress(Record):
    step: nat32
    total_steps: nat32
    epoch: float64
    loss: float64
    eval_loss: Opt[float64]
    eval_accuracy: Opt[float64]


class ProgressPoint(Record):
    at: nat64
    progress: Progress


class Claim(Record):
    name: text
    verdict: text
    expected: text
    found: text


class AttestationRecord(Record):
    policy: text
    simulated: bool
    cpu_kind: text
    measurement: text
    chip_id: text
    gpus: Vec[text]
    switches: Vec[text]
    session: Principal
    bundle_sha256: blob
    verified_at: nat64
    expires_at: nat64
    claims: Vec[Claim]


class Rental(Record):
    id: nat64
    renter: Principal
    listing: text
    datasets: Vec[text]
    hyperparameters: Hyperparameters
    policy: text
    status: text
    reason: Opt[text]
    offer: Opt[nat64]
    operator: Opt[Principal]
    worker: Opt[Principal]
    session: Opt[Principal]
    max_rate_per_second: nat
    rate_per_second: Opt[nat]
    max_duration_s: nat64
    max_price: nat
    escrow: nat
    bond: nat
    price: PriceQuote
    charges: Opt[Charges]
    attempts: nat32
    attestation: Opt[AttestationRecord]
    checkpoint: Opt[Artifact]
    result: Opt[Artifact]
    metrics: Opt[text]
    deadline: Opt[nat64]
    created_at: nat64
    started_at: Opt[nat64]
    finished_at: Opt[nat64]
    seconds_used: nat64


class Event(Record):
    index: nat64
    at: nat64
    kind: text
    from_: text
    to: text
    actor: Principal
    reason: Opt[text]
    amounts: Vec[Tuple[text, int]]


class Job(Record):
    rental: nat64
    operator: Principal
    listing: Listing
    datasets: Vec[Dataset]
    hyperparameters: Hyperparameters
    policy: text
    max_duration_s: nat64
    checkpoint: Opt[Artifact]
    deadline: nat64


class Challenge(Record):
    nonce: blob
    expires_at: nat64


class Item(Variant, total=False):
    Listing: text
    Dataset: text
    Checkpoint: nat64
    Result: nat64


class ReleasedKey(Record):
    encrypted_key: blob
    input: blob
    context: blob


class SealingKey(Record):
    public_key: blob
    context: blob
    key_name: text


class Balances(Record):
    available: nat
    escrowed: nat
    bonded: nat


class Movement(Record):
    index: nat64
    at: nat64
    from_: text
    to: text
    amount: nat
    rental: Opt[nat64]
    kind: text


class PolicyInfo(Record):
    name: text
    json: text
    simulated: bool
    state: text
    adopted_at: nat64


class EvidenceUpload(Record):
    received: nat32
    count: nat32


class VerificationProgress(Record):
    done: nat32
    total: nat32


class AttestationStep(Variant, total=False):
    Accepted: AttestationRecord
    Unfinished: VerificationProgress


class CollateralKey(Record):
    kind: text
    subject: text


class CollateralInfo(Record):
    kind: text
    subject: text
    sha256: blob
    size: nat64
    valid_from: nat64
    valid_until: nat64
    posted_at: nat64


class CollateralOutcome(Record):
    piece: text
    kind: text
    subject: text
    sha256: blob
    outcome: text


class CollateralPiece(Record):
    info: CollateralInfo
    content: blob


class Governance(Record):
    governors: Vec[Principal]
    proposers: Vec[Principal]
    approvers: Vec[Principal]
    threshold: nat32
    delay_s: nat64


class TransferResolution(Record):
    transfer: nat64
    block: Opt[nat64]


class Change(Variant, total=False):
    AdoptPolicy: text
    RetirePolicy: text
    AllowDevice: text
    AllowManifest: text
    SetGovernance: Governance
    ResolveTransfer: TransferResolution


class Proposal(Record):
    id: nat64
    change: Change
    reason: text
    proposer: Principal
    approvals: Vec[Principal]
    state: text
    delay_s: nat64
    created_at: nat64
    approved_at: Opt[nat64]
    executable_at: Opt[nat64]
    expires_at: nat64
    finished_at: Opt[nat64]
    outcome: Opt[text]


class GovernanceEvent(Record):
    index: nat64
    at: nat64
    kind: text
    actor: Principal
    proposal: Opt[nat64]
    subject: text


class UnresolvedTransfer(Record):
    index: nat64
    kind: text
    owner: Principal
    amount: nat
    fee: nat
    created_at_time: nat64
    memo: blob
    sent_at: nat64


class Status(Record):
    ledger: Principal
    vault: Principal
    treasury: Principal
    platform_basis_points: nat16
    simulated: bool
    rentals: nat64
    held: nat
    paused: bool


class ResultArgs(Record):
    rental: nat64
    artifact: Artifact
    metrics: text


class Ruling(Variant, total=False):
    Succeeded: null
    Failed: null


class NotFound(Record):
    kind: text
    id: text


class NotAuthorized(Record):
    required: text


class InvalidState(Record):
    current: text
    allowed: Vec[text]


class InvalidArgument(Record):
    field: text
    value: text
    problem: text


class InsufficientBalance(Record):
    available: nat
    required: nat


class PriceAboveMaximum(Record):
    price: nat
    maximum: nat


class DeadlinePassed(Record):
    deadline: nat64
    now: nat64


class CollateralRefused(Record):
    piece: text
    kind: text
    message: text


class EvidenceRefused(Record):
    kind: text
    message: text
    claims: Vec[Claim]


class LedgerRefused(Record):
    kind: text
    message: text


class Unavailable(Record):
    service: text
    message: text


class Error(Variant, total=False):
    NotFound: NotFound
    NotAuthorized: NotAuthorized
    InvalidState: InvalidState
    InvalidArgument: InvalidArgument
    InsufficientBalance: InsufficientBalance
    PriceAboveMaximum: PriceAboveMaximum
    DeadlinePassed: DeadlinePassed
    CollateralRefused: CollateralRefused
    EvidenceRefused: EvidenceRefused
    LedgerRefused: LedgerRefused
    Unavailable: Unavailable


class SealingKeyResult(Variant, total=False):
    Ok: SealingKey
    Err: Error


class ListingResult(Variant, total=False):
    Ok: Listing
    Err: Error


class DatasetResult(Variant, total=False):
    Ok: Dataset
    Err: Error


class OfferResult(Variant, total=False):
    Ok: Offer
    Err: Error


class BalancesResult(Variant, total=False):
    Ok: Balances
    Err: Error


class QuoteResult(Variant, total=False):
    Ok: PriceQuote
    Err: Error


class RentalResult(Variant, total=False):
    Ok: Rental
    Err: Error


class EventsResult(Variant, total=False):
    Ok: Vec[Event]
    Err: Error


class ProgressResult(Variant, total=False):
    Ok: Vec[ProgressPoint]
    Err: Error


class JobResult(Variant, total=False):
    Ok: Job
    Err: Error


class ChallengeResult(Variant, total=False):
    Ok: Challenge
    Err: Error


class AttestationResult(Variant, total=False):
    Ok: AttestationRecord
    Err: Error


class PolicyResult(Variant, total=False):
    Ok: PolicyInfo
    Err: Error


class EvidenceUploadResult(Variant, total=False):
    Ok: EvidenceUpload
    Err: Error


class AttestationStepResult(Variant, total=False):
    Ok: AttestationStep
    Err: Error


class CollateralOutcomesResult(Variant, total=False):
    Ok: Vec[CollateralOutcome]
    Err: Error


class CollateralPieceResult(Variant, total=False):
    Ok: CollateralPiece
    Err: Error


class ProposalResult(Variant, total=False):
    Ok: Proposal
    Err: Error


class ReleasedKeyResult(Variant, total=False):
    Ok: ReleasedKey
    Err: Error


class DoneResult(Variant, total=False):
    Ok: null
    Err: Error
