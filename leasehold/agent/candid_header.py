"""Bounds on a Candid message before it is decoded: its table of types, and vectors of nothing.

The codec believes every count it reads. Those in the values cost the sender a byte an element, except in
vectors and records of elements without bytes, and the number of types is allocated at once; all are refused.
Source: Candid specification, "Binary Format", type definition table.
"""

from dataclasses import dataclass

from leasehold.agent.errors import CandidError

MAGIC = b"DIDL"
MAX_TYPES = 2_000
MAX_FIELDS = 1_000
MAX_LEB128_BYTES = 10

_NULL, _RESERVED = -1, -16
_OPT, _VEC, _RECORD, _VARIANT, _FUNC, _SERVICE = -18, -19, -20, -21, -22, -23


@dataclass(frozen=True)
class _Entry:
    # One definition: what it is, and the types inside it.
    code: int
    inner: tuple[int, ...]


def check_header(message: bytes) -> None:
    """Check a message's table of types.

    Raises:
        CandidError: no table, too many types or fields, or vectors of nothing.
    """
    if not message.startswith(MAGIC):
        raise CandidError(f"the message does not begin with {MAGIC!r}")
    table = _Reader(message, len(MAGIC)).table()
    empty = _without_bytes(table)
    for entry in table:
        if entry.code == _VEC and entry.inner[0] in empty:
            raise CandidError("the message has a vector whose elements have no bytes")
        if entry.code == _RECORD and any(inner >= 0 and inner in empty for inner in entry.inner):
            # Nested often enough, it would cost the reader exponential time and the sender nothing.
            raise CandidError("the message has a record of records that have no bytes")


class _Reader:
    def __init__(self, message: bytes, at: int) -> None:
        self._message = message
        self._at = at

    def table(self) -> list[_Entry]:
        return [self._entry() for _ in range(self._count(MAX_TYPES, "types"))]

    def _entry(self) -> _Entry:
        code = self._signed()
        if code in (_OPT, _VEC):
            return _Entry(code, (self._signed(),))
        if code in (_RECORD, _VARIANT):
            return _Entry(code, tuple(self._field() for _ in range(self._count(MAX_FIELDS, "fields"))))
        if code == _FUNC:
            for _ in range(2):
                self._signed_list()
            self._at += self._count(MAX_FIELDS, "annotations")
            return _Entry(code, ())
        if code == _SERVICE:
            for _ in range(self._count(MAX_FIELDS, "methods")):
                self._at += self._count(len(self._message), "characters")
                self._signed()
            return _Entry(code, ())
        raise CandidError(f"the message defines a type of the unknown kind {code}")

    def _signed_list(self) -> None:
        for _ in range(self._count(MAX_FIELDS, "arguments")):
            self._signed()

    def _field(self) -> int:
        self._unsigned()
        return self._signed()

    def _count(self, most: int, what: str) -> int:
        count = self._unsigned()
        if count > most:
            raise CandidError(f"the message has {count} {what}, at most {most} are read")
        return count

    def _unsigned(self) -> int:
        number, _ = self._leb128()
        return number

    def _signed(self) -> int:
        number, bits = self._leb128()
        return number - (1 << bits) if number >> (bits - 1) else number

    def _leb128(self) -> tuple[int, int]:
        number = 0
        for position in range(MAX_LEB128_BYTES):
            if self._at >= len(self._message):
                break
            byte = self._message[self._at]
            self._at += 1
            number |= (byte & 0x7F) << (7 * position)
            if byte < 0x80:
                return number, 7 * (position + 1)
        raise CandidError("the message ends within its table of types, or a number there is too long")


def _without_bytes(table: list[_Entry]) -> set[int]:
    # Types whose values have no bytes: null, reserved, and records of only such (also of themselves). Begin
    # with all records, and take out what has a field with bytes, then what contains that.
    empty = {_NULL, _RESERVED} | {index for index, entry in enumerate(table) if entry.code == _RECORD}
    containing: dict[int, list[int]] = {}
    for index in empty - {_NULL, _RESERVED}:
        for inner in table[index].inner:
            containing.setdefault(inner, []).append(index)
    waiting = [index for inner, indices in containing.items() if inner not in empty for index in indices]
    while waiting:
        index = waiting.pop()
        if index in empty:
            empty.remove(index)
            waiting += containing.get(index, [])
    return empty
