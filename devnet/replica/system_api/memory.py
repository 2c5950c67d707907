"""Moving bytes between the host and Wasm memory."""

from __future__ import annotations

from devnet.replica.execution import ContractViolation, Execution
from devnet.replica.wasm.address_space import copy_bytes, read_bytes
from devnet.replica.wasm.instance import WasmTrap


def copy_out(execution: Execution, data: bytes, pointer: int, offset: int, size: int) -> None:
    """Copy `data[offset:offset + size]` to Wasm memory.

    Raises:
        ContractViolation: the slice runs past the data.
        WasmTrap: the destination lies outside of the memory.
    """
    if offset + size > len(data):
        raise ContractViolation(
            f"Out of bounds read of {size} bytes at offset {offset} of a value of {len(data)} bytes."
        )
    address = execution.address(pointer, size)
    execution.charge(size)
    copy_bytes(address, data[offset : offset + size] if offset or size < len(data) else data, size)


def read(execution: Execution, pointer: int, size: int) -> bytes:
    """Bytes of Wasm memory.

    Raises:
        WasmTrap: the source lies outside of the memory.
    """
    address = execution.address(pointer, size)
    execution.charge(size)
    return read_bytes(address, size)


def read_text(execution: Execution, pointer: int, size: int, what: str) -> str:
    """UTF-8 text from Wasm memory.

    Raises:
        ContractViolation: it is not UTF-8.
    """
    try:
        return read(execution, pointer, size).decode()
    except UnicodeDecodeError as error:
        raise ContractViolation(f"{what} is not valid UTF-8") from error


def read_leniently(execution: Execution, pointer: int, size: int, most: int) -> bytes:
    """At most `most` bytes; a note instead of data from outside of the memory."""
    try:
        return read(execution, pointer, min(size, most))
    except WasmTrap:
        return b"(message out of memory bounds)"


def write_u128(execution: Execution, pointer: int, value: int) -> None:
    """16 bytes, little-endian."""
    copy_bytes(execution.address(pointer, 16), value.to_bytes(16, "little"), 16)
