"""Canisters by themselves on the local node, which tells what each of their messages costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.local_network import Subnet
from devnet.node import Node
from leasehold.agent import Agent, Identity
from leasehold.management import Management


class LoneCanister:
    """A canister that was just installed.

    `instructions` are those of its last message as the node counts them, with the Internet Computer's
    weights; 0 on a network that does not tell (`subnet` is None).
    """

    def __init__(self, agent: Agent, module: bytes, subnet: Subnet | None = None) -> None:
        self._agent, self._subnet = agent, subnet
        self._management = Management(agent)
        self._id = self._management.create()
        self._management.install(self._id, module)
        self.instructions = 0

    def update(self, method: str, arg: bytes = b"") -> bytes:
        """Execute an update method: its reply, Candid in and out."""
        reply = self._agent.update(self._id, method, arg)
        if self._subnet is not None:
            self.instructions = self._subnet.instructions(self._id, f"canister_update {method}")
        return reply

    def delete(self) -> None:
        """Take it off the network."""
        self._management.delete(self._id)


Host = Callable[[bytes], LoneCanister]
"""Installs a module."""


@contextmanager
def lone_canisters() -> Iterator[Host]:
    """A network in memory, for canisters that end with the `with` block."""
    with Node.start() as node, Agent(node.url, Identity.generate(), node.root_key) as agent:
        yield lambda module: LoneCanister(agent, module, Subnet(node))
