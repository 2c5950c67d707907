"""Messages of a canister whose interface is older or newer than the client's."""

from __future__ import annotations

from typing import Any

import pytest

from cdk.candid.text import encode_text
from leasehold.agent import CandidError, Interface, Principal
from leasehold.interfaces import load_interface

NOT_OURS = Principal(b"")


def read(expected: str, value: str) -> Any:
    """A value in Candid's text form, read as another type."""
    return Interface.parse(f"service : {{ x : () -> ({expected}) }}").method("x").decode(encode_text(value))


@pytest.mark.parametrize(
    ("value", "expected", "found"),
    [
        ("null", "opt nat", None),
        ("5 : nat", "opt nat", 5),
        ('"x"', "opt nat", None),
        ("opt (5 : nat8)", "opt nat", None),
        ("5 : nat", "opt int", 5),
        ("5 : nat", "opt opt nat", None),
        ("()", "opt nat", None),
        ("(1 : nat, 2 : nat)", "nat", 1),
        ("record { a = null }", "record { a : opt nat }", {"a": None}),
        ("record { a = 1 : nat; z = vec { true } }", "record { a : nat; b : opt text }", {"a": 1, "b": None}),
        ("opt record { a = 1 : nat }", "opt record { a : opt nat; c : opt text }", {"a": 1, "c": None}),
        ("variant { a }", "opt variant { a; b }", {"a": None}),
        ("opt variant { x = 1 : nat }", "opt variant { y : nat }", None),
        ("variant { y = 1 : nat }", "variant { y : nat; z }", {"y": 1}),
        ("vec {}", "blob", b""),
        ('service "aaaaa-aa"', "principal", NOT_OURS),
        ('func "aaaaa-aa".m', "func () -> ()", (NOT_OURS, "m")),
        ("5 : nat", "reserved", None),
    ],
)
def test_what_the_specification_lets_change_is_understood(value: str, expected: str, found: Any) -> None:
    assert read(expected, value) == found


@pytest.mark.parametrize(
    ("value", "expected", "problem"),
    [
        ("5 : nat8", "nat", "where nat is expected"),
        ("null", "nat", "where nat is expected"),
        ("record {}", "record { a : nat }", "no field 'a'"),
        ("variant { q }", "variant { r }", "does not have"),
        ("()", "nat", "1 values are expected, the message has 0"),
    ],
)
def test_what_it_does_not_is_named(value: str, expected: str, problem: str) -> None:
    with pytest.raises(CandidError, match=problem):
        read(expected, value)


def test_bytes_after_the_last_value_are_refused() -> None:
    method = Interface.parse("service : { x : () -> (nat) }").method("x")
    with pytest.raises(CandidError, match="1 bytes follow"):
        method.decode(encode_text("5 : nat") + b"\x00")


def test_a_reply_is_read_when_its_own_case_is_known() -> None:
    """An error that was added to the canister later does not keep old clients from reading answers."""
    method = load_interface("marketplace").method("set_paused")
    newer = Interface.parse("service : { x : () -> (variant { Ok; Err : variant { Brand : text; New } }) }")
    message = newer.method("x")
    from leasehold.agent import candid

    assert method.decode(candid.encode(message.results, ["Ok"])) == {"Ok": None}
    with pytest.raises(CandidError, match="does not have"):
        method.decode(candid.encode(message.results, [{"Err": {"Brand": "x"}}]))
