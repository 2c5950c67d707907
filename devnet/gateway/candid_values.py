"""Decodes a Candid message by its own type table, keeping where each field lies.

A canister chooses the type of its streaming token; the gateway hands it back as it came, under the same type
table. Work and depth are bounded, since a few bytes can stand for billions of empty values.
Source: Candid specification, "Binary Format".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any, Final

from devnet.candid_reader import MAGIC, MAX_STEPS, CandidReader, Composite, field_id

_NULL, _BOOL, _NAT, _INT, _NAT8 = -1, -2, -3, -4, -5
_TEXT, _RESERVED, _PRINCIPAL = -15, -16, -24
_OPT, _VEC, _RECORD, _VARIANT, _FUNC, _SERVICE = -18, -19, -20, -21, -22, -23
_FIXED: Final = {
    _NAT8: "B", -6: "<H", -7: "<I", -8: "<Q", -9: "b", -10: "<h", -11: "<i", -12: "<q",
    -13: "<f", -14: "<d",
}  # fmt: skip


@dataclass(frozen=True)
class Span:
    """Where a value lies in its message, and its type there."""

    kind: int
    start: int
    end: int


@dataclass
class RecordValue:
    """A record's fields by name; those absent are None."""

    fields: dict[int, Any] = field(default_factory=dict)
    spans: dict[int, Span] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """A field's value, None if it is absent."""
        return self.fields.get(field_id(name))

    def items(self) -> list[Any]:
        """The values in the order of their numbers, as of a tuple."""
        return [self.fields[key] for key in sorted(self.fields)]


@dataclass(frozen=True)
class VariantValue:
    """The chosen case of a variant."""

    number: int
    content: Any

    def case(self, name: str) -> Any:
        """The content if the case has this name, else None."""
        return self.content if self.number == field_id(name) else None


@dataclass(frozen=True)
class FuncValue:
    """A reference to a canister's method."""

    canister_id: bytes
    method: str


class Message(CandidReader):
    """A decoded message; `value` is its first argument: `RecordValue`, `VariantValue`, list, None, …"""

    def __init__(self, data: bytes) -> None:
        """Raises:
        CandidError: no Candid, no argument, or too many or too deeply nested values.
        """
        super().__init__(data)
        self._read_header()
        self._table = data[len(MAGIC) : self._at]
        arguments = self._read_arguments()
        if not arguments:
            self._fail("it holds no value")
        values = [self._value(kind, 0) for kind in arguments]
        if self._at != len(data):
            self._fail("bytes follow after its end")
        self.value: Any = values[0]

    def argument(self, span: Span) -> bytes:
        """A message of its own that holds the one value at `span`."""
        kind = bytes([span.kind & 0x7F]) if span.kind < 0 else _sleb128_of(span.kind)
        return MAGIC + self._table + b"\x01" + kind + self._data[span.start : span.end]

    def content_argument(self, span: Span) -> bytes:
        """A message of its own that holds the content of the present opt at `span`."""
        if span.kind < 0 or self._composite_at(span.kind).opcode != _OPT:
            self._fail("an opt was expected")
        return self.argument(Span(self._composite_at(span.kind).fields[0][1], span.start + 1, span.end))

    def _value(self, kind: int, depth: int) -> Any:
        self._step(depth)
        if kind in _FIXED:
            form = _FIXED[kind]
            return struct.unpack(form, self._take(struct.calcsize(form)))[0]
        if kind == _BOOL:
            return self._flag()
        if kind in (_NULL, _RESERVED):
            return None
        if kind == _NAT:
            return self._leb128()
        if kind == _INT:
            return self._sleb128()
        if kind == _TEXT:
            return self._text()
        if kind == _PRINCIPAL:
            return self._principal()
        if kind >= 0:
            return self._composite_value(self._composite_at(kind), depth + 1)
        self._fail(f"a value of type {kind}")

    def _composite_value(self, kind: Composite, depth: int) -> Any:
        if kind.opcode == _OPT:
            return self._value(kind.fields[0][1], depth) if self._flag() else None
        if kind.opcode == _VEC:
            return self._vec(kind.fields[0][1], depth)
        if kind.opcode == _RECORD:
            return self._record(kind, depth)
        if kind.opcode == _VARIANT:
            index = self._leb128()
            if index >= len(kind.fields):
                self._fail(f"variant index {index}")
            number, content = kind.fields[index]
            return VariantValue(number, self._value(content, depth))
        if kind.opcode == _FUNC:
            if not self._flag():
                self._fail("an opaque reference")
            return FuncValue(self._principal(), self._text())
        return self._principal()

    def _record(self, kind: Composite, depth: int) -> RecordValue:
        record = RecordValue()
        for number, content in kind.fields:
            start = self._at
            record.fields[number] = self._value(content, depth)
            record.spans[number] = Span(content, start, self._at)
        return record

    def _vec(self, item: int, depth: int) -> Any:
        length = self._leb128()
        if item == _NAT8:
            return self._take(length)
        return [self._value(item, depth) for _ in range(min(length, MAX_STEPS + 1))]

    def _text(self) -> str:
        try:
            return self._take(self._leb128()).decode()
        except UnicodeDecodeError:
            self._fail("text that is not UTF-8")


def _sleb128_of(index: int) -> bytes:
    """Signed LEB128 of a type index."""
    output = bytearray()
    while index > 0x3F:
        output.append(index & 0x7F | 0x80)
        index >>= 7
    output.append(index)
    return bytes(output)
