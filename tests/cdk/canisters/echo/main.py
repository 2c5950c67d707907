"""Echoes every type, so that clients and codecs can be checked against each other."""

from kybra import (
    Func,
    Manual,
    Opt,
    Principal,
    Query,
    Record,
    Tuple,
    Variant,
    Vec,
    blob,
    float32,
    float64,
    ic,
    int8,
    int16,
    int32,
    int64,
    nat,
    nat8,
    nat16,
    nat32,
    nat64,
    null,
    query,
    reserved,
    text,
    update,
    void,
)


class Numbers(Record):
    nat: nat
    int: int
    nat8: nat8
    nat16: nat16
    nat32: nat32
    nat64: nat64
    int8: int8
    int16: int16
    int32: int32
    int64: int64
    float32: float32
    float64: float64


class Shape(Variant, total=False):
    Point: null
    Circle: float64
    Polygon: Vec[Tuple[float64, float64]]
    Group: Vec["Shape"]


class Keyword(Record):
    from_: text
    service: Opt[text]


class Wide(Record):
    """Twenty fields."""

    f00: nat64
    f01: nat64
    f02: nat64
    f03: nat64
    f04: text
    f05: text
    f06: text
    f07: text
    f08: Opt[nat64]
    f09: Opt[nat64]
    f10: Opt[text]
    f11: Opt[text]
    f12: blob
    f13: blob
    f14: bool
    f15: bool
    f16: Principal
    f17: Principal
    f18: nat
    f19: nat


@query
def numbers(value: Numbers) -> Numbers:
    return value


@query
def shape(value: Shape) -> Shape:
    return value


@query
def keyword(value: Keyword) -> Keyword:
    return {"from_": value["from_"].upper(), "service": value["service"]}


@update
def wide(value: Wide) -> Wide:
    return value


@update
def bytes_(value: blob) -> blob:
    return value


@query
def list_(value: Vec[Opt[text]]) -> Vec[Opt[text]]:
    return value


@query
def pair(value: Tuple[Principal, bool]) -> Tuple[Principal, bool]:
    return value


@query
def several(first: nat, second: text, third: Opt[nat]) -> text:
    return f"{first} {second} {third}"


@query
def anything(value: reserved) -> void:
    pass


@query
def callback(value: Func(Query[[nat], text])) -> Func(Query[[nat], text]):
    return value


@query
def through_text(value: blob) -> blob:
    return ic.candid_encode(ic.candid_decode(value))


@update
def by_hand(value: nat) -> Manual[nat]:
    if value == 0:
        ic.reject("zero is refused")
    else:
        ic.reply(value + 1)


@query
def wrong_result() -> Numbers:
    return {"nat": -1}
