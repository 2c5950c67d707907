"""Calls other canisters: typed, raw, one-way, nested, with cycles, and with locks that must be given up."""

from kybra import (
    Async,
    CallResult,
    Principal,
    Record,
    Service,
    Variant,
    Vec,
    blob,
    ic,
    match,
    nat,
    nat64,
    query,
    service_query,
    service_update,
    text,
    update,
)
from kybra.canisters.management import management_canister
from kybra.extensions import candid_decode_typed, candid_encode_typed


class Counter(Service):
    @service_query
    def get(self) -> nat64: ...

    @service_update
    def add(self, amount: nat64) -> nat64: ...


class Answer(Variant, total=False):
    Ok: nat64
    Err: text


class KeyArgs(Record):
    name: text
    context: blob


log: Vec[text] = []
locked: Vec[bool] = [False]


def call_add(counter: Counter, amount: nat64) -> Async[nat64]:
    result: CallResult[nat64] = yield counter.add(amount)
    if result.Err is not None:
        raise ValueError(result.Err)
    return result.Ok


@update
def add_twice(canister: Principal, amount: nat64) -> Async[Answer]:
    counter = Counter(canister)
    before: CallResult[nat64] = yield counter.get()
    if before.Err is not None:
        return {"Err": before.Err}
    yield from call_add(counter, amount)
    after = yield call_add(counter, amount)
    return {"Ok": after - before.Ok}


@update
def add_or_explain(canister: Principal, amount: nat64) -> Async[text]:
    try:
        value = yield call_add(Counter(canister), amount)
    except ValueError as error:
        return f"failed: {error}"
    return f"now {value}"


@update
def add_locked(canister: Principal, amount: nat64) -> Async[nat64]:
    if locked[0]:
        raise ValueError("locked")
    locked[0] = True
    try:
        value = yield from call_add(Counter(canister), amount)
    finally:
        locked[0] = False
    return value


@query
def is_locked() -> bool:
    return locked[0]


@update
def random_bytes() -> Async[blob]:
    result: CallResult[blob] = yield management_canister.raw_rand()
    return match(result, {"Ok": lambda random: random, "Err": lambda error: error.encode()})


@update
def raw(canister: Principal, name: text, cycles: nat) -> Async[text]:
    argument = candid_encode_typed(KeyArgs, {"name": name, "context": b"\x01"})
    result: CallResult[blob] = yield ic.call_raw128(canister, "key", argument, cycles)
    if result.Err is not None:
        return f"{result.reject_code}: {result.Err}"
    return candid_decode_typed(text, result.Ok)


@update
def tell(canister: Principal, amount: nat64) -> text:
    return str(Counter(canister).add(amount).notify())


@update
def who(canister: Principal) -> Async[Principal]:
    yield Counter(canister).get()
    return ic.caller()


@update
def wrong_yield() -> Async[nat64]:
    yield 5
    return 1
