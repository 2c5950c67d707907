"""What can be rented: models listed by publishers, datasets of data owners, offers of operators."""

from __future__ import annotations

import hashlib

from canisters.marketplace.core import limits, policies, requests, validate
from canisters.marketplace.core.errors import NotAuthorized, NotFound
from canisters.marketplace.core.model import Dataset, DatasetArgs, Listing, ListingArgs, Offer, OfferArgs
from canisters.marketplace.core.state import PRESENT, State, text_key
from canisters.marketplace.core.storage import number_after, number_key, number_of, prefix_end
from canisters.marketplace.core.types import Message, Principal, principal_bytes

_LISTING, _DATASET, _OFFER = b"listing/", b"dataset/", b"offer/"


def item_id(kind: str, owner: Principal, salt: bytes) -> str:
    """Id of a listing or dataset: its owner makes it before anything is sent (docs/interfaces.md,
    "Identifiers").
    """
    content = b"leasehold-item" + kind.encode("ascii") + b"\x00" + principal_bytes(owner) + salt
    return hashlib.sha256(content).hexdigest()[: limits.ITEM_ID_CHARACTERS]


def publish_listing(state: State, message: Message, args: ListingArgs) -> Listing:
    """List a model. The same id and content again is answered with what is there; other content is
    refused.
    """
    _may_publish(state, message, "listing", args.id, args.salt)
    validate.text("title", args.title, limits.MAX_TITLE_CHARACTERS)
    validate.text("description", args.description, limits.MAX_DESCRIPTION_CHARACTERS, may_be_empty=True)
    validate.text("base_model", args.base_model, limits.MAX_BASE_MODEL_CHARACTERS)
    validate.tasks("tasks", args.tasks)
    validate.amount("fee", args.fee)
    validate.payees("payees", args.payees)
    validate.artifact("artifact", args.artifact)
    content = {name: getattr(args, name) for name in ListingArgs.__dataclass_fields__ if name != "salt"}
    before = state.listings.get(text_key(args.id))
    if before is not None:
        _same_content("listing", args.id, before, content)
        return before
    listing = Listing(**content, publisher=message.caller, active=True, created_at=message.now)
    state.listings.put(text_key(listing.id), listing)
    state.catalog.put(_LISTING + text_key(listing.id), PRESENT)
    return listing


def retire_listing(state: State, message: Message, listing_id: str) -> Listing:
    """Take a listing off the market; rentals that exist go on. Retiring twice is the same as once."""
    listing = state.listing(listing_id)
    _require_owner(message, listing.publisher, f"the publisher of listing {listing.id}")
    retired = Listing(**{**vars(listing), "active": False})
    state.listings.put(text_key(listing.id), retired)
    state.catalog.remove(_LISTING + text_key(listing.id))
    return retired


def publish_dataset(state: State, message: Message, args: DatasetArgs) -> Dataset:
    """Register a sealed dataset. Only a `public` one is shown and may be named by others than its owner."""
    _may_publish(state, message, "dataset", args.id, args.salt)
    validate.text("title", args.title, limits.MAX_TITLE_CHARACTERS)
    validate.number("rows", args.rows, (1, limits.MAX_DATASET_ROWS))
    validate.amount("fee", args.fee)
    validate.artifact("artifact", args.artifact)
    content = {name: getattr(args, name) for name in DatasetArgs.__dataclass_fields__ if name != "salt"}
    before = state.datasets.get(text_key(args.id))
    if before is not None:
        _same_content("dataset", args.id, before, content)
        return before
    dataset = Dataset(**content, owner=message.caller, active=True, created_at=message.now)
    state.datasets.put(text_key(dataset.id), dataset)
    if dataset.public:
        state.catalog.put(_DATASET + text_key(dataset.id), PRESENT)
    return dataset


def retire_dataset(state: State, message: Message, dataset_id: str) -> Dataset:
    """Withdraw a dataset from new rentals; rentals that exist go on."""
    dataset = visible_dataset(state, message, dataset_id)
    _require_owner(message, dataset.owner, f"the owner of dataset {dataset.id}")
    retired = Dataset(**{**vars(dataset), "active": False})
    state.datasets.put(text_key(dataset.id), retired)
    state.catalog.remove(_DATASET + text_key(dataset.id))
    return retired


