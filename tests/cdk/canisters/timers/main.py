"""Timers: one-shot, repeating, asynchronous, and failing ones that must not disturb the others."""

from kybra import Async, CallResult, StableBTreeMap, blob, ic, init, nat64, query, text, update, void
from kybra.canisters.management import management_canister

counts = StableBTreeMap[text, nat64](memory_id=0, max_key_size=20, max_value_size=8)
ids = {}


def count(name: str) -> None:
    counts.insert(name, (counts.get(name) or 0) + 1)


def tick() -> void:
    count("tick")


def fail() -> void:
    count("fail")
    raise ValueError("this timer always fails")


def ask() -> Async[void]:
    result: CallResult[blob] = yield management_canister.raw_rand()
    count("asked" if result.Err is None else "refused")


@init
def init_() -> void:
    ids["fail"] = ic.set_timer_interval(10, fail)
    ids["tick"] = ic.set_timer_interval(10, tick)


@update
def once(delay: nat64) -> nat64:
    return ic.set_timer(delay, lambda: count("once"))


@update
def ask_in(delay: nat64) -> nat64:
    return ic.set_timer(delay, ask)


@update
def stop(name: text) -> void:
    ic.clear_timer(ids[name])


@query
def get(name: text) -> nat64:
    return counts.get(name) or 0
