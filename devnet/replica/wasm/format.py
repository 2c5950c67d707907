"""Reading and writing the section level of Wasm binaries.

Source: WebAssembly core specification 3.0, chapter "Binary Format". Function bodies are never looked into.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from devnet.errors import DevnetError

HEADER = b"\0asm\x01\0\0\0"
MAX_LEB_BYTES = 10

CUSTOM, TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, START = range(9)
CODE, DATA = 10, 11

KIND_FUNCTION, KIND_TABLE, KIND_MEMORY, KIND_GLOBAL, KIND_TAG = range(5)

VALUE_TYPES = {0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64", 0x7B: "v128"}


class WasmFormatError(DevnetError, ValueError):
    """Bytes that are no well-formed Wasm module."""


@dataclass(frozen=True)
class Section:
    """One section: its id and where its content lies in the module."""

    id: int
    start: int
    end: int


class Reader:
    """A cursor over module bytes; every read past the end raises `WasmFormatError`."""

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        self.data = data
        self.at = start
        self.end = len(data) if end is None else end

    def byte(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > self.end:
            raise WasmFormatError(f"module ends early: {count} bytes wanted at offset {self.at}")
        self.at += count
        return self.data[self.at - count : self.at]

    def skip(self, count: int) -> None:
        if self.at + count > self.end:
            raise WasmFormatError(f"module ends early: {count} bytes wanted at offset {self.at}")
        self.at += count

    def unsigned(self) -> int:
        """LEB128."""
        value = 0
        for shift in range(0, 7 * MAX_LEB_BYTES, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise WasmFormatError(f"number too long at offset {self.at}")

    def signed(self) -> int:
        """Signed LEB128."""
        start = self.at
        value = self.unsigned()
        bits = 7 * (self.at - start)
        return value - (1 << bits) if value >> (bits - 1) & 1 else value

    def name(self) -> str:
        raw = self.take(self.unsigned())
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise WasmFormatError(f"name {raw!r} is not UTF-8") from error


def sections(module: bytes) -> Iterator[Section]:
    """All sections in order.

    Raises:
        WasmFormatError: wrong header or a section that runs past the end.
    """
    if module[:8] != HEADER:
        raise WasmFormatError("not a Wasm module: it does not begin with 00 61 73 6d 01 00 00 00")
    reader = Reader(module, 8)
    while reader.at < len(module):
        section_id = reader.byte()
        size = reader.unsigned()
        start = reader.at
        reader.skip(size)
        yield Section(section_id, start, reader.at)


def encode_unsigned(value: int) -> bytes:
    """LEB128."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode_section(section_id: int, content: bytes) -> bytes:
    return bytes([section_id]) + encode_unsigned(len(content)) + content


def skip_limits(reader: Reader) -> tuple[int, int]:
    """Limits of a memory or table: (flags, minimum)."""
    flags = reader.byte()
    minimum = reader.unsigned()
    if flags & 1:
        reader.unsigned()
    return flags, minimum


def skip_reference_type(reader: Reader) -> None:
    if reader.byte() in (0x63, 0x64):
        reader.unsigned()


def read_constant_offset(reader: Reader) -> int:
    """The offset of a data segment, as an unsigned number.

    Raises:
        WasmFormatError: it is computed from anything but one constant.
    """
    opcode = reader.byte()
    if opcode not in (0x41, 0x42):
        raise WasmFormatError("the offset of a data segment must be a plain constant")
    value = reader.signed() & (0xFFFFFFFF if opcode == 0x41 else 0xFFFFFFFFFFFFFFFF)
    if reader.byte() != _END:
        raise WasmFormatError("the offset of a data segment must be a plain constant")
    return value


_ONE_IMMEDIATE = {0x23, 0xD2, 0xD0, 0x41, 0x42}
_NO_IMMEDIATE = {0x6A, 0x6B, 0x6C, 0x7C, 0x7D, 0x7E}
_FIXED_IMMEDIATE = {0x43: 4, 0x44: 8}
_END, _SIMD_PREFIX, _V128_CONST = 0x0B, 0xFD, 12


def skip_constant_expression(reader: Reader) -> None:
    """Step over the initialiser of a global.

    Raises:
        WasmFormatError: an instruction that is not constant.
    """
    while (opcode := reader.byte()) != _END:
        if opcode in _ONE_IMMEDIATE:
            reader.unsigned()
        elif opcode in _FIXED_IMMEDIATE:
            reader.skip(_FIXED_IMMEDIATE[opcode])
        elif opcode == _SIMD_PREFIX and reader.unsigned() == _V128_CONST:
            reader.skip(16)
        elif opcode not in _NO_IMMEDIATE:
            raise WasmFormatError(f"instruction {opcode:#x} is not allowed in a constant expression")
