"""`.did` texts: printing, reading, comparing."""

import json
from pathlib import Path

import pytest
from _ic_candid_core import parse_did as parse_with_reference

from cdk.candid import NAT, NULL, TEXT, Field, Func, Opt, Record, Variant, Vec
from cdk.candid.compare import difference, service_differences
from cdk.candid.did import DidError, service_text, type_text
from cdk.candid.did_parser import Description, parse_did

ROOT = Path(__file__).resolve().parents[3]


def differences(left: str, right: str) -> list[str]:
    def service(description: Description) -> tuple[object, object]:
        return description.init, description.methods

    return service_differences(service(parse_did(left)), service(parse_did(right)))  # type: ignore[arg-type]


@pytest.mark.parametrize("path", sorted(ROOT.glob("canisters/*/*.did")), ids=lambda path: path.name)
def test_our_canisters_descriptions_survive_reading_and_printing(path: Path) -> None:
    description = parse_did(path.read_text(), path.name)
    printed = service_text(description.init, description.methods)
    assert differences(path.read_text(), printed) == []
    reference = json.loads(parse_with_reference(printed))
    assert reference


def test_everything_the_grammar_allows_is_read() -> None:
    text = """
        // a comment  /* not nested
        /* a /* nested */ comment */
        type Self = record { 0 : nat; 5 : text; blob; "with space" : opt Self; next : opt vec Self };
        type Pair = record { nat; text };
        type Blob = blob; type Alias = Blob;
        type Case = variant { a; b : nat; "c d" : record {}; 7 };
        type Callback = func (x : nat, nat) -> (text) query;
        type Other = service { m : Callback; "n o" : () -> () oneway };
        service Named : (opt nat, Alias) -> {
          get : (Self, Pair) -> (Case) composite_query;
          call : Callback;
          other : (Other, principal, service {}, func () -> ()) -> (reserved, empty);
        };
    """
    description = parse_did(text)
    assert description.types["Pair"].is_tuple  # type: ignore[attr-defined]
    assert [f.hash for f in description.types["Self"].fields[:3]] == [0, 5, 6]  # type: ignore[attr-defined]
    assert list(description.methods) == ["get", "call", "other"]
    assert type_text(description.init[1]) == "blob"  # type: ignore[index]
    printed = service_text(description.init, description.methods)
    assert differences(text, printed) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("type A = record { a : nat }; service : { m : (B) -> () }", r"a\.did:1: .*B is not defined"),
        ("type A = A; service : {}", "alias of itself"),
        ("type A = nat; type A = nat;", "defined twice"),
        ("service : { m : () -> (); m : () -> () }", "declared twice"),
        ("service : { m : nat }", "a function type"),
        ("\n\nservice : { m : () - () }", r"a\.did:3: unexpected character '-'"),
        ("service : { m : () -> ( }", "expected word"),
        ("/* never", "never ends"),
        ("service : {} extra", "expected type or service"),
        ("type A = record { a : nat", "expected"),
    ],
)
def test_malformed_texts_are_refused_with_file_and_line(text: str, problem: str) -> None:
    with pytest.raises(DidError, match=problem):
        parse_did(text, "a.did")


def test_names_that_are_keywords_are_quoted() -> None:
    record = Record((Field("service", NAT), Field("with space", NAT), Field("plain", NAT)))
    assert type_text(record) == 'record { "service" : nat; "with space" : nat; plain : nat }'


def test_named_types_come_in_order_of_first_use() -> None:
    inner = Record((Field("x", NAT),), "Inner")
    outer = Record((Field("inner", Vec(inner)), Field("again", Opt(inner))), "Outer")
    text = service_text(None, {"b": Func((outer,)), "a": Func((), (inner,), ("query",))})
    assert text == (
        "type Outer = record { inner : vec Inner; again : opt Inner };\n"
        "type Inner = record { x : nat };\n"
        "service : {\n  b : (Outer) -> ();\n  a : () -> (Inner) query;\n}\n"
    )


def test_two_types_of_one_name_are_refused() -> None:
    with pytest.raises(DidError, match="two different types are called A"):
        service_text((Record((), "A"), Variant((), "A")), {})


def test_comparing_ignores_names_order_and_comments() -> None:
    left = (
        "type A = record { x : nat; y : opt A }; service : (A) -> { m : (A) -> (text) query; n : () -> () }"
    )
    right = """// other
        service : (B) -> { n : () -> (); m : (B) -> (text) query }"""
    assert differences(left, "type B = record { y : opt B; x : nat };" + right) == []
    assert differences(left, "type B = record { y : opt B; x : int };" + right) == [
        "initialisation: argument 1: x: `nat` against `int`",
        "m: argument 1: x: `nat` against `int`",
    ]


@pytest.mark.parametrize(
    ("left", "right", "problem"),
    [
        ("m : () -> ()", "m : () -> () query", "m: annotated `update` against `query`"),
        ("m : (nat) -> ()", "m : () -> ()", "m: 1 arguments against 0"),
        ("m : () -> (variant { a; b })", "m : () -> (variant { a })", "`b` is missing from the second"),
        (
            "m : () -> (record { a : nat })",
            "m : () -> (record { a : nat; b : nat })",
            "missing from the first",
        ),
        ("m : () -> ()", "", "is only in the first"),
        ("", "m : () -> ()", "is only in the second"),
    ],
)
def test_every_kind_of_difference_is_told(left: str, right: str, problem: str) -> None:
    [found] = differences(f"service : {{ {left} }}", f"service : {{ {right} }}")
    assert problem in found


def test_differences_of_nested_services_and_functions() -> None:
    left, right = (
        parse_did(f"type T = service {{ m : ({word}) -> () }};").types["T"] for word in ("nat", "text")
    )
    assert difference(left, right) == "m: argument 1: `nat` against `text`"
    assert difference(left, left) is None
    assert difference(NULL, TEXT) == "`null` against `text`"
