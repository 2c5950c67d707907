"""Random Candid types, as ours and as icp-py-core's, with a strategy of values in both notations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from icp_candid.candid import Types

from cdk.candid import types as candid
from cdk.candid.principal import Principal
from leasehold.agent import Principal as AgentPrincipal


@dataclass
class Shape:
    """`values` draws pairs: the Python value of our codec, and the same for the other codec."""

    ours: candid.Type
    theirs: Any
    values: st.SearchStrategy[tuple[Any, Any]]


def same(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, Any]]:
    return strategy.map(lambda value: (value, value))


def _int(bits: int, signed: bool) -> st.SearchStrategy[tuple[Any, Any]]:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return same(st.integers(low, high))


def principals() -> st.SearchStrategy[Principal]:
    return st.binary(max_size=29).map(Principal)


def scalars() -> st.SearchStrategy[Shape]:
    shapes = [
        Shape(candid.BOOL, Types.Bool, same(st.booleans())),
        Shape(candid.NAT, Types.Nat, same(st.integers(0, 1 << 300))),
        Shape(candid.INT, Types.Int, same(st.integers(-(1 << 300), 1 << 300))),
        Shape(candid.TEXT, Types.Text, same(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))),
        Shape(candid.NULL, Types.Null, same(st.none())),
        Shape(candid.FLOAT64, Types.Float64, same(st.floats(allow_nan=False))),
        Shape(candid.FLOAT32, Types.Float32, same(st.floats(width=32, allow_nan=False))),
        Shape(candid.PRINCIPAL, Types.Principal, principals().map(lambda p: (p, p.to_str()))),
        Shape(candid.BLOB, Types.Vec(Types.Nat8), same(st.binary(max_size=40))),
    ]
    for bits in (8, 16, 32, 64):
        shapes.append(Shape(getattr(candid, f"NAT{bits}"), getattr(Types, f"Nat{bits}"), _int(bits, False)))
        shapes.append(Shape(getattr(candid, f"INT{bits}"), getattr(Types, f"Int{bits}"), _int(bits, True)))
    return st.sampled_from(shapes)


def _opt(inner: Shape) -> Shape:
    some = inner.values.map(lambda pair: (pair[0], [] if pair[0] is None else [pair[1]]))
    if isinstance(inner.ours, candid.Opt) or inner.ours is candid.NULL:
        some = st.just((None, []))  # opt opt and opt null lose a level in Python
    return Shape(candid.Opt(inner.ours), Types.Opt(inner.theirs), st.just((None, [])) | some)


def _vec(inner: Shape) -> Shape:
    make: Any = bytes if inner.ours is candid.NAT8 else list
    values = st.lists(inner.values, max_size=4).map(
        lambda pairs: (make(ours for ours, _ in pairs), make(theirs for _, theirs in pairs))
    )
    return Shape(candid.Vec(inner.ours), Types.Vec(inner.theirs), values)


def _record(fields: dict[str, Shape]) -> Shape:
    ours = candid.Record(tuple(candid.Field(name, shape.ours) for name, shape in fields.items()))
    theirs = Types.Record({name: shape.theirs for name, shape in fields.items()})
    values = st.fixed_dictionaries({name: shape.values for name, shape in fields.items()}).map(
        lambda pairs: (
            {name: pair[0] for name, pair in pairs.items()},
            {name: pair[1] for name, pair in pairs.items()},
        )
    )
    return Shape(ours, theirs, values)


def _variant(cases: dict[str, Shape]) -> Shape:
    ours = candid.Variant(tuple(candid.Field(name, shape.ours) for name, shape in cases.items()))
    theirs = Types.Variant({name: shape.theirs for name, shape in cases.items()})

    def case(name: str) -> st.SearchStrategy[tuple[Any, Any]]:
        return cases[name].values.map(lambda pair: ({name: pair[0]}, {name: pair[1]}))

    values = st.one_of([case(name) for name in cases])
    return Shape(ours, theirs, values)


NAMES = st.text("abcdefgh_é", min_size=1, max_size=8)


def shapes() -> st.SearchStrategy[Shape]:
    return st.recursive(
        scalars(),
        lambda inner: (
            inner.map(_opt)
            | inner.map(_vec)
            | st.dictionaries(NAMES, inner, min_size=1, max_size=4).map(_record)
            | st.dictionaries(NAMES, inner, min_size=1, max_size=4).map(_variant)
        ),
        max_leaves=6,
    )


def plain(value: Any) -> Any:
    """A value of the other codec in comparable form."""
    if isinstance(value, dict):
        return {key: plain(content) for key, content in value.items()}
    if isinstance(value, list | tuple):
        return [plain(element) for element in value]
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    if isinstance(value, AgentPrincipal):
        return str(value)
    if hasattr(value, "to_str"):
        return value.to_str()
    return value
