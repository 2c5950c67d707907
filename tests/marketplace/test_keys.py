"""Who may get which key: the interface's table, row by row, and what takes the right away."""

from typing import Any

import pytest

from canisters.marketplace.core import jobs, keys, limits, policies, rentals
from canisters.marketplace.core.errors import (
    DeadlinePassed,
    InvalidArgument,
    InvalidState,
    MarketError,
    NotAuthorized,
    NotFound,
    Unavailable,
)
from canisters.marketplace.core.keys import Item
from canisters.marketplace.core.types import ANONYMOUS, Seconds, Tokens
from tests.marketplace.world import (
    GOVERNOR,
    OPERATOR,
    OWNER,
    PUBLISHER,
    RENTER,
    SECOND,
    STRANGER,
    TRANSPORT_KEY,
    WORKER,
    World,
    artifact,
)

OWN_KEY = bytes((0xA0,)) + bytes(47)


def authorise(
    world: World, caller: Any, item: Item, rental: int | None = None, key: bytes | None = None
) -> Any:
    return world.do(keys.authorise, caller, item, rental, key)


def refused(kind: type[MarketError], *args: Any) -> Any:
    with pytest.raises(kind) as caught:
        authorise(*args)
    return caught.value


@pytest.fixture
def running(world: World) -> int:
    rental = world.create().id
    world.claim(rental)
    world.attest(rental)
    return rental


def test_a_session_gets_its_rental_s_keys_to_the_attested_transport_key(world: World, running: int) -> None:
    session = world.session(running)
    for item, blob in (
        (Item("listing", world.listing.id), artifact("model")),
        (Item("dataset", world.dataset.id), artifact("data")),
    ):
        found = authorise(world, session, item, running)
        assert found.input == item.input
        assert found.transport_public_key == TRANSPORT_KEY
        assert f"vault:{found.blob_id}" == blob.location
        assert found.reader == session
        assert found.until == world.now + 1_000 * SECOND
    authorise(world, session, Item("listing", world.listing.id), running, TRANSPORT_KEY)
    assert refused(InvalidArgument, world, session, Item("listing", world.listing.id), running, OWN_KEY)


def test_a_session_gets_no_other_item(world: World, running: int) -> None:
    session = world.session(running)
    other = world.publish_listing()
    for item in (
        Item("listing", other.id),
        Item("dataset", world.publish_dataset().id),
        Item("checkpoint", str(running)),
        Item("checkpoint", "99"),
    ):
        refused(InvalidArgument, world, session, item, running)
    refused(NotAuthorized, world, session, Item("result", str(running)), running)
    refused(NotAuthorized, world, session, Item("listing", world.listing.id), None)


def test_a_later_attempt_gets_the_checkpoint(world: World, running: int) -> None:
    world.checkpoint(running)
    world.do(jobs.hand_back, WORKER, running, "SIGTERM")
    world.claim(running)
    world.attest(running)
    found = authorise(world, world.session(running), Item("checkpoint", str(running)), running)
    assert found.input == f"checkpoint/{running}"


def test_a_session_loses_access_when_its_rental_leaves_running(world: World, running: int) -> None:
    item = Item("listing", world.listing.id)
    first = world.session(running)
    world.do(jobs.hand_back, WORKER, running, "SIGTERM")
    refused(NotAuthorized, world, first, item, running)
    world.claim(running)
    world.attest(running)
    refused(NotAuthorized, world, first, item, running)
    second = world.session(running)
    authorise(world, second, item, running)
    world.finish(running)
    refused(InvalidState, world, second, item, running)


def test_a_session_loses_access_at_its_heartbeat_deadline(world: World, running: int) -> None:
    world.later(120)
    refused(DeadlinePassed, world, world.session(running), Item("listing", world.listing.id), running)


def test_revoking_a_policy_or_device_stops_further_releases_at_once(world: World, running: int) -> None:
    item, session = Item("listing", world.listing.id), world.session(running)
    found = authorise(world, session, item, running)
    world.do(policies.deny_device, GOVERNOR, "c0ffee")
    refused(NotAuthorized, world, session, item, running)
    with pytest.raises(NotAuthorized, match="deny list"):
        keys.confirm(world.state, world.message(session), found)


def test_a_revoked_policy_stops_releases(world: World, running: int) -> None:
    world.do(policies.revoke_policy, GOVERNOR, "simulated")
    error = refused(NotAuthorized, world, world.session(running), Item("listing", world.listing.id), running)
    assert "revoked" in error.required


