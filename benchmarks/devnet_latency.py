"""How long a call of the local node takes, by the Python client, certificates and signatures verified."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median, quantiles

from benchmarks.figures import Figure
from benchmarks.goods import stock
from benchmarks.local_network import deployed
from leasehold.agent import Agent, Canister

UPDATE_GOAL_MS = 50.0
QUERY_GOAL_MS = 15.0
ENTRIES = 20_000
WARM_UP = 5
PERCENTILE = "95th percentile"


def durations_ms(call: Callable[[], object], calls: int) -> list[float]:
    """Milliseconds of each of `calls` calls, after a few that are not counted."""
    for _ in range(WARM_UP):
        call()
    found = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        found.append((time.perf_counter() - start) * 1e3)
    return found


def typical_and_slow(name: str, durations: list[float], goal: float) -> list[Figure]:
    """Median, which the goal is about, and 95th percentile."""
    calls = len(durations)
    return [
        Figure(name, median(durations), "ms", goal, note=f"median of {calls}"),
        Figure(f"{name}, slow", quantiles(durations, n=20)[-1], "ms", note=PERCENTILE),
    ]


def measure(canister: Canister, calls: int = 300) -> list[Figure]:
    """Updates and queries of the measuring canister, one after another."""
    empty = durations_ms(lambda: canister.call("empty"), calls)
    queries = durations_ms(lambda: canister.call("empty_query"), calls)
    canister.call("fill", 0, ENTRIES)
    numbers = iter(range(ENTRIES, 2 * ENTRIES))
    puts = durations_ms(lambda: canister.call("put", next(numbers)), calls)
    return [
        *typical_and_slow("update, empty", empty, UPDATE_GOAL_MS),
        *typical_and_slow(f"update, put into {ENTRIES:,} entries", puts, UPDATE_GOAL_MS),
        *typical_and_slow("query", queries, QUERY_GOAL_MS),
    ]


def measure_marketplace(agent: Agent, calls: int = 100) -> list[Figure]:
    """The same of the marketplace: rentals created, and looked at."""
    with deployed(agent.url, agent.root_key) as clients:
        goods, renter = stock(clients), clients["renter"].marketplace
        created = durations_ms(lambda: renter.create_rental(goods.rental()), calls)
        seen = durations_ms(lambda: renter.get_rental(1), calls)
    return [
        *typical_and_slow("update, create_rental", created, UPDATE_GOAL_MS),
        *typical_and_slow("query, get_rental", seen, QUERY_GOAL_MS),
    ]
