"""What a module declares: imports, exports, memory, globals, custom sections."""

from __future__ import annotations

from dataclasses import dataclass, field

from devnet.replica.wasm import format as wasm
from devnet.replica.wasm.format import Reader, WasmFormatError

FunctionType = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class Import:
    module: str
    name: str
    kind: int
    type_index: int


@dataclass(frozen=True)
class Export:
    name: str
    kind: int
    index: int


@dataclass(frozen=True)
class Memory:
    """`minimum` in 64 KiB pages; `is_64` for a memory with 64-bit addresses."""

    minimum: int
    is_64: bool


@dataclass(frozen=True)
class Segment:
    """A data segment: bytes `start` to `end` of the module, for memory at `offset`; passive without one."""

    offset: int | None
    start: int
    end: int


@dataclass(frozen=True)
class GlobalType:
    value_type: str
    mutable: bool


@dataclass
class Declarations:
    """Everything outside the function bodies that the node looks at."""

    types: list[FunctionType | None] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    functions: list[int] = field(default_factory=list)
    memories: list[Memory] = field(default_factory=list)
    tables: int = 0
    globals: list[GlobalType] = field(default_factory=list)
    exports: list[Export] = field(default_factory=list)
    start: int | None = None
    segments: list[Segment] = field(default_factory=list)
    code_bytes: int = 0
    custom: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def mutable_globals(self) -> list[int]:
        """Indices of the globals that hold state: mutable ones that are no references."""
        return [index for index, kind in enumerate(self.globals) if kind.mutable and kind.value_type != "ref"]

    @property
    def entry_points(self) -> list[int]:
        """Indices of all functions of type `() -> ()`."""
        indices = [entry.type_index for entry in self.imported_functions] + self.functions
        plain = {index for index, kind in enumerate(self.types) if kind == ((), ())}
        return [index for index, type_index in enumerate(indices) if type_index in plain]

    @property
    def imported_functions(self) -> list[Import]:
        return [entry for entry in self.imports if entry.kind == wasm.KIND_FUNCTION]

    def function_type(self, index: int) -> FunctionType | None:
        """Type of a function by its index in the module's function space.

        Raises:
            WasmFormatError: no such function.
        """
        imported = self.imported_functions
        indices = [entry.type_index for entry in imported] + self.functions
        if index >= len(indices) or indices[index] >= len(self.types):
            raise WasmFormatError(f"there is no function {index}")
        return self.types[indices[index]]


def read_declarations(module: bytes) -> Declarations:
    """Read a module's declarations.

    Raises:
        WasmFormatError: not well-formed, or using an encoding the node does not know.
    """
    found = Declarations()
    for section in wasm.sections(module):
        reader = Reader(module, section.start, section.end)
        if section.id == wasm.CUSTOM:
            found.custom.append((reader.name(), module[reader.at : section.end]))
        elif section.id == wasm.START:
            found.start = reader.unsigned()
        elif section.id == wasm.CODE:
            found.code_bytes = section.end - section.start
        elif section.id in _READERS:
            read_entry = _READERS[section.id]
            for _ in range(reader.unsigned()):
                read_entry(reader, found)
    return found


def _read_type(reader: Reader, found: Declarations) -> None:
    form = reader.byte()
    if form != 0x60:
        raise WasmFormatError(f"type form {form:#x} is not supported: only function types are")
    found.types.append((_value_types(reader), _value_types(reader)))


def _value_types(reader: Reader) -> tuple[str, ...]:
    return tuple(_value_type(reader) for _ in range(reader.unsigned()))


def _value_type(reader: Reader) -> str:
    code = reader.byte()
    if code in (0x63, 0x64):
        reader.unsigned()
        return "ref"
    return wasm.VALUE_TYPES.get(code, "ref")


def _read_import(reader: Reader, found: Declarations) -> None:
    module, name, kind = reader.name(), reader.name(), reader.byte()
    type_index = 0
    if kind == wasm.KIND_FUNCTION:
        type_index = reader.unsigned()
    elif kind == wasm.KIND_TABLE:
        wasm.skip_reference_type(reader)
        wasm.skip_limits(reader)
    elif kind == wasm.KIND_MEMORY:
        _read_memory(reader, found)
    elif kind == wasm.KIND_GLOBAL:
        found.globals.append(GlobalType(_value_type(reader), reader.byte() == 1))
    else:
        raise WasmFormatError(f"import {module}.{name} is of unknown kind {kind}")
    found.imports.append(Import(module, name, kind, type_index))


def _read_function(reader: Reader, found: Declarations) -> None:
    found.functions.append(reader.unsigned())


def _read_table(reader: Reader, found: Declarations) -> None:
    found.tables += 1
    if reader.at < reader.end and reader.data[reader.at] == 0x40:
        reader.skip(2)
        wasm.skip_reference_type(reader)
        wasm.skip_limits(reader)
        wasm.skip_constant_expression(reader)
    else:
        wasm.skip_reference_type(reader)
        wasm.skip_limits(reader)


def _read_memory(reader: Reader, found: Declarations) -> None:
    flags, minimum = wasm.skip_limits(reader)
    found.memories.append(Memory(minimum, bool(flags & 4)))


def _read_global(reader: Reader, found: Declarations) -> None:
    found.globals.append(GlobalType(_value_type(reader), reader.byte() == 1))
    wasm.skip_constant_expression(reader)


def _read_segment(reader: Reader, found: Declarations) -> None:
    kind = reader.unsigned()
    if kind == 2:
        reader.unsigned()
    offset = None if kind == 1 else wasm.read_constant_offset(reader)
    size = reader.unsigned()
    reader.skip(size)
    found.segments.append(Segment(offset, reader.at - size, reader.at))


def _read_export(reader: Reader, found: Declarations) -> None:
    found.exports.append(Export(reader.name(), reader.byte(), reader.unsigned()))


_READERS = {
    wasm.TYPE: _read_type,
    wasm.IMPORT: _read_import,
    wasm.FUNCTION: _read_function,
    wasm.TABLE: _read_table,
    wasm.MEMORY: _read_memory,
    wasm.GLOBAL: _read_global,
    wasm.EXPORT: _read_export,
    wasm.DATA: _read_segment,
}
