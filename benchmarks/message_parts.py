"""Where the instructions of a message go: decode, authorise, core, storage, encode.

The parts are noted by a marketplace with marks (`benchmarks/profiled`), the whole message is measured on the
one that is deployed; what no part explains is the rest: dispatching, transactions, writing the page cache.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.canisters import OUR_CANISTERS, ROOT
from benchmarks.figures import Figure, Section
from benchmarks.goods import stock
from benchmarks.local_network import Market, market
from cdk.build import build
from leasehold.agent import Interface
from leasehold.interfaces import load_interface

PROFILED = "benchmarks/profiled"
METHODS = ("create_rental", "get_rental")
MARKS = Interface.parse("service : { marks : () -> (text) query }")
PARTS = {
    "decode": "Candid to Python, and to the core's records",
    "authorise": "who calls, may they, is it paused",
    "core": "the rules",
    "records": "storage: records to bytes and back",
    "maps": "storage: stable maps",
    "encode": "the answer to Candid",
}
RENTALS = 5
"""Made before, so that everything has run once."""


def measure() -> list[Section]:
    """A section for each method."""
    modules = {name: build(name, ROOT).packed for name in OUR_CANISTERS}
    with market(modules) as people:
        whole = {method: cost for method, cost, _ in _messages(people, marked=False)}
    with market({**modules, "marketplace": build(PROFILED, ROOT).packed}) as people:
        parts = {method: found for method, _, found in _messages(people, marked=True)}
    return [_section(method, whole[method], parts[method]) for method in METHODS]


def _section(method: str, whole: int, parts: Mapping[str, int]) -> Section:
    figures = [Figure(name, parts.get(name, 0), "instructions", note=what) for name, what in PARTS.items()]
    rest = whole - sum(parts.values())
    figures.append(Figure("rest", rest, "instructions", note="dispatch, transaction, page cache"))
    figures.append(Figure("all of it", whole, "instructions", note="measured without marks"))
    return Section(f"Where the instructions of {method} go", figures)


def _messages(people: Market, marked: bool) -> list[tuple[str, int, dict[str, int]]]:
    """Each method as one message: its name, what it took, and its parts."""
    goods = stock(people.clients)
    renter = people.clients["renter"]
    for _ in range(RENTALS):
        number = renter.marketplace.create_rental(goods.rental()).id
    interface, canister = load_interface("marketplace"), renter.marketplace.id
    arguments: dict[str, Callable[[], Any]] = {
        "create_rental": lambda: goods.rental().candid(),
        "get_rental": lambda: number,
    }
    found = []
    for method in METHODS:
        # The second time nothing is compiled any more.
        encoded = [interface.method(method).encode(arguments[method]()) for _ in range(2)]
        people.subnet.update_many(canister, method, renter.principal, encoded)
        kind = "update" if marked or method == "create_rental" else "query"
        cost = people.subnet.instructions(canister, f"canister_{kind} {method}")
        marks = renter.agent.canister(canister, MARKS).call("marks") if marked else "{}"
        found.append((method, cost, json.loads(marks)))
    return found
