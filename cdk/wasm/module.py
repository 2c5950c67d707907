"""A WebAssembly module as its sections (core specification, "Modules"), parsed as deep as we need."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from cdk.wasm.reader import Reader, WasmError, name, s32, u32

MAGIC = b"\0asm"
VERSION = (1).to_bytes(4, "little")
PAGE_SIZE = 65536


class SectionId(IntEnum):
    """Section numbers, in the order of the specification's table."""

    CUSTOM = 0
    TYPE = 1
    IMPORT = 2
    FUNCTION = 3
    TABLE = 4
    MEMORY = 5
    GLOBAL = 6
    EXPORT = 7
    START = 8
    ELEMENT = 9
    CODE = 10
    DATA = 11
    DATA_COUNT = 12
    TAG = 13


class ExternalKind(IntEnum):
    """What an import or export is."""

    FUNCTION = 0
    TABLE = 1
    MEMORY = 2
    GLOBAL = 3


@dataclass(frozen=True)
class Section:
    """One section: its number and its content, which for a custom section excludes the name."""

    id: SectionId
    content: bytes
    name: str = ""  # of a custom section

    def emit(self) -> bytes:
        content = name(self.name) + self.content if self.id is SectionId.CUSTOM else self.content
        return bytes([self.id]) + u32(len(content)) + content


@dataclass(frozen=True)
class Export:
    """An export: its name and the thing's kind and index."""

    name: str
    kind: ExternalKind
    index: int


@dataclass(frozen=True)
class Import:
    """An import: module and name, and what it is."""

    module: str
    name: str
    kind: ExternalKind


def parse(data: bytes) -> list[Section]:
    """The sections of a module. `emit(parse(data))` is a module equal to `data` up to LEB128 padding.

    Raises: WasmError if `data` is not a version-1 module, is truncated, or repeats or misorders a section.
    """
    reader = Reader(data)
    if reader.take(4) != MAGIC:
        raise WasmError(f"not a WebAssembly module: begins with {data[:4].hex()}, expected {MAGIC.hex()}")
    if (version := reader.take(4)) != VERSION:
        raise WasmError(f"WebAssembly version {version.hex()} is not {VERSION.hex()}")
    sections = []
    while not reader.at_end():
        sections.append(_parse_section(reader))
    numbered = [section.id for section in sections if section.id is not SectionId.CUSTOM]
    if len(set(numbered)) != len(numbered):
        raise WasmError("a section occurs twice")
    return sections


def _parse_section(reader: Reader) -> Section:
    number = reader.byte()
    if number not in list(SectionId):
        raise WasmError(f"unknown section {number} at offset {reader.offset - 1}")
    content = reader.take(reader.u32())
    if number != SectionId.CUSTOM:
        return Section(SectionId(number), content)
    custom = Reader(content)
    title = custom.name()
    return Section(SectionId.CUSTOM, content[custom.offset :], title)


def emit(sections: Iterable[Section]) -> bytes:
    """The module made of `sections`."""
    return MAGIC + VERSION + b"".join(section.emit() for section in sections)


def find(sections: Iterable[Section], number: SectionId) -> Section | None:
    """The section of that number, if the module has it."""
    return next((section for section in sections if section.id is number), None)


def parse_exports(sections: Iterable[Section]) -> list[Export]:
    """The module's exports."""
    section = find(sections, SectionId.EXPORT)
    if section is None:
        return []
    reader = Reader(section.content)
    exports = [Export(reader.name(), _kind(reader), reader.u32()) for _ in range(reader.u32())]
    _ensure_consumed(reader, section.id)
    return exports


def emit_exports(exports: Iterable[Export]) -> Section:
    """The export section of `exports`."""
    rows = [name(export.name) + bytes([export.kind]) + u32(export.index) for export in exports]
    return Section(SectionId.EXPORT, u32(len(rows)) + b"".join(rows))


