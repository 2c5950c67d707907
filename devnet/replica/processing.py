"""Executes one message of a canister and applies its effects.

Source: IC interface specification, "Abstract behavior". A message that fails changes nothing
but the cycles it used, its canister's log, and the fate of the call it belongs to.
"""

from __future__ import annotations

from devnet.principal import MANAGEMENT_CANISTER
from devnet.replica import prices, rejects
from devnet.replica.api import Reject
from devnet.replica.canister import Canister, Code, Status
from devnet.replica.execution import Execution
from devnet.replica.executor import Executor
from devnet.replica.messages import (
    Call,
    Callback,
    CallContext,
    Closure,
    FromCanister,
    FromSystem,
    FromUser,
    Response,
    Task,
    TaskKind,
)
from devnet.replica.subnet import Subnet
from devnet.replica.system_api.modes import Mode

_HEAP_32 = 1 << 32


class Processor:
    """Runs queued messages."""

    def __init__(self, subnet: Subnet, executor: Executor) -> None:
        self._subnet = subnet
        self._executor = executor

    def process_next(self, canister: Canister) -> None:
        """Take the canister's next message and execute it."""
        message = canister.queue.popleft()
        if isinstance(message, Call):
            self._call(canister, message)
        elif isinstance(message, Response):
            self._response(canister, message)
        else:
            self._task(canister, message)

    def refusal(self, canister: Canister, method: str) -> Reject | None:
        """Why a canister cannot take a call of this method now; None if it can."""
        if canister.status is Status.STOPPED:
            return rejects.stopped(canister.id)
        if canister.status is Status.STOPPING:
            return rejects.stopping(canister.id)
        if canister.code is None:
            return rejects.no_module(canister.id)
        missing = self._reservation() + canister.freezing_limit - canister.cycles
        if missing > 0:
            return rejects.out_of_cycles(canister.id, missing)
        exports = canister.code.exports
        if f"canister_update {method}" in exports or f"canister_query {method}" in exports:
            return None
        if f"canister_composite_query {method}" in exports:
            return rejects.composite_in_replicated_mode(method)
        return rejects.method_not_found(canister.id, "update", method)

    def _call(self, canister: Canister, call: Call) -> None:
        refusal = self.refusal(canister, call.method)
        if refusal is None and isinstance(call.origin, FromCanister):
            refusal = self._too_few_cycles(canister, call)
        if isinstance(call.origin, FromUser) and self._expired(call.origin):
            refusal = rejects.ingress_expired(canister.id)
        if refusal is not None:
            self._subnet.respond(call.origin, refusal, call.cycles)
            return
        if isinstance(call.origin, FromUser):
            self._subnet.ingress.processing(call.origin.request_id)
        assert canister.code is not None
        update = f"canister_update {call.method}"
        mode, export = Mode.U, update
        if update not in canister.code.exports:
            mode, export = Mode.RQ, f"canister_query {call.method}"
        context = canister.open_context(call.origin, call.caller, call.method, call.cycles)
        execution = self._prepare(canister, mode, context, call.arg)
        failure = self._run(canister, context, execution, export)
        self._conclude(canister, context, failure)

    def _expired(self, origin: FromUser) -> bool:
        return self._subnet.ingress.expired(origin.request_id, self._subnet.now())

    def _too_few_cycles(self, canister: Canister, call: Call) -> Reject | None:
        wanted = canister.settings.minimum_incoming_canister_call_cycles
        if call.cycles >= wanted or call.caller == canister.id:
            return None
        return rejects.insufficient_cycles(
            f"The call carries {call.cycles} cycles, at least {wanted} are needed."
        )

    def _response(self, canister: Canister, response: Response) -> None:
        callback = canister.take_callback(response.callback_id)
        canister.cycles += response.refund
        if callback is None:
            return
        canister.cycles += callback.reserved
        canister.pay("request_and_response_transmission", _transmission(response))
        context = canister.contexts[callback.context_id]
        context.outstanding -= 1
        failure = None
        if canister.code is not None:
            failure = self._callback(canister, context, callback, response)
        self._conclude(canister, context, failure)

    def _callback(
        self, canister: Canister, context: CallContext, callback: Callback, response: Response
    ) -> Reject | None:
        if isinstance(response.result, Reject):
            execution = self._prepare(canister, Mode.Rt, context, b"")
            execution.reject = response.result
            closure = callback.on_reject
        else:
            execution = self._prepare(canister, Mode.Ry, context, response.result)
            closure = callback.on_reply
        execution.refunded = response.refund
        failure = self._run(canister, context, execution, closure)
        if failure is not None and callback.on_cleanup is not None:
            cleanup = self._prepare(canister, Mode.C, context, b"")
            cleanup.reject = execution.reject
            self._run(canister, context, cleanup, callback.on_cleanup)
        return failure

    def _task(self, canister: Canister, task: Task) -> None:
        code = canister.code
        if canister.status is not Status.RUNNING or code is None or task.kind.export not in code.exports:
            return
        if canister.cycles < self._reservation() + canister.freezing_limit:
            return
        context = canister.open_context(FromSystem(), MANAGEMENT_CANISTER, task.kind.export, 0)
        execution = self._prepare(canister, Mode.T, context, b"")
        self._run(canister, context, execution, task.kind.export)
        self._conclude(canister, context, None)

    def _reservation(self) -> int:
        return prices.execution(self._executor.limits.update_instructions)

    def _prepare(self, canister: Canister, mode: Mode, context: CallContext, arg: bytes) -> Execution:
        limit = self._executor.limits.update_instructions
        execution = self._executor.prepare(canister, mode, context.caller, arg, self._subnet.now(), limit)
        execution.balance = max(0, canister.cycles - self._reservation())
        execution.frozen = canister.freezing_limit
        execution.available = context.cycles
        execution.must_respond = not context.responded and not isinstance(context.origin, FromSystem)
        execution.deadline = 0 if mode is Mode.RQ else context.deadline
        execution.context_instructions = context.instructions
        execution.method = context.method
        execution.sender_info = context.sender_info
        return execution

    def _run(
        self, canister: Canister, context: CallContext, execution: Execution, entry: str | Closure
    ) -> Reject | None:
        assert canister.code is not None
        code, before = canister.code, execution.balance
        failure = self._executor.run(execution, code, entry)
        used = min(execution.instructions(), execution.limit)
        context.instructions += used
        if failure is None:
            canister.cycles += execution.balance - before
            self._commit(canister, code, context, execution)
        else:
            code.discard_instance()
            canister.stable.rollback()
        canister.pay("instructions", prices.execution(used))
        return failure

    def _commit(self, canister: Canister, code: Code, context: CallContext, execution: Execution) -> None:
        context.cycles = execution.available
        if execution.mode == Mode.RQ:
            code.rollback()
            canister.stable.rollback()
        else:
            code.commit()
            canister.stable.commit()
        canister.version += 1
        canister.consumed.request_and_response_transmission += execution.transmission
        canister.consumed.burned_cycles += execution.burned
        if execution.certified_data is not None:
            canister.certified_data = execution.certified_data
        if execution.global_timer is not None:
            canister.global_timer = execution.global_timer
        self._send_calls(canister, context, execution)
        if execution.response is not None:
            context.responded = True
            refund, context.cycles = context.cycles, 0
            self._subnet.respond(context.origin, execution.response, refund)
        self._check_low_memory(canister, code)

    def _check_low_memory(self, canister: Canister, code: Code) -> None:
        """Schedule `canister_on_low_wasm_memory` when the free heap falls below the threshold."""
        threshold = canister.settings.wasm_memory_threshold
        if not threshold:
            return
        limit = canister.settings.wasm_memory_limit or _HEAP_32
        if limit - code.heap.size >= threshold:
            canister.low_memory_fired = False
        elif not canister.low_memory_fired:
            canister.low_memory_fired = True
            self._subnet.enqueue_first(canister, Task(TaskKind.LOW_WASM_MEMORY))

    def _send_calls(self, canister: Canister, context: CallContext, execution: Execution) -> None:
        for call in execution.calls:
            callback = Callback(
                context.id,
                call.callee,
                call.method,
                call.on_reply,
                call.on_reject,
                call.on_cleanup,
                call.cycles,
                call.reserved,
                call.deadline,
            )
            identifier = canister.register_callback(callback)
            if call.deadline:
                self._subnet.register_deadline(call.deadline, canister, identifier)
            origin = FromCanister(canister.id, identifier, call.deadline)
            self._subnet.send(Call(origin, canister.id, call.callee, call.method, call.arg, call.cycles))

    def _conclude(self, canister: Canister, context: CallContext, failure: Reject | None) -> None:
        """Answer for the canister if nothing else will; close the context; let a stopping canister stop."""
        if context.outstanding == 0:
            if not context.responded and not isinstance(context.origin, FromSystem):
                reject = failure or rejects.did_not_reply(canister.id)
                self._subnet.respond(context.origin, reject, context.cycles)
            canister.contexts.pop(context.id, None)
        self.finish_stopping(canister)

    def finish_stopping(self, canister: Canister) -> None:
        """Turn a stopping canister without open calls into a stopped one."""
        if canister.status is Status.STOPPING and not canister.contexts:
            canister.status = Status.STOPPED
            canister.version += 1
            waiters, canister.stop_waiters = canister.stop_waiters, []
            for waiter in waiters:
                self._subnet.respond(waiter.call.origin, EMPTY_CANDID, waiter.call.cycles)

    def expire_stop_requests(self, now: int) -> None:
        """Reject those that have waited long enough; their canisters go on stopping."""
        for canister in self._subnet.canisters.values():
            late = [waiter for waiter in canister.stop_waiters if waiter.deadline <= now]
            for waiter in late:
                canister.stop_waiters.remove(waiter)
                self._subnet.respond(
                    waiter.call.origin, rejects.stop_timed_out(canister.id), waiter.call.cycles
                )


EMPTY_CANDID = b"DIDL\0\0"
"""The Candid encoding of no values."""


def _transmission(response: Response) -> int:
    result = response.result
    size = len(result.message.encode()) if isinstance(result, Reject) else len(result)
    return prices.response_transmission(size)
