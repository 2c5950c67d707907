from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leasehold.agent import CandidError, Interface, Principal, candid
from leasehold.agent.candid_header import MAX_FIELDS, MAX_TYPES, check_header
from leasehold.agent.request import leb128

DID = """
type Node = record { value : nat; next : opt Node };
type Shape = variant { Point; Circle : float64; Label : text };
type Everything = record {
  flag : bool; count : nat; delta : int; small : nat8; wide : int64; ratio : float64; name : text;
  data : blob; list : vec nat32; maybe : opt text; who : principal; shape : Shape;
  pair : record { text; int };
  chain : opt Node;
};
service : (record { owner : principal }) -> {
  echo : (Everything) -> (Everything);
  look : (text, opt nat64) -> (vec Shape) query;
  both : () -> (nat, text) query;
  nothing : () -> ();
}
"""

EVERYTHING: dict[str, Any] = {
    "flag": True,
    "count": 1 << 70,
    "delta": -5,
    "small": 255,
    "wide": -(1 << 63),
    "ratio": 0.5,
    "name": "naïve",
    "data": b"\x00\xff",
    "list": [1, 2, 3],
    "maybe": None,
    "who": Principal.ANONYMOUS,
    "shape": {"Circle": 2.0},
    "pair": ("a", -1),
    "chain": {"value": 1, "next": {"value": 2, "next": None}},
}


@pytest.fixture(scope="module")
def interface() -> Interface:
    return Interface.parse(DID)


def round_trip(interface: Interface, value: dict[str, Any]) -> Any:
    method = interface.method("echo")
    return method.decode(method.encode(value))


def test_every_kind_of_value_comes_back(interface: Interface) -> None:
    assert round_trip(interface, EVERYTHING) == EVERYTHING


def test_what_is_taken_beside_the_exact_types(interface: Interface) -> None:
    given = EVERYTHING | {
        "who": "2vxsx-fae",
        "shape": "Point",
        "pair": ["a", -1],
        "list": (1, 2, 3),
        "ratio": 1,
        "data": bytearray(b"\x00\xff"),
    }
    del given["maybe"]
    assert round_trip(interface, given) == EVERYTHING | {"shape": {"Point": None}, "ratio": 1.0}


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("count", -1, r"argument 1\.count must be nat, got -1"),
        ("small", 256, r"argument 1\.small must be nat8"),
        ("wide", 1 << 63, r"argument 1\.wide must be int64"),
        ("count", True, "must be nat, got True"),
        ("flag", 1, "must be bool"),
        ("name", b"x", "must be text"),
        ("data", "x", r"must be blob \(bytes\)"),
        ("list", 5, r"must be vec \(a list\)"),
        ("list", [1, -1], r"argument 1\.list\[1\] must be nat32"),
        ("maybe", 5, r"argument 1\.maybe must be text"),
        ("who", 5, "must be principal"),
        ("shape", {"Square": 1}, "cannot be 'Square'; it is one of"),
        ("shape", {}, "must be variant"),
        ("pair", ("a",), "lacks the field '1'"),
        ("pair", ("a", 1, 2), "has no field '2'"),
        ("chain", {"value": 1, "next": {"value": "x"}}, r"argument 1\.chain\.next\.value must be nat"),
    ],
)
def test_a_wrong_value_is_named_by_its_place(
    interface: Interface, field: str, value: Any, problem: str
) -> None:
    with pytest.raises(CandidError, match=problem):
        round_trip(interface, EVERYTHING | {field: value})


def test_missing_and_unknown_fields_are_named(interface: Interface) -> None:
    without = {name: value for name, value in EVERYTHING.items() if name != "flag"}
    with pytest.raises(CandidError, match="lacks the field 'flag'"):
        round_trip(interface, without)
    with pytest.raises(CandidError, match="has no field 'surprise'"):
        round_trip(interface, EVERYTHING | {"surprise": 1})


def test_methods_know_whether_they_are_queries(interface: Interface) -> None:
    assert {name: method.is_query for name, method in interface.methods.items()} == {
        "echo": False,
        "look": True,
        "both": True,
        "nothing": False,
    }


def test_several_results_are_a_tuple_and_none_is_none(interface: Interface) -> None:
    both = interface.method("both")
    assert both.decode(candid.encode(both.results, [5, "x"])) == (5, "x")
    assert interface.method("nothing").decode(b"DIDL\x00\x00") is None


