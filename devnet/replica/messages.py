"""Messages, call contexts and callbacks: what waits between two executions.

Source: IC interface specification, "Abstract behavior". All of it is plain data that a state folder can hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from devnet.replica.api import NO_SENDER_INFO, Reject, SenderInfo


@dataclass(frozen=True)
class FromUser:
    """A call that came as an ingress message."""

    request_id: bytes
    sender_info: SenderInfo = NO_SENDER_INFO


@dataclass(frozen=True)
class FromCanister:
    """A call by a canister; `deadline` in ns, 0 without one."""

    canister_id: bytes
    callback_id: int
    deadline: int


@dataclass(frozen=True)
class FromSystem:
    """A timer, heartbeat or hook: nobody waits for an answer."""


Origin = FromUser | FromCanister | FromSystem


@dataclass(frozen=True)
class Call:
    """A call on its way to its callee. `cycles` travel with it."""

    origin: Origin
    caller: bytes
    callee: bytes
    method: str
    arg: bytes
    cycles: int = 0
    effective_canister_id: bytes = b""


@dataclass(frozen=True)
class StopRequest:
    """A call of `stop_canister` that waits for the canister to stop, until `deadline` (ns)."""

    call: Call
    deadline: int


@dataclass(frozen=True)
class PendingOutcall:
    """A call of `http_request` that waits for its response.

    Args:
        call: without its argument.
        held: attached cycles that are not spent yet.
    """

    call: Call
    held: int


@dataclass(frozen=True)
class Response:
    """An answer on its way to the canister that called, with the cycles that were not accepted."""

    callback_id: int
    result: bytes | Reject
    refund: int


class TaskKind(IntEnum):
    """System tasks; values are stored."""

    GLOBAL_TIMER = 0
    HEARTBEAT = 1
    LOW_WASM_MEMORY = 2

    @property
    def export(self) -> str:
        """Entry point of the task."""
        return {
            TaskKind.GLOBAL_TIMER: "canister_global_timer",
            TaskKind.HEARTBEAT: "canister_heartbeat",
            TaskKind.LOW_WASM_MEMORY: "canister_on_low_wasm_memory",
        }[self]


@dataclass(frozen=True)
class Task:
    """A system task that is due."""

    kind: TaskKind


Message = Call | Response | Task


@dataclass
class CallContext:
    """A call that a canister is working on.

    Args:
        cycles: came with the call and are not accepted yet.
        outstanding: calls made on its behalf whose responses have not been processed.
        instructions: executed for it so far.
    """

    id: int
    origin: Origin
    caller: bytes
    method: str
    cycles: int
    responded: bool = False
    outstanding: int = 0
    instructions: int = 0

    @property
    def sender_info(self) -> SenderInfo:
        return self.origin.sender_info if isinstance(self.origin, FromUser) else NO_SENDER_INFO

    @property
    def deadline(self) -> int:
        return self.origin.deadline if isinstance(self.origin, FromCanister) else 0


@dataclass(frozen=True)
class Closure:
    """A function of the canister's table and the value passed to it."""

    function: int
    environment: int


@dataclass(frozen=True)
class Callback:
    """What to run when a response arrives.

    Args:
        cycles_sent: with the call.
        reserved: cycles set aside for the response and its execution.
        deadline: for calls with best-effort response; ns, 0 without one.
    """

    context_id: int
    callee: bytes
    method: str
    on_reply: Closure
    on_reject: Closure
    on_cleanup: Closure | None
    cycles_sent: int
    reserved: int
    deadline: int


@dataclass(frozen=True)
class OutgoingCall:
    """A call made by the execution in progress; sent if that succeeds."""

    callee: bytes
    method: str
    arg: bytes
    cycles: int
    on_reply: Closure
    on_reject: Closure
    on_cleanup: Closure | None
    reserved: int
    deadline: int
