"""The parts of a Candid message that every reader of it shares: type table, numbers, bounds.

Work and depth are bounded, since a few bytes can stand for billions of empty values.
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

MAGIC: Final = b"DIDL"
_OPT, _VEC, _RECORD, _VARIANT, _FUNC, _SERVICE = -18, -19, -20, -21, -22, -23


def field_id(name: str) -> int:
    """The number that stands for a field's name."""
    number = 0
    for byte in name.encode():
        number = (number * 223 + byte) % (1 << 32)
    return number


@dataclass(frozen=True)
class Composite:
    """An entry of the type table; `fields` are (id, type) pairs, for `opt` and `vec` a single one."""

    opcode: int
    fields: tuple[tuple[int, int], ...] = ()


class CandidReader:
    """A position in a message, and its type table once `_read_header` was called."""

    _what = "the message"

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._steps = 0
        self._types: list[Composite] = []

    def _read_header(self) -> None:
        if self._take(len(MAGIC)) != MAGIC:
            self._fail("it does not begin with DIDL")
        self._types = [self._composite() for _ in range(self._count(MAX_TYPES, "types"))]

    def _read_arguments(self) -> list[int]:
        return [self._sleb128() for _ in range(self._count(MAX_TYPES, "arguments"))]

    def _step(self, depth: int) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS or depth > MAX_DEPTH:
            self._fail("it holds too many or too deeply nested values")

    def _composite(self) -> Composite:
        opcode = self._sleb128()
        if opcode in (_OPT, _VEC):
            return Composite(opcode, ((0, self._sleb128()),))
        if opcode in (_RECORD, _VARIANT):
            count = self._count(MAX_FIELDS, "fields")
            return Composite(opcode, tuple((self._leb128(), self._sleb128()) for _ in range(count)))
        if opcode == _FUNC:
            for _ in range(2):
                for _ in range(self._count(MAX_FIELDS, "parameters")):
                    self._sleb128()
            self._take(self._count(MAX_FIELDS, "annotations"))
            return Composite(opcode)
        if opcode == _SERVICE:
            for _ in range(self._count(MAX_FIELDS, "methods")):
                self._take(self._leb128())
                self._sleb128()
            return Composite(opcode)
        self._fail(f"unknown type {opcode}")

    def _principal(self) -> bytes:
        if not self._flag():
            self._fail("an opaque reference")
        return self._take(self._count(MAX_PRINCIPAL_BYTES, "bytes in a principal"))

    def _composite_at(self, index: int) -> Composite:
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
        raise CandidError(f"{self._what} is no valid Candid: {reason} (at byte {self._at})")