def test_an_attestation_older_than_a_day_gets_no_key(world: World) -> None:
    world.do(policies.revoke_policy, GOVERNOR, "production")  # unrelated
    world.offer = world.post_offer(max_duration_s=Seconds(200_000))
    world.fund(RENTER, 10**7)
    world.fund(OPERATOR, 10**7)
    rental = world.create(max_duration_s=Seconds(100_000)).id
    world.claim(rental)
    world.attest(rental)
    world.work(rental, 86_400)
    world.now -= 1
    item = Item("listing", world.listing.id)
    authorise(world, world.session(rental), item, rental)
    world.now += 1
    refused(DeadlinePassed, world, world.session(rental), item, rental)


def test_a_session_gets_each_key_a_few_times_only(world: World, running: int) -> None:
    item = Item("listing", world.listing.id)
    for _ in range(limits.MAX_KEY_RELEASES):
        world.release(running, item)
    refused(InvalidState, world, world.session(running), item, running)
    world.release(running, Item("dataset", world.dataset.id))
    world.do(jobs.hand_back, WORKER, running, "SIGTERM")
    world.claim(running)
    world.attest(running)
    world.release(running, item)


def test_every_release_of_a_rental_is_logged_with_item_and_receiver(world: World, running: int) -> None:
    from canisters.marketplace.core import events

    world.release(running)
    log = events.page(world.state, running, 0, 100)
    released = [event for event in log if event.kind == "key_released"]
    session = world.session(running)
    assert [event.reason for event in released] == [
        f"listing/{world.listing.id} to {session}",
        f"dataset/{world.dataset.id} to {session}",
    ]
    assert world.rental(running).reason is None


def test_the_renter_gets_the_result_after_success_only(world: World) -> None:
    rental = world.settling()
    item = Item("result", str(rental))
    refused(InvalidState, world, RENTER, item, None, OWN_KEY)
    world.do(rentals.accept, RENTER, rental)
    found = authorise(world, RENTER, item, None, OWN_KEY)
    assert found.transport_public_key == OWN_KEY
    assert f"vault:{found.blob_id}" == artifact("adapter").location
    authorise(world, RENTER, item, rental, OWN_KEY)
    refused(InvalidArgument, world, RENTER, item, rental + 1, OWN_KEY)
    for other in (OPERATOR, WORKER, STRANGER, PUBLISHER, world.session(rental)):
        refused(NotAuthorized, world, other, item, None, OWN_KEY)


@pytest.mark.parametrize("key", [None, b"", bytes(47), bytes(49)])
def test_owners_and_renters_bring_a_transport_key(world: World, key: bytes | None) -> None:
    assert (
        refused(InvalidArgument, world, PUBLISHER, Item("listing", world.listing.id), None, key).field
        == "transport_public_key"
    )


def test_owners_always_get_their_own_items_and_nobody_else_s(world: World) -> None:
    listing, dataset = Item("listing", world.listing.id), Item("dataset", world.dataset.id)
    assert authorise(world, PUBLISHER, listing, None, OWN_KEY).input == listing.input
    assert authorise(world, OWNER, dataset, None, OWN_KEY).input == dataset.input
    for caller in (STRANGER, RENTER, OPERATOR, OWNER):
        refused(NotAuthorized, world, caller, listing, None, OWN_KEY)
    refused(NotAuthorized, world, PUBLISHER, dataset, None, OWN_KEY)
    refused(NotAuthorized, world, PUBLISHER, Item("listing", "x" * 10_000), None, OWN_KEY)
    refused(NotAuthorized, world, PUBLISHER, Item("checkpoint", "0"), None, OWN_KEY)
    refused(NotAuthorized, world, ANONYMOUS, listing, None, OWN_KEY)
    refused(NotFound, world, RENTER, Item("result", "99"), None, OWN_KEY)


def test_keys_outside_rentals_are_limited_per_day(world: World) -> None:
    listing = Item("listing", world.listing.id)
    for _ in range(limits.MAX_OWNER_KEYS_PER_DAY):
        world.do(keys.record, PUBLISHER, authorise(world, PUBLISHER, listing, None, OWN_KEY))
    refused(Unavailable, world, PUBLISHER, listing, None, OWN_KEY)
    authorise(world, OWNER, Item("dataset", world.dataset.id), None, OWN_KEY)
    world.later(86_400)
    authorise(world, PUBLISHER, listing, None, OWN_KEY)


def test_data_outside_the_vault_needs_no_grant(world: World) -> None:
    far = world.publish_listing(artifact=artifact("far", "https://example.org/far.age"), fee=Tokens(0))
    world.listing = far
    rental = world.create().id
    world.claim(rental)
    world.attest(rental)
    assert authorise(world, world.session(rental), Item("listing", far.id), rental).blob_id is None
