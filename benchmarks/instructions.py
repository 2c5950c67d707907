"""Instructions of messages and of stable storage, in a canister that measures itself."""

from __future__ import annotations

from statistics import median

from benchmarks import counter_benchmark
from benchmarks.figures import Figure, Section
from benchmarks.local_network import Subnet, subnet_with_programs
from leasehold.agent import Canister

ENTRIES = 100_000
BATCH = 10_000
SAMPLES = 25
EMPTY_UPDATE_GOAL = 20_000
QUESTION = {"number": 7, "text": "how much?"}
MEBIBYTE = bytes(range(256)) * 4_096
MEBIBYTE_GOAL = 3_000_000
GET_GOAL = 60_000
PUT_GOAL = 120_000


def messages(subnet: Subnet, canister: Canister) -> list[Figure]:
    """A whole message that does nothing, and the start of Python that precedes all messages."""

    def cost(method: str, *arguments: object) -> int:
        canister.call(method, *arguments)
        return subnet.instructions(canister.id, f"canister_update {method}")

    start = subnet.instructions(canister.id, "canister_init")
    first = cost("empty")
    settled = int(median(cost("empty") for _ in range(5)))
    exchange = int(median(cost("exchange", QUESTION) for _ in range(5)))
    mirror = int(median(cost("mirror", MEBIBYTE) for _ in range(5)))
    return [
        Figure("canister_init of a small canister", start, "instructions", note="Python starts"),
        Figure("empty update, first after install", first, "instructions"),
        Figure("empty update", settled, "instructions", EMPTY_UPDATE_GOAL, note="the whole message"),
        Figure(
            "update, a record in and a record out",
            exchange,
            "instructions",
            note="the whole message",
        ),
        Figure("update, a blob of 1 MiB in and out", mirror, "instructions", note="the whole message"),
        Figure(
            "decoding and encoding that blob",
            mirror - 2 * len(MEBIBYTE),
            "instructions",
            MEBIBYTE_GOAL,
            note="less the system's two copies",
        ),
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


def measure(entries: int = ENTRIES) -> list[Section]:
    """Messages, storage, programs."""
    with subnet_with_programs() as (subnet, canister):
        return [
            Section("A message", messages(subnet, canister)),
            Section("Stable storage", storage(canister, entries)),
            counter_benchmark.measure(canister),
        ]
