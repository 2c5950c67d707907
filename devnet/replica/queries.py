"""Query calls: executed on the committed state, which they never change.

Source: IC interface specification, "Query call" and "Composite queries".
"""

from __future__ import annotations

from collections.abc import Callable

from devnet.principal import MANAGEMENT_CANISTER
from devnet.replica import rejects
from devnet.replica.api import Query, Reject
from devnet.replica.canister import Canister, Status
from devnet.replica.execution import Execution
from devnet.replica.executor import Executor
from devnet.replica.messages import Call, FromUser, OutgoingCall
from devnet.replica.subnet import Subnet
from devnet.replica.system_api.modes import Mode

_MAX_DEPTH = 6

ManagementQuery = Callable[[Query], bytes]


class QueryRunner:
    """Answers queries on behalf of users.

    Args:
        management: answers queries of the management canister.
    """

    def __init__(self, subnet: Subnet, executor: Executor, management: ManagementQuery) -> None:
        self._subnet = subnet
        self._executor = executor
        self._management = management

    def query(self, query: Query) -> bytes:
        """Reply of a query or composite query.

        Raises:
            Reject: the canister rejected or failed, or cannot be asked.
        """
        run = _QueryRun(self._subnet, self._executor, query, self._management)
        result = run.answer(query.canister_id, query.sender, query.method, query.arg, ())
        canister = self._subnet.canisters.get(query.canister_id)
        if canister is not None:
            answer = result.message.encode() if isinstance(result, Reject) else result
            stats = canister.query_stats
            stats.calls += 1
            stats.instructions += run.used
            stats.request_bytes += len(query.arg)
            stats.response_bytes += len(answer)
        if isinstance(result, Reject):
            raise result
        return result

    def transform(self, canister_id: bytes, method: str, arg: bytes) -> tuple[bytes | Reject, int]:
        """What a canister's query method makes of an HTTP outcall's response; and the instructions used."""
        canister = self._subnet.canisters.get(canister_id)
        if canister is None:
            return rejects.canister_not_found(canister_id), 0
        export = f"canister_query {method}"
        if canister.code is None or export not in canister.code.exports:
            return rejects.method_not_found(canister_id, "query", method), 0
        limit = self._executor.limits.query_instructions
        execution = self._executor.prepare(
            canister, Mode.TQ, MANAGEMENT_CANISTER, arg, self._subnet.now(), limit
        )
        execution.must_respond = True
        failure = self._executor.run(execution, canister.code, export)
        used = min(execution.instructions(), limit)
        _undo(canister, failure is not None)
        answer = rejects.did_not_reply(canister_id) if execution.response is None else execution.response
        return failure or answer, used

    def inspect(self, canister: Canister, call: Call) -> bool:
        """Whether the canister accepts an ingress message (`canister_inspect_message`)."""
        code = canister.code
        if code is None or "canister_inspect_message" not in code.exports:
            return True
        limit = self._executor.limits.inspect_instructions
        execution = self._executor.prepare(canister, Mode.F, call.caller, call.arg, self._subnet.now(), limit)
        execution.method = call.method
        if isinstance(call.origin, FromUser):
            execution.sender_info = call.origin.sender_info
        failure = self._executor.run(execution, code, "canister_inspect_message")
        _undo(canister, failure is not None)
        return failure is None and execution.accepted


def _undo(canister: Canister, failed: bool) -> None:
    assert canister.code is not None
    if failed:
        canister.code.discard_instance()
    else:
        canister.code.rollback()
    canister.stable.rollback()


