"""Who may get which vetKey, and to which transport key (docs/interfaces.md, "Sealing").

Deriving a key takes two awaits (the vault's grant, vetKD), so the caller of this module asks `authorise`
before the first, `record` between them, which checks again and logs, and `authorise` once more before the key
is handed over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from canisters.marketplace.core import held_collateral, limits, policies, validate
from canisters.marketplace.core.errors import DeadlinePassed, InvalidState, NotAuthorized, Unavailable, shown
from canisters.marketplace.core.lifecycle import change
from canisters.marketplace.core.model import (
    Artifact,
    Attempt,
    AttestationRecord,
    KeyQuota,
    Release,
    Rental,
)
from canisters.marketplace.core.state import State, text_key
from canisters.marketplace.core.storage import number_key
from canisters.marketplace.core.transitions import Kind, Who, parts_of, permit
from canisters.marketplace.core.types import Message, Principal, Status, Timestamp, later

CONTEXT = b"leasehold-v1"
_DAY_NS = 86_400 * limits.SECOND_NS
_VAULT = "vault:"
_ALL_OWNERS = "all owners"


@dataclass(frozen=True)
class Item:
    """What a key is for: `kind` is listing, dataset, checkpoint or result; `id` its id or the rental's
    number.
    """

    kind: str
    id: str

    @property
    def input(self) -> str:
        """The vetKD input, and the identity that IBE ciphertexts of the item are made for."""
        return f"{self.kind}/{self.id}"


@dataclass(frozen=True)
class Authorisation:
    """A permitted release: `blob_id` (None when nothing is to be granted) is readable by `reader` until
    `until`.
    """

    input: str
    reader: Principal
    transport_public_key: bytes
    blob_id: str | None
    until: Timestamp
    rental: int | None


def authorise(
    state: State, message: Message, item: Item, rental_id: int | None, transport_public_key: bytes | None
) -> Authorisation:
    """Decide whether the caller may have the key of `item` now. Changes nothing."""
    validate.signed_in(message)
    if item.kind == "result":
        return _result(state, message, item, rental_id, transport_public_key)
    if rental_id is not None:
        return _session_item(state, message, item, rental_id, transport_public_key)
    return _own_item(state, message, item, transport_public_key)


def record(state: State, message: Message, authorisation: Authorisation) -> None:
    """Count and log the release that is about to be made."""
    if authorisation.rental is None:
        _use_quota(state, message, message.caller)
        _use_quota(state, message, _ALL_OWNERS)
        return
    rental = state.rental(authorisation.rental)
    note = f"{authorisation.input} to {authorisation.reader}"
    if rental.attempt is not None and authorisation.reader == rental.attempt.session:
        releases = _counted(rental, authorisation.input, rental.attempt.number)
    else:
        _use_quota(state, message, message.caller)
        releases = rental.releases
    change(state, message, rental, Kind.KEY_RELEASED, rental.status, note=note, releases=releases)


def confirm(state: State, message: Message, authorisation: Authorisation) -> None:
    """Refuse to hand over a derived key when the session lost its right to it while it was being derived."""
    if authorisation.rental is None:
        return
    rental = state.rental(authorisation.rental)
    parts = parts_of(state, rental, message)
    permit(rental, Kind.KEY_RELEASED, parts, message.now)
    if Who.SESSION in parts and rental.status is Status.RUNNING:
        _require_still_trusted(state, message, rental)


def remember_public_key(state: State, public_key: bytes) -> None:
    """Keep the marketplace's vetKD public key, which never changes."""
    state.configure(replace(state.config, vetkd_public_key=public_key))


def _session_item(
    state: State, message: Message, item: Item, rental_id: int, transport_public_key: bytes | None
) -> Authorisation:
    rental = state.rental(rental_id)
    parts = parts_of(state, rental, message)
    if Who.SESSION not in parts:
        raise NotAuthorized(f"the attested session of rental {rental_id}")
    permit(rental, Kind.KEY_RELEASED, {Who.SESSION}, message.now)
    attempt = rental.attempt
    if attempt is None or attempt.transport_public_key is None or attempt.ends_at is None:
        raise RuntimeError(f"rental {rental_id} runs without an attested session")
    if transport_public_key not in (None, attempt.transport_public_key):
        problem = "is not the attested transport key; leave it out"
        raise validate.refuse("transport_public_key", transport_public_key, problem)
    artifact = _item_of_rental(state, rental, item)
    _require_still_trusted(state, message, rental)
    _require_releases_left(rental, attempt, item)
    return _authorisation(item, message, attempt.transport_public_key, artifact, attempt.ends_at, rental_id)


def _item_of_rental(state: State, rental: Rental, item: Item) -> Artifact:
    if item.kind == "listing" and item.id == rental.listing:
        return state.listing(item.id).artifact
    if item.kind == "dataset" and item.id in rental.datasets:
        return state.dataset(item.id).artifact
    if item.kind == "checkpoint" and item.id == str(rental.id) and rental.checkpoint is not None:
        return rental.checkpoint
    problem = f"is no item of rental {rental.id}: its listing, its datasets, its checkpoint if it has one"
    raise validate.refuse("item", item.input, problem)


