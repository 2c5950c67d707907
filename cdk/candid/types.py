"""Candid types (Candid specification, "Types"), as the codec, the `.did` printer and the parser share them.

Primitive types are single objects compared by identity. Composite types may be recursive: they are made empty
and filled afterwards. `opcode` is the number that stands for the type in a message's type table.
"""

from __future__ import annotations

from .errors import CandidError

TYPE_CHECKING = False  # type checkers take it for True; importing `typing` costs instructions in a canister
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Type:
    """A Candid type."""

    __slots__ = ("opcode",)
    opcode: int


class Primitive(Type):
    """A type without parts. `size` is the width on the wire of fixed-width numbers, else 0."""

    __slots__ = ("name", "size", "struct_code")

    def __init__(self, name: str, opcode: int, struct_code: str = "", size: int = 0) -> None:
        self.name = name
        self.opcode = opcode
        self.struct_code = struct_code
        self.size = size

    def __repr__(self) -> str:
        return self.name


NULL = Primitive("null", -1)
BOOL = Primitive("bool", -2)
NAT = Primitive("nat", -3)
INT = Primitive("int", -4)
NAT8 = Primitive("nat8", -5, "B", 1)
NAT16 = Primitive("nat16", -6, "H", 2)
NAT32 = Primitive("nat32", -7, "I", 4)
NAT64 = Primitive("nat64", -8, "Q", 8)
INT8 = Primitive("int8", -9, "b", 1)
INT16 = Primitive("int16", -10, "h", 2)
INT32 = Primitive("int32", -11, "i", 4)
INT64 = Primitive("int64", -12, "q", 8)
FLOAT32 = Primitive("float32", -13, "f", 4)
FLOAT64 = Primitive("float64", -14, "d", 8)
TEXT = Primitive("text", -15)
RESERVED = Primitive("reserved", -16)
EMPTY = Primitive("empty", -17)
PRINCIPAL = Primitive("principal", -24)

PRIMITIVES = (
    *(NULL, BOOL, NAT, INT, NAT8, NAT16, NAT32, NAT64, INT8, INT16, INT32, INT64),
    *(FLOAT32, FLOAT64, TEXT, RESERVED, EMPTY, PRINCIPAL),
)
BY_OPCODE = {primitive.opcode: primitive for primitive in PRIMITIVES}
BY_NAME = {primitive.name: primitive for primitive in PRIMITIVES}


class Opt(Type):
    """`opt T`."""

    __slots__ = ("inner",)
    inner: Type

    def __init__(self, inner: Type | None = None) -> None:
        self.opcode = -18
        if inner is not None:
            self.inner = inner


class Vec(Type):
    """`vec T`; `vec nat8` is `blob`."""

    __slots__ = ("inner",)
    inner: Type

    def __init__(self, inner: Type | None = None) -> None:
        self.opcode = -19
        if inner is not None:
            self.inner = inner


class Field:
    """One field of a record or one case of a variant. `key` is how Python values call it."""

    __slots__ = ("hash", "key", "label", "type")

    def __init__(self, label: str | int, type: Type, key: str | int | None = None) -> None:
        self.label = label
        self.hash = label if isinstance(label, int) else field_hash(label)
        self.type = type
        self.key = label if key is None else key


class _Fields(Type):
    __slots__ = ("fields", "name")
    fields: tuple[Field, ...]

    def __init__(self, fields: tuple[Field, ...] | None = None, name: str | None = None) -> None:
        self.name = name
        if fields is not None:
            self.fill(fields)

    def fill(self, fields: tuple[Field, ...]) -> None:
        """Set the fields; CandidError when two of them hash alike."""
        seen: dict[int, Field] = {}
        for field in fields:
            if field.hash in seen:
                raise CandidError(
                    f"{self.name or 'a record'}: {seen[field.hash].label} and {field.label} collide"
                )
            seen[field.hash] = field
        self.fields = fields

    def sorted_fields(self) -> list[Field]:
        """The fields in wire order."""
        return sorted(self.fields, key=lambda field: field.hash)


class Record(_Fields):
    """`record {…}`. A tuple is a record with labels 0, 1, … whose Python value is a `tuple`."""

    __slots__ = ("is_tuple",)

    def __init__(
        self, fields: tuple[Field, ...] | None = None, name: str | None = None, is_tuple: bool = False
    ) -> None:
        self.opcode = -20
        self.is_tuple = is_tuple
        super().__init__(fields, name)


class Variant(_Fields):
    """`variant {…}`."""

    __slots__ = ()

    def __init__(self, fields: tuple[Field, ...] | None = None, name: str | None = None) -> None:
        self.opcode = -21
        super().__init__(fields, name)


FUNC_MODES = {"query": 1, "oneway": 2, "composite_query": 3}
"""Annotations of functions and their codes on the wire."""


class Func(Type):
    """`func (…) -> (…) modes`; `modes` are among "query", "oneway", "composite_query"."""

    __slots__ = ("arguments", "modes", "name", "results")

    def __init__(
        self,
        arguments: tuple[Type, ...] = (),
        results: tuple[Type, ...] = (),
        modes: tuple[str, ...] = (),
        name: str | None = None,
    ) -> None:
        self.opcode = -22
        self.arguments = arguments
        self.results = results
        self.modes = modes
        self.name = name


class Service(Type):
    """`service {…}`. `make` turns a decoded principal into the Python value."""

    __slots__ = ("make", "methods", "name")

    def __init__(
        self,
        methods: dict[str, Func] | None = None,
        name: str | None = None,
        make: Callable[[Any], Any] | None = None,
    ) -> None:
        self.opcode = -23
        self.methods = methods or {}
        self.name = name
        self.make = make


BLOB = Vec(NAT8)


def tuple_type(types: tuple[Type, ...]) -> Record:
    """`record { T0; T1; … }` with tuples as values."""
    return Record(tuple([Field(index, type) for index, type in enumerate(types)]), is_tuple=True)


def field_hash(label: str) -> int:
    """The number that a field name stands for: its UTF-8 bytes as base-223 digits, modulo 2**32."""
    result = 0
    for byte in label.encode():
        result = (result * 223 + byte) & 0xFFFFFFFF
    return result
