"""The few wasmtime C functions used on the hot path, declared with plain pointers.

The `wasmtime` package's own wrappers convert and check every argument, which costs more than the calls.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_bool, c_char_p, c_size_t, c_uint8, c_uint64, c_void_p
from typing import Any

from wasmtime import _ffi as ffi

RAW_CALLBACK = ctypes.CFUNCTYPE(c_size_t, c_void_p, c_void_p, POINTER(c_uint64), c_size_t)
"""`wasmtime_func_unchecked_callback_t`: env, caller, values (16 bytes each), count; returns a trap or 0."""

RAW_VALUE_WORDS = 2
"""64-bit words from one raw value to the next."""

FUNCTION, GLOBAL, TABLE, MEMORY = 0, 1, 2, 3
FUNCREF_KIND = ffi.WASMTIME_FUNCREF.value
OUT_OF_FUEL = 11

TRAP_REASONS = {
    0: "stack overflow",
    1: "heap out of bounds",
    3: "table out of bounds",
    4: "indirect call to null",
    5: "function signature mismatch",
    6: "integer overflow",
    7: "integer division by 0",
    8: "invalid conversion to integer",
    9: "unreachable",
}


_quick = ctypes.PyDLL(ffi.dll._name)
"""The same library, called without releasing Python's interpreter lock."""


def _declare(name: str, result: Any, *arguments: Any, library: ctypes.CDLL = _quick) -> Any:
    function = library[name]
    function.restype, function.argtypes = result, arguments
    return function


_CALL_TYPE = (
    c_void_p,
    c_void_p,
    c_void_p,
    c_void_p,
    c_size_t,
    c_void_p,
    c_size_t,
    POINTER(c_void_p),
)
func_call = _declare("wasmtime_func_call", *_CALL_TYPE, library=ffi.dll)
"""Runs Wasm code while other Python threads go on; each host call then has to get the lock back."""

func_call_brief = _declare("wasmtime_func_call", *_CALL_TYPE)
"""The same for code that takes milliseconds: the lock is held."""

set_fuel = _declare("wasmtime_context_set_fuel", c_void_p, c_void_p, c_uint64)
get_fuel = _declare("wasmtime_context_get_fuel", c_void_p, c_void_p, POINTER(c_uint64))
memory_data = _declare("wasmtime_memory_data", c_void_p, c_void_p, c_void_p)
memory_data_size = _declare("wasmtime_memory_data_size", c_size_t, c_void_p, c_void_p)
memory_grow = _declare("wasmtime_memory_grow", c_void_p, c_void_p, c_void_p, c_uint64, POINTER(c_uint64))
global_get = _declare("wasmtime_global_get", None, c_void_p, c_void_p, c_void_p)
global_set = _declare("wasmtime_global_set", c_void_p, c_void_p, c_void_p, c_void_p)
table_get = _declare("wasmtime_table_get", c_bool, c_void_p, c_void_p, c_uint64, c_void_p)
export_get = _declare(
    "wasmtime_instance_export_get", c_bool, c_void_p, c_void_p, c_char_p, c_size_t, c_void_p
)
trap_new = _declare("wasmtime_trap_new", c_size_t, c_char_p, c_size_t)
_trap_code = _declare("wasmtime_trap_code", c_bool, c_void_p, POINTER(c_uint8))
_trap_delete = _declare("wasm_trap_delete", None, c_void_p)
_error_message = _declare("wasmtime_error_message", None, c_void_p, c_void_p)
_error_delete = _declare("wasmtime_error_delete", None, c_void_p)
_vector_delete = _declare("wasm_byte_vec_delete", None, c_void_p)
define_raw = _declare(
    "wasmtime_linker_define_func_unchecked",
    c_void_p,
    c_void_p,
    c_char_p,
    c_size_t,
    c_char_p,
    c_size_t,
    c_void_p,
    RAW_CALLBACK,
    c_void_p,
    c_void_p,
)


def take_trap_code(trap: int) -> int | None:
    """Wasmtime's trap code, None for a trap made by a host function; frees the trap."""
    code = c_uint8()
    known = _trap_code(trap, byref(code))
    _trap_delete(trap)
    return code.value if known else None


def take_error(error: int) -> str:
    """Text of a wasmtime error; frees it."""
    vector = ffi.wasm_byte_vec_t()
    _error_message(error, byref(vector))
    text = ctypes.string_at(vector.data, vector.size).decode(errors="replace")
    _vector_delete(byref(vector))
    _error_delete(error)
    return text
