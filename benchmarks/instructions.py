"""Instructions of messages, stable storage and small Python programs, in a canister that measures itself."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from benchmarks.figures import Figure, Section
from benchmarks.local_network import Subnet, subnet_with_programs
from leasehold.agent import Canister

ENTRIES = 100_000
BATCH = 10_000
SAMPLES = 25
EMPTY_UPDATE_GOAL = 150_000
GET_GOAL = 60_000
PUT_GOAL = 120_000

PROGRAMS = {
    "run_fib": "fib(20), recursive",
    "run_sum": "sum of range(10,000) in a loop",
    "run_dict": "500 dict inserts and reads",
    "run_sort": "500 list appends and a sort",
    "run_strings": "100 string appends",
}


def messages(subnet: Subnet, canister: Canister) -> list[Figure]:
    """A whole message that does nothing, and the start of Python that precedes all messages."""

    def cost(method: str) -> int:
        canister.call(method)
        return subnet.instructions(canister.id, f"canister_update {method}")

    start = subnet.instructions(canister.id, "canister_init")
    first = cost("empty")
    settled = int(median(cost("empty") for _ in range(5)))
    return [
        Figure("canister_init of a small canister", start, "instructions", note="Python starts"),
        Figure("empty update, first after install", first, "instructions", EMPTY_UPDATE_GOAL),
        Figure("empty update", settled, "instructions", EMPTY_UPDATE_GOAL, note="the whole message"),
    ]


def storage(canister: Canister, entries: int = ENTRIES) -> list[Figure]:
    """`StableBTreeMap` with so many entries of 16-byte keys and 300-byte values."""
    for first in range(0, entries, BATCH):
        canister.call("fill", first, min(BATCH, entries - first))
    step = max(1, entries // SAMPLES)
    gets = [canister.call("get", number) for number in range(0, entries, step)]
    puts = [canister.call("put", entries + number) for number in range(SAMPLES)]
    replaced = [canister.call("put", number) for number in range(0, entries, step)]
    where = f"{entries:,} entries"
    how = f"median of {SAMPLES} messages"
    return [
        Figure(f"StableBTreeMap get, {where}", median(gets), "instructions", GET_GOAL, note=how),
        Figure(f"StableBTreeMap put of a new key, {where}", median(puts), "instructions", PUT_GOAL, note=how),
        Figure("the dearest of them", max(puts), "instructions", note="a page split"),
        Figure(
            f"StableBTreeMap put over a key, {where}", median(replaced), "instructions", PUT_GOAL, note=how
        ),
    ]


def programs(canister: Canister) -> list[Figure]:
    """What Python itself costs."""
    call: Callable[[str], int] = canister.call
    return [Figure(name, call(method), "instructions") for method, name in PROGRAMS.items()]


def measure(entries: int = ENTRIES) -> list[Section]:
    """Messages, storage, programs."""
    with subnet_with_programs() as (subnet, canister):
        return [
            Section("A message", messages(subnet, canister)),
            Section("Stable storage", storage(canister, entries)),
            Section("Python programs in a canister", programs(canister)),
        ]
