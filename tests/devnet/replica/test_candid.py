"""Candid values, and messages made to hurt a decoder."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devnet.errors import CandidError
from devnet.replica.candid import (
    BLOB,
    BOOL,
    NAT,
    NULL,
    PRINCIPAL,
    TEXT,
    CandidType,
    Opt,
    Record,
    Variant,
    Vec,
    decode_one,
    encode_one,
)
from devnet.replica.candid_bounds import MAX_TYPES
from devnet.replica.management import interface, service_types
from devnet.replica.wasm.format import encode_unsigned
from tests.devnet.replica.test_management import vetkd_arguments

CANISTER_ID_HASH = 1_313_628_723


def kinds_with_values() -> st.SearchStrategy[tuple[CandidType, Any]]:
    plain = st.one_of(
        st.tuples(st.just(NAT), st.integers(0, 1 << 130)),
        st.tuples(st.just(BOOL), st.booleans()),
        st.tuples(st.just(TEXT), st.text(max_size=20)),
        st.tuples(st.just(BLOB), st.binary(max_size=40)),
        st.tuples(st.just(PRINCIPAL), st.binary(max_size=29)),
    )

    def wrapped(inner: st.SearchStrategy[tuple[Any, Any]]) -> st.SearchStrategy[tuple[Any, Any]]:
        return st.one_of(
            inner.map(lambda pair: (Opt(pair[0]), pair[1])),
            inner.map(lambda pair: (Vec(pair[0]), [pair[1]] * 2)),
            inner.map(lambda pair: (Record({"a": pair[0], "b": NAT}), {"a": pair[1], "b": 1})),
            inner.map(lambda pair: (Variant({"x": NULL, "y": pair[0]}), ("y", pair[1]))),
        )

    return st.recursive(plain, wrapped, max_leaves=3)


@given(kinds_with_values())
def test_values_come_back_as_they_went(pair: tuple[CandidType, Any]) -> None:
    kind, value = pair
    if isinstance(kind, Opt) and isinstance(kind.inner, Opt):
        return
    assert decode_one(kind, encode_one(kind, value)) == value


def test_absent_optional_fields_are_none_and_unknown_ones_skipped() -> None:
    sent = Record({"canister_id": PRINCIPAL, "extra": TEXT})
    data = encode_one(sent, {"canister_id": b"\1", "extra": "?"})
    assert decode_one(interface.VERSIONED_CANISTER, data) == {
        "canister_id": b"\1",
        "sender_canister_version": None,
    }


def message(types: bytes, count: int, value: bytes) -> bytes:
    """A record with an unknown field of type 1 and a canister id."""
    record = b"\x6c\x02\x01\x01" + encode_unsigned(CANISTER_ID_HASH) + b"\x68"
    return b"DIDL" + encode_unsigned(count) + record + types + b"\x01\x00" + value + b"\x01\x02\x01\x01"


@pytest.mark.parametrize(
    ("types", "count"),
    [
        (b"\x6d\x7f", 2),  # vec null
        (b"\x6d\x70", 2),  # vec reserved
        (b"\x6d\x02\x6c\x00", 3),  # vec record {}
        (b"\x6d\x02\x6c\x01\x00\x03\x6c\x01\x00\x7f", 4),  # vec record { record { null } }
    ],
)
def test_vectors_that_claim_any_length_are_refused(types: bytes, count: int) -> None:
    with pytest.raises(CandidError, match="without bytes"):
        decode_one(interface.CANISTER, message(types, count, encode_unsigned(10**15)))


def test_deep_values_are_refused_not_fatal() -> None:
    with pytest.raises(CandidError):
        decode_one(interface.CANISTER, message(b"\x6e\x01", 2, b"\x01" * 100_000 + b"\x00"))


def test_type_tables_are_bounded() -> None:
    def table(count: int) -> bytes:
        return b"DIDL" + encode_unsigned(count) + b"\x6e\x7d" * count + b"\x01\x71\x00"

    assert decode_one(TEXT, table(MAX_TYPES)) == ""
    with pytest.raises(CandidError, match="too many"):
        decode_one(TEXT, table(MAX_TYPES + 1))


SAMPLE = vetkd_arguments()


@given(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255))
def test_damaged_messages_decode_or_raise_candid_errors(position: int, value: int) -> None:
    for damaged in (SAMPLE[:position], SAMPLE[:position] + bytes([value]) + SAMPLE[position + 1 :]):
        try:
            decode_one(service_types.VETKD_DERIVE_KEY_ARGS, damaged)
        except CandidError:
            pass
