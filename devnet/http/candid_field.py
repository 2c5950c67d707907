"""Reads one principal out of a Candid argument, and refuses arguments that are too much work to decode.

A request names the canister it is about inside its argument, and that is needed before the argument is known
to be well formed. Work and depth are bounded, since a few bytes can stand for billions of empty values.
Source: Candid specification, "Binary Format".
"""

from __future__ import annotations

from typing import Final

from devnet.candid_reader import CandidReader, Composite, field_id

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
    return _Reader(data).principal_field(field_id(name))


class _Reader(CandidReader):
    _what = "the argument"

    def principal_field(self, wanted: int) -> bytes | None:
        self._read_header()
        arguments = self._read_arguments()
        found: bytes | None = None
        for index, kind in enumerate(arguments):
            if index == 0 and kind >= 0 and self._composite_at(kind).opcode == _RECORD:
                found = self._record(self._composite_at(kind), wanted)
            else:
                self._skip(kind, 0)
        return found

    def _record(self, record: Composite, wanted: int) -> bytes | None:
        found: bytes | None = None
        for number, kind in record.fields:
            if number == wanted and kind == _PRINCIPAL:
                found = self._principal()
            else:
                self._skip(kind, 0)
        return found

    def _skip(self, kind: int, depth: int) -> None:
        self._step(depth)
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

    def _skip_composite(self, kind: Composite, depth: int) -> None:
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
