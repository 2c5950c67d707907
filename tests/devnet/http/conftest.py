from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from devnet.node import Node
from tests.devnet.agent import Agent, Identity
from tests.devnet.http.fake_replica import FakeReplica, ManualClock


@pytest.fixture(scope="module")
def shared_node() -> Iterator[tuple[Node, FakeReplica, ManualClock]]:
    """One node per module, since starting and stopping a server takes longer than most tests."""
    clock = ManualClock()
    replica = FakeReplica(clock)
    with Node.start(clock=clock, seed=bytes(32), open_replica=lambda keys, clock: replica) as node:
        yield node, replica, clock


@pytest.fixture
def node(shared_node: tuple[Node, FakeReplica, ManualClock]) -> Node:
    return shared_node[0]


@pytest.fixture
def replica(shared_node: tuple[Node, FakeReplica, ManualClock]) -> FakeReplica:
    shared_node[1].reset()
    return shared_node[1]


@pytest.fixture
def clock(shared_node: tuple[Node, FakeReplica, ManualClock]) -> ManualClock:
    return shared_node[2]


@pytest.fixture(params=["ed25519", "p256", "secp256k1"])
def identity(request: pytest.FixtureRequest) -> Identity:
    if request.param == "ed25519":
        return Identity.of(ed25519.Ed25519PrivateKey.generate())
    curve = ec.SECP256R1() if request.param == "p256" else ec.SECP256K1()
    return Identity.of(ec.generate_private_key(curve))


@pytest.fixture
def agent(node: Node, replica: FakeReplica, clock: ManualClock) -> Iterator[Agent]:
    """A client with an Ed25519 key."""
    identity = Identity.of(ed25519.Ed25519PrivateKey.generate())
    with Agent(node.url, node.root_key, identity, clock.now_ns) as agent:
        yield agent


@pytest.fixture
def anonymous(node: Node, replica: FakeReplica, clock: ManualClock) -> Iterator[Agent]:
    with Agent(node.url, node.root_key, None, clock.now_ns) as agent:
        yield agent
