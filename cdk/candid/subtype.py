"""Subtyping: may a value of the sender's type be read as ours? (Candid specification, "Subtyping")"""

from __future__ import annotations

from .errors import CandidError
from .limits import MAX_DEPTH, MAX_SUBTYPE_STEPS
from .types import (
    EMPTY,
    INT,
    NAT,
    NULL,
    PRINCIPAL,
    RESERVED,
    Func,
    Opt,
    Record,
    Service,
    Type,
    Variant,
    Vec,
    tuple_type,
)


class Subtyping:
    """Answers subtype questions about one message, within `MAX_SUBTYPE_STEPS` comparisons in all."""

    def __init__(self) -> None:
        self.steps_left = MAX_SUBTYPE_STEPS
        self._kept: list[Record] = []  # types made on the way stay alive, since pairs are known by id

    def holds(self, wire: Type, expected: Type) -> bool:
        """Whether `wire <: expected`."""
        return self._compare(wire, expected, set(), 0)

    def _compare(self, wire: Type, expected: Type, assumed: set[tuple[int, int]], depth: int) -> bool:
        self.steps_left -= 1
        if self.steps_left < 0 or depth > MAX_DEPTH:
            raise CandidError("the message's types are too large or nested too deep to be compared")
        if wire is expected or expected is RESERVED or wire is EMPTY:
            return True
        if isinstance(expected, Opt):
            return True  # what does not fit is read as null
        if (wire is NAT and expected is INT) or (isinstance(wire, Service) and expected is PRINCIPAL):
            return True
        if wire.opcode != expected.opcode:
            return False
        pair = (id(wire), id(expected))
        if pair in assumed:
            return True
        assumed.add(pair)
        return self._compare_parts(wire, expected, assumed, depth + 1)

    # Loops, not `all(…)`: a recursion through C would use up the canister's small stack.

    def _compare_parts(self, wire: Type, expected: Type, assumed: set[tuple[int, int]], depth: int) -> bool:
        if isinstance(wire, Vec) and isinstance(expected, Vec):
            return self._compare(wire.inner, expected.inner, assumed, depth)
        if isinstance(wire, Record) and isinstance(expected, Record):
            return self._compare_records(wire, expected, assumed, depth)
        if isinstance(wire, Variant) and isinstance(expected, Variant):
            cases = {field.hash: field.type for field in expected.fields}
            for field in wire.fields:
                if field.hash not in cases:
                    return False
                if not self._compare(field.type, cases[field.hash], assumed, depth):
                    return False
            return True
        if isinstance(wire, Func) and isinstance(expected, Func):
            return self._compare_functions(wire, expected, assumed, depth)
        if isinstance(wire, Service) and isinstance(expected, Service):
            for name, method in expected.methods.items():
                if name not in wire.methods:
                    return False
                if not self._compare(wire.methods[name], method, assumed, depth):
                    return False
            return True
        return False

    def _compare_functions(
        self, wire: Func, expected: Func, assumed: set[tuple[int, int]], depth: int
    ) -> bool:
        """Contravariant in the arguments, covariant in the results, equal in the annotations."""
        if sorted(wire.modes) != sorted(expected.modes):
            return False
        arguments = self._tuple(expected.arguments), self._tuple(wire.arguments)
        results = self._tuple(wire.results), self._tuple(expected.results)
        return self._compare(*arguments, assumed, depth) and self._compare(*results, assumed, depth)

    def _tuple(self, types: tuple[Type, ...]) -> Record:
        self._kept.append(tuple_type(types))
        return self._kept[-1]

    def _compare_records(
        self, wire: Record, expected: Record, assumed: set[tuple[int, int]], depth: int
    ) -> bool:
        fields = {field.hash: field.type for field in wire.fields}
        for field in expected.fields:
            if field.hash in fields:
                if not self._compare(fields[field.hash], field.type, assumed, depth):
                    return False
            elif not may_be_missing(field.type):
                return False
        return True


def may_be_missing(expected: Type) -> bool:
    """Whether a record field or argument of this type may be left out by the sender (it is read as null)."""
    return isinstance(expected, Opt) or expected is NULL or expected is RESERVED
