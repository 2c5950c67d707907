"""The marketplace's endpoints: decode, call the core, encode. What each means: docs/interfaces.md."""

# mypy: disable-error-code="no-any-return"
# `answer` makes the answers of all endpoints alike; encoding them checks that they fit the annotations.

from collections.abc import Callable
from functools import partial
from typing import Any

from kybra import (
    Async,
    Opt,
    Principal,
    Vec,
    blob,
    ic,
    init,
    nat,
    nat32,
    nat64,
    post_upgrade,
    query,
    text,
    update,
    void,
)

try:
    from kybra.extensions import peer_canister
except ImportError:  # stock Kybra: the install argument names the others

    def peer_canister(name: str) -> "Principal | None":
        return None


from canisters.marketplace import calls, convert
from canisters.marketplace.calls import message_now
from canisters.marketplace.core import (
    accounts,
    catalog,
    events,
    gate,
    governance_log,
    held_collateral,
    installation,
    jobs,
    keys,
    ledger_journal,
    limits,
    queue,
    rentals,
    validate,
    views,
)
from canisters.marketplace.core import governance as rules
from canisters.marketplace.core import policies as attestation_policies
from canisters.marketplace.core import proposals as changes
from canisters.marketplace.core.errors import EvidenceRefused, MarketError
from canisters.marketplace.core.reaper import Reaper
from canisters.marketplace.core.types import Timestamp, Tokens
from canisters.marketplace.interface import (
    Artifact,
    AttestationResult,
    AttestationStepResult,
    Balances,
    BalancesResult,
    ChallengeResult,
    Change,
    CollateralInfo,
    CollateralKey,
    CollateralOutcomesResult,
    CollateralPieceResult,
    Dataset,
    DatasetArgs,
    DatasetResult,
    DoneResult,
    EventsResult,
    EvidenceUploadResult,
    Governance,
    GovernanceEvent,
    InitArgs,
    Item,
    JobResult,
    Listing,
    ListingArgs,
    ListingResult,
    Movement,
    Offer,
    OfferArgs,
    OfferResult,
    PolicyInfo,
    PolicyResult,
    Progress,
    ProgressResult,
    Proposal,
    ProposalResult,
    QuoteResult,
    ReleasedKeyResult,
    Rental,
    RentalArgs,
    RentalResult,
    ResultArgs,
    Ruling,
    SealingKeyResult,
    Status,
    UnresolvedTransfer,
)
from canisters.marketplace.stable import state

reaper = Reaper(lambda rental, problem: ic.print(f"rental {rental} could not be reaped: {problem!r}"))


def answer(action: Callable[[], Any], encode: Callable[[Any], Any]) -> Any:
    """Run `action` as one atomic change: its encoded value, or its error with nothing changed."""
    try:
        with state.atomically():
            return {"Ok": encode(action())}
    except MarketError as refused:
        return {"Err": refused.variant()}


def answer_later(flow: Async[Any], encode: Callable[[Any], Any]) -> Async[Any]:
    """Run a `flow` of calls: its encoded value, or its error."""
    try:
        value = yield from flow
        return {"Ok": encode(value)}
    except MarketError as refused:
        return {"Err": refused.variant()}


def rental_answer(action: Callable[[], Any]) -> Any:
    """`answer` for what returns a rental."""
    return answer(action, lambda rental: convert.rental(views.rental_view(state, rental, ic.time())))


def apart(name: str, action: Callable[[], object]) -> None:
    """Run `action` as one atomic change that, if it fails, keeps nothing else from happening."""
    try:
        with state.atomically():
            action()
    except Exception as problem:
        ic.print(f"{name} could not be moved on: {problem!r}")


def run_timer() -> Async[void]:
    """Move on what is overdue. One batch a tick; a failure of one rental or call stops nothing else."""
    reaper.run(state, message_now())
    apart("expired collateral", lambda: held_collateral.sweep(state, message_now()))
    for proposal in changes.due(state, message_now()):
        apart(f"proposal {proposal}", partial(changes.move_on, state, message_now(), proposal))
    yield from calls.resume_transfers()


def start_timer() -> None:
    ic.set_timer_interval(limits.TIMER_INTERVAL_S, run_timer)


