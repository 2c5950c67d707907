"""Dataclasses to and from CBOR, guided by their annotations.

A dataclass becomes an array of its name and its fields, so unions of dataclasses can be told apart;
enumerations become their values, all collections arrays.
"""

from __future__ import annotations

import enum
import types
from collections import Counter, OrderedDict, deque
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import cbor2

from devnet.errors import StateFolderError
from devnet.replica.api import Reject


def encode(value: Any) -> bytes:
    """CBOR of a value made of dataclasses, enumerations, collections and plain values."""
    return cbor2.dumps(_plain(value))


def decode(kind: Any, data: bytes) -> Any:
    """The value of type `kind` that `encode` was given.

    Raises:
        StateFolderError: the data is not of this type.
    """
    try:
        return _typed(kind, cbor2.loads(data))
    except (cbor2.CBORDecodeError, TypeError, ValueError, KeyError) as error:
        raise StateFolderError(f"the state folder holds something that is no {kind}: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Reject):
        return ["Reject", value.code, value.message, value.error_code]
    if is_dataclass(value) and not isinstance(value, type):
        names = _hints(type(value))
        return [type(value).__name__, *(_plain(getattr(value, name)) for name in names)]
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, list | tuple | deque):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return [[_plain(key), _plain(item)] for key, item in value.items()]
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {entry.name: hints[entry.name] for entry in fields(kind)}


def _typed(kind: Any, value: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _union(get_args(kind), value)
    if origin is not None:
        return _collection(origin, get_args(kind), value)
    if kind is Reject:
        return Reject(*value[1:])
    if isinstance(kind, type) and is_dataclass(kind):
        return _dataclass(kind, value)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind(value)
    if isinstance(kind, type) and not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _dataclass(kind: type, value: Any) -> Any:
    hints = _hints(kind)
    if value[0] != kind.__name__ or len(value) != len(hints) + 1:
        raise TypeError(f"{value[0]!r} is no {kind.__name__}")
    return kind(
        **{name: _typed(hint, item) for (name, hint), item in zip(hints.items(), value[1:], strict=True)}
    )


def _union(choices: tuple[Any, ...], value: Any) -> Any:
    if value is None and type(None) in choices:
        return None
    named = {choice.__name__: choice for choice in choices}
    if isinstance(value, list) and value and value[0] in named:
        return _typed(named[value[0]], value)
    for choice in choices:
        if choice is not type(None) and isinstance(value, choice):
            return value
    plain = [choice for choice in choices if choice is not type(None)]
    if len(plain) == 1:
        return _typed(plain[0], value)
    raise TypeError(f"{value!r} fits none of {named.keys()}")


def _collection(origin: Any, inner: tuple[Any, ...], value: Any) -> Any:
    if origin is Counter:
        return Counter({_typed(inner[0], key): item for key, item in value})
    if issubclass(origin, dict):
        made = ((_typed(inner[0], key), _typed(inner[1], item)) for key, item in value)
        return OrderedDict(made) if origin is OrderedDict else dict(made)
    if origin is tuple and (len(inner) != 2 or inner[1] is not Ellipsis):
        return tuple(_typed(kind, item) for kind, item in zip(inner, value, strict=True))
    return origin(_typed(inner[0], item) for item in value)
