"""Listings, datasets and offers: ids that cannot be taken, publishing twice, bounds at and one past each."""

from dataclasses import replace
from typing import Any

import pytest

from canisters.marketplace.core import catalog, limits
from canisters.marketplace.core.errors import InvalidArgument, NotAuthorized, NotFound, Unavailable
from canisters.marketplace.core.installation import set_paused
from canisters.marketplace.core.model import Payee
from canisters.marketplace.core.types import ANONYMOUS, BasisPoints, Principal, Seconds, Tokens
from tests.marketplace.world import (
    GOVERNOR,
    OPERATOR,
    OWNER,
    PUBLISHER,
    RENTER,
    STRANGER,
    WORKER,
    World,
    artifact,
    person,
)


def refused(call: Any, *args: Any, **named: Any) -> InvalidArgument:
    with pytest.raises(InvalidArgument) as caught:
        call(*args, **named)
    return caught.value


def payees(*shares: int) -> tuple[Payee, ...]:
    return tuple(Payee(person(f"payee {at}"), BasisPoints(share)) for at, share in enumerate(shares))


def test_an_id_is_made_as_the_interface_says() -> None:
    import hashlib

    from cdk.candid import Principal as CandidPrincipal

    raw = CandidPrincipal.from_str(PUBLISHER).bytes
    salt = bytes(range(16))
    expected = hashlib.sha256(b"leasehold-item" + b"listing" + b"\x00" + raw + salt).hexdigest()[:32]
    assert catalog.item_id("listing", PUBLISHER, salt) == expected


def test_nobody_can_take_another_s_id(world: World) -> None:
    args = world.listing_args(PUBLISHER)
    problem = refused(world.do, catalog.publish_listing, STRANGER, args)
    assert problem.field == "id"
    assert "this caller and salt" in problem.problem


def test_publishing_the_same_again_answers_with_what_is_there(world: World) -> None:
    args = world.listing_args()
    first = world.do(catalog.publish_listing, PUBLISHER, args)
    world.later(5)
    before = world.snapshot()
    assert world.do(catalog.publish_listing, PUBLISHER, args) == first
    assert world.snapshot() == before


def test_publishing_other_content_under_the_same_id_names_what_differs(world: World) -> None:
    args = world.listing_args()
    world.do(catalog.publish_listing, PUBLISHER, args)
    changed = replace(args, fee=Tokens(1), title="Other")
    assert "title, fee" in refused(world.do, catalog.publish_listing, PUBLISHER, changed).problem
    data = world.dataset_args()
    world.do(catalog.publish_dataset, OWNER, data)
    assert "public" in refused(world.do, catalog.publish_dataset, OWNER, replace(data, public=False)).problem


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("title", "x" * limits.MAX_TITLE_CHARACTERS, "x" * (limits.MAX_TITLE_CHARACTERS + 1)),
        ("title", "x", "  "),
        ("description", "", "x" * (limits.MAX_DESCRIPTION_CHARACTERS + 1)),
        ("base_model", "x" * limits.MAX_BASE_MODEL_CHARACTERS, "x" * (limits.MAX_BASE_MODEL_CHARACTERS + 1)),
        ("tasks", limits.TASKS, ()),
        ("tasks", limits.TASKS[:1], ("chess",)),
        ("tasks", limits.TASKS[:1], limits.TASKS[:1] * 2),
        ("fee", Tokens(limits.MAX_AMOUNT), Tokens(limits.MAX_AMOUNT + 1)),
        ("fee", Tokens(0), Tokens(10**5000)),
        ("payees", payees(*[500] * 20), payees(*[400] * 20, 2_000)),
        ("payees", payees(10_000), payees(9_999)),
        ("payees", payees(1, 9_999), payees(0, 10_000)),
        ("payees", payees(10_000), ()),
        ("payees", payees(10_000), (Payee(ANONYMOUS, BasisPoints(10_000)),)),
    ],
)
def test_a_listing_s_bounds_hold_at_and_one_past(world: World, field: str, good: Any, bad: Any) -> None:
    world.publish_listing(**{field: good})
    before = world.snapshot()
    problem = refused(world.publish_listing, **{field: bad})
    assert problem.field.startswith(field)
    assert len(problem.value) < 200
    assert world.snapshot() == before


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("location", "https://example.org/model.age", "http://example.org/model.age"),
        ("location", "vault:" + "a" * 64, "vault:" + "a" * 63),
        ("location", "vault:" + "0" * 64, "vault:" + "A" * 64),
        ("location", "s3://bucket/key", "file:///etc/passwd"),
        ("location", "ipfs://cid", "https://a b"),
        ("location", "https://" + "a" * 1_016, "https://" + "a" * 1_017),
        ("size", 1, 0),
        ("size", limits.MAX_ARTIFACT_BYTES, limits.MAX_ARTIFACT_BYTES + 1),
        ("sha256", bytes(32), bytes(31)),
        ("sealed_identity", bytes(1), b""),
        ("sealed_identity", bytes(1_024), bytes(1_025)),
    ],
)
def test_an_artifact_s_bounds_hold_at_and_one_past(world: World, field: str, good: Any, bad: Any) -> None:
    world.publish_dataset(artifact=replace(artifact(), **{field: good}))
    assert (
        refused(world.publish_dataset, artifact=replace(artifact(), **{field: bad})).field
        == f"artifact.{field}"
    )


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("request_id", bytes(16), bytes(15)),
        ("rate_per_second", Tokens(0), Tokens(limits.MAX_AMOUNT + 1)),
        ("max_duration_s", Seconds(1), Seconds(0)),
        ("max_duration_s", Seconds(limits.MAX_DURATION_S), Seconds(limits.MAX_DURATION_S + 1)),
        ("bond_basis_points", BasisPoints(3_000), BasisPoints(2_999)),
        ("bond_basis_points", BasisPoints(10_000), BasisPoints(10_001)),
        ("policies", ("simulated",), ()),
        ("policies", ("simulated", "production"), ("simulated", "simulated")),
        ("policies", ("production",), ("trust me",)),
        ("worker", OPERATOR, ANONYMOUS),
        ("hardware", "x", ""),
    ],
)
def test_an_offer_s_bounds_hold_at_and_one_past(world: World, field: str, good: Any, bad: Any) -> None:
    world.post_offer(**{field: good})
    assert refused(world.post_offer, **{field: bad}).field in (field, "policy")


