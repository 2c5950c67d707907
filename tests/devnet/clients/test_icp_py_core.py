"""The node before icp-py-core's agent, which sends no CBOR tag and null keys when anonymous."""

from collections.abc import Iterator

import pytest
from icp_core import Agent, Client, Identity, encode

from devnet.node import Node
from devnet.principal import principal_text
from tests.devnet import agent as own
from tests.devnet import whoami


@pytest.fixture(scope="module")
def deployed() -> Iterator[tuple[str, str]]:
    """URL of a node and the text of a canister's id."""
    with Node.start() as node, own.Agent(node.url, node.root_key) as agent:
        yield node.url, principal_text(whoami.deploy(agent))


@pytest.mark.parametrize("kind", ["ed25519", "secp256k1", "anonymous"])
def test_it_queries_and_updates(deployed: tuple[str, str], kind: str) -> None:
    url, canister = deployed
    identity = Identity(anonymous=True) if kind == "anonymous" else Identity(type=kind)
    agent = Agent(identity, Client(url=url))
    sender = identity.sender().to_str()
    # Its certificate check needs a module that no registry has; the other clients here do check.
    for answer in (
        agent.query_raw(canister, "who", encode([])),
        agent.update_raw(canister, "caller", encode([]), verify_certificate=False),
    ):
        assert answer[0]["value"].to_str() == sender
