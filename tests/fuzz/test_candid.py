"""Candid decoders: whatever arrives is a value or the decoder's own error, and other codecs agree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from icp_candid.candid import decode as decode_theirs  # type: ignore[import-untyped]
from icp_candid.candid import encode as encode_theirs

import devnet.errors
import devnet.replica.replica
import leasehold.agent.candid
from cdk.candid import CandidError, Codec, Type
from cdk.candid.did import DidError
from cdk.candid.did_parser import parse_did
from cdk.candid.header import read_header
from cdk.candid.subtype import Subtyping
from cdk.candid.text import decode_text, encode_text
from devnet.gateway.candid_values import Message
from devnet.http.candid_field import principal_field
from devnet.replica.candid import decode_one
from devnet.replica.management.methods import METHODS
from leasehold.agent import CandidError as AgentCandidError
from tests.cdk.candid.shapes import Shape, plain, shapes
from tests.fuzz.candid_messages import messages, well_formed
from tests.fuzz.conftest import Fuzz
from tests.fuzz.damage import damaged_text

# The whole replica is imported, so that every management method is registered.
ARGUMENTS = [method.argument for method in METHODS.values() if method.argument is not None]


def test_a_decoder_of_canisters_reads_or_refuses(fuzz: Fuzz) -> None:
    def read(message: bytes, expected: list[Shape]) -> None:
        codec = Codec([shape.ours for shape in expected])
        try:
            values = codec.decode(message)
        except CandidError as error:
            assert str(error)
            return
        assert codec.decode(codec.encode(values)) == values or has_nan(values)

    fuzz(read, messages(), st.lists(shapes(), max_size=2), examples=80)


def test_what_was_encoded_comes_back_and_others_read_it_alike(fuzz: Fuzz) -> None:
    def agree(drawn: tuple[list[Shape], list[Any], bytes], data: st.DataObject) -> None:
        wanted, values, message = drawn
        codec = Codec([shape.ours for shape in wanted])
        assert codec.decode(message) == values
        types = [shape.theirs for shape in wanted]
        theirs = [item["value"] for item in decode_theirs(message, types)]
        again = encode_theirs(
            [{"type": kind, "value": value} for kind, value in zip(types, map(writable, theirs), strict=True)]
        )
        assert codec.decode(again) == values

    fuzz(agree, well_formed(), st.data(), examples=40)


def test_a_value_read_as_another_type_fits_when_its_type_is_a_subtype(fuzz: Fuzz) -> None:
    def read(drawn: tuple[list[Shape], list[Any], bytes], expected: Shape) -> None:
        message = drawn[2]
        wire: list[Type] = read_header(message)[0]
        fits = Subtyping().holds(wire[0], expected.ours)
        try:
            [_] = Codec([expected.ours]).decode(message)
        except CandidError:
            assert not fits
        else:
            assert fits

    fuzz(read, well_formed(), shapes(), examples=60)


def test_the_text_form_of_a_message_is_read_back_or_refused(fuzz: Fuzz) -> None:
    def spell(message: bytes) -> None:
        try:
            # The type of a vec is taken from its first element, so what follows may be refused.
            again = encode_text(decode_text(message))
        except CandidError:
            return
        # The text says `null` for an absent value of any type: once more, and nothing changes any more.
        settled = decode_text(again)
        assert decode_text(encode_text(settled)) == settled

    fuzz(spell, messages(), examples=60)


@pytest.mark.parametrize("read", [Message, lambda data: principal_field(data, "canister_id")])
def test_the_nodes_readers_read_or_refuse(fuzz: Fuzz, read: Any) -> None:
    def attempt(message: bytes) -> None:
        try:
            read(message)
        except devnet.errors.CandidError as error:
            assert str(error)

    fuzz(attempt, messages(), examples=50)


def test_management_arguments_are_read_or_refused(fuzz: Fuzz) -> None:
    def attempt(message: bytes, kind: Any) -> None:
        try:
            decode_one(kind, message)
        except devnet.errors.CandidError as error:
            assert str(error)

    fuzz(attempt, messages(), st.sampled_from(ARGUMENTS), examples=60)


def test_the_clients_codec_reads_or_refuses(fuzz: Fuzz) -> None:
    def attempt(message: bytes, expected: Shape) -> None:
        try:
            leasehold.agent.candid.decode([expected.theirs], message)
        except AgentCandidError as error:
            assert str(error)

    fuzz(attempt, messages(), shapes(), examples=60)


def test_the_client_reads_what_canisters_read(fuzz: Fuzz) -> None:
    def attempt(message: bytes, expected: Shape) -> None:
        try:
            [value] = Codec([expected.ours]).decode(message)
        except CandidError:
            return
        try:
            [read] = leasehold.agent.candid.decode([expected.theirs], message)
        except AgentCandidError as error:
            # The client's bounds are tighter here; a canister's cost its caller cycles.
            assert "no bytes" in str(error) or "without bytes" in str(error), str(error)
        else:
            assert plain(read) == plain(value)

    fuzz(attempt, messages(), shapes(), examples=40)
    fuzz(lambda drawn, expected: attempt(drawn[2], expected), well_formed(), shapes(), examples=60)


DID = """// an interface
type List = record { head : nat; tail : opt List };
type Kind = variant { a; "b c" : blob; 5 : func (text) -> () query };
service : (opt List, principal) -> {
  get : (vec Kind, record { int8; bool }) -> (service {}) oneway; "x" : Alias
};
type Alias = func () -> (float64) composite_query;
"""
WORDS = [
    "record {",
    "variant {",
    "}",
    "(",
    ")",
    "->",
    ";",
    ":",
    ",",
    "opt ",
    "vec ",
    "List",
    "Kind",
    '"',
    "/*",
]
WORDS += [
    "*/",
    "//",
    "0x",
    "99999999999",
    "type ",
    "service ",
    "=",
    "query",
    "\\",
    "\\u{",
    "nat",
    "\0",
    "blob",
]


def test_interfaces_are_parsed_or_refused(fuzz: Fuzz) -> None:
    def attempt(text: str) -> None:
        try:
            parse_did(text)
        except DidError as error:
            assert str(error)

    fuzz(attempt, damaged_text(DID, WORDS), examples=100)


VALUES = (
    '(record { a = 1 : nat; b = vec { true; null }; 5 = opt "x\\u{e9}" }, blob "\\00\\ff", -1.5e3, '
    'principal "aaaaa-aa")'
)


def test_values_in_text_are_read_or_refused(fuzz: Fuzz) -> None:
    def attempt(text: str) -> None:
        try:
            encode_text(text)
        except CandidError as error:
            assert str(error)

    words = [
        *WORDS,
        "true",
        "null",
        "1_000",
        "-",
        "+",
        "e",
        ".",
        ": int8",
        "inf",
        "nan",
        "func",
        "principal ",
    ]
    fuzz(attempt, damaged_text(VALUES, words), examples=100)


def has_nan(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(has_nan, value.values()))
    if isinstance(value, list | tuple):
        return any(map(has_nan, value))
    return isinstance(value, float) and value != value


def writable(value: Any) -> Any:
    """A value that the other codec has read, as it takes it for writing."""
    return plain(value) if not isinstance(value, bytes) else value