class _QueryRun:
    """One user's query with everything it calls; `used` counts instructions."""

    def __init__(self, subnet: Subnet, executor: Executor, query: Query, management: ManagementQuery) -> None:
        self.used = 0
        self._management = management
        self._subnet = subnet
        self._executor = executor
        self._query = query
        self._now = subnet.now()

    def answer(
        self, canister_id: bytes, caller: bytes, method: str, arg: bytes, path: tuple[bytes, ...]
    ) -> bytes | Reject:
        """Answer of one canister; `path` are the canisters whose composite queries wait for it."""
        if canister_id == MANAGEMENT_CANISTER:
            return self._ask_management(Query(caller, canister_id, method, arg))
        if canister_id in self._subnet.natives:
            return self._subnet.natives.query(canister_id, caller, method, arg, self._now)
        canister = self._subnet.canisters.get(canister_id)
        if canister is None:
            return rejects.canister_not_found(canister_id)
        mode = self._mode(canister, method)
        if isinstance(mode, Reject):
            return mode
        if canister_id in path or len(path) >= _MAX_DEPTH:
            return rejects.call_loop(canister_id)
        kind = "canister_query" if mode is Mode.NRQ else "canister_composite_query"
        execution = self._prepare(canister, mode, caller, arg)
        if not path:
            execution.data_certificate = self._query.data_certificate
        failure: Reject | None = None
        try:
            failure = self._run(canister, execution, f"{kind} {method}")
            if failure is not None:
                return failure
            return self._resolve(canister, execution, caller, (*path, canister_id))
        finally:
            _undo(canister, failure is not None)

    def _ask_management(self, query: Query) -> bytes | Reject:
        try:
            return self._management(query)
        except Reject as reject:
            return reject

    def _mode(self, canister: Canister, method: str) -> Mode | Reject:
        if canister.status is not Status.RUNNING:
            return rejects.stopped(canister.id)
        if canister.code is None:
            return rejects.no_module(canister.id)
        if canister.cycles < canister.freezing_limit:
            return rejects.out_of_cycles(canister.id, canister.freezing_limit - canister.cycles)
        if f"canister_query {method}" in canister.code.exports:
            return Mode.NRQ
        if f"canister_composite_query {method}" in canister.code.exports:
            return Mode.CQ
        return rejects.method_not_found(canister.id, "query", method)

    def _prepare(self, canister: Canister, mode: Mode, caller: bytes, arg: bytes) -> Execution:
        limit = max(0, self._executor.limits.query_instructions - self.used)
        execution = self._executor.prepare(canister, mode, caller, arg, self._now, limit)
        execution.must_respond = True
        if caller == self._query.sender:
            execution.sender_info = self._query.sender_info
        execution.reply_limit = self._executor.limits.query_reply_bytes
        execution.frozen = canister.freezing_limit
        return execution

    def _run(self, canister: Canister, execution: Execution, export: str) -> Reject | None:
        assert canister.code is not None
        failure = self._executor.run(execution, canister.code, export)
        self.used += min(execution.instructions(), execution.limit)
        return failure

    def _resolve(
        self, canister: Canister, execution: Execution, caller: bytes, path: tuple[bytes, ...]
    ) -> bytes | Reject:
        """Make the calls of a composite query and run their callbacks until all are answered."""
        response = execution.response
        waiting = list(execution.calls)
        instructions = execution.instructions()
        failure: Reject | None = None
        while waiting:
            call = waiting.pop(0)
            result = self.answer(call.callee, canister.id, call.method, call.arg, path)
            step = self._callback(canister, call, caller, result, response is not None, instructions)
            if isinstance(step, Reject):
                failure = step
                break
            instructions += step.instructions()
            response = step.response if response is None else response
            waiting += step.calls
        if response is not None:
            return response
        return failure or rejects.did_not_reply(canister.id)

    def _callback(
        self,
        canister: Canister,
        call: OutgoingCall,
        caller: bytes,
        result: bytes | Reject,
        answered: bool,
        instructions: int,
    ) -> Execution | Reject:
        """Run a callback; `instructions` are those that its query took on this canister so far."""
        assert canister.code is not None
        rejected = isinstance(result, Reject)
        execution = self._prepare(canister, Mode.CRt if rejected else Mode.CRy, caller, b"")
        execution.must_respond = not answered
        execution.context_instructions = instructions
        if isinstance(result, Reject):
            execution.reject = result
        else:
            execution.arg = result
        closure = call.on_reject if rejected else call.on_reply
        failure = self._executor.run(execution, canister.code, closure)
        self.used += min(execution.instructions(), execution.limit)
        return execution if failure is None else failure
