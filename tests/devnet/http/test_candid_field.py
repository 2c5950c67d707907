"""Reading one principal out of Candid that somebody else made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icp_candid import Types, encode
from icp_principal.principal import Principal

from devnet.candid_reader import MAX_FIELDS
from devnet.errors import CandidError
from devnet.http.candid_field import principal_field
from tests.devnet.agent import uleb
from tests.devnet.whoami import field_id

CANISTER = bytes(7) + b"\x07\x01\x01"


def candid(fields: dict[str, tuple[object, object]]) -> bytes:
    types = {name: kind for name, (kind, _) in fields.items()}
    values = {name: value for name, (_, value) in fields.items()}
    return bytes(encode([{"type": Types.Record(types), "value": values}]))


def test_the_field_is_found_behind_values_of_every_kind() -> None:
    fields = {
        "null": (Types.Null, None),
        "bool": (Types.Bool, True),
        "nat": (Types.Nat, 2**200),
        "int": (Types.Int, -(2**200)),
        "nat8": (Types.Nat8, 255),
        "nat64": (Types.Nat64, 2**64 - 1),
        "int32": (Types.Int32, -1),
        "float64": (Types.Float64, 1.5),
        "text": (Types.Text, "text with ünïcode"),
        "some": (Types.Opt(Types.Nat), [5]),
        "none": (Types.Opt(Types.Text), []),
        "blob": (Types.Vec(Types.Nat8), bytes(1000)),
        "wide": (Types.Vec(Types.Nat64), [1, 2, 3]),
        "texts": (Types.Vec(Types.Text), ["a", "bc"]),
        "inner": (Types.Record({"x": Types.Nat, "canister_id": Types.Nat}), {"x": 1, "canister_id": 2}),
        "choice": (Types.Variant({"a": Types.Null, "b": Types.Text}), {"b": "chosen"}),
        "other": (Types.Principal, Principal(b"\x04")),
        "canister_id": (Types.Principal, Principal(CANISTER)),
    }
    assert principal_field(candid(fields), "canister_id") == CANISTER
    assert principal_field(candid(fields), "other") == b"\x04"


@pytest.mark.parametrize("kind, value", [(Types.Nat, 5), (Types.Opt(Types.Principal), [])])
def test_a_field_of_another_type_does_not_count(kind: object, value: object) -> None:
    assert principal_field(candid({"canister_id": (kind, value)}), "canister_id") is None


@pytest.mark.parametrize(
    "data",
    [b"DIDL\x00\x00", b"DIDL\x00\x01\x68\x01\x00", b"DIDL\x01\x6d\x7f\x01\x00\x05", b"DIDL\x00\x01\x7f"],
)
def test_arguments_without_a_record_have_no_field(data: bytes) -> None:
    assert principal_field(data, "canister_id") is None


def bomb(length: int) -> bytes:
    """A record of the canister id and a `vec null` with that many items."""
    record = b"\x6c\x02" + uleb(field_id("canister_id")) + b"\x68" + uleb(2**32 - 1) + b"\x00"
    return b"DIDL\x02\x6d\x7f" + record + b"\x01\x01" + b"\x01\x0a" + CANISTER + uleb(length)


def test_a_few_bytes_that_stand_for_billions_of_values_are_refused_at_once() -> None:
    assert principal_field(bomb(1000), "canister_id") == CANISTER
    with pytest.raises(CandidError, match="too many or too deeply nested"):
        principal_field(bomb(2**40), "canister_id")


def test_types_that_contain_themselves_are_refused() -> None:
    itself = b"DIDL\x01\x6c\x01\x00\x00\x01\x00"
    with pytest.raises(CandidError, match="too deeply nested"):
        principal_field(itself, "canister_id")


def test_the_number_of_fields_is_bounded() -> None:
    def with_fields(count: int) -> bytes:
        fields = b"".join(uleb(number) + b"\x7f" for number in range(count))
        return b"DIDL\x01\x6c" + uleb(count) + fields + b"\x01\x00"

    assert principal_field(with_fields(MAX_FIELDS), "canister_id") is None
    with pytest.raises(CandidError, match="1001 fields, more than 1000"):
        principal_field(with_fields(MAX_FIELDS + 1), "canister_id")


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_an_answer_or_an_error(tail: bytes) -> None:
    for data in (tail, b"DIDL" + tail, b"DIDL\x01\x6c" + tail):
        try:
            principal_field(data, "canister_id")
        except CandidError:
            pass


@given(st.integers(0, 60))
def test_truncated_arguments_are_an_error(length: int) -> None:
    whole = candid(
        {"blob": (Types.Vec(Types.Nat8), bytes(9)), "canister_id": (Types.Principal, Principal(CANISTER))}
    )
    if length < len(whole):
        with pytest.raises(CandidError):
            principal_field(whole[:length], "canister_id")
