"""Keys of stable maps as bytes that sort like the keys themselves.

| type | bytes |
|---|---|
| natN | big-endian, N / 8 bytes |
| intN | the same, with 2**(N-1) added |
| nat, int | a byte 0x80 + length, big-endian digits; if negative 0x7f - length, complemented digits |
| bool | 0 or 1 |
| text, blob, principal | the bytes themselves; in a tuple, unless last: 00 becomes 00 ff, ended by 00 01 |
| tuple | its elements one after the other |
"""

from __future__ import annotations

from cdk.candid import types as candid
from cdk.candid.errors import CandidError
from cdk.candid.primitives import mismatch
from cdk.candid.principal import Principal

from .types import DefinitionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Encode = Callable[[Any], bytes]
    Read = Callable[[bytes, int], tuple[Any, int]]

_MAX_DIGITS = 127
_SIGNED = (candid.INT8, candid.INT16, candid.INT32, candid.INT64)
_UNSIGNED = (candid.NAT8, candid.NAT16, candid.NAT32, candid.NAT64)


class KeyCodec:
    """Encodes and decodes the keys of one map. DefinitionError if the type cannot be a key."""

    def __init__(self, type: candid.Type) -> None:
        self.encode, self._read = _codec(type, True)

    def decode(self, data: bytes) -> Any:
        """The key that `data` stands for."""
        return self._read(data, 0)[0]


def _codec(type: candid.Type, last: bool) -> tuple[Encode, Read]:
    if type in _UNSIGNED or type in _SIGNED:
        assert isinstance(type, candid.Primitive)
        return _fixed(type)
    if type is candid.NAT or type is candid.INT:
        return _big(type is candid.NAT)
    if type is candid.BOOL:
        return _encode_bool, lambda data, position: (data[position] == 1, position + 1)
    if type is candid.TEXT:
        return _text(last)
    if type is candid.PRINCIPAL:
        return _principal(last)
    if isinstance(type, candid.Vec) and type.inner is candid.NAT8:
        return _blob(last)
    if isinstance(type, candid.Record) and type.is_tuple and type.fields:
        return _tuple(type, last)
    raise DefinitionError(
        "a key may be a nat, int, text, blob, bool, Principal or a Tuple of those, not another type"
    )


def _fixed(type: candid.Primitive) -> tuple[Encode, Read]:
    size, name = type.size, type.name
    offset = 1 << size * 8 - 1 if type in _SIGNED else 0

    def encode(value: Any) -> bytes:
        try:
            raw: bytes = (value + offset).to_bytes(size, "big")
            return raw
        except (OverflowError, TypeError, AttributeError):
            raise mismatch(f"a key of type {name}", value) from None

    def read(data: bytes, position: int) -> tuple[int, int]:
        end = position + size
        return int.from_bytes(data[position:end], "big") - offset, end

    return encode, read


def _big(natural: bool) -> tuple[Encode, Read]:
    def encode(value: Any) -> bytes:
        if not isinstance(value, int) or (natural and value < 0):
            raise mismatch("a key of type nat" if natural else "a key of type int", value)
        size = (value.bit_length() + 7) // 8
        if size > _MAX_DIGITS:
            raise CandidError(f"a key of {size} bytes is too large a number, at most {_MAX_DIGITS}")
        if value >= 0:
            return bytes([0x80 + size]) + value.to_bytes(size, "big")
        return bytes([0x7F - size]) + (value + (1 << size * 8)).to_bytes(size, "big")

    def read(data: bytes, position: int) -> tuple[int, int]:
        head = data[position]
        size = head - 0x80 if head >= 0x80 else 0x7F - head
        end = position + 1 + size
        number = int.from_bytes(data[position + 1 : end], "big")
        return number if head >= 0x80 else number - (1 << size * 8), end

    return encode, read


def _encode_bool(value: Any) -> bytes:
    if value is True or value is False:
        return b"\x01" if value else b"\x00"
    raise mismatch("a key of type bool", value)


def _bytes(name: str, last: bool, to_bytes: Callable[[Any], bytes], make: Any) -> tuple[Encode, Read]:
    def encode(value: Any) -> bytes:
        raw = to_bytes(value)
        return raw if last else raw.replace(b"\x00", b"\x00\xff") + b"\x00\x01"

    def read(data: bytes, position: int) -> tuple[Any, int]:
        if last:
            return make(data[position:]), len(data)
        end = data.index(b"\x00\x01", position)
        return make(data[position:end].replace(b"\x00\xff", b"\x00")), end + 2

    return encode, read


def _text(last: bool) -> tuple[Encode, Read]:
    def to_bytes(value: Any) -> bytes:
        if not isinstance(value, str):
            raise mismatch("a key of type text", value)
        return value.encode()

    return _bytes("text", last, to_bytes, bytes.decode)


def _blob(last: bool) -> tuple[Encode, Read]:
    def to_bytes(value: Any) -> bytes:
        if not isinstance(value, bytes | bytearray):
            raise mismatch("a key of type blob", value)
        return bytes(value)

    return _bytes("blob", last, to_bytes, bytes)


def _principal(last: bool) -> tuple[Encode, Read]:
    def to_bytes(value: Any) -> bytes:
        if not isinstance(value, Principal):
            raise mismatch("a key of type Principal", value)
        return value.bytes

    return _bytes("principal", last, to_bytes, Principal)


def _tuple(type: candid.Record, last: bool) -> tuple[Encode, Read]:
    end = len(type.fields) - 1
    parts = [_codec(field.type, last and index == end) for index, field in enumerate(type.fields)]

    def encode(value: Any) -> bytes:
        if not isinstance(value, tuple) or len(value) != len(parts):
            raise mismatch(f"a key that is a tuple of {len(parts)}", value)
        return b"".join([part[0](element) for part, element in zip(parts, value)])  # noqa: B905

    def read(data: bytes, position: int) -> tuple[Any, int]:
        values = []
        for _, read_part in parts:
            value, position = read_part(data, position)
            values.append(value)
        return tuple(values), position

    return encode, read
