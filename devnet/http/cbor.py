"""Strict decoding of CBOR request bodies.

Source: IC interface specification, "CBOR encoding of requests and responses". The self-describing tag is
optional; every other tag, duplicate keys, trailing bytes and deep nesting are refused.
"""

import io
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import cbor2

from devnet.http.errors import MalformedRequest

MAX_DEPTH: Final = 8
SELF_DESCRIBED: Final = b"\xd9\xd9\xf7"

# Tags that cbor2 would otherwise turn into regular expressions, dates, cyclic references and the like.
_BUILT_IN_TAGS: Final = (*range(300), 1004, 1040, 43000, 55799)


def decode_map(body: bytes) -> dict[str, Any]:
    """Decode a body that must be one CBOR map with text keys.

    Raises:
        MalformedRequest: not CBOR, not a map, a tag inside, duplicate keys, trailing bytes or too deep.
    """
    value = decode_value(body)
    if type(value) is not dict:
        raise MalformedRequest("Could not parse the body: a CBOR map was expected")
    return value


def decode_value(body: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Decode one CBOR value, with or without the self-describing tag.

    Raises:
        MalformedRequest: not CBOR, a tag inside, duplicate keys, trailing bytes or too deep.
    """
    stream = io.BytesIO(body.removeprefix(SELF_DESCRIBED))
    decoder = cbor2.CBORDecoder(
        stream,
        tag_hook=_refuse_tag,
        semantic_decoders=_REFUSED,
        max_depth=max_depth,
        allow_duplicate_keys=False,
        strict_hashable_types=True,
    )
    try:
        value = decoder.decode()
    except (cbor2.CBORDecodeError, ValueError, OverflowError, MemoryError) as error:
        raise MalformedRequest(f"Could not parse the body as CBOR: {error.__cause__ or error}") from error
    if stream.tell() != len(stream.getbuffer()):
        raise MalformedRequest("Could not parse the body as CBOR: bytes follow after its end")
    return value


def encode(value: Any) -> bytes:
    """CBOR of an answer, with the self-describing tag."""
    return SELF_DESCRIBED + cbor2.dumps(value)


class Fields:
    """A decoded map whose fields are taken out one by one, each with its type and bound.

    A field that is null counts as absent. `finish` refuses what nobody asked for, so that a restriction this
    node does not know is never ignored.
    """

    def __init__(self, name: str, value: Any) -> None:
        """Args:
        name: what the map is, for messages.

        Raises:
            MalformedRequest: the value is not a map with text keys.
        """
        if type(value) is not dict or not all(type(key) is str for key in value):
            raise MalformedRequest(f"`{name}` must be a map with text keys")
        self._name = name
        self._left: dict[str, Any] = {key: item for key, item in value.items() if item is not None}
        self.present: Mapping[str, Any] = dict(self._left)

    def blob(self, key: str, maximum: int) -> bytes:
        """A required byte string of at most `maximum` bytes."""
        value = self._take(key, bytes)
        if len(value) > maximum:
            raise MalformedRequest(f"`{key}` has {len(value)} bytes, more than {maximum}")
        return bytes(value)

    def optional_blob(self, key: str, maximum: int) -> bytes | None:
        """A byte string of at most `maximum` bytes, or None."""
        return self.blob(key, maximum) if key in self._left else None

    def text(self, key: str) -> str:
        """A required text string."""
        return str(self._take(key, str))

    def optional_text(self, key: str) -> str | None:
        """A text string, or None."""
        return self.text(key) if key in self._left else None

    def nat64(self, key: str) -> int:
        """A required number in [0, 2^64)."""
        value = int(self._take(key, int))
        if not 0 <= value < 1 << 64:
            raise MalformedRequest(f"`{key}` must be an unsigned 64-bit number, got {value}")
        return value

    def array(self, key: str, maximum: int) -> list[Any]:
        """A required array of at most `maximum` items."""
        value: list[Any] = self._take(key, list)
        if len(value) > maximum:
            raise MalformedRequest(f"`{key}` has {len(value)} items, more than {maximum}")
        return value

    def optional_array(self, key: str, maximum: int) -> list[Any] | None:
        """An array of at most `maximum` items, or None."""
        return self.array(key, maximum) if key in self._left else None

    def map(self, key: str) -> "Fields":
        """A required map."""
        return Fields(key, self._take(key, dict))

    def optional_map(self, key: str) -> "Fields | None":
        """A map, or None."""
        return self.map(key) if key in self._left else None

    def finish(self) -> None:
        """Refuse fields that were not taken.

        Raises:
            MalformedRequest: there are some.
        """
        if self._left:
            raise MalformedRequest(f"`{self._name}` has unsupported fields: {sorted(self._left)}")

    def _take(self, key: str, kind: type) -> Any:
        if key not in self._left:
            raise MalformedRequest(f"`{self._name}` lacks the field `{key}`")
        value = self._left.pop(key)
        if type(value) is not kind:
            raise MalformedRequest(f"`{key}` must be of type {kind.__name__}, got {type(value).__name__}")
        return value


def _refuse_tag(*_: Any) -> NoReturn:
    raise ValueError("tags are not allowed inside a request")


_REFUSED: Final = dict.fromkeys(_BUILT_IN_TAGS, _refuse_tag)
