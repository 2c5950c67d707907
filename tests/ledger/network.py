"""Built canisters on a devnet, called by the real client, which verifies certificates."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cdk.build import build
from devnet.node import Node
from leasehold.agent import Agent, Canister, Identity
from leasehold.interfaces import load_interface
from leasehold.management import Management


class MovableClock:
    """The machine's clock, which a test may set forward."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def now_ns(self) -> int:
        return time.time_ns() + self.ahead_ns


@contextmanager
def connected(
    identity: Identity, state: Path | None = None, clock: MovableClock | None = None
) -> Iterator[Agent]:
    """A running node, seen by `identity`; both go by `clock`."""
    clock = clock or MovableClock()
    with (
        Node.start(state_dir=state, clock=clock) as node,
        Agent(node.url, identity, root_key=node.root_key, clock=clock.now_ns) as agent,
    ):
        yield agent


def deploy(agent: Agent, name: str, init: dict[str, Any]) -> Canister:
    """Build, create and install a canister."""
    management, interface = Management(agent), load_interface(name)
    canister = management.create()
    management.install(canister, build(name).module, interface.encode_init(init))
    return agent.canister(canister, interface)


def upgrade(agent: Agent, canister: Canister, name: str) -> None:
    """Install the module again, keeping stable memory."""
    Management(agent).upgrade(canister.id, build(name).module)
