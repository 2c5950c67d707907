"""Endpoints: decoding, guards, results, lifecycle, and what is refused when a canister is defined."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cdk.candid import Principal
from cdk.testing import Rejected, Simulator, Trapped

Start = Callable[..., Simulator]
ALICE = Principal(b"alice")


def test_values_of_every_type_come_back(canister: Start) -> None:
    echo = canister("echo")
    numbers = {
        "nat": 1 << 70,
        "int": -(1 << 70),
        "float32": 0.5,
        "float64": 1e300,
        **{f"nat{bits}": (1 << bits) - 1 for bits in (8, 16, 32, 64)},
        **{f"int{bits}": -(1 << bits - 1) for bits in (8, 16, 32, 64)},
    }
    shape = {"Group": [{"Point": None}, {"Circle": 1.5}, {"Polygon": [(1.0, 2.0)]}, {"Group": []}]}
    assert echo.query("numbers", numbers) == numbers
    assert echo.query("shape", shape) == shape
    assert echo.query("list_", ["a", None, ""]) == ["a", None, ""]
    assert echo.query("pair", (ALICE, True)) == (ALICE, True)
    assert echo.query("callback", (ALICE, "m")) == (ALICE, "m")
    assert echo.query("several", 1, "x", None) == "1 x None"
    assert echo.query("anything", "whatever") is None
    assert echo.update("bytes_", bytes(range(256))) == bytes(range(256))
    assert echo.query("through_text", b"DIDL\x00\x01\x7d\x05") == b"DIDL\x00\x01\x7d\x05"


def test_a_trailing_underscore_stands_for_a_keyword(canister: Start) -> None:
    echo = canister("echo")
    assert echo.query("keyword", {"from_": "a", "service": None}) == {"from_": "A", "service": None}
    assert [f.label for f in echo.loaded.methods.METHODS["keyword"].arguments[0].fields] == [
        "from",
        "service",
    ]


def test_a_malformed_argument_rejects_the_message(canister: Start) -> None:
    counter = canister("counter", 5)
    for message in (b"", b"nonsense", b"DIDL\x00\x00", b"DIDL\x00\x01\x71\x01a", b"DIDL\x00\x01\x78\x01"):
        with pytest.raises(Rejected, match="CandidError: cannot read the arguments of add"):
            counter.call_raw("add", message, ALICE)
    assert counter.query("get") == 5


def test_a_guard_runs_first_and_rejects_with_its_text(canister: Start) -> None:
    counter = canister("counter", 5)
    with pytest.raises(Rejected, match=r"^sign in first$"):
        counter.call_raw("add", b"not even Candid")
    assert counter.update("add", 2, caller=ALICE) == 7


def test_an_exception_traps_and_undoes_stable_changes(canister: Start) -> None:
    counter = canister("counter", 5)
    with pytest.raises(Trapped, match="ValueError: this always fails"):
        counter.update("fail")
    assert counter.query("get") == 5


def test_a_result_that_does_not_fit_traps_and_names_the_field(canister: Start) -> None:
    with pytest.raises(Trapped, match=r"CandidError: result of wrong_result\.\w+: missing from Numbers"):
        canister("echo").query("wrong_result")


def test_manual_replies_and_rejects(canister: Start) -> None:
    echo = canister("echo")
    assert echo.update("by_hand", 4) == 5
    with pytest.raises(Rejected, match="zero is refused"):
        echo.update("by_hand", 0)


def test_upgrades_keep_stable_maps_and_lose_variables(canister: Start) -> None:
    counter = canister("counter", 5)
    counter.update("increment")
    counter.upgrade()
    assert counter.query("get") == 6
    assert counter.system.printed == ["upgraded"]


def test_unknown_methods_are_rejected(canister: Start) -> None:
    with pytest.raises(Rejected, match="no method 'nope'"):
        canister("counter", 1).call_raw("nope", b"DIDL\x00\x00")


def test_string_annotations_and_forward_references_work(source: Start) -> None:
    sim = source(
        """
@query
def depth(tree: "Opt[Tree]") -> "nat":
    return 0 if tree is None else 1 + max(depth(tree["left"]), depth(tree["right"]))

class Tree(Record):
    left: Opt["Tree"]
    right: "Opt[Tree]"
"""
    )
    leaf = {"left": None, "right": None}
    assert sim.query("depth", {"left": leaf, "right": {"left": leaf, "right": None}}) == 3


def test_annotations_of_the_standard_library_work_too(source: Start) -> None:
    sim = source(
        """
from typing import Any, List, Optional
class Base(Record):
    a: int
class More(Base):
    b: Optional[str]
Made = Record("Made", {"x": nat, "in": text})
@query
def first(value: More, others: List[bytes], rest: Any) -> Optional[bool]:
    return value["b"] is None or None
@query
def second(value: Made) -> nat | None:
    return value["x"]
