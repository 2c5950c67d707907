"""The network under test: the one at `LEASEHOLD_NETWORK`, or a node started here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.devnet.conformance.driver import Canister, Network, User
from tests.network import open_network


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    """All modules share it: a node takes longer to start than most tests to run."""
    with open_network() as opened:
        network = Network(opened)
        yield network
        network.http.close()


@pytest.fixture
def user(network: Network) -> User:
    """Somebody new for each test."""
    return network.user()


@pytest.fixture(scope="module")
def owner(network: Network) -> User:
    """Whoever controls the canisters that a module's tests share."""
    return network.user()


@pytest.fixture(scope="module")
def canister(owner: User) -> Canister:
    """A universal canister that the tests of a module share."""
    return owner.deploy()


@pytest.fixture(scope="module")
def other(owner: User) -> Canister:
    """Another one, to call."""
    return owner.deploy()
