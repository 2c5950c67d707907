"""The values of a Candid message, read as the types that are expected.

What the specification lets a newer canister change is understood: more fields and arguments are skipped,
missing optional ones are `None`, an optional value of another type is `None`, a plain value does for an
optional one. Beyond it, a variant with unknown cases is read when the case at hand is known.
Source: Candid specification, "Binary Format" and "Deserialisation".
"""

import struct
from collections.abc import Sequence
from typing import Any

from icp_candid import candid as codec  # type: ignore[import-untyped]

from leasehold.agent.candid_header import (
    EMPTY,
    FUNC,
    INT,
    NAT,
    NULL,
    OPT,
    PRINCIPAL,
    RECORD,
    RESERVED,
    SERVICE,
    TEXT,
    VARIANT,
    VEC,
    Reader,
)
from leasehold.agent.candid_types import Subtyping, code_of, may_be_missing, resolved
from leasehold.agent.errors import CandidError
from leasehold.agent.principal import Principal

MAX_DEPTH = 100
MAX_PRINCIPAL_BYTES = 29
_BOOL, _NAT8 = -2, -5
_FIXED = {
    -5: "<B", -6: "<H", -7: "<I", -8: "<Q", -9: "<b", -10: "<h", -11: "<i", -12: "<q", -13: "<f", -14: "<d",
}  # fmt: skip
_FORMS = {code: struct.Struct(form) for code, form in _FIXED.items()}


def read_values(message: bytes, expected: Sequence[codec.Type]) -> list[Any]:
    """The values of a message whose header was checked.

    Raises:
        CandidError: malformed, or of other types.
    """
    return _ValueReader(message).values(expected)


