"""Messages are what icp-py-core's codec writes and reads, and our own messages come back unchanged."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icp_candid.candid import decode as decode_theirs
from icp_candid.candid import encode as encode_theirs

from cdk.candid import (
    BLOB,
    BOOL,
    EMPTY,
    INT,
    NAT,
    NAT8,
    NAT16,
    NAT64,
    NULL,
    PRINCIPAL,
    RESERVED,
    TEXT,
    CandidError,
    Codec,
    Field,
    Func,
    Opt,
    Principal,
    Record,
    Service,
    Variant,
    Vec,
    tuple_type,
)
from tests.cdk.candid.shapes import Shape, plain, shapes


@settings(deadline=None, max_examples=150)
@given(st.data(), st.lists(shapes(), max_size=3))
def test_messages_agree_with_icp_py_core_both_ways(data: st.DataObject, drawn: list[Shape]) -> None:
    pairs = [data.draw(shape.values) for shape in drawn]
    codec = Codec([shape.ours for shape in drawn])
    message = codec.encode([ours for ours, _ in pairs])
    assert codec.decode(message) == [ours for ours, _ in pairs]
    theirs = encode_theirs(
        [{"type": shape.theirs, "value": value} for shape, (_, value) in zip(drawn, pairs, strict=True)]
    )
    assert codec.decode(theirs) == [ours for ours, _ in pairs]
    if drawn:
        answer = decode_theirs(message, [shape.theirs for shape in drawn])
        assert [plain(item["value"]) for item in answer] == [plain(value) for _, value in pairs]


@settings(deadline=None, max_examples=150)
@given(st.data(), shapes())
def test_a_damaged_message_is_read_or_refused_but_never_crashes(data: st.DataObject, shape: Shape) -> None:
    message = bytearray(Codec([shape.ours]).encode([data.draw(shape.values)[0]]))
    for _ in range(data.draw(st.integers(1, 3))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    try:
        Codec([shape.ours]).decode(bytes(message))
    except CandidError as error:
        assert str(error)


@settings(deadline=None, max_examples=60)
@given(st.data(), shapes())
def test_every_truncation_is_refused(data: st.DataObject, shape: Shape) -> None:
    message = Codec([shape.ours]).encode([data.draw(shape.values)[0]])
    for size in range(len(message)):
        with pytest.raises(CandidError):
            Codec([shape.ours]).decode(message[:size])
    with pytest.raises(CandidError, match="after the last value"):
        Codec([shape.ours]).decode(message + b"\x00")


def list_type() -> Record:
    """`type List = record { head : nat; tail : opt List }`."""
    node = Record(name="List")
    node.fill((Field("head", NAT), Field("tail", Opt(node))))
    return node


def chain(length: int) -> dict[str, object]:
    value: dict[str, object] = {"head": 0, "tail": None}
    for number in range(1, length):
        value = {"head": number, "tail": value}
    return value


def test_recursive_types_work_up_to_the_bound() -> None:
    codec = Codec([list_type()])
    assert codec.decode(codec.encode([chain(50)])) == [chain(50)]
    for length in (500, 5000):
        with pytest.raises(CandidError, match="nested"):
            codec.encode([chain(length)])


def test_a_deep_value_from_outside_is_refused() -> None:
    header = Codec([list_type()]).encode([chain(1)])[:-2]
    assert Codec([list_type()]).decode(header + b"\x00\x01" * 100 + b"\x00\x00")
    for depth in (101, 200_000):
        with pytest.raises(CandidError, match="nested"):
            Codec([list_type()]).decode(header + b"\x00\x01" * depth + b"\x00\x00")


def test_a_deep_type_from_outside_is_refused() -> None:
    depth = 1500
    table = b"".join([b"\x6e" + _sleb(index + 1) for index in range(depth - 1)]) + b"\x6e\x7e"
    message = b"DIDL" + _leb(depth) + table + b"\x01\x00" + b"\x00"
    for expected in (RESERVED, Opt(BOOL), BOOL):
        with pytest.raises(CandidError):
            Codec([expected]).decode(message)


def _leb(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def _sleb(value: int) -> bytes:
    out = bytearray()
    while value > 63:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


@pytest.mark.parametrize(
    "message",
    [
        b"DIDL\x01\x6d\x7f\x01\x00" + _leb(10_001),  # vec null
        b"DIDL\x01\x6d\x70\x01\x00" + _leb(1 << 40),  # vec reserved
        b"DIDL\x02\x6d\x01\x6c\x00\x01\x00" + _leb(1 << 30),  # vec record {}
        b"DIDL\x02\x6d\x01\x6d\x7f\x01\x00\x02" + _leb(6_000) * 2,  # vec vec null: bounded together
        b"DIDL\x01\x6d\x7d\x01\x00" + _leb(1 << 31),  # vec nat that cannot fit
        b"DIDL\x01\x6d\x7e\x01\x00" + _leb((1 << 20) + 1) + bytes((1 << 20) + 1),  # vec bool above the bound
        b"DIDL" + _leb(1 << 50),
        b"DIDL\x00" + _leb(1 << 50),
        b"DIDL\x01\x6c" + _leb(1 << 50),
        b"DIDL\x00\x01\x7d" + b"\x80" * 600 + b"\x00",  # a nat of 600 bytes
        b"DIDL\x01\x6c\x01\x00\x00\x01\x00",  # type T = record { T }
        b"DIDL\x01\x6c\x02\x01\x7d\x00\x7d\x01\x00\x00\x00",  # fields out of order
        b"DIDL\x01\x6c\x02\x01\x7d\x01\x7d\x01\x00\x00\x00",  # the same field twice
        b"DIDL\x00\x01\x05",  # type 5 of none
        b"DIDL\x01\x5f\x01\x00",  # unknown constructor
        b"DIDL\x00\x01\x7e\x02",  # bool 2
        b"DIDL\x00\x01\x71\x01\xff",  # text that is not UTF-8
        b"DIDL\x00\x01\x68\x01\x1e" + bytes(30),  # principal of 30 bytes
        b"DIDL\x00\x01\x68\x00",  # opaque reference
        b"DIDL\x01\x6e\x7d\x01\x00\x02\x00",  # opt with flag 2
        b"DIDL\x01\x6b\x01\x00\x7f\x01\x00\x01",  # variant case 1 of 1
        b"DIDL\x00\x01\x6f",  # a value of type empty
        b"DIDM\x00\x00",
        b"",
    ],
)
def test_hostile_messages_are_refused_whatever_is_expected(message: bytes) -> None:
    for types in ([RESERVED], [Opt(NAT)], [Vec(NULL)], [], [Vec(Vec(NULL))], [NAT], [PRINCIPAL]):
        with pytest.raises(CandidError):
            Codec(types).decode(message)


def test_bounds_allow_what_is_at_them() -> None:
    message = b"DIDL\x01\x6d\x7f\x01\x00" + _leb(10_000)
    assert Codec([Vec(NULL)]).decode(message) == [[None] * 10_000]
    message = b"DIDL\x01\x6d\x7e\x01\x00" + _leb(1 << 20) + bytes(1 << 20)
    assert Codec([RESERVED]).decode(message) == [None]


def test_big_blobs_are_not_counted_as_elements() -> None:
    codec = Codec([BLOB])
    assert codec.decode(codec.encode([bytes(3 << 20)])) == [bytes(3 << 20)]


@pytest.mark.parametrize("value", [bytearray(b"ab"), memoryview(b"ab"), [97, 98], (97, 98)])
def test_blobs_are_accepted_in_many_forms(value: object) -> None:
    codec = Codec([Vec(NAT8)])
    assert codec.decode(codec.encode([value])) == [b"ab"]


def read(sent: object, value: object, expected: object) -> object:
    """`value` sent as type `sent`, read as `expected`."""
    return Codec([expected]).decode(Codec([sent]).encode([value]))[0]  # type: ignore[list-item]


def test_subtyping_of_the_specification() -> None:
    assert read(NAT, 300, INT) == 300
    assert read(NAT, 5, Opt(NAT)) == 5
    assert read(Opt(NAT), 5, Opt(INT)) == 5
    assert read(TEXT, "a", Opt(NAT)) is None
    assert read(Opt(TEXT), "a", Opt(NAT)) is None
    assert read(NULL, None, Opt(NAT)) is None
    assert read(RESERVED, 1, Opt(NAT)) is None
    assert read(NAT, 1, RESERVED) is None
    assert read(Vec(EMPTY), [], Vec(NAT)) == []
    assert read(Vec(EMPTY), [], BLOB) == b""
    assert read(tuple_type((NAT, TEXT)), (1, "a"), tuple_type((INT,))) == (1,)
    assert read(Service(), Principal(b"a"), PRINCIPAL) == Principal(b"a")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        *[(INT, NAT), (NAT8, NAT16), (NAT64, NAT), (TEXT, BLOB), (NULL, NAT), (Opt(NAT), NAT)],
        (Vec(INT), Vec(NAT)),
        (Record((Field("a", NAT),)), Record((Field("b", NAT),))),
        (Variant((Field("a", NULL), Field("b", NULL))), Variant((Field("a", NULL),))),
        (Func((NAT,)), Func((INT,))),
        (Func((), (), ("query",)), Func()),
        (Service(), Service({"m": Func()})),
        (PRINCIPAL, Service()),
    ],
)
def test_what_is_not_a_subtype_is_refused(sent: object, expected: object) -> None:
    values: dict[object, object] = {TEXT: "", NULL: None, PRINCIPAL: Principal(b"a"), Opt: None, Vec: []}
    values |= {Record: {"a": 1}, Variant: {"a": None}, Func: (Principal(b"a"), "m"), Service: Principal(b"a")}
    value = values.get(sent, values.get(type(sent), 1))
    with pytest.raises(CandidError, match="cannot be read as"):
        read(sent, value, expected)


def test_records_ignore_unknown_fields_and_fill_missing_opts() -> None:
    old = Record((Field("a", NAT), Field("gone", Vec(Record((Field("x", TEXT),))))))
    new = Record((Field("a", NAT), Field("added", Opt(TEXT)), Field("note", RESERVED)))
    assert read(old, {"a": 1, "gone": [{"x": "y"}]}, new) == {"a": 1, "added": None, "note": None}


def test_missing_arguments_are_null_when_they_may_be() -> None:
    assert Codec([NAT, Opt(NAT)]).decode(Codec([NAT]).encode([1])) == [1, None]
    assert Codec([NAT]).decode(Codec([NAT, TEXT]).encode([1, "more"])) == [1]
    with pytest.raises(CandidError, match="2 arguments expected, got 1"):
        Codec([NAT, NAT]).decode(Codec([NAT]).encode([1]))


def test_function_and_service_references() -> None:
    func = Func((NAT,), (TEXT,), ("query",))
    codec = Codec([func, Service({"m": func})])
    values = [(Principal(b"\x01"), "m"), Principal(b"\x02")]
    assert codec.decode(codec.encode(values)) == values
    assert read(Service({"m": func, "n": Func()}), Principal(b"a"), Service({"m": func})) == Principal(b"a")


@pytest.mark.parametrize(
    ("type", "value", "problem"),
    [
        (NAT, -1, "nat cannot be negative: -1"),
        (NAT, True, "expected nat"),
        (NAT64, 1 << 64, "out of range for nat64"),
        (NAT8, "1", "expected nat8, got str '1'"),
        (Vec(NAT8), [300], "expected blob"),
        (Vec(NAT16), [1, -1], "out of range for nat16: int -1"),
        (BOOL, 1, "expected bool"),
        (TEXT, b"a", "expected text"),
        (TEXT, "\ud800", "lone surrogates"),
        (PRINCIPAL, "aaaaa-aa", "expected principal"),
        (Vec(TEXT), "abc", "expected vec"),
        (EMPTY, None, "the type is empty"),
        (NULL, 0, "expected null"),
    ],
)
def test_values_that_do_not_fit_are_refused(type: object, value: object, problem: str) -> None:
    with pytest.raises(CandidError, match=problem):
        Codec([type]).encode([value])  # type: ignore[list-item]


def test_errors_say_where_in_the_value_they_are() -> None:
    inner = Record((Field("amount", NAT), Field("memo", Opt(BLOB))), "Transfer")
    codec = Codec([Vec(inner), Variant((Field("Ok", inner), Field("Err", TEXT)), "Result")])
    good = {"amount": 1}
    with pytest.raises(CandidError, match=r"^value 1\.amount: expected nat"):
        codec.encode([[good, {"amount": "1"}], {"Ok": good}])
    with pytest.raises(CandidError, match=r"^value 2\.Ok\.amount: missing from Transfer"):
        codec.encode([[], {"Ok": {}}])
    with pytest.raises(CandidError, match="Transfer has no field 'amuont'; its fields are"):
        codec.encode([[], {"Ok": {"amount": 1, "amuont": 2}}])
    with pytest.raises(CandidError, match="Result has no case 'OK'; its cases are"):
        codec.encode([[], {"OK": good}])
    with pytest.raises(CandidError, match="a dict with one key"):
        codec.encode([[], {"Ok": good, "Err": "x"}])


def test_decoders_are_kept_for_a_bounded_number_of_type_sections() -> None:
    codec = Codec([Opt(RESERVED)])
    for size in range(30):
        record = Record(tuple(Field(f"f{index}", NAT) for index in range(size)))
        message = Codec([record]).encode([{f"f{index}": 1 for index in range(size)}])
        assert codec.decode(message) == codec.decode(message)
    assert len(codec._decoders) == 8


def test_colliding_field_names_are_refused() -> None:
    with pytest.raises(CandidError, match="collide"):
        Record((Field("a", NAT), Field(97, NAT)))
