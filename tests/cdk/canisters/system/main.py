"""Everything of `ic` that is not about calls, timers or stable memory."""

from kybra import (
    Alias,
    Manual,
    Opt,
    Principal,
    Record,
    Tuple,
    Vec,
    blob,
    ic,
    nat,
    nat32,
    nat64,
    query,
    text,
    update,
    void,
)

Name = Alias[text]


class Facts(Record):
    caller: Principal
    id: Principal
    time: nat64
    method: text
    argument: blob
    argument_size: nat32
    balance: nat
    balance_64: nat64
    instructions: nat64


@update
def facts(name: Name) -> Facts:
    return {
        "caller": ic.caller(),
        "id": ic.id(),
        "time": ic.time(),
        "method": ic.method_name(),
        "argument": ic.arg_data_raw(),
        "argument_size": ic.arg_data_raw_size(),
        "balance": ic.canister_balance128(),
        "balance_64": ic.canister_balance(),
        "instructions": ic.performance_counter(0),
    }


@update
def take(most: nat64) -> Tuple[nat64, nat, nat64, nat]:
    before = (ic.msg_cycles_available(), ic.msg_cycles_available128())
    return (*before, ic.msg_cycles_accept(most), ic.msg_cycles_accept128(most))


@update
def certify(data: blob) -> void:
    ic.set_certified_data(data)


@query
def certificate() -> Opt[blob]:
    return ic.data_certificate()


@query
def account(owner: Principal, number: nat32) -> blob:
    return owner.to_account_id(number).bytes


@query
def spelled(value: blob) -> text:
    return ic.candid_decode(value)


@query
def unspelled(value: text) -> blob:
    return ic.candid_encode(value)


@update
def say(words: Vec[text]) -> void:
    ic.print(*words)


@update
def answer(kind: text) -> Manual[text]:
    if kind == "reply":
        ic.reply("replied")
    elif kind == "raw":
        ic.reply_raw(ic.candid_encode('("raw")'))
    elif kind == "reject":
        ic.reject("rejected")
    elif kind == "trap":
        ic.trap("trapped")
