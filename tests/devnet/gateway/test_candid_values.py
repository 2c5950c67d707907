"""Messages decoded by their own types, and values handed back as they came."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icp_candid import Types, decode, encode

from devnet.candid_reader import MAX_DEPTH, field_id
from devnet.errors import CandidError
from devnet.gateway.candid_values import FuncValue, Message, RecordValue, VariantValue

TOKEN = Types.Record({"key": Types.Text, "index": Types.Nat, "sha": Types.Opt(Types.Vec(Types.Nat8))})
RESPONSE = Types.Record({"body": Types.Vec(Types.Nat8), "token": Types.Opt(TOKEN), "strategy": TOKEN})


def message(kind: Any, value: Any) -> bytes:
    return bytes(encode([{"type": kind, "value": value}]))


def test_fields_are_found_by_name() -> None:
    kind = Types.Record({"status_code": Types.Nat16, "body": Types.Vec(Types.Nat8), "ok": Types.Bool})
    record = Message(message(kind, {"status_code": 404, "body": b"gone", "ok": True})).value
    assert isinstance(record, RecordValue)
    assert [record.get(name) for name in ("status_code", "body", "ok", "other")] == [404, b"gone", True, None]


@given(st.text(), st.integers(0, 1 << 70), st.one_of(st.none(), st.binary()))
def test_a_value_is_handed_back_under_its_own_type(key: str, index: int, sha: bytes | None) -> None:
    token = {"key": key, "index": index, "sha": [] if sha is None else [sha]}
    whole = Message(message(RESPONSE, {"body": b"chunk", "token": [token], "strategy": token}))
    spans = whole.value.spans
    for again in (
        whole.argument(spans[field_id("strategy")]),
        whole.content_argument(spans[field_id("token")]),
    ):
        assert decode(again, TOKEN)[0]["value"] == decode(message(TOKEN, token), TOKEN)[0]["value"]


def test_variants_functions_and_numbers() -> None:
    case = Message(
        message(Types.Variant({"Callback": Types.Nat8, "Other": Types.Null}), {"Callback": 7})
    ).value
    assert isinstance(case, VariantValue)
    assert (case.case("Callback"), case.case("Other")) == (7, None)
    func = b"DIDL\x01\x6a\x00\x00\x01\x01\x01\x00\x01\x01\x02\xab\xcd\x01m"
    assert Message(func).value == FuncValue(b"\xab\xcd", "m")
    assert Message(message(Types.Int, -300)).value == -300
    assert Message(message(Types.Float64, 0.5)).value == 0.5


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"DIDM\x00\x00",
        b"DIDL\x00\x00",
        b"DIDL\x00\x01\x7e\x02",
        b"DIDL\x00\x01\x7d\x00extra",
        b"DIDL\x00\x01\x71\x01\xff",
        b"DIDL\x01\x6e\x7e\x01\x01\x00",
        b"DIDL\x01\x6c\x01\x00\x00\x01\x00",
        b"DIDL\x01\x6d\x7f\x01\x00\xff\xff\xff\xff\x0f",
        b"DIDL\x00\x01\x68\x01\x1e" + bytes(30),
    ],
)
def test_what_is_no_candid_or_too_much_is_refused(data: bytes) -> None:
    with pytest.raises(CandidError):
        Message(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    try:
        Message(b"DIDL" + data)
    except CandidError:
        pass


def nested(depth: int) -> bytes:
    return b"DIDL\x01\x6e\x00\x01\x00" + b"\x01" * depth + b"\x00"


def test_the_bound_on_depth() -> None:
    assert Message(nested(MAX_DEPTH - 1)).value is None
    with pytest.raises(CandidError, match="deeply"):
        Message(nested(MAX_DEPTH + 1))
