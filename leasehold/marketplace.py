"""The marketplace canister, typed. Methods have the names and order of `marketplace.did`.

Each raises a subclass of `leasehold.errors.CanisterError` for `Err`, and the agent's errors.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from leasehold.agent import Agent, Principal
from leasehold.errors import unwrap
from leasehold.models import (
    Artifact,
    AttestationRecord,
    Balances,
    Challenge,
    Change,
    CollateralInfo,
    CollateralKey,
    CollateralOutcome,
    CollateralPiece,
    Dataset,
    DatasetArgs,
    Event,
    EvidenceUpload,
    Governance,
    GovernanceEvent,
    Item,
    Job,
    Listing,
    ListingArgs,
    MarketplaceStatus,
    Model,
    Movement,
    Offer,
    OfferArgs,
    PolicyInfo,
    PriceQuote,
    Progress,
    ProgressPoint,
    Proposal,
    ReleasedKey,
    Rental,
    RentalArgs,
    SealingKey,
    Unfinished,
    UnresolvedTransfer,
)
from leasehold.typed import TypedClient, read_model

PAGE = 100

M = TypeVar("M", bound=Model)
K = TypeVar("K", int, str)


class Marketplace(TypedClient):
    """Client of the marketplace."""

    def __init__(self, agent: Agent, canister_id: Principal | str) -> None:
        super().__init__(agent, canister_id, "marketplace")
        self._sealing_key: SealingKey | None = None

    # Anyone

    def status(self) -> MarketplaceStatus:
        return read_model(MarketplaceStatus, self.canister.call("status"), "status")

    def policies(self) -> list[PolicyInfo]:
        return self._list(PolicyInfo, "policies")

    def get_policy(self, policy: str) -> PolicyInfo:
        """A policy, also one that was retired or revoked."""
        return self._one(PolicyInfo, "get_policy", policy)

    def sealing_key(self) -> SealingKey:
        """The key that everything is sealed under. It never changes, so it is asked for once."""
        if self._sealing_key is None:
            self._sealing_key = self._one(SealingKey, "sealing_key")
        return self._sealing_key

    # Listings, datasets, offers

    def publish_listing(self, arguments: ListingArgs) -> Listing:
        return self._one(Listing, "publish_listing", arguments.candid())

    def retire_listing(self, listing: str) -> Listing:
        return self._one(Listing, "retire_listing", listing)

    def get_listing(self, listing: str) -> Listing:
        return self._one(Listing, "get_listing", listing)

    def listings(self, after: str | None = None, limit: int = PAGE) -> list[Listing]:
        return self._list(Listing, "listings", after, limit)

    def publish_dataset(self, arguments: DatasetArgs) -> Dataset:
        return self._one(Dataset, "publish_dataset", arguments.candid())

    def retire_dataset(self, dataset: str) -> Dataset:
        return self._one(Dataset, "retire_dataset", dataset)

    def get_dataset(self, dataset: str) -> Dataset:
        return self._one(Dataset, "get_dataset", dataset)

    def datasets(self, after: str | None = None, limit: int = PAGE) -> list[Dataset]:
        return self._list(Dataset, "datasets", after, limit)

    def post_offer(self, arguments: OfferArgs) -> Offer:
        return self._one(Offer, "post_offer", arguments.candid())

    def retire_offer(self, offer: int) -> Offer:
        return self._one(Offer, "retire_offer", offer)

    def offers(self, after: int | None = None, limit: int = PAGE) -> list[Offer]:
        return self._list(Offer, "offers", after, limit)

    # Money

    def deposit(self, amount: int, created_at_time: int) -> Balances:
        """Pull tokens from the caller's ledger account, which must have approved `amount + fee`."""
        return self._one(Balances, "deposit", amount, created_at_time)

    def withdraw(self, amount: int, created_at_time: int) -> Balances:
        """Send `amount` less the ledger's fee to the caller's ledger account."""
        return self._one(Balances, "withdraw", amount, created_at_time)

    def balances(self) -> Balances:
        return read_model(Balances, self.canister.call("balances"), "balances")

    def movements(self, after: int | None = None, limit: int = PAGE) -> list[Movement]:
        return self._list(Movement, "movements", after, limit)

    # Rentals

    def quote_rental(self, arguments: RentalArgs) -> PriceQuote:
        return self._one(PriceQuote, "quote_rental", arguments.candid())

    def create_rental(self, arguments: RentalArgs) -> Rental:
        return self._one(Rental, "create_rental", arguments.candid())

    def get_rental(self, rental: int) -> Rental:
        return self._one(Rental, "get_rental", rental)

    def certified_rental(self, rental: int) -> Rental:
        """The same, certified by the subnet: a result must not be opened by what one node says."""
        answer = self.canister.call("get_rental", rental, certified=True)
        return read_model(Rental, unwrap("get_rental", answer), "get_rental")

    def my_rentals(self, after: int | None = None, limit: int = PAGE) -> list[Rental]:
        return self._list(Rental, "my_rentals", after, limit)

    def rental_events(self, rental: int, start: int = 0, limit: int = PAGE) -> list[Event]:
        return self._ok_list(Event, "rental_events", rental, start, limit)

    def rental_progress(self, rental: int, start: int = 0, limit: int = 1000) -> list[ProgressPoint]:
        return self._ok_list(ProgressPoint, "rental_progress", rental, start, limit)

    def cancel_rental(self, rental: int) -> Rental:
        return self._one(Rental, "cancel_rental", rental)

    def accept_result(self, rental: int) -> Rental:
        return self._one(Rental, "accept_result", rental)

    def dispute_result(self, rental: int, reason: str) -> Rental:
        return self._one(Rental, "dispute_result", rental, reason)

    def rule_dispute(self, rental: int, *, succeeded: bool, reason: str) -> Rental:
        ruling = {"Succeeded" if succeeded else "Failed": None}
        return self._one(Rental, "rule_dispute", rental, ruling, reason)

    def reap(self, rental: int | None = None) -> list[int]:
        """Move rentals on whose deadline has passed; anyone may. Answers their ids."""
        reaped: list[int] = self.canister.call("reap", rental)
        return reaped

    # Collateral

    def post_collateral(self, container: bytes) -> list[CollateralOutcome]:
        """Hand in vendors' statements (`attestation.encode_collateral`); anyone may. All or nothing."""
        return self._ok_list(CollateralOutcome, "post_collateral", container)

    def collateral(self, after: CollateralKey | None = None, limit: int = PAGE) -> list[CollateralInfo]:
        return self._list(CollateralInfo, "collateral", after.candid() if after else None, limit)

    def get_collateral(self, key: CollateralKey) -> CollateralPiece:
        return self._one(CollateralPiece, "get_collateral", key.candid())

    # Governance

    def governance(self) -> Governance:
        return read_model(Governance, self.canister.call("governance"), "governance")

    def propose(self, change: Change, reason: str) -> Proposal:
        return self._one(Proposal, "propose", change.candid(), reason)

    def approve_proposal(self, proposal: int) -> Proposal:
        return self._one(Proposal, "approve_proposal", proposal)

    def cancel_proposal(self, proposal: int, reason: str) -> Proposal:
        return self._one(Proposal, "cancel_proposal", proposal, reason)

    def execute_proposal(self, proposal: int) -> Proposal:
        """Carry out what was approved, once its delay is over; anyone may."""
        return self._one(Proposal, "execute_proposal", proposal)

    def get_proposal(self, proposal: int) -> Proposal:
        return self._one(Proposal, "get_proposal", proposal)

    def proposals(self, after: int | None = None, limit: int = PAGE) -> list[Proposal]:
        return self._list(Proposal, "proposals", after, limit)

    def governance_events(self, first: int = 0, limit: int = PAGE) -> list[GovernanceEvent]:
        return self._list(GovernanceEvent, "governance_events", first, limit)

    def unresolved_transfers(self, after: int | None = None, limit: int = PAGE) -> list[UnresolvedTransfer]:
        return self._list(UnresolvedTransfer, "unresolved_transfers", after, limit)

    # Governors, each alone

    def set_paused(self, paused: bool) -> None:
        """Stop or allow new rentals."""
        self._ask("set_paused", paused)

    def revoke_policy(self, policy: str) -> None:
        """Release no more keys under a policy."""
        self._ask("revoke_policy", policy)

    def deny_device(self, device: str) -> None:
        """Accept no more evidence of a device, and release no more keys to it."""
        self._ask("deny_device", device)

    def deny_manifest(self, sha256: str) -> None:
        """Accept no more evidence that is compared with a reference manifest."""
        self._ask("deny_manifest", sha256)

    # Workers

    def next_job(self, offer: int) -> int | None:
        """A queued rental that suits the offer."""
        rental: int | None = self.canister.call("next_job", offer)
        return rental

    def claim_rental(self, offer: int, rental: int) -> Job:
        return self._one(Job, "claim_rental", offer, rental)

    def begin_attestation(self, rental: int) -> Challenge:
        return self._one(Challenge, "begin_attestation", rental)

    def submit_attestation(self, rental: int, bundle: bytes) -> AttestationRecord:
        return self._one(AttestationRecord, "submit_attestation", rental, bundle)

    def upload_evidence(self, rental: int, index: int, count: int, part: bytes) -> EvidenceUpload:
        """Part `index` of `count` of a bundle, in any order; for `continue_attestation`."""
        return self._one(EvidenceUpload, "upload_evidence", rental, index, count, part)

    def continue_attestation(self, rental: int) -> AttestationRecord | Unfinished:
        """Verify the uploaded evidence a step further; the caller is its session."""
        ((state, value),) = self._ask("continue_attestation", rental).items()
        if state == "Accepted":
            return read_model(AttestationRecord, value, "continue_attestation")
        return read_model(Unfinished, value, "continue_attestation")

    def release_key(
        self, item: Item, rental: int | None = None, transport_public_key: bytes | None = None
    ) -> ReleasedKey:
        """The vetKey of an item; a session names its rental, owners and renters their transport key."""
        return self._one(ReleasedKey, "release_key", item.candid(), rental, transport_public_key)

    def post_progress(self, rental: int, points: Sequence[Progress]) -> Rental:
        return self._one(Rental, "post_progress", rental, [point.candid() for point in points])

    def submit_checkpoint(self, rental: int, artifact: Artifact) -> Rental:
        return self._one(Rental, "submit_checkpoint", rental, artifact.candid())

    def submit_result(self, rental: int, artifact: Artifact, metrics: str) -> Rental:
        arguments = {"rental": rental, "artifact": artifact.candid(), "metrics": metrics}
        return self._one(Rental, "submit_result", arguments)

    def return_rental(self, rental: int, reason: str) -> Rental:
        return self._one(Rental, "return_rental", rental, reason)


def all_pages(fetch: Callable[[K | None, int], list[M]], key: Callable[[M], K]) -> Iterator[M]:
    """Everything a paged method has, such as `all_pages(marketplace.listings, lambda entry: entry.id)`."""
    after: K | None = None
    while page := fetch(after, PAGE):
        yield from page
        if len(page) < PAGE:
            return
        after = key(page[-1])
