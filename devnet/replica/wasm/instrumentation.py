"""Rewrites a canister module so that the node can reach all of its state, and compiles each program once.

Exports of the memory, the table and every mutable global let the node keep and restore them (also the stack
pointer that a trap leaves in the middle of nowhere). What makes a canister of a program is taken out: names
of methods (instead, every function that could be one is exported by number), data, the size of the memory
and the start function. So canisters made by one toolchain around the same code share one compilation, and an
instance can be made again without anything being run or initialised. Function bodies are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from devnet.replica.wasm import format as wasm
from devnet.replica.wasm.declarations import Declarations, Segment, read_declarations
from devnet.replica.wasm.format import Reader

MEMORY = "memory"
TABLE = "table"
_AFTER_EXPORTS = (9, 12, wasm.CODE, wasm.DATA)


def global_export(index: int) -> str:
    """Name under which a mutable global is exported."""
    return f"global {index}"


def function_export(index: int) -> str:
    """Name under which a function of type `() -> ()` is exported."""
    return f"function {index}"


def instrument(module: bytes) -> bytes:
    """The rewritten form of a module that `validate` accepted."""
    found = read_declarations(module)
    exports = wasm.encode_section(wasm.EXPORT, _exports(found))
    out = [wasm.HEADER]
    for section in wasm.sections(module):
        if section.id in (wasm.START, wasm.CUSTOM, wasm.EXPORT):
            continue
        if section.id in _AFTER_EXPORTS and exports:
            out.append(exports)
            exports = b""
        content = module[section.start : section.end]
        if section.id == wasm.MEMORY:
            content = _empty_memories(content)
        elif section.id == wasm.DATA:
            content = _passive_segments(module, found.segments)
        out.append(wasm.encode_section(section.id, content))
    return b"".join([*out, exports])


def _exports(found: Declarations) -> bytes:
    entries = list(_entries(found))
    return wasm.encode_unsigned(len(entries)) + b"".join(
        wasm.encode_unsigned(len(name)) + name.encode() + bytes([kind]) + wasm.encode_unsigned(index)
        for name, kind, index in entries
    )


def _entries(found: Declarations) -> Iterator[tuple[str, int, int]]:
    if found.memories:
        yield MEMORY, wasm.KIND_MEMORY, 0
    if found.tables:
        yield TABLE, wasm.KIND_TABLE, 0
    for index in found.mutable_globals:
        yield global_export(index), wasm.KIND_GLOBAL, index
    for index in found.entry_points:
        yield function_export(index), wasm.KIND_FUNCTION, index


def _empty_memories(content: bytes) -> bytes:
    """Memories of the same kind and maximum that begin with no pages."""
    reader = Reader(content)
    out = [wasm.encode_unsigned(count := reader.unsigned())]
    for _ in range(count):
        flags = reader.byte()
        reader.unsigned()
        out.append(bytes([flags, 0]))
        if flags & 1:
            out.append(wasm.encode_unsigned(reader.unsigned()))
    return b"".join(out)


def _passive_segments(module: bytes, segments: list[Segment]) -> bytes:
    """As many segments; those that would be copied at instantiation are empty, as they are after it."""
    out = [wasm.encode_unsigned(len(segments))]
    for segment in segments:
        content = module[segment.start : segment.end] if segment.offset is None else b""
        out.append(b"\1" + wasm.encode_unsigned(len(content)) + content)
    return b"".join(out)
