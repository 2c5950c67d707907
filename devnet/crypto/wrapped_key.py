"""Public keys that are something else inside the usual DER wrapping, told apart by their algorithm.

Source: IC interface specification, "Web Authentication" and "Canister signatures"; X.690 for the encoding.
"""

from __future__ import annotations

from typing import Final

COSE: Final = bytes.fromhex("300c060a2b0601040183b8430101")
CANISTER: Final = bytes.fromhex("300c060a2b0601040183b8430102")
"""The algorithm identifiers 1.3.6.1.4.1.56387.1.1 and .2."""

_SEQUENCE, _BIT_STRING = 0x30, 0x03
_LONG_FORM: Final = 0x80


def unwrap(public_key_der: bytes, algorithm: bytes) -> bytes | None:
    """The content of a key of this algorithm; None if it is of another, or not encoded canonically."""
    outer = _content(public_key_der, _SEQUENCE)
    if outer is None or not outer.startswith(algorithm):
        return None
    bits = _content(outer[len(algorithm) :], _BIT_STRING)
    return bits[1:] if bits and bits[0] == 0 else None


def _content(data: bytes, tag: int) -> bytes | None:
    """What a DER value holds that takes up all of the data."""
    if len(data) < 2 or data[0] != tag:
        return None
    size, start = data[1], 2
    if size >= _LONG_FORM:
        start += size - _LONG_FORM
        size = int.from_bytes(data[2:start], "big")
    content = data[start:]
    return content if size == len(content) and data == _encoded(tag, content) else None


def _encoded(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < _LONG_FORM:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG_FORM | len(length)]) + length + content
