"""Connects the table of system calls to wasmtime.

One callback per system call, generated for its exact type: unrolled argument access is most of what a call
costs, and storage engines over stable memory make many calls.
"""

from __future__ import annotations

from typing import Any

import wasmtime

from devnet.replica.execution import CHARGE_INTERVAL, ContractViolation, Execution
from devnet.replica.system_api import calls, costs, cycles, environment, responses, storage
from devnet.replica.system_api.modes import EVERYWHERE, MODE_NAMES, Mode
from devnet.replica.system_api.table import SYSTEM_CALLS, SystemCall
from devnet.replica.wasm import native

GROUPS = (calls, costs, cycles, environment, responses, storage)
"""The modules whose import fills the table."""

OVERHEAD = 500
"""Instructions that a system call counts besides those for the bytes it moves."""

OVERHEADS = {
    "call_new": 1_500,
    "call_perform": 5_000,
    "cycles_burn128": 100,
    "debug_print": 100,
    "is_controller": 1_000,
    "performance_counter": 200,
    **dict.fromkeys(("stable_grow", "stable64_grow"), 100),
    **dict.fromkeys(("stable_read", "stable_size", "stable_write"), 20),
    **dict.fromkeys(("stable64_read", "stable64_size", "stable64_write"), 20),
}
"""Those that count differently. Source: the replica's `system_api_complexity` (embedders crate)."""

_VALUE_TYPES = {"i32": wasmtime.ValType.i32, "i64": wasmtime.ValType.i64}

_TEMPLATE = """
def callback(environment, caller, values, count):
    execution = host.execution
    try:
        {check}
        execution.host_instructions += {cost}
        if execution.host_instructions > {interval}:
            execution.charge(0)
        {store}implementation(execution{arguments})
    except BaseException as error:
        return execution.instance.fail(error)
    return 0
"""


class Host:
    """Where the callbacks find the execution in progress."""

    def __init__(self) -> None:
        self.execution: Execution | None = None
        self._callbacks: list[Any] = []

    def make_linker(self, engine: wasmtime.Engine, pointer: str) -> wasmtime.Linker:
        """A linker with the system API for modules whose pointers are of type `pointer`."""
        linker = wasmtime.Linker(engine)
        for call in SYSTEM_CALLS.values():
            if pointer == "i32" or not call.only_32:
                self._define(linker, call, pointer)
        return linker

    def _define(self, linker: wasmtime.Linker, call: SystemCall, pointer: str) -> None:
        parameters, results = ([pointer if kind == "I" else kind for kind in side] for side in call.type)
        signature = wasmtime.FuncType(
            [_VALUE_TYPES[kind]() for kind in parameters], [_VALUE_TYPES[kind]() for kind in results]
        )
        callback = native.RAW_CALLBACK(self._callback(call, parameters))
        self._callbacks.append(callback)
        name = call.name.encode()
        error = native.define_raw(
            linker.ptr(), b"ic0", 3, name, len(name), signature.ptr(), callback, None, None
        )
        if error:
            raise RuntimeError(f"cannot define ic0.{call.name}: {native.take_error(error)}")

    def _callback(self, call: SystemCall, parameters: list[str]) -> Any:
        everywhere = call.modes & EVERYWHERE == EVERYWHERE and call.modes & Mode.s
        arguments = "".join(
            f", values[{at * native.RAW_VALUE_WORDS}]" + (" & 0xFFFFFFFF" if kind == "i32" else "")
            for at, kind in enumerate(parameters)
        )
        source = _TEMPLATE.format(
            check="pass" if everywhere else f"execution.mode & {int(call.modes)} or violate(execution)",
            cost=OVERHEADS.get(call.name, OVERHEAD),
            interval=CHARGE_INTERVAL,
            store="values[0] = " if call.type[1] else "",
            arguments=arguments,
        )

        def violate(execution: Execution) -> None:
            mode = MODE_NAMES[Mode(execution.mode)]
            raise ContractViolation(f'"ic0.{call.name}" cannot be executed in {mode} mode')

        scope = {"host": self, "implementation": call.implementation, "violate": violate}
        exec(source, scope)
        return scope["callback"]
