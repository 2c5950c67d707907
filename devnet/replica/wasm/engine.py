"""Compiles canister modules, once each: code is kept in memory and in the user's cache folder."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from weakref import WeakValueDictionary

import wasmtime

from devnet.replica.api import GIB, Limits
from devnet.replica.wasm.format import WasmFormatError
from devnet.replica.wasm.instrumentation import instrument
from devnet.replica.wasm.metering import meter
from devnet.replica.wasm.validation import InvalidModule, ModuleInfo

MEMORY_RESERVATION = 6 * GIB
"""Address space of one linear memory: the most a 64-bit heap may have, so that memories never move."""

_CACHE_FORMAT = 4


@dataclass(frozen=True)
class CompiledModule:
    """A module ready to be instantiated.

    Args:
        hash: SHA-256 of the module as it was installed (compressed or not).
        wasm: the module as it was installed.
    """

    hash: bytes
    wasm: bytes
    info: ModuleInfo
    template: wasmtime.InstancePre
    engine: wasmtime.Engine


def make_engine(limits: Limits) -> wasmtime.Engine:
    """An engine whose results depend on no machine: NaNs canonical, relaxed SIMD deterministic."""
    config = wasmtime.Config()
    config.consume_fuel = True
    config.cranelift_nan_canonicalization = True
    config.wasm_relaxed_simd_deterministic = True
    config.wasm_threads = False
    config.wasm_exceptions = False
    config.wasm_multi_memory = False
    config.wasm_memory64 = True
    config.max_wasm_stack = limits.wasm_stack_bytes
    config.memory_may_move = False
    config.memory_reservation = MEMORY_RESERVATION
    return wasmtime.Engine(config)


def default_cache_folder() -> Path:
    """`leasehold/wasm` under the user's cache folder."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "leasehold" / "wasm"


class Compiler:
    """Turns checked modules into `CompiledModule`s.

    Args:
        linker: has the system API defined.
        cache: folder for compiled code; None keeps none on disk.
    """

    def __init__(self, engine: wasmtime.Engine, linker: wasmtime.Linker, cache: Path | None) -> None:
        self._engine = engine
        self._linker = linker
        self._cache = cache
        self._known: dict[bytes, CompiledModule] = {}
        self._programs: WeakValueDictionary[bytes, wasmtime.InstancePre] = WeakValueDictionary()

    def known(self, module_hash: bytes) -> CompiledModule | None:
        """An already compiled module."""
        return self._known.get(module_hash)

    def compile(self, module: bytes, binary: bytes, info: ModuleInfo) -> CompiledModule:
        """Compile `binary`, the unpacked form of `module`.

        Raises:
            InvalidModule: the code is not valid WebAssembly.
        """
        module_hash = hashlib.sha256(module).digest()
        if module_hash not in self._known:
            template = self._program(instrument(binary))
            self._known[module_hash] = CompiledModule(module_hash, module, info, template, self._engine)
        return self._known[module_hash]

    def forget_except(self, used: set[bytes]) -> None:
        """Drop compiled modules that no canister runs any more."""
        for module_hash in self._known.keys() - used:
            del self._known[module_hash]

    def _program(self, binary: bytes) -> wasmtime.InstancePre:
        """Compiled code, shared by all modules with the same functions."""
        digest = hashlib.sha256(binary).digest()
        template = self._programs.get(digest)
        if template is None:
            template = self._linker.instantiate_pre(self._load_or_compile(digest, binary))
            self._programs[digest] = template
        return template

    def _load_or_compile(self, digest: bytes, binary: bytes) -> wasmtime.Module:
        path = self._cache_path(digest)
        if path is not None and path.exists():
            try:
                return wasmtime.Module.deserialize_file(self._engine, str(path))
            except wasmtime.WasmtimeError:
                path.unlink(missing_ok=True)
        try:
            compiled = wasmtime.Module(self._engine, meter(binary))
        except (wasmtime.WasmtimeError, WasmFormatError) as error:
            raise InvalidModule(f"failed to compile: {error}") from error
        if path is not None:
            _write_atomically(path, compiled.serialize())
        return compiled

    def _cache_path(self, digest: bytes) -> Path | None:
        if self._cache is None:
            return None
        return self._cache / f"{digest.hex()}-{version('wasmtime')}-{_CACHE_FORMAT}.cwasm"


def _write_atomically(path: Path, data: bytes | bytearray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(data)
    os.replace(file.name, path)
