"""Reads one principal out of a Candid argument, and refuses arguments that are too much work to decode.

A request names the canister it is about inside its argument, and that is needed before the argument is known
to be well formed. Work and depth are bounded, since a few bytes can stand for billions of empty values.
Source: Candid specification, "Binary Format".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

from devnet.errors import CandidError
from devnet.principal import MAX_PRINCIPAL_BYTES

MAX_STEPS: Final = 100_000
MAX_DEPTH: Final = 64
MAX_TYPES: Final = 1_000
MAX_FIELDS: Final = 1_000
MAX_LEB128_BYTES: Final = 64

_MAGIC: Final = b"DIDL"
_TEXT, _RESERVED, _EMPTY, _PRINCIPAL = -15, -16, -17, -24
_OPT, _VEC, _RECORD, _VARIANT, _FUNC, _SERVICE = -18, -19, -20, -21, -22, -23
_NUMBERS: Final = (-3, -4)
_WIDTHS: Final = {
    -1: 0, -2: 1, -5: 1, -6: 2, -7: 4, -8: 8, -9: 1, -10: 2, -11: 4, -12: 8, -13: 4, -14: 8, _RESERVED: 0,
}  # fmt: skip


def principal_field(data: bytes, name: str) -> bytes | None:
    """The principal in field `name` of the first argument, a record; None when there is no such field.

    Raises:
        CandidError: the bytes are no Candid, or hold too many values.
    """
    return _Reader(data).principal_field(_field_id(name))


def _field_id(name: str) -> int:
    number = 0
    for byte in name.encode():
        number = (number * 223 + byte) % (1 << 32)
    return number


@dataclass(frozen=True)
class _Composite:
    """An entry of the type table; `fields` are (id, type) pairs, for `opt` and `vec` a single one."""

    opcode: int
    fields: tuple[tuple[int, int], ...] = ()


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._steps = 0
        self._types: list[_Composite] = []

    def principal_field(self, wanted: int) -> bytes | None:
        if self._take(len(_MAGIC)) != _MAGIC:
            self._fail("it does not begin with DIDL")
        self._types = [self._composite() for _ in range(self._count(MAX_TYPES, "types"))]
        arguments = [self._sleb128() for _ in range(self._count(MAX_TYPES, "arguments"))]
        found: bytes | None = None
        for index, kind in enumerate(arguments):
            if index == 0 and kind >= 0 and self._composite_at(kind).opcode == _RECORD:
                found = self._record(self._composite_at(kind), wanted)
            else:
                self._skip(kind, 0)
        return found

    def _record(self, record: _Composite, wanted: int) -> bytes | None:
        found: bytes | None = None
        for number, kind in record.fields:
            if number == wanted and kind == _PRINCIPAL:
                found = self._principal()
            else:
                self._skip(kind, 0)
        return found

    def _composite(self) -> _Composite:
        opcode = self._sleb128()
        if opcode in (_OPT, _VEC):
            return _Composite(opcode, ((0, self._sleb128()),))
        if opcode in (_RECORD, _VARIANT):
            count = self._count(MAX_FIELDS, "fields")
            return _Composite(opcode, tuple((self._leb128(), self._sleb128()) for _ in range(count)))
        if opcode == _FUNC:
            for _ in range(2):
                for _ in range(self._count(MAX_FIELDS, "parameters")):
                    self._sleb128()
            self._take(self._count(MAX_FIELDS, "annotations"))
            return _Composite(opcode)
        if opcode == _SERVICE:
            for _ in range(self._count(MAX_FIELDS, "methods")):
                self._take(self._leb128())
                self._sleb128()
            return _Composite(opcode)
        self._fail(f"unknown type {opcode}")

    def _skip(self, kind: int, depth: int) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS or depth > MAX_DEPTH:
            self._fail("it holds too many or too deeply nested values")
        if kind in _WIDTHS:
            self._take(_WIDTHS[kind])
        elif kind in _NUMBERS:
            self._leb128()
        elif kind == _TEXT:
            self._take(self._leb128())
        elif kind == _PRINCIPAL:
            self._principal()
        elif kind >= 0:
            self._skip_composite(self._composite_at(kind), depth + 1)
        else:
            self._fail(f"a value of type {kind}")

    def _skip_composite(self, kind: _Composite, depth: int) -> None:
        if kind.opcode == _OPT:
            if self._flag():
                self._skip(kind.fields[0][1], depth)
        elif kind.opcode == _VEC:
            self._skip_vec(kind.fields[0][1], depth)
        elif kind.opcode == _RECORD:
            for _, field in kind.fields:
                self._skip(field, depth)
        elif kind.opcode == _VARIANT:
            index = self._leb128()
            if index >= len(kind.fields):
                self._fail(f"variant index {index}")
            self._skip(kind.fields[index][1], depth)
        else:
            self._skip_reference(kind.opcode)

    def _skip_vec(self, item: int, depth: int) -> None:
        length = self._leb128()
        if _WIDTHS.get(item):
            self._take(length * _WIDTHS[item])
            return
        for _ in range(length):
            self._skip(item, depth)

    def _skip_reference(self, opcode: int) -> None:
        if opcode == _FUNC and not self._flag():
            self._fail("an opaque reference")
        self._principal()
        if opcode == _FUNC:
            self._take(self._leb128())

    def _principal(self) -> bytes:
        if not self._flag():
            self._fail("an opaque reference")
        length = self._leb128()
        if length > MAX_PRINCIPAL_BYTES:
            self._fail(f"a principal of {length} bytes")
        return self._take(length)

    def _composite_at(self, index: int) -> _Composite:
        if index >= len(self._types):
            self._fail(f"type index {index}")
        return self._types[index]

    def _flag(self) -> bool:
        flag = self._take(1)[0]
        if flag > 1:
            self._fail(f"a flag of {flag}")
        return flag == 1

    def _count(self, maximum: int, what: str) -> int:
        count = self._leb128()
        if count > maximum:
            self._fail(f"{count} {what}, more than {maximum}")
        return count

    def _leb128(self) -> int:
        value = 0
        for index in range(MAX_LEB128_BYTES):
            byte = self._take(1)[0]
            value |= (byte & 0x7F) << 7 * index
            if byte < 0x80:
                return value
        self._fail("a number that is too long")

    def _sleb128(self) -> int:
        start = self._at
        value = self._leb128()
        size = 7 * (self._at - start)
        return value - (1 << size) if value >> (size - 1) else value

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            self._fail("it ends early")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def _fail(self, reason: str) -> NoReturn:
        raise CandidError(f"the argument is no valid Candid: {reason} (at byte {self._at})")
