"""The rules a canister module has to keep, checked when code is installed.

Source: IC interface specification, "WebAssembly module requirements"; resource limits page.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from devnet.errors import DevnetError
from devnet.replica.api import Limits
from devnet.replica.wasm import format as wasm
from devnet.replica.wasm.declarations import Declarations, FunctionType, read_declarations

GZIP_MAGIC = b"\x1f\x8b\x08"
LIFECYCLE_EXPORTS = (
    "canister_init",
    "canister_inspect_message",
    "canister_pre_upgrade",
    "canister_post_upgrade",
    "canister_heartbeat",
    "canister_on_low_wasm_memory",
    "canister_global_timer",
)
METHOD_KINDS = ("canister_update ", "canister_query ", "canister_composite_query ")
_NO_TYPE: FunctionType = ((), ())


class InvalidModule(DevnetError, ValueError):
    """A module that may not be installed; the message says which rule it breaks."""


@dataclass(frozen=True)
class ModuleInfo:
    """What the node needs to know of a checked module.

    Args:
        exports: names of exported functions, with their indices.
        memory_pages: size of the memory at the start, in 64 KiB pages.
        segments: what the memory holds at the start, as (offset, bytes).
        mutable_globals: indices of the globals that belong to the canister's state.
        start: index of the start function.
    """

    exports: Mapping[str, int]
    has_memory: bool
    memory_pages: int
    segments: tuple[tuple[int, bytes], ...]
    is_64: bool
    has_table: bool
    mutable_globals: tuple[int, ...]
    start: int | None
    public_metadata: Mapping[str, bytes] = field(default_factory=dict)
    private_metadata: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def custom_sections_bytes(self) -> int:
        both = (*self.public_metadata.items(), *self.private_metadata.items())
        return sum(len(name.encode()) + len(content) for name, content in both)


def unpack(module: bytes, limits: Limits) -> bytes:
    """The Wasm binary of a module that may be gzip-compressed.

    Raises:
        InvalidModule: broken compression, or more than `limits.module_bytes`.
    """
    if module.startswith(GZIP_MAGIC):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(module)) as stream:
                module = stream.read(limits.module_bytes + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise InvalidModule(f"cannot be decompressed: {error}") from error
    if len(module) > limits.module_bytes:
        raise InvalidModule(
            f"Wasm module size of {len(module)} exceeds the maximum allowed size of {limits.module_bytes}."
        )
    return module


def validate(
    module: bytes, system_api: Mapping[str, Mapping[str, FunctionType]], limits: Limits
) -> ModuleInfo:
    """Check a Wasm binary against the rules for canisters.

    Args:
        system_api: by pointer type, then by name, the types of the `ic0` functions.

    Raises:
        InvalidModule: names the rule and the offender.
    """
    try:
        found = read_declarations(module)
        _check_bounds(found, limits)
        is_64 = _check_memory(found)
        _check_imports(found, system_api["i64" if is_64 else "i32"])
        _check_exports(found, limits)
    except wasm.WasmFormatError as error:
        raise InvalidModule(str(error)) from error
    public, private = _metadata(found, limits)
    return ModuleInfo(
        exports={entry.name: entry.index for entry in found.exports if entry.kind == wasm.KIND_FUNCTION},
        has_memory=bool(found.memories),
        memory_pages=found.memories[0].minimum if found.memories else 0,
        segments=_segments(module, found),
        is_64=is_64,
        has_table=found.tables > 0,
        mutable_globals=tuple(found.mutable_globals),
        start=found.start,
        public_metadata=public,
        private_metadata=private,
    )


def _segments(module: bytes, found: Declarations) -> tuple[tuple[int, bytes], ...]:
    size = found.memories[0].minimum * 65536 if found.memories else 0
    segments = []
    for entry in found.segments:
        if entry.offset is None:
            continue
        if entry.offset + entry.end - entry.start > size:
            raise InvalidModule(f"a data segment at {entry.offset} does not fit the memory of {size} bytes.")
        segments.append((entry.offset, module[entry.start : entry.end]))
    return tuple(segments)


def _check_bounds(found: Declarations, limits: Limits) -> None:
    if len(found.functions) > limits.functions:
        raise InvalidModule(
            f"Wasm module defined {len(found.functions)} functions, "
            f"which exceeds the maximum number allowed {limits.functions}."
        )
    if len(found.globals) > limits.globals:
        raise InvalidModule(
            f"Wasm module defined {len(found.globals)} globals "
            f"which exceeds the maximum number allowed {limits.globals}."
        )
    if found.code_bytes > limits.code_section_bytes:
        raise InvalidModule(
            f"Wasm module code section size of {found.code_bytes} "
            f"exceeds the maximum allowed size of {limits.code_section_bytes}."
        )


def _check_memory(found: Declarations) -> bool:
    if len(found.memories) > 1:
        raise InvalidModule(f"Wasm module declares {len(found.memories)} memories, at most one is allowed.")
    return bool(found.memories) and found.memories[0].is_64


def _check_imports(found: Declarations, system_api: Mapping[str, FunctionType]) -> None:
    for entry in found.imports:
        name = f"{entry.module}.{entry.name}"
        if entry.kind != wasm.KIND_FUNCTION or entry.module != "ic0" or entry.name not in system_api:
            raise InvalidModule(f"Wasm module has an invalid import section. '{name}' is not part of ic0.")
        expected = system_api[entry.name]
        actual = found.types[entry.type_index] if entry.type_index < len(found.types) else None
        if actual != expected:
            raise InvalidModule(
                f"Wasm module has an invalid import section. '{name}' has type {actual}, "
                f"the system API has {expected}."
            )


def _check_exports(found: Declarations, limits: Limits) -> None:
    methods: set[str] = set()
    for entry in found.exports:
        if entry.kind != wasm.KIND_FUNCTION or not entry.name.startswith("canister_"):
            continue
        if entry.name not in LIFECYCLE_EXPORTS:
            _check_method(entry.name, methods)
        if found.function_type(entry.index) != _NO_TYPE:
            raise InvalidModule(
                "Wasm module has an invalid export section. "
                f"'{entry.name}' must have neither parameters nor results."
            )
    _check_method_bounds(methods, limits)


def _check_method(export: str, methods: set[str]) -> None:
    kind = next((prefix for prefix in METHOD_KINDS if export.startswith(prefix)), None)
    if kind is None:
        raise InvalidModule(
            "Wasm module has an invalid export section. "
            f"'{export}' starts with 'canister_' but is no entry point of the system API."
        )
    method = export.removeprefix(kind)
    if method in methods:
        raise InvalidModule(
            f"Wasm module has an invalid export section. Duplicate function '{method}' "
            "exported multiple times with different call types: update, query, or composite_query."
        )
    methods.add(method)


def _check_method_bounds(methods: set[str], limits: Limits) -> None:
    names = "`canister_update <name>`, `canister_query <name>`, or `canister_composite_query <name>`"
    if len(methods) > limits.exported_methods:
        raise InvalidModule(
            "Wasm module has an invalid export section. "
            f"The number of exported functions called {names} exceeds {limits.exported_methods}."
        )
    if sum(len(name.encode()) for name in methods) > limits.method_name_bytes:
        raise InvalidModule(
            "Wasm module has an invalid export section. The sum of `<name>` lengths in "
            f"exported functions called {names} exceeds {limits.method_name_bytes}."
        )


def _metadata(found: Declarations, limits: Limits) -> tuple[dict[str, bytes], dict[str, bytes]]:
    public: dict[str, bytes] = {}
    private: dict[str, bytes] = {}
    for name, content in found.custom:
        if not name.startswith("icp:"):
            continue
        visibility, _, plain = name.removeprefix("icp:").partition(" ")
        target = {"public": public, "private": private}.get(visibility)
        if target is None:
            raise InvalidModule(f"custom section '{name}' is neither 'icp:public …' nor 'icp:private …'.")
        if plain in public or plain in private:
            raise InvalidModule(f"custom section '{plain}' is defined more than once.")
        target[plain] = content
    _check_metadata_bounds(public | private, limits)
    return public, private


def _check_metadata_bounds(metadata: Mapping[str, bytes], limits: Limits) -> None:
    if len(metadata) > limits.custom_sections:
        raise InvalidModule(
            f"Wasm module has {len(metadata)} custom sections whose names begin with 'icp:', "
            f"at most {limits.custom_sections} are allowed."
        )
    size = sum(len(name.encode()) + len(content) for name, content in metadata.items())
    if size > limits.custom_sections_bytes:
        raise InvalidModule(
            f"Wasm module has custom sections of {size} bytes, "
            f"at most {limits.custom_sections_bytes} are allowed."
        )
