"""Rewrites a canister module so that the node can reach all of its state.

Added exports give access to the memory, the table and every mutable global (so that a trap's changes to, say,
the stack pointer can be undone); the start section becomes an export, since instances are made again after a
rollback while the start function belongs to installation only. Function bodies are left alone.
"""

from __future__ import annotations

from devnet.replica.wasm import format as wasm
from devnet.replica.wasm.format import Reader
from devnet.replica.wasm.validation import ModuleInfo

PREFIX = "devnet:"
MEMORY = f"{PREFIX}memory"
TABLE = f"{PREFIX}table"
START = f"{PREFIX}start"


def global_export(index: int) -> str:
    return f"{PREFIX}global {index}"


def instrument(module: bytes, info: ModuleInfo) -> bytes:
    """The rewritten module.

    Args:
        module: a binary that `validate` accepted, `info` what it returned.
    """
    added = _added_exports(info)
    out = [wasm.HEADER]
    done = False
    for section in wasm.sections(module):
        content = module[section.start : section.end]
        if section.id == wasm.START or section.id == wasm.CUSTOM:
            continue
        if section.id == wasm.EXPORT:
            content, done = _with_exports(content, added), True
        elif not done and section.id > wasm.EXPORT and section.id != 13:
            out.append(wasm.encode_section(wasm.EXPORT, _with_exports(b"\0", added)))
            done = True
        out.append(wasm.encode_section(section.id, content))
    if not done:
        out.append(wasm.encode_section(wasm.EXPORT, _with_exports(b"\0", added)))
    return b"".join(out)


def _added_exports(info: ModuleInfo) -> list[tuple[str, int, int]]:
    added = [(global_export(index), wasm.KIND_GLOBAL, index) for index in info.mutable_globals]
    if info.has_memory:
        added.append((MEMORY, wasm.KIND_MEMORY, 0))
    if info.has_table:
        added.append((TABLE, wasm.KIND_TABLE, 0))
    if info.start is not None:
        added.append((START, wasm.KIND_FUNCTION, info.start))
    return added


def _with_exports(content: bytes, added: list[tuple[str, int, int]]) -> bytes:
    reader = Reader(content)
    count = reader.unsigned()
    entries = b"".join(
        wasm.encode_unsigned(len(name)) + name.encode() + bytes([kind]) + wasm.encode_unsigned(index)
        for name, kind, index in added
    )
    return wasm.encode_unsigned(count + len(added)) + content[reader.at :] + entries
