"""Readers and writers of primitive Candid values (Candid specification, "Memory").

A reader is `read(data, position) -> (value, next position)`; it may raise IndexError, UnicodeDecodeError or
struct.error where the data ends early or is malformed, which the codec reports as CandidError. A writer is
`write(out, value)`; it appends to the bytearray `out` or raises CandidError.
"""

from __future__ import annotations

import struct

from .errors import CandidError
from .leb128 import encode_signed, encode_unsigned, read_signed, read_unsigned
from .principal import MAX_LENGTH, Principal
from .types import BOOL, EMPTY, FLOAT32, FLOAT64, INT, NAT, NULL, PRINCIPAL, RESERVED, TEXT, Primitive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Reader = Callable[[bytes, int], tuple[Any, int]]
    Writer = Callable[[bytearray, Any], None]


def describe(value: object) -> str:
    """A value for an error message, shortened."""
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 80 else text[:77] + '...'}"


def mismatch(expected: str, value: object) -> CandidError:
    """The error for a Python value that does not fit its type."""
    return CandidError(f"expected {expected}, got {describe(value)}")


def read_null(data: bytes, position: int) -> tuple[None, int]:
    """`null` and `reserved` take no bytes."""
    return None, position


def read_bool(data: bytes, position: int) -> tuple[bool, int]:
    byte = data[position]
    if byte > 1:
        raise CandidError(f"a bool is 0 or 1, not {byte}")
    return byte == 1, position + 1


def read_text(data: bytes, position: int) -> tuple[str, int]:
    size, position = read_unsigned(data, position)
    end = position + size
    if end > len(data):
        raise IndexError
    return str(data[position:end], "utf-8"), end


def read_blob(data: bytes, position: int) -> tuple[bytes, int]:
    size, position = read_unsigned(data, position)
    end = position + size
    if end > len(data):
        raise IndexError
    return data[position:end], end


def read_principal(data: bytes, position: int) -> tuple[Principal, int]:
    if data[position] != 1:
        raise CandidError("opaque references are not accepted")
    size, position = read_unsigned(data, position + 1)
    end = position + size
    if size > MAX_LENGTH:
        raise CandidError(f"a principal has at most {MAX_LENGTH} bytes, not {size}")
    if end > len(data):
        raise IndexError
    return Principal(data[position:end]), end


def read_func(data: bytes, position: int) -> tuple[tuple[Principal, str], int]:
    if data[position] != 1:
        raise CandidError("opaque references are not accepted")
    principal, position = read_principal(data, position + 1)
    method, position = read_text(data, position)
    return (principal, method), position


def read_empty(data: bytes, position: int) -> tuple[None, int]:
    raise CandidError("a value of type empty cannot exist")


def fixed_reader(primitive: Primitive) -> Reader:
    """The reader of a fixed-width number."""
    if primitive.size == 1 and primitive.struct_code == "B":
        return lambda data, position: (data[position], position + 1)
    unpack_from = struct.Struct("<" + primitive.struct_code).unpack_from
    size = primitive.size

    def read(data: bytes, position: int) -> tuple[Any, int]:
        return unpack_from(data, position)[0], position + size

    return read


def reader_of(primitive: Primitive) -> Reader:
    """The reader of a primitive type."""
    return fixed_reader(primitive) if primitive.size else _READERS[primitive.name]


_READERS: dict[str, Reader] = {
    NULL.name: read_null,
    RESERVED.name: read_null,
    EMPTY.name: read_empty,
    BOOL.name: read_bool,
    NAT.name: read_unsigned,
    INT.name: read_signed,
    TEXT.name: read_text,
    PRINCIPAL.name: read_principal,
}


def write_nothing(out: bytearray, value: object) -> None:
    """`reserved` accepts anything and sends nothing."""


def write_null(out: bytearray, value: object) -> None:
    if value is not None:
        raise mismatch("null (None)", value)


def write_empty(out: bytearray, value: object) -> None:
    raise mismatch("nothing: the type is empty", value)


def write_bool(out: bytearray, value: object) -> None:
    if value is True:
        out.append(1)
    elif value is False:
        out.append(0)
    else:
        raise mismatch("bool", value)


def write_nat(out: bytearray, value: Any) -> None:
    if not isinstance(value, int) or value is True or value is False:
        raise mismatch("nat (int)", value)
    if value < 0:
        raise CandidError(f"nat cannot be negative: {value}")
    if value < 128:
        out.append(value)
    else:
        out += encode_unsigned(value)


def write_int(out: bytearray, value: Any) -> None:
    if not isinstance(value, int) or value is True or value is False:
        raise mismatch("int", value)
    out += encode_signed(value)


def write_text(out: bytearray, value: Any) -> None:
    if not isinstance(value, str):
        raise mismatch("text (str)", value)
    try:
        raw = value.encode()
    except UnicodeEncodeError:
        raise mismatch("text without lone surrogates", value) from None
    out += encode_unsigned(len(raw))
    out += raw


def write_blob(out: bytearray, value: Any) -> None:
    if not isinstance(value, bytes | bytearray):
        if not isinstance(value, memoryview | list | tuple):
            raise mismatch("blob (bytes)", value)
        try:
            value = bytes(value)
        except (TypeError, ValueError):
            raise mismatch("blob (bytes, or integers from 0 to 255)", value) from None
    out += encode_unsigned(len(value))
    out += value


def write_principal(out: bytearray, value: Any) -> None:
    if not isinstance(value, Principal):
        value = getattr(value, "canister_id", value)  # a service stands for its canister
        if not isinstance(value, Principal):
            raise mismatch("principal (Principal)", value)
    raw = value._bytes
    out.append(1)
    out.append(len(raw))
    out += raw


def write_func(out: bytearray, value: Any) -> None:
    if not isinstance(value, tuple) or len(value) != 2:
        raise mismatch("func (a tuple of Principal and method name)", value)
    out.append(1)
    write_principal(out, value[0])
    write_text(out, value[1])


def fixed_writer(primitive: Primitive) -> Writer:
    """The writer of a fixed-width number, which refuses what does not fit."""
    pack = struct.Struct("<" + primitive.struct_code).pack
    name = primitive.name
    accepted = (int, float) if primitive in (FLOAT32, FLOAT64) else (int,)

    def write(out: bytearray, value: Any) -> None:
        if not isinstance(value, accepted) or value is True or value is False:
            raise mismatch(name, value)
        try:
            out += pack(value)
        except (struct.error, OverflowError):
            raise CandidError(f"out of range for {name}: {describe(value)}") from None

    return write


def writer_of(primitive: Primitive) -> Writer:
    """The writer of a primitive type."""
    return fixed_writer(primitive) if primitive.size else _WRITERS[primitive.name]


_WRITERS: dict[str, Writer] = {
    NULL.name: write_null,
    RESERVED.name: write_nothing,
    EMPTY.name: write_empty,
    BOOL.name: write_bool,
    NAT.name: write_nat,
    INT.name: write_int,
    TEXT.name: write_text,
    PRINCIPAL.name: write_principal,
}
