"""The table of system calls: name, type, allowed modes, implementation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from devnet.replica.system_api.modes import Mode, parse_modes
from devnet.replica.wasm.declarations import FunctionType

Implementation = Callable[..., Any]


@dataclass(frozen=True)
class SystemCall:
    """One function of `ic0`.

    Args:
        type: parameters and results; `"I"` is the pointer type.
        only_32: not offered to modules with 64-bit memory.
        implementation: takes the `Execution` and the parameters as unsigned integers.
    """

    name: str
    type: FunctionType
    modes: Mode
    only_32: bool
    implementation: Implementation


SYSTEM_CALLS: dict[str, SystemCall] = {}


def system_call(
    signature: str, modes: str, *, only_32: bool = False
) -> Callable[[Implementation], Implementation]:
    """Register the decorated function under its own name.

    Args:
        signature: e.g. `"I I I -> i32"`, or `"-> I"`.
        modes: as in the specification, e.g. `"U CQ Ry Rt CRy CRt"`.
    """
    parameters, _, results = signature.partition("->")

    def register(function: Implementation) -> Implementation:
        name = function.__name__
        kind = (tuple(parameters.split()), tuple(results.split()))
        SYSTEM_CALLS[name] = SystemCall(name, kind, parse_modes(modes), only_32, function)
        return function

    return register


def function_types() -> dict[str, dict[str, FunctionType]]:
    """By the pointer type of a module, then by name: the functions it may import, for module validation."""
    return {
        pointer: {
            name: _with_pointer(call.type, pointer)
            for name, call in SYSTEM_CALLS.items()
            if pointer == "i32" or not call.only_32
        }
        for pointer in ("i32", "i64")
    }


def _with_pointer(kind: FunctionType, pointer: str) -> FunctionType:
    parameters, results = (tuple(pointer if value == "I" else value for value in side) for side in kind)
    return parameters, results