def _require_still_trusted(state: State, message: Message, rental: Rental) -> None:
    attested = state.attestations.get(number_key(rental.id))
    if attested is None:
        raise RuntimeError(f"rental {rental.id} runs without an attestation record")
    if message.now >= attested.expires_at:
        raise DeadlinePassed(attested.expires_at, message.now)
    if policies.is_revoked(state, rental.policy):
        raise NotAuthorized(f"a session attested under a valid policy: {rental.policy} was revoked")
    if held_collateral.withdrawn(state, rental.id):
        raise NotAuthorized("a session whose certificates are good: one of them was revoked since")
    if _by_denied_manifest(state, attested):
        raise NotAuthorized("a session compared with accepted manifests: one of them is on the deny list")
    denied = policies.denied_device(state, (attested.chip_id, *attested.gpus, *attested.switches))
    if denied is not None:
        raise NotAuthorized(f"a session on accepted devices: {denied} is on the deny list")


def _by_denied_manifest(state: State, attested: AttestationRecord) -> bool:
    """Whether a manifest that the policy asked for was denied since."""
    manifests = {claim.found for claim in attested.claims if claim.name.endswith("_manifest")}
    return any(policies.is_denied(state, policies.MANIFEST, manifest) for manifest in manifests)


def _require_releases_left(rental: Rental, attempt: Attempt, item: Item) -> None:
    for release in rental.releases:
        if release.input == item.input and release.attempt == attempt.number:
            if release.count >= limits.MAX_KEY_RELEASES:
                state = f"{item.input} was released {release.count} times to this session"
                raise InvalidState(state, [f"at most {limits.MAX_KEY_RELEASES} releases"])


def _result(
    state: State, message: Message, item: Item, rental_id: int | None, transport_public_key: bytes | None
) -> Authorisation:
    if rental_id is not None and str(rental_id) != item.id:
        raise validate.refuse("rental", rental_id, f"contradicts the item, which is of rental {item.id}")
    rental = state.rental(int(item.id))
    parts = parts_of(state, rental, message)
    if Who.RENTER not in parts:
        raise NotAuthorized(f"the renter of rental {rental.id}")
    permit(rental, Kind.KEY_RELEASED, parts - {Who.SESSION}, message.now)
    if rental.result is None:
        raise RuntimeError(f"rental {rental.id} succeeded without a result")
    key = _own_transport_key(transport_public_key)
    _require_quota(state, message, message.caller, limits.MAX_OWNER_KEYS_PER_DAY)
    until = later(message.now, limits.OWNER_GRANT_S)
    return _authorisation(item, message, key, rental.result, until, rental.id)


def _own_item(
    state: State, message: Message, item: Item, transport_public_key: bytes | None
) -> Authorisation:
    if item.kind == "listing":
        listing = state.listings.get(text_key(item.id))
        owner = listing.publisher if listing else None
    elif item.kind == "dataset":
        dataset = state.datasets.get(text_key(item.id))
        owner = dataset.owner if dataset else None
    else:
        raise NotAuthorized(f"the attested session of the rental; name the rental to get {shown(item.input)}")
    if owner != message.caller:
        raise NotAuthorized(f"the owner of {shown(item.input)}, or an attested session that names its rental")
    key = _own_transport_key(transport_public_key)
    _require_quota(state, message, message.caller, limits.MAX_OWNER_KEYS_PER_DAY)
    _require_quota(state, message, _ALL_OWNERS, limits.MAX_ALL_OWNERS_KEYS_PER_DAY)
    # No grant: owners read what they uploaded, and a record may name anybody's blob.
    return Authorisation(item.input, message.caller, key, None, message.now, None)


def _own_transport_key(transport_public_key: bytes | None) -> bytes:
    if transport_public_key is None:
        problem = "is missing; send the 48 bytes of your BLS12-381 G1 transport key"
        raise validate.refuse("transport_public_key", "", problem)
    validate.exact_bytes("transport_public_key", transport_public_key, limits.TRANSPORT_KEY_BYTES)
    return transport_public_key


def _authorisation(
    item: Item, message: Message, key: bytes, artifact: Artifact, until: Timestamp, rental: int | None
) -> Authorisation:
    in_vault = artifact.location.startswith(_VAULT)
    blob_id = artifact.location[len(_VAULT) :] if in_vault else None
    return Authorisation(item.input, message.caller, key, blob_id, until, rental)


def _counted(rental: Rental, key_input: str, attempt: int) -> tuple[Release, ...]:
    """The rental's releases with one more of `key_input` in `attempt`."""
    others = tuple(release for release in rental.releases if release.input != key_input)
    before = next((r for r in rental.releases if r.input == key_input and r.attempt == attempt), None)
    if before is None:
        return (*others, Release(key_input, attempt, 1))
    return (*others, replace(before, count=before.count + 1))


def _require_quota(state: State, message: Message, who: str, most: int) -> None:
    quota = state.key_quotas.get(text_key(who))
    today = message.now // _DAY_NS
    if quota is not None and quota.day == today and quota.count >= most:
        raise Unavailable("vetkd", f"{quota.count} keys were derived for {who} today; ask again tomorrow")


def _use_quota(state: State, message: Message, who: str) -> None:
    today = message.now // _DAY_NS
    quota = state.key_quotas.get(text_key(who))
    count = quota.count if quota is not None and quota.day == today else 0
    state.key_quotas.put(text_key(who), KeyQuota(today, count + 1))
