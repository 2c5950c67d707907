"""A Candid message up to its values: its table of types within bounds, and no vectors of nothing.

The counts in the values cost the sender a byte an element, except in vectors and records of elements without
bytes; those are refused.
Source: Candid specification, "Binary Format", type definition table.
"""

import itertools
from dataclasses import dataclass

from leasehold.agent.errors import CandidError

MAGIC = b"DIDL"
MAX_TYPES = 2_000
MAX_FIELDS = 1_000
MAX_ARGUMENTS = 1_000
MAX_LEB128_BYTES = 10
MAX_NUMBER_BYTES = 10_000

NULL, NAT, INT, TEXT, RESERVED, EMPTY, PRINCIPAL = -1, -3, -4, -15, -16, -17, -24
OPT, VEC, RECORD, VARIANT, FUNC, SERVICE = -18, -19, -20, -21, -22, -23
_PRIMITIVES = (*range(-17, 0), PRINCIPAL)


@dataclass(frozen=True)
class Entry:
    """One definition of the table.

    Args:
        code: what it is.
        inner: the types inside it: an index of the table, or the code of a primitive type.
        labels: of a record's or variant's fields, as hashes.
    """

    code: int
    inner: tuple[int, ...]
    labels: tuple[int, ...] = ()


def check_header(message: bytes) -> None:
    """Check a message's table of types.

    Raises:
        CandidError: no table, too many types or fields, or vectors of nothing.
    """
    Reader(message).table()


class Reader:
    """A position in a message."""

    def __init__(self, message: bytes) -> None:
        if not message.startswith(MAGIC):
            raise CandidError(f"the message does not begin with {MAGIC!r}")
        self.message = message
        self.at = len(MAGIC)

    def table(self) -> list[Entry]:
        """The table of types, which comes first."""
        count = self._count(MAX_TYPES, "types")
        table = [self._entry() for _ in range(count)]
        for entry in table:
            for inner in entry.inner:
                _ensure_type(inner, count)
        _ensure_bytes(table)
        self._types = count
        return table

    def arguments(self) -> list[int]:
        """The types of the values, which come second."""
        kinds = [self._signed() for _ in range(self._count(MAX_ARGUMENTS, "values"))]
        for kind in kinds:
            _ensure_type(kind, self._types)
        return kinds

    def take(self, size: int) -> bytes:
        """The next bytes."""
        data = self.message[self.at : self.at + size]
        if len(data) != size:
            raise CandidError("the message ends in the middle of a value")
        self.at += size
        return data

    def text(self) -> str:
        """A text with its length before it."""
        try:
            return self.take(self.unsigned()).decode()
        except UnicodeDecodeError as error:
            raise CandidError(f"a text in the message is not UTF-8: {error}") from error

    def unsigned(self) -> int:
        """A length, count or index."""
        return self._leb128(MAX_LEB128_BYTES)[0]

    def big(self, *, signed: bool) -> int:
        """A `nat` or an `int`."""
        number, bits = self._leb128(MAX_NUMBER_BYTES)
        return number - (1 << bits) if signed and number >> (bits - 1) else number

    def _entry(self) -> Entry:
        code = self._signed()
        if code in (OPT, VEC):
            return Entry(code, (self._signed(),))
        if code in (RECORD, VARIANT):
            return self._fields(code)
        if code == FUNC:
            for _ in range(2):
                self._signed_list()
            self.take(self._count(MAX_FIELDS, "annotations"))
            return Entry(code, ())
        if code == SERVICE:
            for _ in range(self._count(MAX_FIELDS, "methods")):
                self.take(self._count(len(self.message), "characters"))
                self._signed()
            return Entry(code, ())
        raise CandidError(f"the message defines a type of the unknown kind {code}")

    def _fields(self, code: int) -> Entry:
        pairs = [(self.unsigned(), self._signed()) for _ in range(self._count(MAX_FIELDS, "fields"))]
        labels = tuple(label for label, _ in pairs)
        if any(left >= right for left, right in itertools.pairwise(labels)):
            raise CandidError("the message has fields that are not in order, or twice")
        return Entry(code, tuple(inner for _, inner in pairs), labels)

    def _signed_list(self) -> None:
        for _ in range(self._count(MAX_FIELDS, "arguments")):
            self._signed()

    def _count(self, most: int, what: str) -> int:
        count = self.unsigned()
        if count > most:
            raise CandidError(f"the message has {count} {what}, at most {most} are read")
        return count

    def _signed(self) -> int:
        number, bits = self._leb128(MAX_LEB128_BYTES)
        return number - (1 << bits) if number >> (bits - 1) else number

    def _leb128(self, most: int) -> tuple[int, int]:
        number = 0
        for position in range(most):
            if self.at >= len(self.message):
                break
            byte = self.message[self.at]
            self.at += 1
            number |= (byte & 0x7F) << (7 * position)
            if byte < 0x80:
                return number, 7 * (position + 1)
        raise CandidError("the message ends within a number, or the number is too long")


def _ensure_type(kind: int, types: int) -> None:
    if kind >= types or (kind < 0 and kind not in _PRIMITIVES):
        raise CandidError(f"the message names the type {kind}, and defines {types}")


def _ensure_bytes(table: list[Entry]) -> None:
    empty = _without_bytes(table)
    for entry in table:
        if entry.code == VEC and entry.inner[0] in empty:
            raise CandidError("the message has a vector whose elements have no bytes")
        if entry.code == RECORD and any(inner >= 0 and inner in empty for inner in entry.inner):
            # Nested often enough, it would cost the reader exponential time and the sender nothing.
            raise CandidError("the message has a record of records that have no bytes")


def _without_bytes(table: list[Entry]) -> set[int]:
    # Types whose values have no bytes: null, reserved, and records of only such (also of themselves). Begin
    # with all records, and take out what has a field with bytes, then what contains that.
    empty = {NULL, RESERVED} | {index for index, entry in enumerate(table) if entry.code == RECORD}
    containing: dict[int, list[int]] = {}
    for index in empty - {NULL, RESERVED}:
        for inner in table[index].inner:
            containing.setdefault(inner, []).append(index)
    waiting = [index for inner, indices in containing.items() if inner not in empty for index in indices]
    while waiting:
        index = waiting.pop()
        if index in empty:
            empty.remove(index)
            waiting += containing.get(index, [])
    return empty
