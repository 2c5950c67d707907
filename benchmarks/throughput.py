"""Updates a second that the local node answers to several clients at once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from benchmarks.figures import Figure
from leasehold.agent import Agent, Canister, Identity

CLIENTS = 8
INSTRUCTIONS = 200_000
GOAL_PER_SECOND = 50.0
RUNS = 3


def work(canister: Canister, calls: int) -> None:
    """One client with its own identity and connections: calls one after another."""
    agent = canister.agent
    with Agent(agent.url, Identity.generate(), agent.root_key) as own:
        mine = own.canister(canister.id, canister.interface)
        for _ in range(calls):
            mine.call("spin", INSTRUCTIONS)


def run(canister: Canister, calls: int) -> float:
    """Updates a second in one run of all clients."""
    start = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(work, canister, calls) for _ in range(CLIENTS)]:
            done.result()
    return CLIENTS * calls / (time.perf_counter() - start)


def measure(canister: Canister, calls: int = 50) -> list[Figure]:
    """The median of a few runs with `calls` updates of each client."""
    run(canister, 1)
    rates = [run(canister, calls) for _ in range(RUNS)]
    name = f"updates of {INSTRUCTIONS:,} instructions, {CLIENTS} clients"
    note = f"median of {RUNS} runs"
    return [Figure(name, median(rates), "/s", GOAL_PER_SECOND, at_least=True, note=note)]