@init
def init_(args: Opt[InitArgs]) -> void:
    given = installation.InitArgs() if args is None else convert.init_args(args)
    peers = {name: convert.peer(peer_canister(name)) for name in ("ledger", "vault")}
    with state.atomically():
        installation.install(state, message_now(), convert.principal_text(ic.id()), given, peers)
    start_timer()


@post_upgrade
def post_upgrade_() -> void:
    state.require_readable()
    with state.atomically():
        installation.upgrade(state, message_now())
    start_timer()


# --- About the marketplace ---


@query
def status() -> Status:
    return convert.status(installation.overview(state))


@query
def policies() -> Vec[PolicyInfo]:
    return [convert.policy(info) for info in attestation_policies.offered(state)]


@query
def get_policy(policy: text) -> PolicyResult:
    return answer(lambda: attestation_policies.info(state, policy), convert.policy)


@update
def sealing_key() -> Async[SealingKeyResult]:
    def encode(public_key: bytes) -> Any:
        return {
            "public_key": public_key,
            "context": keys.CONTEXT,
            "key_name": state.config.vetkd_key_name,
        }

    return (yield from answer_later(calls.public_key(), encode))


# --- Catalog ---


@update
def publish_listing(args: ListingArgs) -> ListingResult:
    return answer(
        lambda: catalog.publish_listing(state, message_now(), convert.listing_args(args)), convert.listing
    )


@update
def retire_listing(listing: text) -> ListingResult:
    return answer(lambda: catalog.retire_listing(state, message_now(), listing), convert.listing)


@query
def get_listing(listing: text) -> ListingResult:
    return answer(lambda: state.listing(listing), convert.listing)


@query
def listings(after: Opt[text], limit: nat32) -> Vec[Listing]:
    return [convert.listing(listing) for listing in catalog.listings(state, after, limit)]


@update
def publish_dataset(args: DatasetArgs) -> DatasetResult:
    return answer(
        lambda: catalog.publish_dataset(state, message_now(), convert.dataset_args(args)), convert.dataset
    )


@update
def retire_dataset(dataset: text) -> DatasetResult:
    return answer(lambda: catalog.retire_dataset(state, message_now(), dataset), convert.dataset)


@query
def get_dataset(dataset: text) -> DatasetResult:
    return answer(lambda: catalog.visible_dataset(state, message_now(), dataset), convert.dataset)


@query
def datasets(after: Opt[text], limit: nat32) -> Vec[Dataset]:
    return [convert.dataset(dataset) for dataset in catalog.datasets(state, after, limit)]


@update
def post_offer(args: OfferArgs) -> OfferResult:
    return answer(lambda: catalog.post_offer(state, message_now(), convert.offer_args(args)), convert.offer)


@update
def retire_offer(offer: nat64) -> OfferResult:
    return answer(lambda: catalog.retire_offer(state, message_now(), offer), convert.offer)


@query
def offers(after: Opt[nat64], limit: nat32) -> Vec[Offer]:
    return [convert.offer(offer) for offer in catalog.offers(state, after, limit)]


# --- Money ---


def transfer_answer(kind: str, amount: int, created_at_time: int) -> Async[Any]:
    caller = message_now().caller

    def encode(transfer: Any) -> Any:
        ledger_journal.answer(transfer)
        return convert.balances(accounts.balances_of(state, caller))

    if amount > limits.MAX_AMOUNT:
        return {"Err": validate.refuse("amount", amount, f"must be at most {limits.MAX_AMOUNT}").variant()}
    flow = calls.transfer(kind, Tokens(amount), Timestamp(created_at_time))
    return (yield from answer_later(flow, encode))


@update
def deposit(amount: nat, created_at_time: nat64) -> Async[BalancesResult]:
    return (yield from transfer_answer(ledger_journal.DEPOSIT, amount, created_at_time))


@update
def withdraw(amount: nat, created_at_time: nat64) -> Async[BalancesResult]:
    return (yield from transfer_answer(ledger_journal.WITHDRAW, amount, created_at_time))


@query
def balances() -> Balances:
    return convert.balances(accounts.balances_of(state, message_now().caller))


@query
def movements(after: Opt[nat64], limit: nat32) -> Vec[Movement]:
    seen = accounts.movements_for(state, message_now().caller, after, limit)
    return [convert.movement(movement) for movement in seen]


# --- The renter's side ---


