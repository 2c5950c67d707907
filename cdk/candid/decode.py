"""Decoding: a message's own types are compiled, once, into closures that read its values as ours.

Compiling is by pairs (the sender's type, the expected type). What the receiver does not know is skipped, what
the sender left out of a record becomes None, and an `opt` whose content does not fit is read as None (Candid
specification, "Deserialisation"). Every length is checked against what is left of the message.
"""

from __future__ import annotations

import struct

from .errors import CandidError
from .leb128 import read_unsigned
from .limits import MAX_DEPTH, MAX_ELEMENTS, MAX_EMPTY_ELEMENTS
from .primitives import read_blob, read_func, read_null, read_principal, reader_of
from .subtype import Subtyping, may_be_missing
from .types import (
    EMPTY,
    INT,
    NAT,
    NAT8,
    NULL,
    PRINCIPAL,
    RESERVED,
    Func,
    Opt,
    Primitive,
    Record,
    Service,
    Type,
    Variant,
    Vec,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .primitives import Reader


class DecoderBuilder:
    """Compiles readers for one message's types and keeps the budgets they share while one message is read."""

    def __init__(self) -> None:
        self.subtyping = Subtyping()
        self.readers: dict[tuple[int, int], Reader] = {}
        self.pending: set[tuple[int, int]] = set()
        self.sizes: dict[int, int] = {}
        self.compiling = 0
        self.elements_left = 0
        self.empty_elements_left = 0
        self.levels = 0

    def start(self) -> None:
        """Refill the budgets; called before each message."""
        self.elements_left = MAX_ELEMENTS
        self.empty_elements_left = MAX_EMPTY_ELEMENTS
        self.levels = 0

    def reader(self, wire: Type, expected: Type) -> Reader:
        """The reader of values sent as `wire` and wanted as `expected`, where `wire <: expected` is known."""
        if isinstance(wire, Primitive) and wire is expected:
            return reader_of(wire)
        pair = (id(wire), id(expected))
        if pair in self.readers:
            return self.readers[pair]
        if pair in self.pending:
            return self.recursive(pair)
        self.pending.add(pair)
        self.compiling += 1
        if self.compiling > MAX_DEPTH:
            raise CandidError(f"types are nested more than {MAX_DEPTH} deep")
        reader = self.readers[pair] = self.compile(wire, expected)
        self.compiling -= 1
        return reader

    def skipper(self, wire: Type) -> Reader:
        """A reader that answers None and goes past the value."""
        return self.reader(wire, RESERVED)

    def recursive(self, pair: tuple[int, int]) -> Reader:
        """A reader that looks up, while reading, what is still being compiled, and counts the depth."""
        readers = self.readers

        def read(data: bytes, position: int) -> tuple[Any, int]:
            self.levels += 1
            if self.levels > MAX_DEPTH:
                raise CandidError(f"a value of a recursive type is nested more than {MAX_DEPTH} deep")
            result = readers[pair](data, position)
            self.levels -= 1
            return result

        return read

    def compile(self, wire: Type, expected: Type) -> Reader:
        if expected is RESERVED:
            return self.skip(wire)
        if isinstance(expected, Opt):
            return self.opt(wire, expected)
        if wire is NAT and expected is INT:
            return read_unsigned
        if wire is EMPTY:
            return reader_of(EMPTY)
        if isinstance(wire, Vec) and isinstance(expected, Vec):
            return self.vec(wire.inner, expected.inner)
        if isinstance(wire, Record) and isinstance(expected, Record):
            return self.record(wire, expected)
        if isinstance(wire, Variant) and isinstance(expected, Variant):
            return self.variant(wire, expected)
        if isinstance(wire, Func) and isinstance(expected, Func):
            return read_func
        if isinstance(wire, Service) and (isinstance(expected, Service) or expected is PRINCIPAL):
            return self.service(getattr(expected, "make", None))
        raise CandidError(f"cannot read {_kind(wire)} as {_kind(expected)}")

    def skip(self, wire: Type) -> Reader:
        if isinstance(wire, Primitive):
            return _ignoring(reader_of(wire))
        if isinstance(wire, Opt):
            return self.opt_of(self.skipper(wire.inner))
        if isinstance(wire, Vec):
            return _ignoring(read_blob) if wire.inner is NAT8 else self.skip_vec(wire.inner)
        if isinstance(wire, Record):
            return self.skip_record(wire)
        if isinstance(wire, Variant):
            return self.skip_variant(wire)
        return _ignoring(read_func if isinstance(wire, Func) else read_principal)

    def opt(self, wire: Type, expected: Opt) -> Reader:
        inner = expected.inner
        if wire is NULL:
            return read_null
        if isinstance(wire, Opt):
            if self.subtyping.holds(wire.inner, inner):
                return self.opt_of(self.reader(wire.inner, inner))
            return self.skipper(wire)
        if wire is not RESERVED and not may_be_missing(inner) and self.subtyping.holds(wire, inner):
            return self.reader(wire, inner)
        return self.skipper(wire)

    def opt_of(self, read_inner: Reader) -> Reader:
        def read(data: bytes, position: int) -> tuple[Any, int]:
            flag = data[position]
            if flag == 1:
                return read_inner(data, position + 1)
            if flag:
                raise CandidError(f"an opt begins with 0 or 1, not {flag}")
            return None, position + 1

        return read

    def vec(self, wire: Type, expected: Type) -> Reader:
        if expected is NAT8:
            if wire is NAT8:
                return read_blob
            return self.elements(wire, reader_of(EMPTY), bytes)  # vec empty: never has elements
        if isinstance(wire, Primitive) and wire.size and wire is expected:
            return self.numbers(wire)
        return self.elements(wire, self.reader(wire, expected), list)

    def claim(self, count: int, size: int, left: int) -> None:
        """Refuse a vector of `count` elements of at least `size` bytes when `left` bytes cannot hold it."""
        if count * size > left:
            raise CandidError(f"a vector of {count} elements cannot fit in the {left} bytes that are left")
        self.elements_left -= count
        if not size:
            self.empty_elements_left -= count
        if self.elements_left < 0 or self.empty_elements_left < 0:
            raise CandidError("the message has too many vector elements")

    def elements(self, wire: Type, read_element: Reader, make: type[bytes] | type[list[Any]]) -> Reader:
        size = self.minimum_size(wire)

        def read(data: bytes, position: int) -> tuple[Any, int]:
            count, position = read_unsigned(data, position)
            self.claim(count, size, len(data) - position)
            result: list[Any] = []
            append = result.append
            for _ in range(count):
                value, position = read_element(data, position)
                append(value)
            return (result if make is list else make(result)), position

        return read

    def numbers(self, primitive: Primitive) -> Reader:
        size, code, unpack_from = primitive.size, primitive.struct_code, struct.unpack_from

        def read(data: bytes, position: int) -> tuple[Any, int]:
            count, position = read_unsigned(data, position)
            self.claim(count, size, len(data) - position)
            return list(unpack_from(f"<{count}{code}", data, position)), position + count * size

        return read

    def skip_vec(self, wire: Type) -> Reader:
        size = self.minimum_size(wire)
        skip_element = self.skipper(wire)
        fixed = isinstance(wire, Primitive) and bool(wire.size)

        def read(data: bytes, position: int) -> tuple[None, int]:
            count, position = read_unsigned(data, position)
            self.claim(count, size, len(data) - position)
            if fixed:
                return None, position + count * size
            for _ in range(count):
                position = skip_element(data, position)[1]
            return None, position

        return read

    def record(self, wire: Record, expected: Record) -> Reader:
        wanted = {field.hash: field for field in expected.fields}
        steps: list[tuple[str | int | None, Reader]] = []
        for field in wire.sorted_fields():
            match = wanted.pop(field.hash, None)
            if match is None:
                steps.append((None, self.skipper(field.type)))
            else:
                steps.append((match.key, self.reader(field.type, match.type)))
        missing: dict[Any, None] = {field.key: None for field in wanted.values()}
        skips = any(key is None for key, _ in steps)

        def read(data: bytes, position: int) -> tuple[dict[Any, Any], int]:
            result: dict[Any, Any] = missing.copy()
            key: str | int | None = None
            try:
                for key, read_field in steps:
                    result[key], position = read_field(data, position)
            except CandidError as error:
                raise error.within(str(key)) from None
            if skips:
                del result[None]
            return result, position

        return self.as_tuple(read, len(expected.fields)) if expected.is_tuple else read

    def as_tuple(self, read_record: Reader, size: int) -> Reader:
        indexes = range(size)

        def read(data: bytes, position: int) -> tuple[tuple[Any, ...], int]:
            values, position = read_record(data, position)
            return tuple([values[index] for index in indexes]), position

        return read

    def skip_record(self, wire: Record) -> Reader:
        steps = [self.skipper(field.type) for field in wire.sorted_fields()]

        def read(data: bytes, position: int) -> tuple[None, int]:
            for skip in steps:
                position = skip(data, position)[1]
            return None, position

        return read

    def variant(self, wire: Variant, expected: Variant) -> Reader:
        wanted = {field.hash: field for field in expected.fields}
        cases = [
            (wanted[field.hash].key, self.reader(field.type, wanted[field.hash].type))
            for field in wire.sorted_fields()
        ]

        def read(data: bytes, position: int) -> tuple[dict[Any, Any], int]:
            index, position = read_unsigned(data, position)
            if index >= len(cases):
                raise CandidError(f"case {index} of a variant that has {len(cases)}")
            key, read_case = cases[index]
            try:
                value, position = read_case(data, position)
            except CandidError as error:
                raise error.within(str(key)) from None
            return {key: value}, position

        return read

    def skip_variant(self, wire: Variant) -> Reader:
        cases = [self.skipper(field.type) for field in wire.sorted_fields()]

        def read(data: bytes, position: int) -> tuple[None, int]:
            index, position = read_unsigned(data, position)
            if index >= len(cases):
                raise CandidError(f"case {index} of a variant that has {len(cases)}")
            return None, cases[index](data, position)[1]

        return read

    def service(self, make: Any) -> Reader:
        if make is None:
            return read_principal

        def read(data: bytes, position: int) -> tuple[Any, int]:
            principal, position = read_principal(data, position)
            return make(principal), position

        return read

    def minimum_size(self, wire: Type) -> int:
        """Fewest bytes a value of `wire` takes; 0 or 1 for composites, which is all that is needed."""
        if isinstance(wire, Primitive):
            return wire.size or (0 if wire in (NULL, RESERVED, EMPTY) else 1)
        if not isinstance(wire, Record):
            return 1
        known = self.sizes.get(id(wire))
        if known is None:
            self.sizes[id(wire)] = 0  # a record that contains itself has no values
            self.compiling += 1
            if self.compiling > MAX_DEPTH:
                raise CandidError(f"types are nested more than {MAX_DEPTH} deep")
            known = min(1, sum([self.minimum_size(field.type) for field in wire.fields]))
            self.compiling -= 1
            self.sizes[id(wire)] = known
        return known


def _ignoring(read_value: Reader) -> Reader:
    """A reader that checks and passes a value, and answers None."""
    return lambda data, position: (None, read_value(data, position)[1])


def _kind(type: Type) -> str:
    return type.name if isinstance(type, Primitive) else type.__class__.__name__.lower()
