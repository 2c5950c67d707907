"""A counter: the smallest useful canister."""

from kybra import GuardResult, StableBTreeMap, ic, init, nat64, post_upgrade, query, text, update, void

counters = StableBTreeMap[text, nat64](memory_id=0, max_key_size=100, max_value_size=8)


def not_anonymous() -> GuardResult:
    if ic.caller().to_str() == "2vxsx-fae":
        return {"Err": "sign in first"}
    return {"Ok": None}


@init
def init_(start: nat64) -> void:
    counters.insert("count", start)


@post_upgrade
def post_upgrade_() -> void:
    ic.print("upgraded")


@query
def get() -> nat64:
    return counters.get("count") or 0


@update
def nothing() -> void:
    pass


@update
def increment() -> nat64:
    value = get() + 1
    counters.insert("count", value)
    return value


@update(guard=not_anonymous)
def add(amount: nat64) -> nat64:
    value = get() + amount
    counters.insert("count", value)
    return value


@update
def fail() -> void:
    counters.insert("count", 0)
    raise ValueError("this always fails")
