"""System calls on stable memory.

They are the hot path of a storage engine, so bounds are checked in line.
"""

from __future__ import annotations

from devnet.replica.execution import ContractViolation, Execution
from devnet.replica.system_api.table import system_call
from devnet.replica.wasm.heap import WASM_PAGE
from devnet.replica.wasm.instance import WasmTrap

_U32_BYTES = 1 << 32
_U32_PAGES = _U32_BYTES // WASM_PAGE


def _outside() -> WasmTrap:
    return WasmTrap("stable memory out of bounds")


@system_call("-> i64", "* s")
def stable64_size(execution: Execution) -> int:
    return execution.stable.size // WASM_PAGE


@system_call("i64 -> i64", "* s")
def stable64_grow(execution: Execution, new_pages: int) -> int:
    return execution.stable.grow(new_pages)


@system_call("i64 i64 i64 ->", "* s")
def stable64_write(execution: Execution, offset: int, src: int, size: int) -> None:
    stable = execution.stable
    if offset + size > stable.size:
        raise _outside()
    address = execution.address(src, size)
    execution.charge(size)
    stable.write_from(offset, address, size)


@system_call("i64 i64 i64 ->", "* s")
def stable64_read(execution: Execution, dst: int, offset: int, size: int) -> None:
    stable = execution.stable
    if offset + size > stable.size:
        raise _outside()
    address = execution.address(dst, size)
    execution.charge(size)
    if size:
        stable.read_to(address, offset, size)


def _check_32(execution: Execution) -> None:
    if execution.stable.size > _U32_BYTES:
        raise ContractViolation("32 bit stable memory api used on a memory larger than 4GB")


@system_call("-> i32", "* s", only_32=True)
def stable_size(execution: Execution) -> int:
    _check_32(execution)
    return execution.stable.size // WASM_PAGE


@system_call("i32 -> i32", "* s", only_32=True)
def stable_grow(execution: Execution, new_pages: int) -> int:
    _check_32(execution)
    if execution.stable.size // WASM_PAGE + new_pages > _U32_PAGES:
        return -1
    return execution.stable.grow(new_pages)


@system_call("i32 i32 i32 ->", "* s", only_32=True)
def stable_write(execution: Execution, offset: int, src: int, size: int) -> None:
    _check_32(execution)
    stable64_write(execution, offset, src, size)


@system_call("i32 i32 i32 ->", "* s", only_32=True)
def stable_read(execution: Execution, dst: int, offset: int, size: int) -> None:
    _check_32(execution)
    stable64_read(execution, dst, offset, size)
