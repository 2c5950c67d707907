"""The network on which tests of canisters run.

By default a devnet inside the test's process. With `LEASEHOLD_NETWORK=http://…` (and `LEASEHOLD_ROOT_KEY`, in
hexadecimal, where the node is not to be asked) any other, over nothing but its HTTP interface: another
devnet, `icp network start`, PocketIC. What a given network cannot do, such as a restart, is skipped there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from devnet.node import Node
from leasehold.agent import Agent, Identity, Principal
from leasehold.management import Management
from leasehold.network import NETWORK_VARIABLE, Network

# So much time is waited for on a network whose time cannot be moved.
MAX_WAIT_S: Final = 5.0
_TIME_PATH: Final = "/_/time"
_TIME_TIMEOUT_S: Final = 60.0


class CanisterNetwork:
    """Where the network is, and its time."""

    def __init__(self, url: str, root_key: bytes | None) -> None:
        self.url = url
        self._agent = Agent(url, Identity.ANONYMOUS, root_key)
        self.root_key = self._agent.root_key

    def now_ns(self) -> int:
        """The network's time, nanoseconds since 1970."""
        return self._agent.now_ns()

    def advance(self, seconds: float) -> None:
        """Let time pass: at once on devnet. Elsewhere a short time is waited for; a long one skips."""
        step = {"advance_ns": str(int(seconds * 1e9))}
        answer = httpx.post(self.url + _TIME_PATH, json=step, trust_env=False, timeout=_TIME_TIMEOUT_S)
        if answer.status_code == 200:
            return
        if seconds > MAX_WAIT_S:
            pytest.skip(f"the time of {self.url} cannot be moved: HTTP {answer.status_code}, {answer.text}")
        time.sleep(seconds)

    def close(self) -> None:
        """Close the connection."""
        self._agent.close()


def given() -> str | None:
    """The URL of the network that was given, if one was."""
    return os.environ.get(NETWORK_VARIABLE) or None


def skipped_when_given(reason: str) -> pytest.MarkDecorator:
    """Marks a test that only an embedded network can do."""
    return pytest.mark.skipif(given() is not None, reason=f"not on a given network: {reason}")


moves_time = pytest.mark.moves_time
"""Marks a test that sets the network's time forward; on a given network these come last."""


@contextmanager
def open_network(state: Path | None = None) -> Iterator[CanisterNetwork]:
    """The given network, or a fresh one that ends with the `with` block.

    Args:
        state: folder of an embedded network's state; the test must be `skipped_when_given`.
    """
    with ExitStack() as stack:
        if (url := given()) is not None:
            asked = Network.load(url)
            network = CanisterNetwork(asked.url, asked.root_key)
        else:
            node = stack.enter_context(Node.start(state_dir=state))
            network = CanisterNetwork(node.url, node.root_key)
        stack.callback(network.close)
        yield network


def remove_when_given(network: Network, controller: Identity) -> None:
    """Delete a test's canisters from a given network, which outlives the test and has bounded memory."""
    if given() is None:
        return
    with network.agent(controller) as agent:
        for canister in network.canisters.values():
            Management(agent).delete(Principal.parse(canister))
