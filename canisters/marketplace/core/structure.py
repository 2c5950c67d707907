"""Records to plain values and back, by rules for the leaves: the one mechanism behind storage and Candid.

A record (dataclass or named tuple) becomes a dict by field name, a tuple a list, an enumeration its word,
None stays None.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

Convert = Callable[[Any], Any]
Pair = tuple[Convert | None, Convert | None]
"""(to plain, from plain); None where the value is its own plain form."""

_UNCHANGED = (int, str, bool, float)


class Structure:
    """Converters for annotated types.

    Arguments: `leaves` maps a type, or a NewType before its supertype, to its pair of converters.
    """

    def __init__(self, leaves: Mapping[Any, Pair]) -> None:
        self._leaves = dict(leaves)
        self._known: dict[Any, Pair] = {}

    def pair(self, hint: Any) -> Pair:
        """The converters of an annotation; raises TypeError for one that has no rule."""
        if hint not in self._known:
            self._known[hint] = self._make(hint)
        return self._known[hint]

    def _make(self, hint: Any) -> Pair:
        leaf: Pair | None = self._leaves.get(hint)
        if leaf is not None:
            return leaf
        supertype = getattr(hint, "__supertype__", None)
        if supertype is not None:
            return self.pair(supertype)
        if hint in _UNCHANGED:
            return None, None
        if isinstance(hint, type) and issubclass(hint, Enum):
            return (lambda member: member.value), hint
        if is_dataclass(hint):
            return self._record(typing.cast("type[Any]", hint), [field.name for field in fields(hint)])
        if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
            return self._record(hint, list(hint._fields))
        return self._container(hint)

    def _container(self, hint: Any) -> Pair:
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
            write, read = self.pair(arguments[0])
            return _each(list, write), _each(tuple, read)
        if origin in (typing.Union, types.UnionType) and len(arguments) == 2 and arguments[1] is type(None):
            write, read = self.pair(arguments[0])
            return _unless_none(write), _unless_none(read)
        raise TypeError(f"no rule for a field of type {hint!r}")

    def _record(self, record: type[Any], names: list[str]) -> Pair:
        hints = typing.get_type_hints(record)
        rows = [(name, *self.pair(hints[name])) for name in names]

        def write(value: Any) -> dict[str, Any]:
            return {
                name: getattr(value, name) if to_plain is None else to_plain(getattr(value, name))
                for name, to_plain, _ in rows
            }

        def read(plain: dict[str, Any]) -> Any:
            if len(plain) != len(rows):
                raise KeyError(f"{record.__name__} has other fields than {sorted(plain)}")
            values = {
                name: plain[name] if from_plain is None else from_plain(plain[name])
                for name, _, from_plain in rows
            }
            return record(**values)

        return write, read


def _each(container: Convert, convert: Convert | None) -> Convert:
    if convert is None:
        return container
    return lambda values: container([convert(value) for value in values])


def _unless_none(convert: Convert | None) -> Convert | None:
    if convert is None:
        return None
    return lambda value: None if value is None else convert(value)
