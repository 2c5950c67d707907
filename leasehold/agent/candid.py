"""Python values to and from Candid messages, checked against their types.

Messages are written by icp-py-core's codec, once the values were checked, so that an error names the field.
They are read by `leasehold.agent.candid_values`.

| Candid | Python |
|---|---|
| `nat…`, `int…` | `int` |
| `float…` | `float` (an `int` is taken) |
| `blob` | `bytes` |
| `vec` | `list` (a tuple is taken) |
| `opt t` | value or `None` |
| `record` | `dict`, or a tuple for `record { a; b }` |
| `variant` | `{"Tag": value}`, `{"Tag": None}` without a value (`"Tag"` is taken) |
| `principal` | `Principal` (its text is taken) |
"""

from collections.abc import Mapping, Sequence
from typing import Any

from icp_candid import candid as codec  # type: ignore[import-untyped]

from leasehold.agent.candid_types import resolved
from leasehold.agent.candid_values import read_values
from leasehold.agent.errors import CandidError
from leasehold.agent.principal import Principal

# A type of the codec, which has no annotations of its own.
Type = Any

MAX_MESSAGE_BYTES = 16 * 1024 * 1024


class _RawPrincipal:
    # What the codec takes for a principal: anything with `bytes`.
    def __init__(self, raw: bytes) -> None:
        self.bytes = raw


def encode(types: Sequence[Type], values: Sequence[Any]) -> bytes:
    """A Candid message of these values.

    Raises:
        CandidError: a value does not have its type; the message names the place.
    """
    if len(types) != len(values):
        raise CandidError(f"{len(types)} arguments are needed, got {len(values)}")
    pairs = [
        {"type": kind, "value": _to_wire(kind, value, f"argument {place}")}
        for place, (kind, value) in enumerate(zip(types, values, strict=True), 1)
    ]
    try:
        encoded: bytes = codec.encode(pairs)
    except (ValueError, TypeError, KeyError) as error:
        raise CandidError(f"cannot be encoded as Candid: {error}") from error
    return encoded


def decode(types: Sequence[Type], message: bytes) -> list[Any]:
    """The values of a Candid message, read as these types.

    Raises:
        CandidError: malformed, or of other types.
    """
    if len(message) > MAX_MESSAGE_BYTES:
        raise CandidError(f"the message is longer than {MAX_MESSAGE_BYTES} bytes")
    return read_values(message, types) if types else []


def _to_wire(kind: Type, value: Any, place: str) -> Any:
    kind = resolved(kind)
    if isinstance(kind, codec.OptClass):
        return [] if value is None else [_to_wire(kind._type, value, place)]
    if isinstance(kind, codec.VecClass):
        return _vec_to_wire(kind, value, place)
    if isinstance(kind, codec.RecordClass):
        return _record_to_wire(kind, value, place)
    if isinstance(kind, codec.VariantClass):
        return _variant_to_wire(kind, value, place)
    if isinstance(kind, codec.PrincipalClass):
        _ensure(isinstance(value, Principal | str), kind, value, place)
        return _RawPrincipal(Principal.of(value).raw)
    _ensure(_is_primitive(kind, value), kind, value, place)
    return value


def _vec_to_wire(kind: Any, value: Any, place: str) -> Any:
    if kind._is_blob:
        _ensure(isinstance(value, bytes | bytearray | memoryview), kind, value, place)
        return bytes(value)
    _ensure(isinstance(value, list | tuple), kind, value, place)
    return [_to_wire(kind._type, element, f"{place}[{index}]") for index, element in enumerate(value)]


def _record_to_wire(kind: Any, value: Any, place: str) -> Any:
    fields = _fields(kind)
    if isinstance(value, list | tuple):
        value = {str(index): element for index, element in enumerate(value)}
    _ensure(isinstance(value, Mapping), kind, value, place)
    if unknown := sorted(set(value) - set(fields)):
        raise CandidError(f"{place} has no field {unknown[0]!r}; its fields are {', '.join(fields)}")
    wire = {}
    for name, inner in fields.items():
        if name not in value and not isinstance(resolved(inner), codec.OptClass):
            raise CandidError(f"{place} lacks the field {name!r}")
        wire[name] = _to_wire(inner, value.get(name), f"{place}.{name}")
    return wire


def _variant_to_wire(kind: Any, value: Any, place: str) -> Any:
    fields = _fields(kind)
    if isinstance(value, str):
        value = {value: None}
    _ensure(isinstance(value, Mapping) and len(value) == 1, kind, value, place)
    ((tag, inner),) = value.items()
    if tag not in fields:
        raise CandidError(f"{place} cannot be {tag!r}; it is one of {', '.join(fields)}")
    return {tag: _to_wire(fields[tag], inner, f"{place}.{tag}")}


def _is_primitive(kind: Type, value: Any) -> bool:
    if isinstance(kind, codec.BoolClass):
        return isinstance(value, bool)
    if isinstance(kind, codec.FixedNatClass):
        return _is_int(value) and 0 <= value < 1 << kind._bits
    if isinstance(kind, codec.FixedIntClass):
        return _is_int(value) and -(1 << kind._bits - 1) <= value < 1 << kind._bits - 1
    if isinstance(kind, codec.NatClass):
        return _is_int(value) and value >= 0
    if isinstance(kind, codec.IntClass):
        return _is_int(value)
    if isinstance(kind, codec.FloatClass):
        return isinstance(value, float) or _is_int(value)
    if isinstance(kind, codec.TextClass):
        return isinstance(value, str)
    if isinstance(kind, codec.NullClass):
        return value is None
    return not isinstance(kind, codec.EmptyClass)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _ensure(holds: bool, kind: Type, value: Any, place: str) -> None:
    if not holds:
        shown = repr(value)
        raise CandidError(
            f"{place} must be {_named(kind)}, got {shown if len(shown) < 80 else shown[:77] + '…'}"
        )


def _named(kind: Any) -> str:
    if isinstance(kind, codec.VecClass):
        return "blob (bytes)" if kind._is_blob else "vec (a list)"
    if isinstance(kind, codec.RecordClass):
        return "record (a dict)"
    if isinstance(kind, codec.VariantClass):
        return "variant, one of " + ", ".join(_fields(kind))
    return str(kind.name)


def _fields(kind: Any) -> dict[str, Type]:
    return {str(name): inner for name, inner in kind._field_map.values()}
