"""One canister by itself: on a network in memory, which counts its instructions, or on the given one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.lone_canister import Host, LoneCanister, lone_canisters
from leasehold.agent import Agent, Identity
from tests.network import given, open_network


@contextmanager
def open_host() -> Iterator[Host]:
    """What makes a canister of a module. A given network's go away afterwards, and count no instructions."""
    if given() is None:
        with lone_canisters() as host:
            yield host
        return
    with ExitStack() as stack:
        network = stack.enter_context(open_network())
        agent = stack.enter_context(Agent(network.url, Identity.generate(), network.root_key))

        def install(module: bytes) -> LoneCanister:
            canister = LoneCanister(agent, module)
            stack.callback(canister.delete)
            return canister

        yield install
