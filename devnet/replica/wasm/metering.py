"""Makes the fuel meter count instructions as the Internet Computer does.

wasmtime takes one unit of fuel for nearly every instruction. In front of one that weighs more, as many
constants are put and dropped again as the difference: each takes a unit of fuel, and the compiler leaves none
of them in the code. For what a bulk instruction moves it takes one unit a byte by itself, as is wanted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from devnet.replica.wasm import format as wasm
from devnet.replica.wasm.declarations import read_declarations
from devnet.replica.wasm.format import Reader, WasmFormatError
from devnet.replica.wasm.weights import (
    FREE,
    LOADS_AND_STORES,
    PREFIXED,
    SIMD_WEIGHTS,
    WEIGHTS,
    WIDE_ACCESS,
)

_UNIT = b"\x41\x00\x1a"
"""`i32.const 0` and `drop`: one unit of fuel, and nothing to execute."""

_LEB = rb"[\x80-\xff]*+[\x00-\x7f]"
_TYPE = rb"[\x63\x64]?+" + _LEB
"""A block's type, or a value's: references to something name that in a second number."""

_NUMBER = re.compile(_LEB)
_BLOCK_TYPE = re.compile(_TYPE)
_IF, _CALL, _BR_TABLE, _BULK, _SIMD = 0x04, 0x10, 0x0E, 0xFC, 0xFD
_NUMBERS = {0x0C: 1, 0x0D: 1, 0x10: 1, 0x11: 2, 0x12: 1, 0x13: 2, 0x3F: 1, 0x40: 1, 0xD2: 1}
_NUMBERS |= dict.fromkeys(range(0x23, 0x27), 1) | dict.fromkeys(LOADS_AND_STORES, 2)
"""How many numbers follow an opcode."""

_ENTERS = (0x10, 0x11, 0x12, 0x13)
"""Calls: wasmtime takes another unit of fuel when the function begins."""


def _plain(wide: bool) -> re.Pattern[bytes]:
    """A run of instructions that take as much fuel as they weigh."""
    bare = [code for code in (0x05, 0x0B, 0x1B, *range(0x45, 0xC5)) if code not in WEIGHTS]
    alternatives = [
        rb"[\x20-\x22\x41\x42\xd0]" + _LEB,
        rb"[\x02\x03]" + _TYPE,
        b"[" + b"".join(re.escape(bytes([code])) for code in bare) + b"]",
        rb"\x44.{8}",
        rb"\x43.{4}",
        rb"\x1c\x01" + _TYPE,
    ]
    if not wide:
        alternatives.insert(2, rb"[\x28-\x3e]" + _LEB + _LEB)
    return re.compile(b"(?:" + b"|".join(alternatives) + b")*+", re.DOTALL)


_PLAIN = {wide: _plain(wide) for wide in (False, True)}


def meter(module: bytes) -> bytes:
    """The module with its instructions weighed; one that `validate` accepted.

    Raises:
        WasmFormatError: an instruction that is not known.
    """
    found = read_declarations(module)
    meter = _Meter(len(found.imported_functions), bool(found.memories) and found.memories[0].is_64)
    out = [wasm.HEADER]
    for section in wasm.sections(module):
        content = module[section.start : section.end]
        if section.id == wasm.CODE:
            bodies = [meter.weighed(body) for body in _bodies(content)]
            sized = b"".join(wasm.encode_unsigned(len(body)) + body for body in bodies)
            content = wasm.encode_unsigned(len(bodies)) + sized
        out.append(wasm.encode_section(section.id, content))
    return b"".join(out)


class _Meter:
    """Rewrites function bodies.

    Args:
        imported: functions with smaller indices are the system's.
        wide: addresses have 64 bits.
    """

    def __init__(self, imported: int, wide: bool) -> None:
        self._imported = imported
        self._plain = _PLAIN[wide]

    def weighed(self, body: bytes) -> bytes:
        """A function body with units of fuel added."""
        reader = Reader(body)
        for _ in range(reader.unsigned()):
            reader.unsigned()
            wasm.skip_reference_type(reader)
        out, copied, at = [], 0, reader.at
        end = len(body)
        while (at := _match(self._plain, body, at)) < end:
            added, following = self._special(body, at)
            if added:
                out.append(body[copied:at] + added)
                copied = at
            at = following
        return b"".join([*out, body[copied:]])

    def _special(self, body: bytes, at: int) -> tuple[bytes, int]:
        """What goes in front of the instruction at an offset, and where the next one begins."""
        opcode = body[at]
        weight = WIDE_ACCESS if opcode in LOADS_AND_STORES else WEIGHTS.get(opcode)
        if weight is not None:
            following = _after(body, at + 1, opcode)
            return _UNIT * (weight - self._fuel(body, at, opcode)), following
        reader = Reader(body, at + 1)
        number = reader.unsigned()
        if opcode == _BULK and number in PREFIXED:
            operands, weight = PREFIXED[number]
            for _ in range(operands):
                reader.unsigned()
            return _UNIT * (weight - 1), reader.at
        if opcode == _SIMD:
            return _UNIT * (SIMD_WEIGHTS.get(number, 1) - 1), _after_simd(reader, number)
        raise WasmFormatError(f"instruction {opcode:#x} at offset {at} of a function is not known")

    def _fuel(self, body: bytes, at: int, opcode: int) -> int:
        if opcode in FREE:
            return 0
        if opcode not in _ENTERS:
            return 1
        return 1 if opcode == _CALL and Reader(body, at + 1).unsigned() < self._imported else 2


def _after(body: bytes, at: int, opcode: int) -> int:
    """The offset behind an instruction's operands."""
    if opcode == _IF:
        return _match(_BLOCK_TYPE, body, at)
    count = _NUMBERS.get(opcode, 0)
    if opcode == _BR_TABLE:
        reader = Reader(body, at)
        count = reader.unsigned() + 1
        at = reader.at
    for _ in range(count):
        at = _match(_NUMBER, body, at)
    return at


def _match(pattern: re.Pattern[bytes], body: bytes, at: int) -> int:
    found = pattern.match(body, at)
    if found is None:
        raise WasmFormatError(f"a function ends early: a number is missing at offset {at}")
    return found.end()


def _after_simd(reader: Reader, number: int) -> int:
    """As `_after`, with the reader behind the instruction's number: addresses, lanes, 16 bytes."""
    if number <= 11 or 84 <= number <= 93:
        reader.unsigned()
        reader.unsigned()
    if number in (12, 13):
        reader.skip(16)
    if 21 <= number <= 34 or 84 <= number <= 91:
        reader.skip(1)
    return reader.at


def _bodies(content: bytes) -> Iterator[bytes]:
    reader = Reader(content)
    for _ in range(reader.unsigned()):
        yield reader.take(reader.unsigned())
