"""The book: double entries, derived sums, who sees what."""

import pytest

from canisters.marketplace.core import accounts, rentals
from canisters.marketplace.core.accounts import Entry, move, movements_for
from canisters.marketplace.core.errors import InsufficientBalance
from canisters.marketplace.core.types import Tokens, TokensError
from tests.marketplace.world import (
    ARBITER,
    CO_AUTHOR,
    GOVERNOR,
    OPERATOR,
    PUBLISHER,
    RENTER,
    STRANGER,
    TREASURY,
    World,
)


def test_no_account_becomes_negative_but_the_ledger_s_side(world: World) -> None:
    before = world.snapshot()
    with pytest.raises(TokensError, match="would become -"):
        world.do(move, STRANGER, Entry("platform", "treasury", Tokens(1), "test"))
    assert world.snapshot() == before


def test_escrow_does_not_move_without_saying_whose_it_is(world: World) -> None:
    with pytest.raises(TokensError, match="does not say whose"):
        world.do(move, STRANGER, Entry("external", "escrow/9", Tokens(1), "test"))


def test_nothing_is_written_for_nothing(world: World) -> None:
    before = world.snapshot()
    world.do(move, STRANGER, Entry("platform", "treasury", Tokens(0), "test"))
    assert world.snapshot() == before


def test_a_principal_sees_three_sums(world: World) -> None:
    rental = world.running()
    renter, operator = (accounts.balances_of(world.state, owner) for owner in (RENTER, OPERATOR))
    assert (renter.available.base_units, renter.escrowed.base_units) == (100_000 - 13_860, 13_860)
    assert (operator.available.base_units, operator.bonded.base_units) == (46_400, 3_600)
    world.do(rentals.cancel, RENTER, rental)
    after = accounts.balances_of(world.state, RENTER)
    assert after.escrowed == accounts.balances_of(world.state, OPERATOR).bonded == Tokens(0)


def test_requiring_more_than_available_tells_both_amounts(world: World) -> None:
    with pytest.raises(InsufficientBalance) as caught:
        accounts.require_available(world.state, STRANGER, Tokens(5))
    assert caught.value.variant() == {"InsufficientBalance": {"available": 0, "required": 5}}


def test_renters_see_every_movement_of_their_rentals_others_only_their_own(world: World) -> None:
    rental = world.settling()
    world.do(rentals.accept, RENTER, rental)
    whole = movements_for(world.state, GOVERNOR, None, 100)
    of_rental = [line for line in whole if line.rental == rental]
    assert {"bond", "compute", "listing_fee", "platform_share"} < {line.kind for line in of_rental}
    seen = movements_for(world.state, RENTER, None, 100)
    assert [line for line in seen if line.rental == rental] == of_rental
    assert {line.kind for line in movements_for(world.state, PUBLISHER, None, 100)} == {"listing_fee"}
    assert {line.target for line in movements_for(world.state, CO_AUTHOR, None, 100)} == {
        f"available/{CO_AUTHOR}"
    }
    assert {line.kind for line in movements_for(world.state, OPERATOR, None, 100)} == {
        *("deposit", "bond", "compute", "bond_returned")
    }
    assert movements_for(world.state, STRANGER, None, 100) == []
    for overseer in (ARBITER, TREASURY):
        assert movements_for(world.state, overseer, None, 100) == whole


def test_pages_of_movements_follow_each_other(world: World) -> None:
    world.do(rentals.accept, RENTER, world.settling())
    whole = movements_for(world.state, RENTER, None, 100)
    paged, last = [], None
    while page := movements_for(world.state, RENTER, last, 2):
        paged += page
        last = page[-1].index
    assert paged == whole
    assert len(movements_for(world.state, RENTER, None, 0)) == 1
    assert movements_for(world.state, RENTER, 2**64 - 1, 100) == []
