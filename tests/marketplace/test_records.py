"""Every stored record survives its encoding; unknown versions and damage are refused."""

import dataclasses
import json
import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canisters.marketplace.core import model
from canisters.marketplace.core.records import Codec, RecordError
from canisters.marketplace.core.state import CODECS
from canisters.marketplace.core.structure import Structure
from canisters.marketplace.core.types import Tokens
from tests.marketplace.world import market

RECORD_CODECS = {name: codec for name, codec in CODECS.items() if isinstance(codec, Codec)}


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value that a field of this annotation can have."""
    hint = getattr(hint, "__supertype__", hint)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        int: st.integers(0, 2**100),
        str: st.text(st.characters(codec="utf-8"), max_size=20),
        bool: st.booleans(),
        float: st.floats(allow_nan=False, allow_infinity=False),
        bytes: st.binary(max_size=40),
        Tokens: st.builds(Tokens, st.integers(0, 2**100)),
    }
    if hint in simple:
        return simple[hint]
    if dataclasses.is_dataclass(hint) or hasattr(hint, "_fields"):
        hints = typing.get_type_hints(hint)
        return st.builds(hint, **{name: values_of(hints[name]) for name in hints})
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if arguments:
        return st.none() | values_of(arguments[0])
    return st.sampled_from(hint)


@pytest.mark.parametrize("name", RECORD_CODECS)
@given(data=st.data())
def test_what_is_stored_is_what_is_read(name: str, data: st.DataObject) -> None:
    codec = RECORD_CODECS[name]
    record = data.draw(values_of(codec.record))
    assert codec.decode(codec.encode(record)) == record


@dataclasses.dataclass(frozen=True)
class Old:
    name: str


@dataclasses.dataclass(frozen=True)
class New:
    name: str
    amount: Tokens


def add_amount(plain: dict[str, Any]) -> dict[str, Any]:
    return {**plain, "amount": 7}


def test_an_old_record_is_lifted_to_the_present_version() -> None:
    stored = Codec(Old).encode(Old("x"))
    assert Codec(New, 2, {1: add_amount}).decode(stored) == New("x", Tokens(7))


def test_a_version_without_upgrade_is_refused_by_name() -> None:
    stored = Codec(Old).encode(Old("x"))
    with pytest.raises(RecordError, match=r"New: stored with version 1, this code reads 2; install"):
        Codec(New, 2).decode(stored)
    with pytest.raises(RecordError, match="stored with version 3, this code reads 2"):
        Codec(New, 2, {1: add_amount}).decode(b"\x03" + stored[1:])


@pytest.mark.parametrize(
    "damage", [b"", b"\x01", b"\x01{}", b'\x01{"name":"x","more":1}', b"\x01[]", b"\x01\xff"]
)
def test_damaged_records_are_refused(damage: bytes) -> None:
    with pytest.raises(RecordError, match="Old"):
        Codec(Old).decode(damage)


def test_code_that_cannot_read_the_stored_version_refuses_to_start() -> None:
    world = market()
    world.state.require_readable()
    stored = world.maps["offers"].range(b"", None, 1)[0]
    world.maps["offers"].insert(stored[0], b"\x63" + stored[1][1:])
    with pytest.raises(RecordError, match="Offer: stored with version 99"):
        world.state.require_readable()


def test_a_negative_amount_in_store_is_damage() -> None:
    with pytest.raises(RecordError, match="damaged"):
        Codec(New).decode(b'\x01{"name":"x","amount":-1}')


def test_a_type_without_rule_is_refused_when_the_code_loads() -> None:
    with pytest.raises(TypeError, match="no rule"):
        Structure({}).pair(dict[str, int])
    with pytest.raises(TypeError, match="not a dataclass"):
        Codec(int)


def test_statuses_and_bytes_are_stored_readably() -> None:
    stored = CODECS["requests"].encode(model.Request(3, b"\xab"))
    assert stored == b'\x01{"id":3,"arguments_sha256":"ab"}'


def test_an_attestation_of_before_switches_were_recorded_is_read() -> None:
    world = market()
    rental = world.running()
    codec, key = CODECS["attestations"], rental.to_bytes(8, "big")
    record = world.state.attestations.get(key)
    plain = json.loads(codec.encode(record)[1:])
    del plain["switches"]
    assert codec.decode(b"\x01" + json.dumps(plain).encode()) == record
