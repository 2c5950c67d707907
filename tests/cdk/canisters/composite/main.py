"""Queries of other canisters from a query, services and functions as values, one-way and raw calls."""

from kybra import (
    Async,
    CallResult,
    Func,
    NotifyResult,
    Principal,
    Query,
    RejectionCode,
    Service,
    Tuple,
    Vec,
    blob,
    canister,
    ic,
    nat64,
    query,
    service_method,
    service_query,
    service_update,
    text,
    update,
)


@canister
class Counter(Service):
    @service_query
    def get(self) -> nat64: ...

    @service_update
    def add(self, amount: nat64) -> nat64: ...

    @service_method
    def nothing(self) -> None: ...


Getter = Func(Query[[], nat64])


@query
def total(counters: Vec[Counter]) -> Async[nat64]:
    found = 0
    for counter in counters:
        result: CallResult[nat64] = yield counter.get()
        if result.Err is not None:
            ic.trap(result.Err)
        found += result.Ok
    return found


@query
def getter(counter: Counter) -> Getter:
    return (counter.canister_id, "get")


@update
def call(function: Getter) -> Async[text]:
    principal, method = function
    result: CallResult[blob] = yield ic.call_raw(principal, method, ic.candid_encode("()"), 0)
    return result.Err if result.Err is not None else ic.candid_decode(result.Ok)


@update
def tell(counter: Counter, amount: nat64) -> NotifyResult:
    return counter.add(amount).notify()


@update
def tell_raw(counter: Principal, cycles: nat64) -> NotifyResult:
    return ic.notify_raw(counter, "nothing", b"DIDL\x00\x00", cycles)


@update
def with_cycles(counter: Counter, cycles: nat64) -> Async[Tuple[nat64, nat64]]:
    yield counter.nothing().with_cycles(cycles)
    first = ic.msg_cycles_refunded()
    yield counter.nothing().with_cycles128(cycles + 1)
    return (first, ic.msg_cycles_refunded128())


@update
def why(canister_id: Principal) -> Async[Tuple[RejectionCode, text]]:
    result: CallResult[blob] = yield ic.call_raw128(canister_id, "missing", b"", 0)
    if result.Err is None:
        return ({"NoError": None}, "")
    return (ic.reject_code(), ic.reject_message())