def visible_dataset(state: State, message: Message, dataset_id: str) -> Dataset:
    """The dataset if the caller may know of it; a private one of somebody else does not exist for them."""
    dataset = state.dataset(dataset_id)
    if not dataset.public and message.caller not in (dataset.owner, *state.config.governors):
        raise NotFound("dataset", dataset_id)
    return dataset


def post_offer(state: State, message: Message, args: OfferArgs) -> Offer:
    """Offer compute. The same `request_id` with the same content is answered with the offer it made."""
    validate.signed_in(message)
    validate.text("title", args.title, limits.MAX_TITLE_CHARACTERS)
    validate.text("hardware", args.hardware, limits.MAX_HARDWARE_CHARACTERS)
    validate.amount("rate_per_second", args.rate_per_second)
    validate.number("max_duration_s", args.max_duration_s, (1, limits.MAX_DURATION_S))
    bond_bounds = (limits.MIN_BOND_BASIS_POINTS, limits.BASIS_POINTS)
    validate.number("bond_basis_points", args.bond_basis_points, bond_bounds)
    validate.count("policies", args.policies, 1, limits.MAX_POLICIES)
    validate.distinct("policies", args.policies)
    validate.not_anonymous("worker", args.worker)
    before = requests.made_before(state, message, "offer", args.request_id, args)
    if before is not None:
        return state.offer(before)
    validate.not_paused(state)
    for name in args.policies:
        policies.require_offered(state, name)
    content = {name: getattr(args, name) for name in OfferArgs.__dataclass_fields__ if name != "request_id"}
    number = state.next_number("offers")
    offer = Offer(**content, id=number, operator=message.caller, active=True, created_at=message.now)
    state.offers.put(number_key(number), offer)
    state.catalog.put(_OFFER + number_key(number), PRESENT)
    requests.remember(state, message, "offer", args.request_id, args, number)
    return offer


def retire_offer(state: State, message: Message, offer_id: int) -> Offer:
    """Stop claims under an offer; a rental already claimed goes on."""
    offer = state.offer(offer_id)
    _require_owner(message, offer.operator, f"the operator of offer {offer.id}")
    retired = Offer(**{**vars(offer), "active": False})
    state.offers.put(number_key(offer.id), retired)
    state.catalog.remove(_OFFER + number_key(offer.id))
    return retired


def listings(state: State, after: str | None, limit: int) -> list[Listing]:
    """Active listings with ids above `after`, at most `limit` (1 to 100)."""
    return [state.listing(item) for item in _item_page(state, _LISTING, after, limit)]


def datasets(state: State, after: str | None, limit: int) -> list[Dataset]:
    """Active public datasets with ids above `after`, at most `limit` (1 to 100)."""
    return [state.dataset(item) for item in _item_page(state, _DATASET, after, limit)]


def offers(state: State, after: int | None, limit: int) -> list[Offer]:
    """Active offers with ids above `after`, at most `limit` (1 to 100)."""
    start = _OFFER + number_key(number_after(after))
    rows = state.catalog.range(start, prefix_end(_OFFER), max(1, min(limit, limits.MAX_PAGE)))
    return [state.offer(number_of(key)) for key, _ in rows]


def _item_page(state: State, prefix: bytes, after: str | None, limit: int) -> list[str]:
    start = prefix if after is None else prefix + text_key(after) + b"\x00"
    rows = state.catalog.range(start, prefix_end(prefix), max(1, min(limit, limits.MAX_PAGE)))
    return [key[len(prefix) :].decode("ascii") for key, _ in rows]


def _may_publish(state: State, message: Message, kind: str, claimed_id: str, salt: bytes) -> None:
    validate.signed_in(message)
    validate.not_paused(state)
    validate.exact_bytes("salt", salt, limits.SALT_BYTES)
    expected = item_id(kind, message.caller, salt)
    if claimed_id != expected:
        problem = f"is not the id that this caller and salt make, which is {expected}"
        raise validate.refuse("id", claimed_id, problem)


def _same_content(kind: str, record_id: str, before: object, content: dict[str, object]) -> None:
    differing = [name for name, value in content.items() if getattr(before, name) != value]
    if differing:
        problem = f"{kind} exists with other {', '.join(differing)}; publish changes under a new salt"
        raise validate.refuse("id", record_id, problem)


def _require_owner(message: Message, owner: Principal, required: str) -> None:
    if message.caller != owner:
        raise NotAuthorized(required)
