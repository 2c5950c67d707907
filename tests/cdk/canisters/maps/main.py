"""Stable maps with every kind of key and value."""

from kybra import (
    Opt,
    Principal,
    Record,
    StableBTreeMap,
    Tuple,
    Vec,
    blob,
    ic,
    init,
    nat32,
    nat64,
    post_upgrade,
    query,
    text,
    update,
    void,
)


class Item(Record):
    owner: Principal
    tags: Vec[text]
    note: Opt[text]


items = StableBTreeMap[nat64, Item](memory_id=0, max_key_size=8, max_value_size=200)
blobs = StableBTreeMap[blob, blob](memory_id=1, max_key_size=64, max_value_size=1024)
balances = StableBTreeMap[Tuple[Principal, text], nat64](memory_id=2, max_key_size=100, max_value_size=8)
upgrades = [0]


@init
def init_() -> void:
    upgrades[0] = 0


@post_upgrade
def post_upgrade_() -> void:
    upgrades[0] = 1


@update
def put_item(key: nat64, item: Item) -> Opt[Item]:
    return items.insert(key, item)


@query
def get_item(key: nat64) -> Opt[Item]:
    return items.get(key)


@update
def remove_item(key: nat64) -> Opt[Item]:
    return items.remove(key)


@query
def page(start: Opt[nat64], limit: nat32, reverse: bool) -> Vec[nat64]:
    return [key for key, _ in items.range(start, None, limit, reverse)]


@query
def summary() -> text:
    return f"{items.len()} {items.is_empty()} {items.contains_key(1)} {items.keys()} {len(items.values())}"


@update
def fill(first: nat64, count: nat64, size: nat32) -> void:
    value = bytes(size)
    for number in range(first, first + count):
        blobs.insert((number * 0x9E3779B97F4A7C15 % (1 << 64)).to_bytes(16, "big"), value)


@update
def get_blob(number: nat64) -> nat64:
    key = (number * 0x9E3779B97F4A7C15 % (1 << 64)).to_bytes(16, "big")
    start = ic.performance_counter(0)
    blobs.get(key)
    return ic.performance_counter(0) - start


@update
def put_blob(number: nat64, value: blob) -> nat64:
    key = (number * 0x9E3779B97F4A7C15 % (1 << 64)).to_bytes(16, "big")
    start = ic.performance_counter(0)
    blobs.insert(key, value)
    return ic.performance_counter(0) - start


@update
def credit(account: text, amount: nat64) -> nat64:
    key = (ic.caller(), account)
    balance = (balances.get(key) or 0) + amount
    balances.insert(key, balance)
    return balance


@query
def accounts() -> Vec[Tuple[Principal, text]]:
    return balances.keys()
