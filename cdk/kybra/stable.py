"""`StableBTreeMap`: ordered maps in stable memory, which survive upgrades."""

from __future__ import annotations

import sys

import _stable

from cdk.candid import types as candid
from cdk.candid.codec import Codec
from cdk.candid.errors import CandidError, Error
from cdk.candid.principal import Principal

from .annotations import PROGRAMS, candid_type
from .keys import KeyCodec
from .types import DefinitionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAPS: dict[int, StableBTreeMap] = {}
"""The maps of this canister by memory id."""
_LAST_MEMORY_ID = 254


class KeyTooLargeError(Error):
    """A key is longer than the map's `max_key_size`."""


class ValueTooLargeError(Error):
    """A value is longer than the map's `max_value_size`."""


class _Parametrised:
    """`StableBTreeMap[K, V]`, ready to be called."""

    def __init__(self, parameters: tuple[Any, Any], namespace: dict[str, Any]) -> None:
        self.parameters = parameters
        self.namespace = namespace

    def __call__(self, memory_id: int, max_key_size: int, max_value_size: int) -> StableBTreeMap:
        new = StableBTreeMap.__new__(StableBTreeMap)
        new._set_up(self, memory_id, max_key_size, max_value_size)
        return new


class StableBTreeMap:
    """An ordered map in stable memory: `StableBTreeMap[K, V](memory_id=…, max_key_size=…, max_value_size=…)`.

    Sizes are in bytes of the encoded key or value. Make maps at module level, each with a `memory_id` of
    its own (0 to 254) that never changes. `range` is an extension to stock Kybra.
    """

    _get: Callable[[bytes], bytes | None]

    def __init__(self, memory_id: int, max_key_size: int, max_value_size: int) -> None:
        raise DefinitionError("name the types of keys and values: StableBTreeMap[K, V](memory_id=…, …)")

    def __class_getitem__(cls, parameters: tuple[Any, Any]) -> _Parametrised:
        return _Parametrised(parameters, sys._getframe(1).f_globals)

    def _set_up(self, source: _Parametrised, memory_id: int, max_key_size: int, max_value_size: int) -> None:
        if not 0 <= memory_id <= _LAST_MEMORY_ID:
            raise DefinitionError(f"memory_id is from 0 to {_LAST_MEMORY_ID}, not {memory_id}")
        if memory_id in MAPS:
            raise DefinitionError(f"memory_id {memory_id} is used by two maps")
        MAPS[memory_id] = self
        self._source = source
        self._id = memory_id
        self._max_key_size = max_key_size
        self._max_value_size = max_value_size

    def prepare(self) -> None:
        """Make the codecs; happens on first use, when forward references are known."""
        namespace = self._source.namespace
        key, value = [candid_type(parameter, namespace) for parameter in self._source.parameters]
        keys = KeyCodec(key)
        self._encode_key_unchecked, self._decode_key = keys.encode, keys.decode
        self._encode_value_unchecked, self._decode_value = value_codec(value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_encode_", "_decode_")):
            self.prepare()
            return self.__dict__[name]
        raise AttributeError(name)

    def _key(self, key: Any) -> bytes:
        raw: bytes = self._encode_key_unchecked(key)
        if len(raw) > self._max_key_size:
            raise KeyTooLargeError(
                f"map {self._id}: a key takes {len(raw)} bytes, at most {self._max_key_size}"
            )
        return raw

    def _value(self, value: Any) -> bytes:
        raw: bytes = self._encode_value_unchecked(value)
        if len(raw) > self._max_value_size:
            raise ValueTooLargeError(
                f"map {self._id}: a value takes {len(raw)} bytes, at most {self._max_value_size}"
            )
        return raw

    def get(self, key: Any) -> Any:
        """The value of `key`, or None."""
        raw = _stable.get(self._id, self._encode_key_unchecked(key))
        return None if raw is None else self._decode_value(raw)

    def insert(self, key: Any, value: Any) -> Any:
        """Set the value of `key`; answers the value it had, or None."""
        old = _stable.put(self._id, self._key(key), self._value(value))
        return None if old is None else self._decode_value(old)

    def remove(self, key: Any) -> Any:
        """Remove `key`; answers the value it had, or None."""
        old = _stable.remove(self._id, self._encode_key_unchecked(key))
        return None if old is None else self._decode_value(old)

    def contains_key(self, key: Any) -> bool:
        """Whether `key` has a value."""
        return _stable.contains(self._id, self._encode_key_unchecked(key))

    def is_empty(self) -> bool:
        """Whether there are no entries."""
        return _stable.length(self._id) == 0

    def len(self) -> int:
        """Number of entries."""
        return _stable.length(self._id)

    def items(self) -> list[tuple[Any, Any]]:
        """All entries in the order of their keys. Takes time and memory for every one: prefer `range`."""
        return self.range()

    def keys(self) -> list[Any]:
        """All keys in order."""
        decode = self._decode_key
        return [decode(key) for key in _stable.keys(self._id)]

    def values(self) -> list[Any]:
        """All values in the order of their keys."""
        decode = self._decode_value
        return [decode(value) for _, value in _stable.items(self._id)]

    def range(
        self, start: Any = None, stop: Any = None, limit: int = -1, reverse: bool = False
    ) -> list[tuple[Any, Any]]:
        """Entries with `start <= key < stop` (None: open), ascending or `reverse`, at most `limit` (-1: all).

        An extension to stock Kybra.
        """
        encode, decode_key, decode_value = self._encode_key_unchecked, self._decode_key, self._decode_value
        low = None if start is None else encode(start)
        high = None if stop is None else encode(stop)
        entries = _stable.items(self._id, low, high, limit, reverse)
        return [(decode_key(key), decode_value(value)) for key, value in entries]


def value_codec(type: candid.Type) -> tuple[Callable[[Any], bytes], Callable[[bytes], Any]]:
    """How values of `type` are stored: scalars compactly, everything else as self-describing Candid messages.

    Because composite values carry their type, a later version may add `Opt` fields to a Record and still
    read them.
    """
    if type is candid.TEXT:
        return _encode_text, bytes.decode
    if type is candid.PRINCIPAL:
        return _encode_principal, Principal
    if isinstance(type, candid.Vec) and type.inner is candid.NAT8:
        return _encode_blob, bytes
    if isinstance(type, candid.Primitive):
        write = PROGRAMS.encoder.writer(type)
        read = PROGRAMS.decoder.reader(type, type)

        def encode_scalar(value: Any) -> bytes:
            out = bytearray()
            write(out, value)
            return bytes(out)

        return encode_scalar, lambda data: read(data, 0)[0]
    codec = Codec([type], PROGRAMS)
    codec.warm_encoder()
    codec.warm_decoder()
    return lambda value: codec.encode((value,)), lambda data: codec.decode(data)[0]


def _encode_text(value: Any) -> bytes:
    if not isinstance(value, str):
        raise CandidError(f"a value of type text (str) is expected, got {type(value).__name__}")
    return value.encode()


def _encode_blob(value: Any) -> bytes:
    if not isinstance(value, bytes | bytearray):
        raise CandidError(f"a value of type blob (bytes) is expected, got {type(value).__name__}")
    return bytes(value)


def _encode_principal(value: Any) -> bytes:
    if not isinstance(value, Principal):
        raise CandidError(f"a value of type Principal is expected, got {type(value).__name__}")
    return value.bytes