@query
def quote_rental(args: RentalArgs) -> QuoteResult:
    return answer(
        lambda: views.quote_view(rentals.quote(state, message_now(), convert.rental_args(args))),
        convert.quote,
    )


@update
def create_rental(args: RentalArgs) -> RentalResult:
    return rental_answer(lambda: rentals.create(state, message_now(), convert.rental_args(args)))


@query
def get_rental(rental: nat64) -> RentalResult:
    return rental_answer(lambda: rentals.visible(state, message_now(), rental))


@query
def my_rentals(after: Opt[nat64], limit: nat32) -> Vec[Rental]:
    message = message_now()
    found = queue.rentals_of(state, message.caller, after, limit)
    return [convert.rental(views.listed_view(state, rental, message.now)) for rental in found]


@query
def rental_events(rental: nat64, first: nat64, limit: nat32) -> EventsResult:
    def page() -> Any:
        rentals.visible(state, message_now(), rental)
        return events.page(state, rental, first, limit)

    return answer(page, lambda found: [convert.event(event) for event in found])


@query
def rental_progress(rental: nat64, first: nat32, limit: nat32) -> ProgressResult:
    def page() -> Any:
        rentals.visible(state, message_now(), rental)
        return jobs.progress_page(state, rental, first, limit)

    return answer(page, lambda found: [convert.progress_point(point) for point in found])


@update
def cancel_rental(rental: nat64) -> RentalResult:
    return rental_answer(lambda: rentals.cancel(state, message_now(), rental))


@update
def accept_result(rental: nat64) -> RentalResult:
    return rental_answer(lambda: rentals.accept(state, message_now(), rental))


@update
def dispute_result(rental: nat64, reason: text) -> RentalResult:
    return rental_answer(lambda: rentals.dispute(state, message_now(), rental, reason))


@update
def rule_dispute(rental: nat64, ruling: Ruling, reason: text) -> RentalResult:
    return rental_answer(lambda: rentals.rule(state, message_now(), rental, "Succeeded" in ruling, reason))


@update
def reap(rental: Opt[nat64]) -> Async[Vec[nat64]]:
    if rental is not None:
        return [rental] if reaper.run_one(state, message_now(), rental) else []
    reaped = reaper.run(state, message_now())
    yield from calls.resume_transfers()
    return reaped


# --- The operator's side ---


@query
def next_job(offer: nat64) -> Opt[nat64]:
    return jobs.next_job(state, offer, message_now().now)


@update
def claim_rental(offer: nat64, rental: nat64) -> JobResult:
    return answer(lambda: views.job_view(jobs.claim(state, message_now(), offer, rental)), convert.job)


@update
def begin_attestation(rental: nat64) -> Async[ChallengeResult]:
    return (yield from answer_later(calls.challenge(rental), convert.challenge))


def judged(judge: Callable[[], Any], encode: Callable[[Any], Any]) -> Any:
    """`answer` for a judgement of evidence: a refusal that ended the attempt lasts, and is an Err."""
    refusals: list[EvidenceRefused] = []

    def action() -> Any:
        outcome = judge()
        if isinstance(outcome, EvidenceRefused):
            refusals.append(outcome)
            return None
        return encode(outcome)

    answered = answer(action, lambda value: value)
    return {"Err": refusals[0].variant()} if refusals else answered


@update
def submit_attestation(rental: nat64, bundle: blob) -> AttestationResult:
    return judged(lambda: gate.submit(state, message_now(), rental, bundle), convert.attestation)


@update
def upload_evidence(rental: nat64, index: nat32, count: nat32, part: blob) -> EvidenceUploadResult:
    return answer(
        lambda: gate.upload(state, message_now(), rental, index, count, part), convert.evidence_upload
    )


@update
def continue_attestation(rental: nat64) -> AttestationStepResult:
    def encode(outcome: Any) -> Any:
        if isinstance(outcome, gate.Progress):
            return {"Unfinished": convert.progress_of_step(outcome)}
        return {"Accepted": convert.attestation(outcome)}

    return judged(lambda: gate.proceed(state, message_now(), rental), encode)