def test_the_number_of_arguments_is_checked(interface: Interface) -> None:
    with pytest.raises(CandidError, match="look: 2 arguments are needed, got 1"):
        interface.method("look").encode("x")


def test_an_unknown_method_is_named(interface: Interface) -> None:
    with pytest.raises(CandidError, match="no method 'dance'; it has both, echo, look, nothing"):
        interface.method("dance")


@pytest.mark.parametrize("did", ["service : { x : (", "nonsense"])
def test_a_malformed_interface_is_refused(did: str) -> None:
    with pytest.raises(CandidError, match="cannot be parsed"):
        Interface.parse(did)


def test_an_undefined_type_is_refused() -> None:
    method = Interface.parse("service : { x : (Unknown) -> () }").method("x")
    with pytest.raises(CandidError, match="does not define"):
        method.encode(5)


def test_a_long_interface_is_refused() -> None:
    with pytest.raises(CandidError, match="longer than"):
        Interface.parse(" " * 1_000_001)


def test_fields_that_a_newer_canister_adds_are_ignored() -> None:
    old = Interface.parse("service : { get : () -> (record { a : nat }) query }").method("get")
    new = Interface.parse("service : { get : () -> (record { a : nat; b : vec text; c : opt nat }) query }")
    message = candid.encode(new.method("get").results, [{"a": 1, "b": ["x"], "c": 2}])
    assert old.decode(message) == {"a": 1}


def test_a_megabyte_travels_as_bytes() -> None:
    method = Interface.parse("service : { put : (blob) -> (blob) }").method("put")
    data = bytes(range(256)) * 4096
    assert method.decode(method.encode(data)) == data


@given(st.binary(max_size=200))
def test_noise_is_refused_as_candid_error_only(noise: bytes) -> None:
    method = Interface.parse(DID).method("echo")
    for message in (noise, b"DIDL" + noise):
        try:
            method.decode(message)
        except CandidError:
            continue


def header(types: int) -> bytes:
    # A message of no values whose table has that many `opt nat`.
    return b"DIDL" + leb128(types) + b"\x6e\x7d" * types + b"\x00"


def test_the_number_of_types_is_bounded() -> None:
    check_header(header(MAX_TYPES))
    with pytest.raises(CandidError, match=f"{MAX_TYPES + 1} types, at most {MAX_TYPES}"):
        check_header(header(MAX_TYPES + 1))


def test_the_number_of_fields_is_bounded() -> None:
    def record(fields: int) -> bytes:
        pairs = b"".join(leb128(number) + b"\x7d" for number in range(fields))
        return b"DIDL\x01\x6c" + leb128(fields) + pairs + b"\x00"

    check_header(record(MAX_FIELDS))
    with pytest.raises(CandidError, match="fields, at most"):
        check_header(record(MAX_FIELDS + 1))


@pytest.mark.parametrize(
    "table",
    [
        b"\x01\x6d\x7f",  # vec null
        b"\x01\x6d\x70",  # vec reserved
        b"\x02\x6d\x01\x6c\x00",  # vec record {}
        b"\x02\x6d\x01\x6c\x01\x00\x7f",  # vec record { null }
        b"\x02\x6d\x01\x6c\x01\x00\x01",  # vec of a record that contains itself
    ],
)
def test_a_vector_of_nothing_is_refused(table: bytes) -> None:
    with pytest.raises(CandidError, match="have no bytes"):
        check_header(b"DIDL" + table + b"\x01\x00" + b"\xff" * 5 + b"\x0f")


def test_records_that_fan_out_are_checked_in_linear_time() -> None:
    # Record n holds record n + 1 twice; the last is empty.
    records = b"".join(b"\x6c\x02\x00" + sleb(at + 1) + b"\x01" + sleb(at + 1) for at in range(1, 1500))
    for outermost in (b"\x6d\x01", b"\x6e\x01"):
        message = b"DIDL" + leb128(1501) + outermost + records + b"\x6c\x00" + b"\x00"
        with pytest.raises(CandidError, match="have no bytes"):
            check_header(message)


def sleb(number: int) -> bytes:
    encoded = leb128(number)
    return encoded if not encoded[-1] & 0x40 else encoded[:-1] + bytes([encoded[-1] | 0x80, 0])


@given(st.integers(0, 300))
def test_a_truncated_message_is_refused(cut: int) -> None:
    method = Interface.parse(DID).method("echo")
    message = method.encode(EVERYTHING)
    if cut < len(message):
        with pytest.raises(CandidError):
            method.decode(message[:cut])
