"""LEB128 and SLEB128 numbers (Candid specification, "Memory"), with a bound on their length."""

from __future__ import annotations

from .errors import CandidError

MAX_NUMBER_BYTES = 512
"""Longest accepted `nat` or `int` on the wire: 3,584 bits. Decoding is quadratic in it."""

SMALL = [bytes([n]) for n in range(128)]


def encode_unsigned(value: int) -> bytes:
    """LEB128 of `value` >= 0."""
    if value < 128:
        return SMALL[value]
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode_signed(value: int) -> bytes:
    """SLEB128 of `value`."""
    out = bytearray()
    while not -64 <= value <= 63:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value & 127)
    return bytes(out)


def read_unsigned(data: bytes, position: int) -> tuple[int, int]:
    """The LEB128 number at `position` and the position after it. IndexError if the data ends early."""
    byte = data[position]
    position += 1
    if byte < 128:
        return byte, position
    result = byte & 127
    shift = 7
    while True:
        byte = data[position]
        position += 1
        result |= (byte & 127) << shift
        if byte < 128:
            return result, position
        shift += 7
        if shift >= 7 * MAX_NUMBER_BYTES:
            raise CandidError(f"a number takes more than {MAX_NUMBER_BYTES} bytes")


def read_signed(data: bytes, position: int) -> tuple[int, int]:
    """The SLEB128 number at `position` and the position after it. IndexError if the data ends early."""
    result, shift = 0, 0
    while True:
        byte = data[position]
        position += 1
        result |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return (result - (1 << shift) if byte & 64 else result), position
        if shift >= 7 * MAX_NUMBER_BYTES:
            raise CandidError(f"a number takes more than {MAX_NUMBER_BYTES} bytes")