def parse_imports(sections: Iterable[Section]) -> list[Import]:
    """The module's imports."""
    section = find(sections, SectionId.IMPORT)
    if section is None:
        return []
    reader = Reader(section.content)
    imports = [_parse_import(reader) for _ in range(reader.u32())]
    _ensure_consumed(reader, section.id)
    return imports


def _parse_import(reader: Reader) -> Import:
    module, title, kind = reader.name(), reader.name(), _kind(reader)
    if kind is ExternalKind.FUNCTION:
        reader.u32()
    elif kind is ExternalKind.GLOBAL:
        reader.take(2)
    else:
        if kind is ExternalKind.TABLE:
            reader.byte()
        _parse_limits(reader)
    return Import(module, title, kind)


def parse_memory(sections: Iterable[Section]) -> tuple[int, int | None]:
    """Minimum and maximum (None: unbounded) of the module's one memory, in pages of 64 KiB."""
    section = find(sections, SectionId.MEMORY)
    if section is None:
        raise WasmError("the module has no memory of its own")
    reader = Reader(section.content)
    if (count := reader.u32()) != 1:
        raise WasmError(f"the module has {count} memories, expected one")
    limits = _parse_limits(reader)
    _ensure_consumed(reader, section.id)
    return limits


def emit_memory(minimum: int, maximum: int | None) -> Section:
    """The memory section for one memory of `minimum` to `maximum` pages."""
    limits = b"\0" + u32(minimum) if maximum is None else b"\1" + u32(minimum) + u32(maximum)
    return Section(SectionId.MEMORY, u32(1) + limits)


def _parse_limits(reader: Reader) -> tuple[int, int | None]:
    flags = reader.byte()
    if flags > 1:
        raise WasmError(f"memory or table limits with flags {flags} (shared or 64-bit) are not supported")
    minimum = reader.u32()
    return minimum, reader.u32() if flags else None


def parse_constant_globals(sections: Iterable[Section]) -> list[int | None]:
    """For each global of the module's own, its value if it is an immutable `i32.const`, else None."""
    section = find(sections, SectionId.GLOBAL)
    if section is None:
        return []
    reader = Reader(section.content)
    values = [_parse_global(reader) for _ in range(reader.u32())]
    _ensure_consumed(reader, section.id)
    return values


def _parse_global(reader: Reader) -> int | None:
    value_type, mutable, opcode = reader.byte(), reader.byte(), reader.byte()
    i32, i32_const, end = 0x7F, 0x41, 0x0B
    if value_type != i32 or opcode != i32_const:
        raise WasmError(
            f"global of type {value_type:#x} and opcode {opcode:#x}: only i32 constants are supported"
        )
    value = reader.s32()
    if reader.byte() != end:
        raise WasmError("a global's initialiser is not one constant")
    return None if mutable else value


def active_segment(address: int, data: bytes) -> bytes:
    """A data segment of memory 0 that places `data` at `address`."""
    signed = address - 2**32 if address >= 2**31 else address
    return b"\0\x41" + s32(signed) + b"\x0b" + u32(len(data)) + data


def append_segments(section: Section, segments: list[bytes]) -> Section:
    """The data section with `segments` added; segments apply in order, so later ones overwrite."""
    reader = Reader(section.content)
    count = reader.u32()
    return Section(
        SectionId.DATA, u32(count + len(segments)) + section.content[reader.offset :] + b"".join(segments)
    )


def _kind(reader: Reader) -> ExternalKind:
    number = reader.byte()
    if number not in list(ExternalKind):
        raise WasmError(f"unknown kind {number} of import or export at offset {reader.offset - 1}")
    return ExternalKind(number)


def _ensure_consumed(reader: Reader, section: SectionId) -> None:
    if not reader.at_end():
        raise WasmError(f"{reader.end - reader.offset} bytes left over in section {section.name}")


__all__ = ["Export", "ExternalKind", "Import", "Section", "SectionId", "WasmError", "emit", "find", "parse"]
