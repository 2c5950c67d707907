"""Built canisters on a network, called by the real client, which verifies certificates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cdk.build import build
from leasehold.agent import Agent, Canister, Identity
from leasehold.interfaces import load_interface
from leasehold.management import Management
from tests.network import open_network


@contextmanager
def connected(identity: Identity, state: Path | None = None) -> Iterator[Agent]:
    """A network, seen by `identity`."""
    with open_network(state) as network, Agent(network.url, identity, network.root_key) as agent:
        yield agent


def deploy(agent: Agent, name: str, init: dict[str, Any]) -> Canister:
    """Build, create and install a canister."""
    management, interface = Management(agent), load_interface(name)
    canister = management.create()
    management.install(canister, build(name).packed, interface.encode_init(init))
    return agent.canister(canister, interface)


def upgrade(agent: Agent, canister: Canister, name: str) -> None:
    """Install the module again, keeping stable memory."""
    Management(agent).upgrade(canister.id, build(name).packed)
