"""A minimal host for canister modules: enough of `ic0`, under wasmtime, to drive one instance."""

import ast
import functools
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import wasmtime

PAGE_SIZE = 65536
FUEL = 300_000_000_000
STACK_BYTES = 1 << 20  # the least that the runtime is made for; a node gives 5 MiB


class Trapped(Exception):
    """The canister called `ic0.trap`, or the engine stopped it. The host then rolls the message back."""


@dataclass
class OutgoingCall:
    """A call under construction, and then performed."""

    callee: bytes
    method: str
    reply: tuple[int, int]
    reject: tuple[int, int]
    cleanup: tuple[int, int] | None = None
    data: bytes = b""
    cycles: int = 0
    timeout: int | None = None


@dataclass
class Message:
    """What one execution sees and does."""

    arg: bytes = b""
    caller: bytes = b"\x04"
    reject_code: int = 0
    reject_message: str = ""
    cycles_available: int = 0
    cycles_refunded: int = 0
    method_name: str = ""
    certificate: bytes | None = None
    reply: bytes | None = None
    rejected: str | None = None
    accepted: bool = False
    calls: list[OutgoingCall] = field(default_factory=list)


@functools.cache
def engine() -> wasmtime.Engine:
    """One engine for all: compiled modules are cached on disk by wasmtime."""
    config = wasmtime.Config()
    config.cache = True
    config.consume_fuel = True
    config.max_wasm_stack = STACK_BYTES
    config.cranelift_nan_canonicalization = True
    return wasmtime.Engine(config)


@functools.lru_cache(maxsize=8)
def compiled(wasm: bytes) -> wasmtime.Module:
    return wasmtime.Module(engine(), wasm)