@update
def release_key(item: Item, rental: Opt[nat64], transport_public_key: Opt[blob]) -> Async[ReleasedKeyResult]:
    wanted = convert.item(item)

    def encode(encrypted_key: bytes) -> Any:
        return {
            "encrypted_key": encrypted_key,
            "input": wanted.input.encode("ascii"),
            "context": keys.CONTEXT,
        }

    return (yield from answer_later(calls.release(wanted, rental, transport_public_key), encode))


@update
def post_progress(rental: nat64, points: Vec[Progress]) -> RentalResult:
    def post() -> Any:
        return jobs.post_progress(state, message_now(), rental, tuple(map(convert.progress_args, points)))

    return rental_answer(post)


@update
def submit_checkpoint(rental: nat64, artifact: Artifact) -> RentalResult:
    return rental_answer(
        lambda: jobs.submit_checkpoint(state, message_now(), rental, convert.artifact_args(artifact))
    )


@update
def submit_result(args: ResultArgs) -> RentalResult:
    artifact = convert.artifact_args(args["artifact"])
    return rental_answer(
        lambda: jobs.submit_result(state, message_now(), args["rental"], artifact, args["metrics"])
    )


@update
def return_rental(rental: nat64, reason: text) -> RentalResult:
    return rental_answer(lambda: jobs.hand_back(state, message_now(), rental, reason))


# --- What vendors say ---


@update
def post_collateral(container: blob) -> CollateralOutcomesResult:
    def encode(outcomes: Any) -> Any:
        return [convert.collateral_outcome(outcome) for outcome in outcomes]

    return answer(lambda: held_collateral.post(state, message_now(), container, gate.LINKS), encode)


@query
def collateral(after: Opt[CollateralKey], limit: nat32) -> Vec[CollateralInfo]:
    start = None if after is None else (after["kind"], after["subject"])
    try:
        return [convert.collateral_info(row) for row in held_collateral.page(state, start, limit)]
    except MarketError:  # no such kind
        return []


@query
def get_collateral(key: CollateralKey) -> CollateralPieceResult:
    return answer(lambda: held_collateral.piece(state, key["kind"], key["subject"]), convert.collateral_piece)


# --- Governance ---


@query
def governance() -> Governance:
    return convert.governance(rules.current(state))


@update
def propose(change: Change, reason: text) -> ProposalResult:
    return answer(
        lambda: changes.propose(state, message_now(), convert.change_args(change), reason), convert.proposal
    )


@update
def approve_proposal(proposal: nat64) -> ProposalResult:
    return answer(lambda: changes.approve(state, message_now(), proposal), convert.proposal)


@update
def cancel_proposal(proposal: nat64, reason: text) -> ProposalResult:
    return answer(lambda: changes.cancel(state, message_now(), proposal, reason), convert.proposal)


@update
def execute_proposal(proposal: nat64) -> ProposalResult:
    return answer(lambda: changes.execute(state, message_now(), proposal), convert.proposal)


@query
def get_proposal(proposal: nat64) -> ProposalResult:
    return answer(lambda: changes.get(state, proposal), convert.proposal)


@query
def proposals(after: Opt[nat64], limit: nat32) -> Vec[Proposal]:
    return [convert.proposal(proposal) for proposal in changes.page(state, after, limit)]


@query
def governance_events(first: nat64, limit: nat32) -> Vec[GovernanceEvent]:
    return [convert.governance_event(event) for event in governance_log.page(state, first, limit)]


@query
def unresolved_transfers(after: Opt[nat64], limit: nat32) -> Vec[UnresolvedTransfer]:
    message = message_now()
    seen = ledger_journal.unresolved(state, message, after, limit, rules.takes_part(state, message.caller))
    return [convert.unresolved_transfer(entry, ledger_journal.memo(state, entry)) for entry in seen]


@update
def set_paused(paused: bool) -> DoneResult:
    return answer(lambda: installation.set_paused(state, message_now(), paused), lambda _: None)


@update
def revoke_policy(policy: text) -> DoneResult:
    return answer(lambda: attestation_policies.revoke_policy(state, message_now(), policy), lambda _: None)


@update
def deny_device(device: text) -> DoneResult:
    return answer(lambda: attestation_policies.deny_device(state, message_now(), device), lambda _: None)


@update
def deny_manifest(manifest: text) -> DoneResult:
    return answer(lambda: attestation_policies.deny_manifest(state, message_now(), manifest), lambda _: None)
