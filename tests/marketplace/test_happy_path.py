"""One rental from deposit to payout, to the base unit."""

from canisters.marketplace.core import events, rentals
from canisters.marketplace.core.model import Charges
from canisters.marketplace.core.types import Status, Tokens
from tests.marketplace.world import CO_AUTHOR, OPERATOR, OWNER, PUBLISHER, RENTER, World


def test_a_rental_pays_everyone_exactly_and_leaves_nothing_behind(world: World) -> None:
    rental = world.create()
    # 1000 listing + 200 data + 12 x 1000 compute, and 5 % of that for the platform
    assert rental.terms.quote.total_max == Tokens(13_200 + 660)
    assert world.account(f"escrow/{rental.id}") == 13_860
    world.claim(rental.id)
    assert world.account(f"bond/{rental.id}") == 12 * 1_000 * 30 // 100
    world.attest(rental.id)
    world.release(rental.id)
    world.work(rental.id, 250)
    world.finish(rental.id)
    world.do(rentals.accept, RENTER, rental.id)

    done = world.rental(rental.id)
    assert done.status is Status.SUCCEEDED
    assert done.charges == Charges(
        listing_fee=Tokens(1_000),
        dataset_fees=Tokens(200),
        compute=Tokens(2_500),
        platform=Tokens(185),
        refund=Tokens(13_860 - 3_885),
        slashed=Tokens(0),
    )
    assert world.book() == {
        f"available/{PUBLISHER}": 700,
        f"available/{CO_AUTHOR}": 300,
        f"available/{OWNER}": 200,
        f"available/{OPERATOR}": 52_500,
        f"available/{RENTER}": 100_000 - 3_885,
        "platform": 185,
        "external": -150_000,
    }


def test_the_log_tells_the_whole_story_and_its_head_fixes_it(world: World) -> None:
    rental = world.settling()
    world.do(rentals.accept, RENTER, rental)
    log = events.page(world.state, rental, 0, 100)
    assert [event.kind for event in log] == [
        "create",
        "claim",
        "evidence_accepted",
        "key_released",
        "key_released",
        "result",
        "accept",
    ]
    assert [(event.source, event.target) for event in log][-2:] == [
        ("running", "settling"),
        ("settling", "succeeded"),
    ]
    head = bytes(32)
    for event in log:
        head = events.chain(head, event)
    assert head == world.rental(rental).event_head
