"""The little of CBOR that certificates need: arrays, byte strings, texts. Source: RFC 8949."""

from __future__ import annotations

SELF_DESCRIBED = b"\xd9\xd9\xf7"

_BYTES = 2 << 5
_TEXT = 3 << 5
_ARRAY = 4 << 5


def array(*items: bytes) -> bytes:
    """An array of encoded items."""
    return _head(_ARRAY, len(items)) + b"".join(items)


def byte_string(value: bytes) -> bytes:
    """A byte string."""
    return _head(_BYTES, len(value)) + value


def text(value: str) -> bytes:
    """A text string."""
    encoded = value.encode()
    return _head(_TEXT, len(encoded)) + encoded


def _head(kind: int, count: int) -> bytes:
    if count < 24:
        return bytes([kind | count])
    for size, extra in ((1, 24), (2, 25), (4, 26)):
        if count < 1 << 8 * size:
            return bytes([kind | extra]) + count.to_bytes(size, "big")
    raise ValueError(f"a CBOR item of {count} bytes")
