"""A message's type section: magic, type table and argument types (Candid specification, "Binary format")."""

from __future__ import annotations

from .errors import CandidError
from .leb128 import encode_signed, encode_unsigned, read_signed, read_unsigned
from .limits import MAX_ARGUMENTS, MAX_FIELDS, MAX_TYPES
from .types import BY_OPCODE, FUNC_MODES, Field, Func, Opt, Record, Service, Type, Variant, Vec

MAGIC = b"DIDL"
_COMPOSITES: dict[int, type[Opt | Vec | Record | Variant | Func | Service]] = {
    -18: Opt,
    -19: Vec,
    -20: Record,
    -21: Variant,
    -22: Func,
    -23: Service,
}
_MODES = {code: name for name, code in FUNC_MODES.items()}


def read_header(data: bytes) -> tuple[list[Type], int]:
    """The argument types of the message `data` and the position where its values begin."""
    if data[:4] != MAGIC:
        raise CandidError(f"not a Candid message: it begins with {data[:4]!r}, not with b'DIDL'")
    return _HeaderReader(data).read()


class _HeaderReader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 4
        self.fields_left = MAX_FIELDS
        self.table: list[Type] = []

    def read(self) -> tuple[list[Type], int]:
        count = self.count("types", MAX_TYPES)
        bodies = []
        for _ in range(count):
            opcode = self.signed()
            kind = _COMPOSITES.get(opcode)
            if kind is None:
                raise CandidError(f"unknown type constructor {opcode} in the type table")
            self.table.append(kind())
            bodies.append(self.body(opcode))
        for entry, body in zip(self.table, bodies):  # noqa: B905 (as long as each other by construction)
            self.fill(entry, body)
        arguments = [self.reference(self.signed()) for _ in range(self.count("arguments", MAX_ARGUMENTS))]
        return arguments, self.position

    def unsigned(self) -> int:
        value, self.position = read_unsigned(self.data, self.position)
        return value

    def signed(self) -> int:
        value, self.position = read_signed(self.data, self.position)
        return value

    def count(self, what: str, maximum: int) -> int:
        value = self.unsigned()
        if value > maximum:
            raise CandidError(f"{value} {what} in the type section, at most {maximum} are accepted")
        return value

    def parts(self) -> int:
        value = self.count("fields", self.fields_left)
        self.fields_left -= value
        return value

    def body(self, opcode: int) -> object:
        """The raw references of one table entry; they may point forward, so they are resolved later."""
        if opcode in (-18, -19):
            return self.signed()
        if opcode in (-20, -21):
            return [(self.unsigned(), self.signed()) for _ in range(self.parts())]
        if opcode == -22:
            arguments = [self.signed() for _ in range(self.parts())]
            results = [self.signed() for _ in range(self.parts())]
            return arguments, results, [self.mode() for _ in range(self.parts())]
        return [(self.text(), self.signed()) for _ in range(self.parts())]

    def mode(self) -> str:
        code = self.data[self.position]
        self.position += 1
        if code not in _MODES:
            raise CandidError(f"unknown function annotation {code}")
        return _MODES[code]

    def text(self) -> str:
        size = self.unsigned()
        raw = self.data[self.position : self.position + size]
        if len(raw) != size:
            raise IndexError
        self.position += size
        return str(raw, "utf-8")

    def reference(self, number: int) -> Type:
        if number >= 0:
            if number >= len(self.table):
                raise CandidError(f"type {number} is not in the type table of {len(self.table)}")
            return self.table[number]
        if number not in BY_OPCODE:
            raise CandidError(f"unknown type {number}")
        return BY_OPCODE[number]

    def fill(self, entry: Type, body: object) -> None:
        if isinstance(entry, Opt | Vec):
            assert isinstance(body, int)
            entry.inner = self.reference(body)
        elif isinstance(entry, Record | Variant):
            assert isinstance(body, list)
            before = -1
            for label, _ in body:
                if label <= before:
                    raise CandidError(f"fields {before} and {label} are not in ascending order")
                before = label
            if body and body[-1][0] > 0xFFFFFFFF:
                raise CandidError(f"field {body[-1][0]} is above 2**32 - 1")
            entry.fields = tuple([Field(label, self.reference(kind)) for label, kind in body])
        elif isinstance(entry, Func):
            assert isinstance(body, tuple)
            arguments, results, modes = body
            entry.arguments = tuple(map(self.reference, arguments))
            entry.results = tuple(map(self.reference, results))
            entry.modes = tuple(modes)
        elif isinstance(entry, Service):
            assert isinstance(body, list)
            for name, kind in body:
                method = self.reference(kind)
                if not isinstance(method, Func):
                    raise CandidError(f"method {name!r} of a service is not a function")
                entry.methods[name] = method


