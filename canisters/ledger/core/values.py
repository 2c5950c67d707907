"""The ICRC-3 `Value`: hashing (standards/ICRC-3/HASHINGVALUES.md) and our encoding at rest.

A value is an `int` (Nat), `bytes` (Blob), `str` (Text), `list` (Array) or `dict` (Map). Blocks use no Int.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Dict, List, Tuple, Union

from canisters.ledger.core.storage import CorruptRecordError

Value = Union[int, bytes, str, List["Value"], Dict[str, "Value"]]

_NAT, _BLOB, _TEXT, _ARRAY, _MAP = b"nbtam"
_KEY_HASHES: dict[str, bytes] = {}
"""Hashes of the field names met so far. Blocks have few different ones, and hashing them again is costly."""
_MAX_KEY_HASHES = 64
_MAX_LENGTH = 255
"""Bytes of a number, blob or text and entries of an array or map, since each length takes one byte."""


def leb128(number: int) -> bytes:
    """`number` (at least 0) as unsigned LEB128."""
    out: list[int] = []
    # Four digits at a time: shifting a number above 2^30 allocates, and times (ns) take nine digits.
    while number > 0xFFFFFFF:
        low = number & 0xFFFFFFF
        out += (low & 0x7F | 0x80, low >> 7 & 0x7F | 0x80, low >> 14 & 0x7F | 0x80, low >> 21 | 0x80)
        number >>= 28
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def hash_value(value: Value) -> bytes:
    """The 32-byte representation-independent hash of `value`."""
    if isinstance(value, bytes):
        return sha256(value).digest()
    if isinstance(value, int):
        return sha256(leb128(value)).digest()
    if isinstance(value, str):
        return sha256(value.encode()).digest()
    if isinstance(value, list):
        return sha256(b"".join([hash_value(item) for item in value])).digest()
    return hash_of_entries({key: hash_value(item) for key, item in value.items()})


def hash_of_entries(hashes: dict[str, bytes]) -> bytes:
    """The hash of a map, given the hashes of its values."""
    pairs = [_hash_of_key(key) + value for key, value in hashes.items()]
    return sha256(b"".join(sorted(pairs))).digest()


def _hash_of_key(key: str) -> bytes:
    known = _KEY_HASHES.get(key)
    if known is None:
        known = sha256(key.encode()).digest()
        if len(_KEY_HASHES) < _MAX_KEY_HASHES:
            _KEY_HASHES[key] = known
    return known


def encode_value(value: Value) -> bytes:
    """`value` at rest: a tag byte, a length byte, then the bytes or the encoded entries."""
    out: list[bytes] = []
    _write(out, value)
    return b"".join(out)


def _write(out: list[bytes], value: Value) -> None:
    if isinstance(value, bytes):
        out += (_head(_BLOB, len(value)), value)
    elif isinstance(value, int):
        data = value.to_bytes((value.bit_length() + 7) // 8, "big")
        out += (_head(_NAT, len(data)), data)
    elif isinstance(value, str):
        data = value.encode()
        out += (_head(_TEXT, len(data)), data)
    elif isinstance(value, list):
        out.append(_head(_ARRAY, len(value)))
        for item in value:
            _write(out, item)
    else:
        out.append(_head(_MAP, len(value)))
        for key, item in value.items():
            _write(out, key)
            _write(out, item)


def _head(tag: int, length: int) -> bytes:
    if length > _MAX_LENGTH:
        raise ValueError(f"a value of {length} bytes or entries cannot be stored, at most {_MAX_LENGTH}")
    return bytes((tag, length))


def decode_value(data: bytes) -> Value:
    """The value that `encode_value` made `data` from. CorruptRecordError if there is none."""
    try:
        value, end = _read(data, 0)
    except (IndexError, UnicodeDecodeError) as error:
        raise CorruptRecordError(f"a stored value of {len(data)} bytes cannot be read: {error}") from error
    if end != len(data):
        raise CorruptRecordError(f"a stored value of {end} bytes is followed by {len(data) - end} more")
    return value


def _read(data: bytes, at: int) -> Tuple[Value, int]:
    tag, length, at = data[at], data[at + 1], at + 2
    if tag == _ARRAY:
        items: list[Value] = []
        for _ in range(length):
            item, at = _read(data, at)
            items.append(item)
        return items, at
    if tag == _MAP:
        entries: dict[str, Value] = {}
        for _ in range(length):
            key, at = _read(data, at)
            entries[str(key)], at = _read(data, at)
        return entries, at
    end = at + length
    if end > len(data):
        raise CorruptRecordError(f"a stored value ends after {len(data)} bytes, {end} are announced")
    raw = data[at:end]
    if tag == _NAT:
        return int.from_bytes(raw, "big"), end
    if tag == _BLOB:
        return raw, end
    if tag == _TEXT:
        return raw.decode(), end
    raise CorruptRecordError(f"a stored value has the unknown tag {tag}")
