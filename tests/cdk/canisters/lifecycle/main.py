"""Every system event that Kybra has a decorator for; guards on some of them."""

from kybra import (
    GuardResult,
    GuardType,
    StableBTreeMap,
    Vec,
    heartbeat,
    ic,
    init,
    inspect_message,
    nat64,
    post_upgrade,
    pre_upgrade,
    query,
    text,
    update,
    void,
)

story = StableBTreeMap[nat64, text](memory_id=0, max_key_size=8, max_value_size=200)
beats: Vec[bool] = []


def note(event: text) -> None:
    story.insert(story.len(), event)


def not_anonymous() -> GuardResult:
    return {"Err": "sign in"} if ic.caller().to_str() == "2vxsx-fae" else {"Ok": None}


guard: GuardType = not_anonymous


def few_beats() -> GuardResult:
    return {"Err": "enough"} if len(beats) >= 3 else {"Ok": None}


@init
def init_(name: text) -> void:
    note(f"init {name}")


@pre_upgrade
def before() -> void:
    note(f"pre_upgrade after {len(beats)} beats")


@post_upgrade
def after(name: text) -> void:
    note(f"post_upgrade {name}")


@heartbeat(guard=few_beats)
def beat() -> void:
    beats.append(True)


@inspect_message(guard=not_anonymous)
def inspect() -> void:
    if ic.method_name() != "closed" and ic.arg_data_raw_size() < 100:
        ic.accept_message()


@query
def events() -> Vec[text]:
    return story.values()


@query
def count_beats() -> nat64:
    return len(beats)


@update
def opened() -> void:
    note("opened")


@update(guard=guard)
def guarded() -> void:
    note("guarded")


@update
def closed() -> void:
    note("closed")