def write_header(types: tuple[Type, ...]) -> bytes:
    """The type section of a message whose values have `types`. Tables list types in order of first use."""
    return _HeaderWriter().write(types)


def usual_headers(types: tuple[Type, ...]) -> list[bytes]:
    """`write_header`, and what else is often sent for the same types; any table that describes them is right.

    Agents in Rust write what we do, in JavaScript they list parts first, icp-py-core repeats `opt` and `vec`.
    """
    writers = (_HeaderWriter(), _PartsFirst(), _Unshared())
    return list(dict.fromkeys([writer.write(types) for writer in writers]))


class _HeaderWriter:
    def __init__(self) -> None:
        self.entries: dict[int, bytes] = {}
        self.indexes: dict[object, int] = {}
        self.kept: list[Type] = []  # keeps ids alive

    def write(self, types: tuple[Type, ...]) -> bytes:
        references = [self.reference(type) for type in types]
        table = [self.entries[index] for index in range(len(self.entries))]
        return b"".join(
            [MAGIC, encode_unsigned(len(table)), *table, encode_unsigned(len(references)), *references]
        )

    def reference(self, type: Type) -> bytes:
        if type.opcode >= -17 or type.opcode == -24:
            return encode_signed(type.opcode)
        key = self.identity(type)
        index = self.indexes.get(key)
        if index is None:
            index = self.add(key, type)
        return encode_signed(index)

    def add(self, key: object, type: Type) -> int:
        index = self.indexes[key] = len(self.indexes)
        self.kept.append(type)
        self.entries[index] = b""
        self.entries[index] = encode_signed(type.opcode) + self.body(type)
        return index

    def identity(self, type: Type) -> object:
        """`opt` and `vec` of the same type share an entry; the others are themselves."""
        if isinstance(type, Opt | Vec):
            return (type.opcode, self.identity(type.inner))
        return id(type)

    def body(self, type: Type) -> bytes:
        if isinstance(type, Opt | Vec):
            return self.reference(type.inner)
        if isinstance(type, Record | Variant):
            fields = type.sorted_fields()
            parts = [encode_unsigned(field.hash) + self.reference(field.type) for field in fields]
            return encode_unsigned(len(parts)) + b"".join(parts)
        if isinstance(type, Func):
            modes = bytes([FUNC_MODES[mode] for mode in type.modes])
            return (
                self.references(type.arguments)
                + self.references(type.results)
                + encode_unsigned(len(modes))
                + modes
            )
        assert isinstance(type, Service)
        parts = []
        for name in sorted(type.methods):
            raw = name.encode()
            parts.append(encode_unsigned(len(raw)) + raw + self.reference(type.methods[name]))
        return encode_unsigned(len(parts)) + b"".join(parts)

    def references(self, types: tuple[Type, ...]) -> bytes:
        return encode_unsigned(len(types)) + b"".join(map(self.reference, types))


class _PartsFirst(_HeaderWriter):
    """A type's entry follows those of its parts; one that is part of itself comes before them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: set[object] = set()

    def add(self, key: object, type: Type) -> int:
        if key in self.open:  # it is part of itself: its place is taken now and filled later
            self.entries[len(self.indexes)] = b""
            self.indexes[key] = len(self.indexes)
            return self.indexes[key]
        self.open.add(key)
        self.kept.append(type)
        entry = encode_signed(type.opcode) + self.body(type)
        index = self.indexes.setdefault(key, len(self.indexes))
        self.entries[index] = entry
        return index


class _Unshared(_HeaderWriter):
    """Every `opt` and `vec` has an entry of its own."""

    def identity(self, type: Type) -> object:
        return object() if isinstance(type, Opt | Vec) else id(type)
