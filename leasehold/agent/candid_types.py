"""Whether values of a message's type may be read as an expected type.

Source: Candid specification, "Subtyping".
"""

from collections.abc import Sequence

from icp_candid import candid as codec  # type: ignore[import-untyped]

from leasehold.agent.candid_header import EMPTY, INT, NAT, NULL, OPT, RECORD, RESERVED, SERVICE, VEC, Entry
from leasehold.agent.errors import CandidError

MAX_COMPARISONS = 100_000

_FIXED_WIDTHS = {8: 0, 16: 1, 32: 2, 64: 3}
_PLAIN = {
    codec.NullClass: NULL,
    codec.BoolClass: -2,
    codec.NatClass: NAT,
    codec.IntClass: INT,
    codec.TextClass: -15,
    codec.ReservedClass: RESERVED,
    codec.EmptyClass: EMPTY,
    codec.PrincipalClass: -24,
    codec.OptClass: OPT,
    codec.VecClass: VEC,
    codec.RecordClass: RECORD,
    codec.VariantClass: -21,
    codec.FuncClass: -22,
    codec.ServiceClass: SERVICE,
}


def resolved(kind: codec.Type) -> codec.Type:
    """A type behind its names.

    Raises:
        CandidError: a name that the interface does not define.
    """
    while isinstance(kind, codec.RecClass):
        if kind.get_type() is None:
            raise CandidError("the interface uses a type that it does not define")
        kind = kind.get_type()
    return kind


def code_of(kind: codec.Type) -> int:
    """The code of a resolved type in the binary format."""
    if isinstance(kind, codec.FixedNatClass):
        return -5 - _FIXED_WIDTHS[kind._bits]
    if isinstance(kind, codec.FixedIntClass):
        return -9 - _FIXED_WIDTHS[kind._bits]
    if isinstance(kind, codec.FloatClass):
        return -13 if kind._bits == 32 else -14
    return _PLAIN[type(kind)]


def may_be_missing(kind: codec.Type) -> bool:
    """Whether a record's field or an argument of this resolved type may be absent."""
    return code_of(kind) in (NULL, OPT, RESERVED)


class Subtyping:
    """Compares the types of one message with expected ones.

    Args:
        table: the message's type table.
    """

    def __init__(self, table: Sequence[Entry]) -> None:
        self._table = table
        self._left = MAX_COMPARISONS
        self._assumed: set[tuple[int, int]] = set()
        # Types are remembered by identity, so they must stay.
        self._kept: list[codec.Type] = []

    def holds(self, wire: int, expected: codec.Type) -> bool:
        """Whether `wire`, an index of the table or a code, is a subtype of `expected`.

        Raises:
            CandidError: the types are too large to be compared.
        """
        found = self._compare(wire, expected)
        if not found:
            # What was assumed on the way may be wrong.
            self._assumed.clear()
        return found

    def _compare(self, wire: int, expected: codec.Type) -> bool:
        self._left -= 1
        if self._left < 0:
            raise CandidError("the message's types are too large to be compared with the interface's")
        expected = resolved(expected)
        wanted = code_of(expected)
        if wanted in (OPT, RESERVED) or wire == EMPTY:
            return True
        code = wire if wire < 0 else self._table[wire].code
        if (code, wanted) in ((NAT, INT), (SERVICE, -24)):
            return True
        if code != wanted:
            return False
        if wire < 0 or (wire, id(expected)) in self._assumed:
            return True
        self._assumed.add((wire, id(expected)))
        self._kept.append(expected)
        return self._compare_parts(self._table[wire], expected)

    def _compare_parts(self, entry: Entry, expected: codec.Type) -> bool:
        if isinstance(expected, codec.VecClass):
            return self._compare(entry.inner[0], expected._type)
        if isinstance(expected, codec.RecordClass):
            given = dict(zip(entry.labels, entry.inner, strict=True))
            return all(
                self._compare(given[label], kind) if label in given else may_be_missing(resolved(kind))
                for label, (_, kind) in expected._field_map.items()
            )
        if isinstance(expected, codec.VariantClass):
            known = expected._field_map
            cases = zip(entry.labels, entry.inner, strict=True)
            return all(label in known and self._compare(kind, known[label][1]) for label, kind in cases)
        # Functions and services are passed on, never called by their types.
        return True