def test_an_offer_is_made_once_per_request(world: World) -> None:
    args = world.offer_args()
    first = world.do(catalog.post_offer, OPERATOR, args)
    assert world.do(catalog.post_offer, OPERATOR, args) == first
    other = refused(world.do, catalog.post_offer, OPERATOR, replace(args, title="Other"))
    assert other.field == "request_id"
    assert world.do(catalog.post_offer, STRANGER, args).id == first.id + 1


@pytest.mark.parametrize("salt", [bytes(15), bytes(17)])
def test_a_salt_has_sixteen_bytes(world: World, salt: bytes) -> None:
    assert refused(world.publish_listing, salt=salt).field == "salt"


def test_the_anonymous_caller_publishes_nothing(world: World) -> None:
    for call in (world.publish_listing, world.publish_dataset, world.post_offer):
        with pytest.raises(NotAuthorized, match="signed"):
            call(ANONYMOUS)


def test_only_owners_retire_and_what_is_retired_leaves_the_catalog(world: World) -> None:
    for retire, record, owner, page in (
        (catalog.retire_listing, world.listing.id, PUBLISHER, catalog.listings),
        (catalog.retire_dataset, world.dataset.id, OWNER, catalog.datasets),
        (catalog.retire_offer, world.offer.id, OPERATOR, catalog.offers),
    ):
        assert [row.id for row in page(world.state, None, 10)] == [record]
        with pytest.raises(NotAuthorized):
            world.do(retire, STRANGER, record)
        assert not world.do(retire, owner, record).active
        assert not world.do(retire, owner, record).active
        assert page(world.state, None, 10) == []


def test_a_private_dataset_does_not_exist_for_others(world: World) -> None:
    secret = world.publish_dataset(public=False)
    assert secret.id not in [row.id for row in catalog.datasets(world.state, None, 10)]
    for caller in (OWNER, GOVERNOR):
        assert catalog.visible_dataset(world.state, world.message(caller), secret.id) == secret
    for caller in (RENTER, WORKER, ANONYMOUS):
        with pytest.raises(NotFound):
            catalog.visible_dataset(world.state, world.message(Principal(caller)), secret.id)
    with pytest.raises(NotFound):
        world.do(catalog.retire_dataset, STRANGER, secret.id)


def test_pages_follow_each_other(world: World) -> None:
    published = sorted([world.listing.id, *(world.publish_listing().id for _ in range(4))])
    first = catalog.listings(world.state, None, 2)
    rest = catalog.listings(world.state, first[-1].id, 100)
    assert [row.id for row in (*first, *rest)] == published
    assert catalog.listings(world.state, "zz", 100) == []
    offers = [world.offer.id, world.post_offer().id]
    assert [row.id for row in catalog.offers(world.state, offers[0], 10**6)] == offers[1:]


def test_nothing_new_is_published_while_paused(world: World) -> None:
    world.do(set_paused, GOVERNOR, True)
    for call in (world.publish_listing, world.publish_dataset, world.post_offer):
        with pytest.raises(Unavailable, match="paused"):
            call()
    world.do(set_paused, GOVERNOR, False)
    world.publish_listing()
