"""Refuses Candid messages that are small but make a decoder work without end.

A vector of values that take no bytes (`vec null`, `vec record {}`) may claim any length. Source: Candid
specification, "Binary format".
"""

from __future__ import annotations

from devnet.errors import CandidError
from devnet.replica.wasm.format import Reader, WasmFormatError

MAX_TYPES = 1_000
"""Entries of a message's type table, and fields of one type."""

_NULL, _RESERVED = -1, -16
_OPT, _VEC, _RECORD, _VARIANT, _FUNC, _SERVICE = range(-18, -24, -1)


def check_bounds(message: bytes) -> None:
    """Look at a message's type table.

    Raises:
        CandidError: it is malformed, too long, or has a vector of values without bytes.
    """
    reader = Reader(message)
    try:
        if reader.take(4) != b"DIDL":
            raise CandidError("a Candid message begins with DIDL")
        table = [_entry(reader) for _ in range(_count(reader))]
    except WasmFormatError as error:
        raise CandidError(f"the type table is malformed: {error}") from error
    empty = _types_without_bytes(table)
    for code, members in table:
        if code == _VEC and _is_empty(members[0], empty):
            raise CandidError("a vector of values without bytes is not accepted")


def _count(reader: Reader) -> int:
    count = reader.unsigned()
    if count > MAX_TYPES:
        raise CandidError(f"{count} entries in a type table are too many: at most {MAX_TYPES}")
    return count


def _entry(reader: Reader) -> tuple[int, list[int]]:
    """A type's code and the types of its members."""
    code = reader.signed()
    if code in (_OPT, _VEC):
        return code, [reader.signed()]
    if code in (_RECORD, _VARIANT):
        members = []
        for _ in range(_count(reader)):
            reader.unsigned()
            members.append(reader.signed())
        return code, members
    if code == _FUNC:
        for _ in range(2):
            for _ in range(_count(reader)):
                reader.signed()
        reader.skip(_count(reader))
        return code, []
    if code == _SERVICE:
        for _ in range(_count(reader)):
            reader.skip(reader.unsigned())
            reader.signed()
        return code, []
    raise CandidError(f"unknown type {code} in the type table")


def _types_without_bytes(table: list[tuple[int, list[int]]]) -> set[int]:
    """Indices of records whose fields, all the way down, take no bytes."""
    empty: set[int] = set()
    while True:
        found = {
            index
            for index, (code, members) in enumerate(table)
            if code == _RECORD and all(_is_empty(member, empty) for member in members)
        }
        if found == empty:
            return empty
        empty = found


def _is_empty(kind: int, empty: set[int]) -> bool:
    return kind in (_NULL, _RESERVED) or kind in empty
