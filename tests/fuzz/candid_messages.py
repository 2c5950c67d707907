"""Candid messages, well formed, damaged, and built from arbitrary type tables."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from cdk.candid import Codec
from cdk.candid.leb128 import encode_signed, encode_unsigned
from tests.cdk.candid.shapes import Shape, shapes
from tests.fuzz.damage import damaged

PRIMITIVES = st.integers(-17, -1) | st.just(-24)
COMPOSITES = (-18, -19, -20, -21, -22, -23)
SMALL = st.integers(0, 5)


@st.composite
def well_formed(draw: st.DrawFn) -> tuple[list[Shape], list[Any], bytes]:
    """Shapes, a value of each, and their message."""
    drawn = draw(st.lists(shapes(), min_size=1, max_size=3))
    values = [draw(shape.values)[0] for shape in drawn]
    return drawn, values, Codec([shape.ours for shape in drawn]).encode(values)


@st.composite
def type_references(draw: st.DrawFn, types: int) -> bytes:
    index = st.integers(0, types - 1) if types else PRIMITIVES
    return encode_signed(draw(PRIMITIVES | index | st.integers(-30, 8)))


@st.composite
def entries(draw: st.DrawFn, types: int) -> bytes:
    """One definition of a type table; now and then of no known kind."""
    opcode = draw(st.sampled_from(COMPOSITES) | st.integers(-40, -17))
    out = encode_signed(opcode)
    if opcode in (-18, -19):
        return out + draw(type_references(types))
    if opcode in (-20, -21):
        numbers = sorted(draw(st.sets(st.integers(0, 1 << 32), max_size=4)))
        return out + _counted([encode_unsigned(number) + draw(type_references(types)) for number in numbers])
    if opcode == -22:
        lists = [_counted([draw(type_references(types)) for _ in range(draw(SMALL))]) for _ in range(2)]
        return out + b"".join(lists) + _counted([bytes([draw(st.integers(0, 4))])] * draw(st.integers(0, 2)))
    names = sorted(draw(st.sets(st.binary(max_size=4), max_size=3)))
    methods = [encode_unsigned(len(name)) + name + draw(type_references(types)) for name in names]
    return out + _counted(methods)


@st.composite
def of_arbitrary_types(draw: st.DrawFn) -> bytes:
    """A message whose type section can be read, most often, and whose values are anything."""
    count = draw(SMALL)
    table = _counted([draw(entries(count)) for _ in range(count)])
    arguments = _counted([draw(type_references(count)) for _ in range(draw(st.integers(0, 3)))])
    values = draw(st.binary(max_size=24) | st.lists(st.integers(0, 3), max_size=24).map(bytes))
    return b"DIDL" + table + arguments + values


def messages() -> st.SearchStrategy[bytes]:
    """Anything that may arrive where a message is expected."""
    intact = well_formed().map(lambda drawn: drawn[2])
    return of_arbitrary_types() | intact.flatmap(damaged) | of_arbitrary_types().flatmap(damaged)


def _counted(parts: list[bytes]) -> bytes:
    return encode_unsigned(len(parts)) + b"".join(parts)