class _ValueReader(Reader):
    def __init__(self, message: bytes) -> None:
        super().__init__(message)
        self._table = self.table()
        self._arguments = self.arguments()
        self._subtyping = Subtyping(self._table)
        # Values without bytes cost the sender nothing, so work is bounded by the message's length.
        self._steps_left = 4 * len(message) + 10_000

    def values(self, expected: Sequence[codec.Type]) -> list[Any]:
        values = []
        for place, kind in enumerate(map(resolved, expected)):
            if place < len(self._arguments):
                values.append(self._value(self._arguments[place], kind, 0))
            elif may_be_missing(kind):
                values.append(None)
            else:
                raise CandidError(
                    f"{len(expected)} values are expected, the message has {len(self._arguments)}"
                )
        for wire in self._arguments[len(expected) :]:
            self._skip(wire, 0)
        if self.at != len(self.message):
            raise CandidError(f"{len(self.message) - self.at} bytes follow after the last value")
        return values

    def _value(self, wire: int, kind: codec.Type, depth: int) -> Any:
        self._step(depth)
        wanted = code_of(kind)
        code = wire if wire < 0 else self._table[wire].code
        if wanted == OPT:
            return self._optional(wire, code, resolved(kind._type), depth)
        if wanted == RESERVED:
            self._skip(wire, depth)
            return None
        if code == EMPTY:
            raise CandidError("the message has a value of the type that has none")
        if code != wanted and (code, wanted) not in ((NAT, INT), (SERVICE, PRINCIPAL)):
            raise CandidError(f"the message has a value of kind {code} where {kind.name} is expected")
        if wire < 0:
            return self._primitive(wire)
        if code == VEC:
            return self._vec(self._table[wire].inner[0], kind, depth)
        if code == RECORD:
            return self._record(wire, kind, depth)
        if code == VARIANT:
            return self._variant(wire, kind, depth)
        return self._reference(code)

    def _optional(self, wire: int, code: int, inner: codec.Type, depth: int) -> Any:
        if code in (NULL, RESERVED):
            return None
        if code == OPT:
            if not self._flag():
                return None
            wire = self._table[wire].inner[0]
        elif may_be_missing(inner):
            # A plain value stands for one optional value, not for two in each other.
            self._skip(wire, depth)
            return None
        if self._subtyping.holds(wire, inner):
            return self._value(wire, inner, depth + 1)
        self._skip(wire, depth)
        return None

    def _vec(self, element: int, kind: codec.Type, depth: int) -> Any:
        inner = resolved(kind._type)
        count = self.unsigned()
        if element == _NAT8 and code_of(inner) == _NAT8:
            return self.take(count)
        values = []
        for _ in range(count):
            values.append(self._value(element, inner, depth + 1))
        return bytes(values) if code_of(inner) == _NAT8 else values

    def _record(self, wire: int, kind: codec.Type, depth: int) -> Any:
        entry, known = self._table[wire], kind._field_map
        read: dict[int, Any] = {}
        for label, inner in zip(entry.labels, entry.inner, strict=True):
            if label in known:
                read[label] = self._value(inner, resolved(known[label][1]), depth + 1)
            else:
                self._skip(inner, depth + 1)
        for label, (name, inner) in known.items():
            if label not in read and not may_be_missing(resolved(inner)):
                raise CandidError(f"the message has no field {name!r}")
        names = [str(name) for name, _ in known.values()]
        if names and sorted(names) == sorted(map(str, range(len(names)))):
            return tuple(read.get(label) for label in range(len(names)))
        return {name: read.get(label) for name, label in zip(names, known, strict=True)}

    def _variant(self, wire: int, kind: codec.Type, depth: int) -> Any:
        label, inner = self._case(wire)
        if label not in kind._field_map:
            raise CandidError(f"the message has case {label}, which {kind.name[:200]} does not have")
        name, known = kind._field_map[label]
        return {str(name): self._value(inner, resolved(known), depth + 1)}

    def _case(self, wire: int) -> tuple[int, int]:
        entry, index = self._table[wire], self.unsigned()
        if index >= len(entry.inner):
            raise CandidError(f"the message has case {index} of a variant of {len(entry.inner)}")
        return entry.labels[index], entry.inner[index]

    def _primitive(self, code: int) -> Any:
        if code in _FORMS:
            form = _FORMS[code]
            return form.unpack(self.take(form.size))[0]
        if code in (NULL, RESERVED):
            return None
        if code == _BOOL:
            return self._flag()
        if code == NAT:
            return self.big(signed=False)
        if code == INT:
            return self.big(signed=True)
        if code == TEXT:
            return self.text()
        if code == PRINCIPAL:
            return self._principal()
        raise CandidError(f"the message has a value of the unknown kind {code}")

    def _reference(self, code: int) -> Any:
        if code == FUNC:
            if not self._flag():
                raise CandidError("the message has a function that is hidden")
            return self._principal(), self.text()
        return self._principal()

    def _principal(self) -> Principal:
        if not self._flag():
            raise CandidError("the message has a principal that is hidden")
        size = self.unsigned()
        if size > MAX_PRINCIPAL_BYTES:
            raise CandidError(f"the message has a principal of {size} bytes, at most {MAX_PRINCIPAL_BYTES}")
        return Principal(self.take(size))

    def _flag(self) -> bool:
        byte = self.take(1)[0]
        if byte > 1:
            raise CandidError(f"the message has {byte} where 0 or 1 is expected")
        return byte == 1

    def _skip(self, wire: int, depth: int) -> None:
        self._step(depth)
        if wire < 0:
            self._primitive(wire)
            return
        entry = self._table[wire]
        if entry.code == OPT:
            if self._flag():
                self._skip(entry.inner[0], depth + 1)
        elif entry.code == VEC:
            count = self.unsigned()
            if entry.inner[0] == _NAT8:
                self.take(count)
                return
            for _ in range(count):
                self._skip(entry.inner[0], depth + 1)
        elif entry.code == RECORD:
            for inner in entry.inner:
                self._skip(inner, depth + 1)
        elif entry.code == VARIANT:
            self._skip(self._case(wire)[1], depth + 1)
        else:
            self._reference(entry.code)

    def _step(self, depth: int) -> None:
        self._steps_left -= 1
        if self._steps_left < 0 or depth > MAX_DEPTH:
            raise CandidError("the message has too many values without bytes, or is nested too deep")
