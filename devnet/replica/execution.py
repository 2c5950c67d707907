"""The state of one message's execution: what system calls read and change before anything is committed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from devnet.replica.api import NO_SENDER_INFO, Limits, Reject
from devnet.replica.messages import Closure, OutgoingCall
from devnet.replica.stable_memory import StableMemory
from devnet.replica.wasm.instance import Instance, OutOfInstructions, WasmTrap

if TYPE_CHECKING:
    from devnet.replica.canister import Canister

CHARGE_INTERVAL = 10_000_000
"""Host instructions are taken from the instance's fuel in steps of this many: each step costs two C calls."""


class ContractViolation(WasmTrap):
    """A system call with arguments or at a time that the interface does not allow."""


class CalledTrap(WasmTrap):
    """The canister called `ic0.trap`; the message is the canister's."""


class PendingCall:
    """A call under construction, between `call_new` and `call_perform`."""

    __slots__ = ("arg", "callee", "cycles", "method", "on_cleanup", "on_reject", "on_reply", "timeout")

    def __init__(self, callee: bytes, method: str, on_reply: Closure, on_reject: Closure) -> None:
        self.callee = callee
        self.method = method
        self.on_reply = on_reply
        self.on_reject = on_reject
        self.on_cleanup: Closure | None = None
        self.arg = bytearray()
        self.cycles = 0
        self.timeout: int | None = None


class Execution:
    """One entry point's run.

    Everything a message may change outside of Wasm and stable memory is collected here and applied by the
    caller only if the run succeeds. System calls read the attributes all the time, hence the slots.

    Args:
        mode: the `Mode` bit, as a plain int.
        balance: cycles that may be spent; what was set aside for execution is already taken off.
        frozen: cycles that must stay in the balance (freezing threshold).
        available: cycles that came with the call and are not accepted yet.
        must_respond: whether the call still waits for an answer.
    """

    __slots__ = (
        "_certificate",
        "accepted",
        "arg",
        "available",
        "balance",
        "base",
        "burned",
        "caller",
        "calls",
        "canister",
        "certified_data",
        "context_instructions",
        "data_certificate",
        "deadline",
        "frozen",
        "global_timer",
        "host_instructions",
        "instance",
        "limit",
        "limits",
        "log",
        "memory_size",
        "method",
        "mode",
        "must_respond",
        "now",
        "pending",
        "refunded",
        "reject",
        "replicated",
        "reply_data",
        "reply_limit",
        "response",
        "root_key",
        "sender_info",
        "stable",
        "subnet_id",
        "transmission",
    )

    def __init__(
        self,
        *,
        canister: Canister,
        mode: int,
        caller: bytes,
        arg: bytes,
        now: int,
        limits: Limits,
        subnet_id: bytes,
        root_key: bytes,
        instruction_limit: int,
    ) -> None:
        self.canister = canister
        self.mode = mode
        self.caller = caller
        self.arg = arg
        self.now = now
        self.limits = limits
        self.subnet_id = subnet_id
        self.root_key = root_key
        self.method = ""
        self.sender_info = NO_SENDER_INFO
        self.replicated = True
        self.reject: Reject | None = None
        self.deadline = 0
        self.context_instructions = 0
        self.data_certificate: Callable[[], bytes] | None = None
        self._certificate: bytes | None = None
        self.balance = canister.cycles
        self.frozen = 0
        self.available = 0
        self.refunded = 0
        self.burned = 0
        self.transmission = 0
        self.must_respond = False
        self.reply_limit = limits.reply_bytes
        self.reply_data = bytearray()
        self.response: bytes | Reject | None = None
        self.pending: PendingCall | None = None
        self.calls: list[OutgoingCall] = []
        self.certified_data: bytes | None = None
        self.global_timer: int | None = None
        self.accepted = False
        self.log: list[bytes] = []
        self.stable: StableMemory = canister.stable
        self.host_instructions = 0
        self.limit = instruction_limit
        self.instance: Instance
        self.base = 0
        self.memory_size = 0

    def enter(self, instance: Instance) -> None:
        """Bind to the instance that is about to run, and give it its instructions."""
        self.instance = instance
        self.base = instance.base
        self.memory_size = instance.heap_size
        instance.set_instructions(self.limit)

    def instructions(self) -> int:
        """Executed so far, host calls included."""
        return self.limit - self.instance.instructions_left() + self.host_instructions

    def charge(self, instructions: int) -> None:
        """Charge work done by the host.

        Raises:
            OutOfInstructions: the limit is exceeded.
        """
        self.host_instructions += instructions
        if self.host_instructions > CHARGE_INTERVAL:
            left = self.instance.instructions_left() - self.host_instructions
            if left < 0:
                raise OutOfInstructions("instruction limit exceeded")
            self.instance.set_instructions(left)
            self.host_instructions = 0

    def address(self, pointer: int, size: int) -> int:
        """Host address of a range of Wasm memory.

        Raises:
            WasmTrap: the range is outside of the memory.
        """
        if pointer + size > self.memory_size:
            self.memory_size = self.instance.heap_size
            if pointer + size > self.memory_size:
                raise WasmTrap("heap out of bounds")
        return self.base + pointer

    def certificate(self) -> bytes | None:
        """The data certificate, made at its first use."""
        if self._certificate is None and self.data_certificate is not None:
            self._certificate = self.data_certificate()
        return self._certificate

    @property
    def liquid(self) -> int:
        """Cycles that may be spent without freezing the canister."""
        return max(0, self.balance - self.frozen)

    @property
    def environment_variables(self) -> Mapping[str, str]:
        return self.canister.settings.environment_variables