class Canister:
    """One instance of a module. `stable` is its stable memory, which upgrades hand on."""

    def __init__(self, wasm: bytes, stable: bytearray | None = None) -> None:
        self.wasm = wasm
        self.stable = bytearray() if stable is None else stable
        self.time = 1_700_000_000_000_000_000
        self.log: list[str] = []
        self.message = Message()
        self.timer = 0
        self.certified = b""
        self.controllers = {b"\x01controller"}
        self.environment = {"PUBLIC_CANISTER_ID:ledger": "aaaaa-aa", "größe": "8 MiB"}
        self.instructions = 0
        self._reply_data = b""
        self._call: OutgoingCall | None = None
        self._trap_message = ""
        self._instantiate()

    def _instantiate(self) -> None:
        self.store = wasmtime.Store(engine())
        linker = wasmtime.Linker(engine())
        module = compiled(self.wasm)
        for item in module.imports:
            assert item.module == "ic0" and item.name is not None and isinstance(item.type, wasmtime.FuncType)
            handler = getattr(self, f"ic0_{item.name}", None) or self._missing(item.name)
            linker.define(self.store, "ic0", item.name, wasmtime.Func(self.store, item.type, handler))
        self.instance = linker.instantiate(self.store, module)
        exports = self.instance.exports(self.store)
        memory = exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        self.memory = memory
        self.exports = exports

    @staticmethod
    def _missing(name: str) -> Callable[..., int]:
        def unexpected(*arguments: int) -> int:
            raise AssertionError(f"ic0.{name} is not part of the test host")

        return unexpected

    # Driving

    def run(self, export: str, message: Message | None = None) -> Message:
        """Execute an entry point. Raises Trapped with the trap's message."""
        function = self.exports[export]
        assert isinstance(function, wasmtime.Func)
        return self._execute(function, (), message or Message())

    def callback(self, target: tuple[int, int], message: Message | None = None) -> Message:
        """Execute a callback of an outgoing call."""
        table = self.exports["table"]
        assert isinstance(table, wasmtime.Table)
        function = table.get(self.store, target[0])
        assert isinstance(function, wasmtime.Func)
        return self._execute(function, (target[1],), message or Message())

    def update(self, method: str, arg: bytes = b"") -> bytes:
        """Execute an update method and answer its reply."""
        message = self.run(f"canister_update {method}", Message(arg=arg))
        assert message.reply is not None
        return message.reply

    def evaluate(self, source: str, message: Message | None = None) -> Any:
        """What `result` is after the test application (application.py) has executed `source`."""
        message = message or Message()
        message.arg = textwrap.dedent(source).encode()
        self.run("canister_update execute", message)
        assert message.reply is not None
        return ast.literal_eval(message.reply.decode())

    def upgraded(self, *, pre_upgrade: bool = True) -> "Canister":
        """Another instance over this one's stable memory, as an upgrade to the same module makes it."""
        if pre_upgrade:
            self.run("canister_pre_upgrade")
        new = Canister(self.wasm, bytearray(self.stable))
        new.run("canister_post_upgrade")
        return new

    def _execute(self, function: wasmtime.Func, arguments: Sequence[int], message: Message) -> Message:
        self.message, self._reply_data, self._call, self._trap_message = message, b"", None, ""
        heap, stable = self.memory.read(self.store), bytes(self.stable)
        self.store.set_fuel(FUEL)
        try:
            function(self.store, *arguments)
        except (wasmtime.Trap, wasmtime.WasmtimeError, Trapped) as error:
            self.instructions = FUEL - self.store.get_fuel()
            self._roll_back(heap, stable)
            raise Trapped(self._trap_message or str(error)) from None
        self.instructions = FUEL - self.store.get_fuel()
        return message

    def _roll_back(self, heap: bytearray, stable: bytes) -> None:
        """As a node does after a trap: everything as before the message, in a fresh instance."""
        self.stable[:] = stable
        self._instantiate()
        self.memory.grow(self.store, len(heap) // PAGE_SIZE - self.memory.size(self.store))
        self.memory.write(self.store, heap)

    # Memory

    def _read(self, source: int, size: int) -> bytes:
        source, size = source & 0xFFFFFFFF, size & 0xFFFFFFFF
        return bytes(self.memory.read(self.store, source, source + size))

    def _write(self, target: int, data: bytes) -> None:
        self.memory.write(self.store, data, target & 0xFFFFFFFF)

    def _copy(self, blob: bytes, target: int, offset: int, size: int) -> None:
        assert offset + size <= len(blob)
        self._write(target, blob[offset : offset + size])

    # Message

    def ic0_msg_arg_data_size(self) -> int:
        return len(self.message.arg)

    def ic0_msg_arg_data_copy(self, target: int, offset: int, size: int) -> None:
        self._copy(self.message.arg, target, offset, size)

    def ic0_msg_caller_size(self) -> int:
        return len(self.message.caller)

    def ic0_msg_caller_copy(self, target: int, offset: int, size: int) -> None:
        self._copy(self.message.caller, target, offset, size)

    def ic0_msg_reject_code(self) -> int:
        return self.message.reject_code

    def ic0_msg_reject_msg_size(self) -> int:
        return len(self.message.reject_message.encode())

    def ic0_msg_reject_msg_copy(self, target: int, offset: int, size: int) -> None:
        self._copy(self.message.reject_message.encode(), target, offset, size)

    def ic0_msg_method_name_size(self) -> int:
        return len(self.message.method_name.encode())

    def ic0_msg_method_name_copy(self, target: int, offset: int, size: int) -> None:
        self._copy(self.message.method_name.encode(), target, offset, size)

    def ic0_accept_message(self) -> None:
        self.message.accepted = True

    def ic0_msg_deadline(self) -> int:
        return 0

    def ic0_msg_reply_data_append(self, source: int, size: int) -> None:
        self._reply_data += self._read(source, size)

    def ic0_msg_reply(self) -> None:
        assert self.message.reply is None and self.message.rejected is None
        self.message.reply = self._reply_data

    def ic0_msg_reject(self, source: int, size: int) -> None:
        self.message.rejected = self._read(source, size).decode()

    # Cycles

    def _amount(self, target: int, amount: int) -> None:
        self._write(target, amount.to_bytes(16, "little"))

    @staticmethod
    def _joined(high: int, low: int) -> int:
        return (high & (2**64 - 1)) << 64 | low & (2**64 - 1)

    def ic0_msg_cycles_available128(self, target: int) -> None:
        self._amount(target, self.message.cycles_available)

    def ic0_msg_cycles_refunded128(self, target: int) -> None:
        self._amount(target, self.message.cycles_refunded)

    def ic0_msg_cycles_accept128(self, high: int, low: int, target: int) -> None:
        taken = min(self._joined(high, low), self.message.cycles_available)
        self.message.cycles_available -= taken
        self._amount(target, taken)

    def ic0_canister_cycle_balance128(self, target: int) -> None:
        self._amount(target, 3 * 10**21)

    def ic0_canister_liquid_cycle_balance128(self, target: int) -> None:
        self._amount(target, 2 * 10**21)

    def ic0_cycles_burn128(self, high: int, low: int, target: int) -> None:
        self._amount(target, min(self._joined(high, low), 10**21))

    # Costs: any rule that shows which arguments arrived

    def ic0_cost_call(self, name_size: int, payload_size: int, target: int) -> None:
        self._amount(target, 2**64 + 1_000 * name_size + payload_size)

    def ic0_cost_create_canister(self, target: int) -> None:
        self._amount(target, 500 * 10**9)

    def ic0_cost_http_request(self, request_size: int, max_response_bytes: int, target: int) -> None:
        self._amount(target, 10_000 * request_size + max_response_bytes)

    def ic0_cost_http_request_v2(self, source: int, size: int, target: int) -> None:
        self._amount(target, int.from_bytes(self._read(source, size), "big"))

    def _key_cost(self, name: bytes, algorithm: int, target: int) -> int:
        if algorithm > 0:
            return 1
        if name != b"key_1":
            return 2
        self._amount(target, 26 * 10**9)
        return 0

    def ic0_cost_sign_with_ecdsa(self, source: int, size: int, curve: int, target: int) -> int:
        return self._key_cost(self._read(source, size), curve, target)

    ic0_cost_sign_with_schnorr = ic0_cost_sign_with_ecdsa
    ic0_cost_vetkd_derive_key = ic0_cost_sign_with_ecdsa

    # Environment variables

    def ic0_env_var_count(self) -> int:
        return len(self.environment)

    def _variable(self, index: int) -> bytes:
        return list(self.environment)[index].encode()

    def ic0_env_var_name_size(self, index: int) -> int:
        return len(self._variable(index))

    def ic0_env_var_name_copy(self, index: int, target: int, offset: int, size: int) -> None:
        self._copy(self._variable(index), target, offset, size)

    def ic0_env_var_name_exists(self, source: int, size: int) -> int:
        return int(self._read(source, size).decode() in self.environment)

    def ic0_env_var_value_size(self, source: int, size: int) -> int:
        return len(self.environment[self._read(source, size).decode()].encode())

    def ic0_env_var_value_copy(
        self, source: int, size: int, target: int, offset: int, value_size: int
    ) -> None:
        value = self.environment[self._read(source, size).decode()].encode()
        self._copy(value, target, offset, value_size)

    # Canister

    def ic0_subnet_self_node_count(self) -> int:
        return 13

    def ic0_root_key_size(self) -> int:
        return 133

    def ic0_root_key_copy(self, target: int, offset: int, size: int) -> None:
        self._copy(bytes(132) + b"k", target, offset, size)

    def ic0_msg_caller_info_data_size(self) -> int:
        return 4

    def ic0_msg_caller_info_data_copy(self, target: int, offset: int, size: int) -> None:
        self._copy(b"data", target, offset, size)

    def ic0_msg_caller_info_signer_size(self) -> int:
        return 0

    def ic0_msg_caller_info_signer_copy(self, target: int, offset: int, size: int) -> None:
        self._copy(b"", target, offset, size)

    def ic0_canister_self_size(self) -> int:
        return 10

    def ic0_canister_self_copy(self, target: int, offset: int, size: int) -> None:
        self._copy(bytes(8) + b"\x01\x01", target, offset, size)

    def ic0_subnet_self_size(self) -> int:
        return 29

    def ic0_subnet_self_copy(self, target: int, offset: int, size: int) -> None:
        self._copy(bytes(28) + b"\x02", target, offset, size)

    def ic0_canister_status(self) -> int:
        return 1

    def ic0_canister_version(self) -> int:
        return 7

    def ic0_is_controller(self, source: int, size: int) -> int:
        return int(self._read(source, size) in self.controllers)

    def ic0_in_replicated_execution(self) -> int:
        return 1

    def ic0_time(self) -> int:
        return self.time

    def ic0_global_timer_set(self, timestamp: int) -> int:
        former, self.timer = self.timer, timestamp
        return former

    def ic0_performance_counter(self, kind: int) -> int:
        return FUEL - self.store.get_fuel()

    def ic0_certified_data_set(self, source: int, size: int) -> None:
        self.certified = self._read(source, size)

    def ic0_data_certificate_present(self) -> int:
        return int(self.message.certificate is not None)

    def ic0_data_certificate_size(self) -> int:
        return len(self.message.certificate or b"")

    def ic0_data_certificate_copy(self, target: int, offset: int, size: int) -> None:
        self._copy(self.message.certificate or b"", target, offset, size)

    # Diagnosis

    def ic0_debug_print(self, source: int, size: int) -> None:
        self.log.append(self._read(source, size).decode())

    def ic0_trap(self, source: int, size: int) -> None:
        self._trap_message = self._read(source, size).decode()
        raise Trapped(self._trap_message)

    # Calls

    def ic0_call_new(self, callee: int, callee_size: int, name: int, name_size: int, *callbacks: int) -> None:
        reply_fun, reply_env, reject_fun, reject_env = callbacks
        self._call = OutgoingCall(
            self._read(callee, callee_size),
            self._read(name, name_size).decode(),
            (reply_fun, reply_env),
            (reject_fun, reject_env),
        )

    def ic0_call_on_cleanup(self, function: int, environment: int) -> None:
        assert self._call is not None
        self._call.cleanup = (function, environment)

    def ic0_call_data_append(self, source: int, size: int) -> None:
        assert self._call is not None
        self._call.data += self._read(source, size)

    def ic0_call_cycles_add128(self, high: int, low: int) -> None:
        assert self._call is not None
        self._call.cycles += self._joined(high, low)

    def ic0_call_with_best_effort_response(self, timeout: int) -> None:
        assert self._call is not None
        self._call.timeout = timeout

    def ic0_call_perform(self) -> int:
        assert self._call is not None
        self.message.calls.append(self._call)
        self._call = None
        return 0

    # Stable memory

    def ic0_stable64_size(self) -> int:
        return len(self.stable) // PAGE_SIZE

    def ic0_stable64_grow(self, pages: int) -> int:
        former = len(self.stable) // PAGE_SIZE
        self.stable += bytes(pages * PAGE_SIZE)
        return former

    def ic0_stable64_read(self, target: int, offset: int, size: int) -> None:
        assert offset + size <= len(self.stable)
        self._write(target, bytes(self.stable[offset : offset + size]))

    def ic0_stable64_write(self, offset: int, source: int, size: int) -> None:
        assert offset + size <= len(self.stable)
        self.stable[offset : offset + size] = self._read(source, size)
