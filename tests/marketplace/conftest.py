"""Fixtures of the marketplace's tests."""

import pytest

from tests.marketplace.world import World, market


@pytest.fixture
def world() -> World:
    """An open market: a listing, a dataset, an offer, a renter and an operator with money."""
    return market()
