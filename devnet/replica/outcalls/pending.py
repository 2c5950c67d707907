"""HTTP outcalls in progress: begun by a call, answered when a response comes or is given up.

Source: IC interface specification, `http_request`; prices from the cycle costs page.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import dataclass, replace

from devnet.replica import prices, rejects
from devnet.replica.api import Reject
from devnet.replica.candid import encode_one
from devnet.replica.management.service_types import HTTP_RESPONSE, TRANSFORM_ARGUMENT
from devnet.replica.messages import Call, PendingOutcall
from devnet.replica.outcalls.fetching import Fetched, Fetcher, FetchFailure, Outcome
from devnet.replica.outcalls.request import HttpRequest, HttpResponse
from devnet.replica.queries import QueryRunner
from devnet.replica.subnet import Subnet


@dataclass(frozen=True)
class _InProgress:
    """What is needed when the response comes.

    Args:
        budget: of pricing version 2: cycles held back for what the outcall will use.
    """

    request: HttpRequest
    budget: int | None


class Outcalls:
    """The outcalls of one subnet.

    Args:
        wake: called on another thread when `settle` has something to do.
    """

    def __init__(
        self, subnet: Subnet, queries: QueryRunner, fetcher: Fetcher, wake: Callable[[], None]
    ) -> None:
        self._subnet = subnet
        self._queries = queries
        self._fetcher = fetcher
        self._wake = wake
        self._in_progress: dict[int, _InProgress] = {}
        self._finished: queue.SimpleQueue[tuple[int, Outcome]] = queue.SimpleQueue()

    def begin(self, call: Call, request: HttpRequest, refund: int, budget: int | None) -> None:
        """Make a request on behalf of a canister.

        Args:
            refund: attached cycles that return with the answer, whatever it is.
            budget: of pricing version 2: attached cycles of which the outcall's use is taken.
        """
        subnet = self._subnet
        identifier, subnet.next_outcall = subnet.next_outcall, subnet.next_outcall + 1
        held = refund + (budget or 0)
        subnet.outcalls[identifier] = PendingOutcall(replace(call, arg=b""), held)
        self._in_progress[identifier] = _InProgress(request, budget)

        def done(outcome: Outcome) -> None:
            self._finished.put((identifier, outcome))
            self._wake()

        self._fetcher.fetch(request, done)

    def settle(self) -> None:
        """Answer the outcalls that have finished."""
        while not self._finished.empty():
            identifier, outcome = self._finished.get()
            pending = self._subnet.outcalls.pop(identifier, None)
            if pending is not None:
                self._answer(pending, self._in_progress.pop(identifier), outcome)

    def abandon(self) -> None:
        """Reject what was in progress when the node stopped: nobody knows what became of it."""
        for pending in self._subnet.outcalls.values():
            self._subnet.respond(pending.call.origin, rejects.outcall_interrupted(), pending.held)
        self._subnet.outcalls.clear()

    def have_finished(self) -> bool:
        """Whether `settle` has something to do."""
        return not self._finished.empty()

    def close(self) -> None:
        self._fetcher.close()

    def _answer(self, pending: PendingOutcall, known: _InProgress, outcome: Outcome) -> None:
        used = 0
        result: bytes | Reject
        if isinstance(outcome, FetchFailure):
            result = Reject(outcome.code, outcome.message, rejects.CANISTER_REJECTED)
        else:
            result, used = self._transform(pending.call.caller, known.request, outcome.response)
        held = pending.held
        if known.budget is not None:
            result, cost = _within_budget(known, outcome, result, used)
            held -= cost
            self._note_cost(pending.call.caller, cost)
        self._subnet.respond(pending.call.origin, result, held)

    def _note_cost(self, canister_id: bytes, cost: int) -> None:
        canister = self._subnet.canisters.get(canister_id)
        if canister is not None:
            canister.consumed.http_outcalls += cost

    def _transform(
        self, caller: bytes, request: HttpRequest, response: HttpResponse
    ) -> tuple[bytes | Reject, int]:
        """What the caller is given, and the instructions that its transform function took."""
        value = {
            "status": response.status,
            "headers": [{"name": name, "value": text} for name, text in response.headers],
            "body": response.body,
        }
        if request.transform is None:
            return encode_one(HTTP_RESPONSE, value), 0
        argument = encode_one(TRANSFORM_ARGUMENT, {"response": value, "context": request.transform.context})
        result, used = self._queries.transform(caller, request.transform.method, argument)
        if isinstance(result, bytes) and len(result) > request.max_response_bytes:
            result = rejects.outcall_too_large(len(result), request.max_response_bytes)
        return result, used


def _within_budget(
    known: _InProgress, outcome: Outcome, result: bytes | Reject, instructions: int
) -> tuple[bytes | Reject, int]:
    """The result and what it costs beyond the base fee; a reject if the budget does not cover that."""
    assert known.budget is not None
    if not isinstance(outcome, Fetched):
        return result, 0
    cost = prices.outcall_usage(
        known.request.size,
        known.request.replicated,
        outcome.milliseconds,
        outcome.received_bytes,
        len(result) if isinstance(result, bytes) else 0,
        instructions,
    )
    if cost > known.budget:
        return rejects.outcall_over_budget(cost, known.budget), known.budget
    return result, cost
