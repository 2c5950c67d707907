"""Encoding: a type is compiled, once, into closures that append values to a bytearray, or refuse."""

from __future__ import annotations

import struct

from .errors import CandidError
from .leb128 import encode_unsigned
from .limits import MAX_DEPTH
from .primitives import mismatch, write_blob, write_func, write_principal, writer_of
from .subtype import may_be_missing
from .types import FLOAT32, FLOAT64, NAT8, Func, Opt, Primitive, Record, Service, Type, Variant, Vec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .primitives import Writer


class EncoderBuilder:
    """Compiles the writers of one codec."""

    def __init__(self) -> None:
        self.writers: dict[int, Writer] = {}
        self.pending: set[int] = set()
        self.levels = 0

    def start(self) -> None:
        """Reset the depth count; called before each message."""
        self.levels = 0

    def writer(self, type: Type) -> Writer:
        """The writer of values of `type`."""
        if isinstance(type, Primitive):
            return writer_of(type)
        key = id(type)
        if key in self.writers:
            return self.writers[key]
        if key in self.pending:
            return self.recursive(key)
        self.pending.add(key)
        writer = self.writers[key] = self.compile(type)
        return writer

    def recursive(self, key: int) -> Writer:
        def write(out: bytearray, value: Any) -> None:
            self.levels += 1
            if self.levels > MAX_DEPTH:
                raise CandidError(f"a value of a recursive type is nested more than {MAX_DEPTH} deep")
            self.writers[key](out, value)
            self.levels -= 1

        return write

    def compile(self, type: Type) -> Writer:
        if isinstance(type, Opt):
            return _opt(self.writer(type.inner))
        if isinstance(type, Vec):
            if type.inner is NAT8:
                return write_blob
            if isinstance(type.inner, Primitive) and type.inner.size:
                return _numbers(type.inner)
            return _vec(self.writer(type.inner))
        if isinstance(type, Record):
            fields = [(f.key, self.writer(f.type), may_be_missing(f.type)) for f in type.sorted_fields()]
            return _tuple(fields) if type.is_tuple else _record(fields, type.name or "a record")
        if isinstance(type, Variant):
            cases = {f.key: (i, self.writer(f.type)) for i, f in enumerate(type.sorted_fields())}
            return _variant(cases, type.name or "a variant")
        if isinstance(type, Func):
            return write_func
        assert isinstance(type, Service)
        return write_principal


def _opt(write_inner: Writer) -> Writer:
    def write(out: bytearray, value: Any) -> None:
        if value is None:
            out.append(0)
        else:
            out.append(1)
            write_inner(out, value)

    return write


def _vec(write_element: Writer) -> Writer:
    def write(out: bytearray, value: Any) -> None:
        if not isinstance(value, list | tuple):
            raise mismatch("vec (list)", value)
        out += encode_unsigned(len(value))
        for element in value:
            write_element(out, element)

    return write


def _numbers(primitive: Primitive) -> Writer:
    accepted = {int, float} if primitive in (FLOAT32, FLOAT64) else {int}
    write_slowly = _vec(writer_of(primitive))

    def write(out: bytearray, value: Any) -> None:
        if not isinstance(value, list | tuple) or not accepted.issuperset(map(type, value)):
            return write_slowly(out, value)
        try:
            raw = struct.pack(f"<{len(value)}{primitive.struct_code}", *value)
        except (struct.error, OverflowError):
            return write_slowly(out, value)  # which names the element
        out += encode_unsigned(len(value))
        out += raw

    return write


def _record(fields: list[tuple[Any, Writer, bool]], name: str) -> Writer:
    keys = [key for key, _, _ in fields]

    def write(out: bytearray, value: Any) -> None:
        if not isinstance(value, dict):
            raise mismatch(f"{name} (dict)", value)
        known = 0
        key = None
        try:
            for key, write_field, optional in fields:
                if key in value:
                    known += 1
                    write_field(out, value[key])
                elif optional:
                    write_field(out, None)
                else:
                    raise CandidError(f"missing from {name}")
        except CandidError as error:
            raise error.within(str(key)) from None
        if known != len(value):
            unknown = [key for key in value if key not in keys]
            raise CandidError(
                f"{name} has no field {unknown[0]!r}; its fields are {', '.join(map(str, keys))}"
            )

    return write


def _tuple(fields: list[tuple[Any, Writer, bool]]) -> Writer:
    writers = [write_field for _, write_field, _ in fields]

    def write(out: bytearray, value: Any) -> None:
        if not isinstance(value, tuple | list) or len(value) != len(writers):
            raise mismatch(f"a tuple of {len(writers)}", value)
        index = 0
        try:
            for write_field in writers:
                write_field(out, value[index])
                index += 1
        except CandidError as error:
            raise error.within(str(index)) from None

    return write


def _variant(cases: dict[Any, tuple[int, Writer]], name: str) -> Writer:
    def write(out: bytearray, value: Any) -> None:
        if not isinstance(value, dict) or len(value) != 1:
            raise mismatch(f"{name} (a dict with one key)", value)
        [(key, content)] = value.items()
        case = cases.get(key)
        if case is None:
            raise CandidError(f"{name} has no case {key!r}; its cases are {', '.join(map(str, cases))}")
        out += encode_unsigned(case[0])
        try:
            case[1](out, content)
        except CandidError as error:
            raise error.within(str(key)) from None

    return write