@query
def third(value: Made(x=1) and Alias[text]) -> text:
    return value
"""
    )
    assert sim.query("first", {"a": -1, "b": None}, [b"x"], 1) is True
    assert sim.query("second", {"x": 4, "in": "y"}) == 4
    assert sim.query("third", "t") == "t"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("@query\ndef f(x) -> nat: return 1", r"made_\w+\.py:3: f parameter 'x' has no type annotation"),
        ("@query\ndef f(x: nat): return 1", r":3: f has no return type annotation"),
        ("@query\ndef f(x: nat = 1) -> nat: return 1", "plain parameters"),
        ("@query\ndef f(*x: nat) -> nat: return 1", "plain parameters"),
        ("@query\ndef f(*, x: nat) -> nat: return 1", "plain parameters"),
        ("@query\ndef f(x: dict) -> nat: return 1", "parameter 'x': dict is not a Candid type"),
        ("@query\ndef f(x: Vec['Nope']) -> nat: return 1", "the type 'Nope' is not known"),
        ("@query\ndef f() -> Vec[Async[nat]]: return 1", r"Async\[…\] may only be the return type"),
        ("@update\ndef f() -> nat:\n    yield 1", r"its return type must be Async"),
        ("@query\ndef f() -> nat: return 1\n@update\ndef f() -> nat: return 1", "declared twice"),
        ("@init\ndef a() -> void: pass\n@init\ndef b() -> void: pass", "is a second @init"),
        ("@init\ndef a() -> nat: pass\n@query\ndef f() -> nat: return 1", "cannot return a value"),
        (
            "@pre_upgrade\ndef a(x: nat) -> void: pass\n@query\ndef f() -> nat: return 1",
            "cannot have parameters",
        ),
        ("@init\ndef a() -> Async[void]: yield\n@query\ndef f() -> nat: return 1", "cannot await"),
        ("class R(Record):\n    a: nat = 1", "only annotated fields"),
        ("class R(Record):\n    a: set\n@query\ndef f() -> R: return 1", r"\.R\.a: set is not a Candid type"),
        ("x = 1", "no endpoints"),
    ],
)
def test_wrong_definitions_are_refused_with_their_place(source: Start, text: str, problem: str) -> None:
    with pytest.raises(Exception, match=problem) as caught:
        source(text)
    assert type(caught.value).__name__ == "DefinitionError"


def test_records_are_dicts(source: Start) -> None:
    sim = source(
        """
class Point(Record):
    x: nat
    y: nat
@query
def f() -> Point:
    assert Point(x=1, y=2) == {"x": 1, "y": 2} == Point({"x": 1, "y": 2}) and nat64("5") == 5
    assert isinstance(5, nat64) and not isinstance("5", nat64)
    try:
        isinstance({}, Point)
    except TypeError:
        return Point(x=1, y=2)
"""
    )
    assert sim.query("f") == {"x": 1, "y": 2}


def test_system_functions(source: Start) -> None:
    sim = source(
        """
@update
def facts() -> text:
    ic.print("hello", 1)
    ic.set_certified_data(b"c" * 32)
    taken = ic.msg_cycles_accept128(7)
    known = ic.is_controller(ic.caller())
    return f"{ic.caller()} {ic.id()} {ic.time()} {taken} {ic.msg_cycles_available()} {known}"
@update
def too_much() -> void:
    ic.set_certified_data(bytes(33))
@update
def stop() -> void:
    ic.trap("stopped by hand")
@query
def certificate() -> Opt[blob]:
    return ic.data_certificate()
@query
def name() -> text:
    return ic.method_name()
"""
    )
    sim.system.controllers.add(ALICE.bytes)
    now = sim.system.now
    assert sim.update("facts", caller=ALICE, cycles=10) == f"{ALICE} {sim.id} {now} 7 3 True"
    assert sim.system.printed == ["hello 1"] and sim.system.certified_data == b"c" * 32
    with pytest.raises(Trapped, match="at most 32 bytes"):
        sim.update("too_much")
    with pytest.raises(Trapped, match=r"^stopped by hand$"):
        sim.update("stop")
    assert sim.query("certificate") is None and sim.query("name") == "name"


def test_match_takes_the_case_of_variants_and_results(source: Start) -> None:
    sim = source(
        """
@query
def f() -> Vec[text]:
    both = {"Ok": lambda v: f"ok {v}", "Err": lambda v: f"err {v}"}
    found = [match({"Ok": 1}, both), match(CallResult(2), both), match(CallResult(None, "no"), both)]
    found.append(match({"Other": 1}, {**both, "_": lambda _: "other"}))
    try:
        match({"Other": 1}, both)
    except ValueError as error:
        found.append(str(error))
    return found
"""
    )
    assert sim.query("f") == ["ok 1", "ok 2", "err no", "other", "no case of Ok, Err fits {'Other': 1}"]
