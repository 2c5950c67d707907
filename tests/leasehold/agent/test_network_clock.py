"""An agent of a local network goes by the network's time, and by the machine's elsewhere."""

from __future__ import annotations

import time

import httpx
import pytest

from leasehold.agent import Agent, CertificateError, Identity, NetworkError
from leasehold.agent.network_clock import MACHINE_TOLERANCE_NS, REFRESH_NS, NetworkClock
from leasehold.agent.root_key import MAINNET_ROOT_KEY
from tests.leasehold.fake_node import CANISTER, URL, FakeNode

SECOND = 10**9
DAY = 86_400 * SECOND


def agent_of(node: FakeNode, url: str = URL, root_key: bytes | None = None) -> Agent:
    transport = httpx.MockTransport(node.handle)
    return Agent(url, Identity.generate(), root_key, sleep=lambda seconds: None, transport=transport)


@pytest.fixture
def node() -> FakeNode:
    return FakeNode({"echo": lambda arg, sender: arg})


@pytest.mark.parametrize("ahead", [-DAY, 0, DAY])
def test_a_local_network_whose_time_was_moved_is_followed(node: FakeNode, ahead: int) -> None:
    node.now = time.time_ns() + ahead
    agent = agent_of(node)
    assert agent.update(CANISTER, "echo", b"x") == b"x"
    assert agent.query(CANISTER, "echo", b"y") == b"y"
    assert abs(agent.now_ns() - node.now) < 60 * SECOND


@pytest.mark.parametrize(("url", "root_key"), [("https://example.com", b""), (URL, MAINNET_ROOT_KEY)])
def test_no_other_network_is_believed_about_the_time(node: FakeNode, url: str, root_key: bytes) -> None:
    node.now = time.time_ns() + DAY
    agent = agent_of(node, url, root_key or node.subnet.public_key)
    with pytest.raises((CertificateError, NetworkError)):
        agent.update(CANISTER, "echo", b"x")
    assert abs(agent.now_ns() - time.time_ns()) < 60 * SECOND


def test_the_time_is_certified_too(node: FakeNode) -> None:
    node.now = time.time_ns() + DAY
    agent = agent_of(node, root_key=FakeNode().subnet.public_key[:-1] + b"\x00")
    with pytest.raises(CertificateError):
        agent.update(CANISTER, "echo", b"x")


def test_a_network_that_runs_fast_is_asked_again_and_a_small_difference_is_none() -> None:
    ahead, elapsed, asked = [DAY], [0], [0]

    def ask() -> int:
        asked[0] += 1
        return ahead[0]

    clock = NetworkClock(ask, machine=lambda: 0, elapsed=lambda: elapsed[0])
    assert [clock.now_ns() for _ in range(3)] == [DAY] * 3
    assert asked == [1]
    ahead[0], elapsed[0] = 2 * DAY, REFRESH_NS + 1
    assert clock.now_ns() == 2 * DAY
    ahead[0], elapsed[0] = MACHINE_TOLERANCE_NS, 2 * REFRESH_NS + 2
    assert clock.now_ns() == 0


def test_a_network_whose_time_moves_between_two_calls_is_followed_at_once(node: FakeNode) -> None:
    node.now = time.time_ns()
    agent = agent_of(node)
    assert agent.update(CANISTER, "echo", b"x") == b"x"
    node.now += DAY
    assert agent.query(CANISTER, "echo", b"y") == b"y"
    node.now += DAY
    assert agent.update(CANISTER, "echo", b"z") == b"z"


def test_a_network_that_does_not_tell_the_time_goes_by_the_machines(node: FakeNode) -> None:
    node.now = time.time_ns()
    agent = agent_of(node, root_key=node.subnet.public_key)
    node.failures = [400]
    assert agent.update(CANISTER, "echo", b"x") == b"x"
    assert node.paths[0].endswith("/read_state")
