"""Type sections: every usual notation is right, and a warmed codec knows those that agents send."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icp_candid.candid import Types, encode

from cdk.candid import BLOB, NAT, TEXT, Codec, Field, Opt, Record, Type, Variant, Vec
from cdk.candid.header import read_header, usual_headers, write_header
from cdk.candid.subtype import Subtyping
from tests.cdk.candid.shapes import Shape, shapes

FIELDS = (Field("a", Opt(TEXT)), Field("b", BLOB), Field("c", BLOB), Field("d", Vec(Opt(TEXT))))
VALUE = {"a": "x", "b": b"\x01", "c": b"\x02", "d": [None, "y"]}
# Made with @icp-sdk/core 5.4: IDL.encode([IDL.Record({a: IDL.Opt(IDL.Text), b: IDL.Vec(IDL.Nat8), …})], …)
JAVASCRIPT = "4449444c046e716d7b6d006c0461006201630164020103010178010101020200010179"
JAVASCRIPT_LIST = "4449444c026c02a0d2aca8047d90eddae704016e00010001010200"


def list_type() -> Record:
    """`type List = record { head : nat; tail : opt List }`."""
    node = Record(name="List")
    node.fill((Field("head", NAT), Field("tail", Opt(node))))
    return node


def tree_types() -> tuple[Type, ...]:
    """Two types that are part of each other, and a type around them."""
    tree, forest = Record(name="Tree"), Variant(name="Forest")
    tree.fill((Field("name", TEXT), Field("under", forest)))
    forest.fill((Field("None", TEXT), Field("Some", Vec(tree))))
    return Record((Field("left", tree), Field("right", Opt(forest)))), forest


def assert_described(types: tuple[Type, ...]) -> None:
    """Each usual header lists types that are subtypes of `types` and the other way round."""
    for header in usual_headers(types):
        read, end = read_header(header)
        assert end == len(header) and len(read) == len(types)
        for wire, expected in zip(read, types, strict=True):
            subtyping = Subtyping()
            assert subtyping.holds(wire, expected) and subtyping.holds(expected, wire)


@settings(deadline=None, max_examples=100)
@given(st.lists(shapes(), max_size=3))
def test_usual_headers_describe_the_types(drawn: list[Shape]) -> None:
    assert_described(tuple(shape.ours for shape in drawn))


@pytest.mark.parametrize("types", [(list_type(),), tree_types(), (list_type(), list_type())])
def test_usual_headers_describe_recursive_types(types: tuple[Type, ...]) -> None:
    assert_described(types)
    assert usual_headers(types)[0] == write_header(types)


def test_a_warmed_codec_knows_what_agents_send() -> None:
    codec = Codec([Record(FIELDS)])
    codec.warm_decoder(from_agents=True)
    known = len(codec._decoders)
    theirs = Types.Record(
        {
            "a": Types.Opt(Types.Text),
            "b": Types.Vec(Types.Nat8),
            "c": Types.Vec(Types.Nat8),
            "d": Types.Vec(Types.Opt(Types.Text)),
        }
    )
    python = encode([{"type": theirs, "value": {"a": ["x"], "b": b"\x01", "c": b"\x02", "d": [[], ["y"]]}}])
    for message in (codec.encode([VALUE]), python, bytes.fromhex(JAVASCRIPT)):
        assert codec.decode(message) == [VALUE]
    assert len(codec._decoders) == known == 3


def test_a_warmed_codec_knows_a_list_from_javascript() -> None:
    codec = Codec([list_type()])
    codec.warm_decoder(from_agents=True)
    known = len(codec._decoders)
    assert codec.decode(bytes.fromhex(JAVASCRIPT_LIST)) == [{"head": 1, "tail": {"head": 2, "tail": None}}]
    assert len(codec._decoders) == known
