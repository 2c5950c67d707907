"""One live instance of a canister module, on top of the canister's committed heap and globals."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_uint64, c_void_p
from dataclasses import dataclass
from typing import Any, NoReturn

import wasmtime
from wasmtime import _ffi as ffi

from devnet.errors import DevnetError
from devnet.replica.wasm import native
from devnet.replica.wasm.engine import CompiledModule
from devnet.replica.wasm.heap import WASM_PAGE, Heap
from devnet.replica.wasm.instrumentation import MEMORY, TABLE, function_export, global_export

GlobalValue = tuple[int, bytes]
"""Wasmtime's kind and the 16 bytes of the value."""


class WasmTrap(DevnetError):
    """Execution trapped; the message is the reason."""


class OutOfInstructions(WasmTrap):
    """The message used up its instructions."""


class NoSuchFunction(WasmTrap):
    """A callback's table entry is missing, null or of another type."""


@dataclass
class Globals:
    """Committed values of a canister's mutable globals, in the order of `ModuleInfo.mutable_globals`."""

    values: list[GlobalValue]


class Instance:
    """A wasmtime store with one instance of a canister's module.

    Args:
        module: what to instantiate.
        heap: the canister's committed heap.
        globals: committed values, or None for those of a fresh instance.
    """

    def __init__(self, module: CompiledModule, heap: Heap, globals: Globals | None) -> None:
        self.module = module
        self._heap = heap
        self._store = wasmtime.Store(module.engine)
        self.context: int = ctypes.cast(self._store._context(), c_void_p).value or 0
        self._pending: BaseException | None = None
        self._trap = c_void_p()
        self._fuel = c_uint64()
        self._functions: dict[int, ffi.wasmtime_extern_t] = {}
        native.set_fuel(self.context, 0)
        self._instance = module.template.instantiate(self._store)._instance
        self._memory = self._export(MEMORY)
        self._table = self._export(TABLE)
        self._globals = [self._export(global_export(index)) for index in module.info.mutable_globals]
        self.base = 0
        if self._memory is not None:
            self._place_memory()
        self.initial = globals or self.read_globals()
        if globals is not None:
            self.write_globals(globals)

    @property
    def heap_size(self) -> int:
        """Bytes of linear memory now."""
        if self._memory is None:
            return 0
        size: int = native.memory_data_size(self.context, byref(self._memory.of))
        return size

    def call(self, index: int, brief: bool = False) -> None:
        """Call a function of type `() -> ()` by its index.

        Args:
            brief: expected to take milliseconds; other Python threads wait meanwhile.

        Raises:
            WasmTrap: it trapped.
        """
        found = self._functions.get(index)
        if found is None:
            found = self._export(function_export(index))
            if found is None:
                raise NoSuchFunction(f"there is no entry point {index}")
            self._functions[index] = found
        self._run(found.of.func, None, 0, brief)

    def call_table(self, index: int, argument: int, brief: bool = False) -> None:
        """Call the function at `index` of the table, of type `(I) -> ()`.

        Raises:
            NoSuchFunction: no function there, or one of another type.
            WasmTrap: it trapped.
        """
        value: Any = ffi.wasmtime_val_t()
        if self._table is None or not native.table_get(
            self.context, byref(self._table.of), index, byref(value)
        ):
            raise NoSuchFunction(f"table entry {index} does not exist")
        if value.kind != native.FUNCREF_KIND or value.of.funcref.store_id == 0:
            raise NoSuchFunction(f"table entry {index} is null")
        parameter: Any = ffi.wasmtime_val_t()
        if self.module.info.is_64:
            parameter.kind, parameter.of.i64 = ffi.WASMTIME_I64.value, argument
        else:
            parameter.kind, parameter.of.i32 = ffi.WASMTIME_I32.value, argument
        self._run(value.of.funcref, byref(parameter), 1, brief)

    def set_instructions(self, limit: int) -> None:
        """Instructions the next calls may use."""
        native.set_fuel(self.context, limit)

    def instructions_left(self) -> int:
        native.get_fuel(self.context, self._fuel)
        return self._fuel.value

    def fail(self, error: BaseException) -> int:
        """Called inside a host function: remember why, and return the trap that ends the execution."""
        self._pending = error
        trap: int = native.trap_new(b"host", 4)
        return trap

    def read_globals(self) -> Globals:
        value: Any = ffi.wasmtime_val_t()
        values: list[GlobalValue] = []
        for entry in self._globals:
            assert entry is not None
            native.global_get(self.context, byref(entry.of), byref(value))
            values.append((value.kind, ctypes.string_at(byref(value.of), 16)))
        return Globals(values)

    def write_globals(self, globals: Globals) -> None:
        value: Any = ffi.wasmtime_val_t()
        for entry, (kind, raw) in zip(self._globals, globals.values, strict=True):
            assert entry is not None
            value.kind = kind
            ctypes.memmove(byref(value.of), raw, 16)
            error = native.global_set(self.context, byref(entry.of), byref(value))
            if error:
                raise DevnetError(f"cannot restore a global: {native.take_error(error)}")

    def commit(self) -> Globals:
        """Make this instance's memory the committed one; returns the globals to commit with it."""
        if self._memory is not None:
            self._heap.commit(self.base, self.heap_size)
        return self.read_globals()

    def rollback(self, globals: Globals) -> bool:
        """Return to the committed state; False when only a new instance can (the memory had grown)."""
        if self._memory is not None:
            if self.heap_size != self._heap.size:
                return False
            self._heap.rollback(self.base)
        self.write_globals(globals)
        return True

    def close(self) -> None:
        self._store.close()

    def _export(self, name: str) -> ffi.wasmtime_extern_t | None:
        found = ffi.wasmtime_extern_t()
        raw = name.encode()
        if native.export_get(self.context, byref(self._instance), raw, len(raw), byref(found)):
            return found
        return None

    def _place_memory(self) -> None:
        assert self._memory is not None
        self.base = native.memory_data(self.context, byref(self._memory.of))
        missing = self._heap.size - self.heap_size
        if missing > 0:
            before = c_uint64()
            error = native.memory_grow(
                self.context, byref(self._memory.of), missing // WASM_PAGE, byref(before)
            )
            if error:
                raise DevnetError(f"cannot grow an instance's memory: {native.take_error(error)}")
        self._heap.attach(self.base)

    def _run(self, function: ffi.wasmtime_func_t, arguments: object, count: int, brief: bool) -> None:
        self._pending = None
        self._trap.value = None
        call = native.func_call_brief if brief else native.func_call
        error = call(self.context, byref(function), arguments, count, None, 0, byref(self._trap))
        if error:
            self._raise_error(native.take_error(error))
        if self._trap.value:
            self._raise(native.take_trap_code(self._trap.value))

    def _raise_error(self, text: str) -> NoReturn:
        """A host function's failure, or a function whose type is not the one it is called with."""
        pending, self._pending = self._pending, None
        raise pending or NoSuchFunction(text)

    def _raise(self, code: int | None) -> NoReturn:
        pending, self._pending = self._pending, None
        if pending is not None:
            raise pending
        if code == native.OUT_OF_FUEL:
            raise OutOfInstructions("instruction limit exceeded")
        raise WasmTrap(native.TRAP_REASONS.get(-1 if code is None else code, f"trap code {code}"))
