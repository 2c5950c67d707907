"""The thread that owns the replica: executes requests in rounds and certifies what came out of each.

Callers on other threads get futures. All requests that finish in one round share one certified state, so its
signature is paid for once.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeVar

from devnet.crypto.node_keys import NodeKeys
from devnet.http.certification import Certifier
from devnet.http.envelope import Envelope
from devnet.http.errors import HttpError, NodeFault, NodeStopping
from devnet.http.read_access import ReadAccess, Target
from devnet.http.state_tree import StateSource
from devnet.replica.api import Clock, Ingress, IngressState, Query

log = logging.getLogger(__name__)

ROUND_MESSAGES: Final = 16
MAX_REQUESTS_PER_ROUND: Final = 64
MAX_WAIT_S: Final = 1.0
# Canister code runs on this thread's stack.
STACK_BYTES: Final = 32 * 1024 * 1024
TERMINAL: Final = (IngressState.REPLIED, IngressState.REJECTED, IngressState.DONE)

_Result = TypeVar("_Result")


class ReplicaPort(StateSource, Protocol):
    """The parts of `devnet.replica.Replica` that the engine drives."""

    def submit(self, ingress: Ingress) -> None: ...
    def query(self, query: Query) -> bytes: ...
    def run(self, max_messages: int = ...) -> bool: ...
    def next_wakeup(self) -> int | None: ...
    def postpone_expiries(self, by_ns: int) -> None: ...
    def checkpoint(self) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class QueryAnswer:
    """Reply of a query and the time (ns) at which it was made."""

    reply: bytes
    time: int


class Engine:
    """Runs a replica on a thread of its own."""

    def __init__(
        self, open_replica: Callable[[], ReplicaPort], keys: NodeKeys, clock: Clock, speed: float = 1.0
    ) -> None:
        """Args:
        open_replica: called on the engine's thread, so that the replica belongs to it from the beginning.
        speed: seconds of `clock` in one of waiting.
        """
        self._open_replica = open_replica
        self._keys = keys
        self._clock = clock
        self._speed = speed
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._waiting: dict[bytes, list[Future[bytes]]] = {}
        self._unsaved: list[Future[None]] = []
        self._settling: list[Future[None]] = []
        self._runnable = False
        self._accepting = False
        self._thread = threading.Thread(target=self._main, name="devnet-engine", daemon=True)
        self._opened: Future[None] = Future()
        self._closed: Future[None] = Future()
        self.height = 0

    def start(self) -> None:
        """Open the replica and start to execute; raises what opening it raises."""
        previous = threading.stack_size(STACK_BYTES)
        try:
            self._thread.start()
        finally:
            threading.stack_size(previous)
        self._opened.result()

    def stop(self) -> None:
        """Refuse new requests, finish the running round, save the state; raises what saving it raises."""
        if self._opened.done():
            self._accepting = False
            self._tasks.put(None)
            self._thread.join()
            self._closed.result()

    def submit(self, ingress: Ingress) -> Future[None]:
        """Accept an update call for execution, so that it survives the end of the process.

        Fails with the replica's `Reject`.
        """
        return self._post_until(self._unsaved, lambda: self._submit(ingress))

    def saved(self) -> Future[None]:
        """Done once everything that was accepted before survives the end of the process."""
        return self._post_until(self._unsaved, lambda: None)

    def call(self, ingress: Ingress) -> Future[bytes]:
        """Execute an update call; gives a certificate that shows its final status.

        Fails with the replica's `Reject` when the call was not accepted at all.
        """
        certificate: Future[bytes] = Future()

        def accept() -> None:
            try:
                self._submit(ingress)
            except Exception as error:
                _fail(certificate, error)
            else:
                self._waiting.setdefault(ingress.request_id, []).append(certificate)

        self._enqueue(accept, certificate)
        return certificate

    def query(self, query: Query) -> Future[QueryAnswer]:
        """Execute a query; fails with the replica's `Reject`."""
        return self._post(lambda: self._query(query))

    def read_state(self, envelope: Envelope, target: Target) -> Future[bytes]:
        """Certificate for the paths of a read_state request; fails with an `HttpError`."""
        return self._post(lambda: self._read_state(envelope, target))

    def perform(self, task: Callable[[ReplicaPort], _Result]) -> Future[_Result]:
        """Run `task` with the replica on its own thread; for tests and tools."""

        def act() -> _Result:
            self._runnable = True
            return task(self._replica)

        return self._post(act)

    def settle(self, change: Callable[[ReplicaPort], None]) -> Future[None]:
        """Run `change` with the replica; done when nothing is left that could be executed then."""

        def act() -> None:
            self._runnable = True
            change(self._replica)

        return self._post_until(self._settling, act)

    def wake(self) -> None:
        """Look for due timers now; for callers that move an injected clock."""
        self._tasks.put(lambda: None)

    def _post(self, work: Callable[[], _Result]) -> Future[_Result]:
        future: Future[_Result] = Future()

        def settle() -> None:
            try:
                result = work()
            except Exception as error:
                _fail(future, error)
            else:
                _succeed(future, result)

        self._enqueue(settle, future)
        return future

    def _post_until(self, group: list[Future[None]], work: Callable[[], None]) -> Future[None]:
        """Run `work`; the future joins a group that is told later, unless `work` fails."""
        future: Future[None] = Future()

        def begin() -> None:
            try:
                work()
            except Exception as error:
                _fail(future, error)
            else:
                group.append(future)

        self._enqueue(begin, future)
        return future

    def _enqueue(self, task: Callable[[], None], future: Future[Any]) -> None:
        if not self._accepting:
            future.set_exception(NodeStopping("The node is stopping."))
            return
        self._tasks.put(task)

    # Everything below runs on the engine's thread.

    def _main(self) -> None:
        try:
            self._replica = self._open_replica()
            self._certifier = Certifier(self._replica, self._keys)
        except BaseException as error:
            self._closed.set_result(None)
            self._opened.set_exception(error)
            return
        self._accepting = True
        self._opened.set_result(None)
        while self._take_tasks():
            self._save_accepted()
            self._round()
            self._tell_settled()
        self._refuse_rest()
        try:
            self._replica.close()
        except BaseException as error:
            self._closed.set_exception(error)
        else:
            self._closed.set_result(None)

    def _take_tasks(self) -> bool:
        """Run the requests that have arrived, waiting for the first when idle; False: stop."""
        timeout = self._idle_seconds()
        for _ in range(MAX_REQUESTS_PER_ROUND):
            try:
                task = self._tasks.get(timeout=timeout)
            except queue.Empty:
                break
            if task is None:
                return False
            task()
            timeout = 0.0
        return True

    def _idle_seconds(self) -> float:
        if self._runnable:
            return 0.0
        wakeup = self._replica.next_wakeup()
        if wakeup is None:
            return MAX_WAIT_S
        return min(max(0.0, (wakeup - self._clock.now_ns()) / 1e9 / self._speed), MAX_WAIT_S)

    def _idle(self) -> bool:
        wakeup = self._replica.next_wakeup()
        return not self._runnable and (wakeup is None or wakeup > self._clock.now_ns())

    def _save_accepted(self) -> None:
        """Keep what callers are told is accepted; before the round, which may take long."""
        if not self._unsaved:
            return
        accepted, self._unsaved[:] = self._unsaved[:], []
        try:
            self._replica.checkpoint()
        except Exception:
            log.exception("the state could not be saved")
            for future in accepted:
                _fail(future, NodeFault("The node could not save its state; its log says why."))
        else:
            for future in accepted:
                _succeed(future, None)

    def _tell_settled(self) -> None:
        if self._settling and self._idle():
            settled, self._settling[:] = self._settling[:], []
            for future in settled:
                _succeed(future, None)

    def _round(self) -> None:
        if self._idle():
            return
        try:
            self._runnable = self._replica.run(ROUND_MESSAGES)
            self._certifier.invalidate()
            # Before anybody hears of the outcome, so that what was answered survives the end of the process.
            self._replica.checkpoint()
            self._answer_finished()
        except Exception:
            # A fault of the node itself: keep serving what still works, and never spin on it.
            log.exception("the replica failed in a round")
            self._runnable = False
            self._give_up(NodeFault("The node failed; its log says why."))

    def _answer_finished(self) -> None:
        finished = []
        for request_id in self._waiting:
            status = self._certifier.show_request(request_id)
            if status is None or status.state in TERMINAL:
                finished.append(request_id)
        if not finished:
            return
        state = self._certifier.commit()
        self.height = self._certifier.height
        for request_id in finished:
            certificate = state.certificate([(b"request_status", request_id)])
            for future in self._waiting.pop(request_id):
                _succeed(future, certificate)

    def _submit(self, ingress: Ingress) -> None:
        self._replica.submit(ingress)
        self._runnable = True

    def _query(self, query: Query) -> QueryAnswer:
        path = (b"canister", query.canister_id, b"certified_data")

        def certificate() -> bytes:
            return self._certifier.recent().certificate([path])

        reply = self._replica.query(replace(query, data_certificate=certificate))
        return QueryAnswer(reply, self._replica.time())

    def _read_state(self, envelope: Envelope, target: Target) -> bytes:
        access = ReadAccess(envelope, target, self._certifier.show_request, self._replica.canister_view)
        paths = access.ensure_allowed()
        certificate = self._certifier.recent().certificate(paths)
        self.height = self._certifier.height
        return certificate

    def _refuse_rest(self) -> None:
        """Settle what arrived after the request to stop, and give up on calls that have not finished."""
        while not self._tasks.empty():
            if task := self._tasks.get_nowait():
                task()
        self._save_accepted()
        self._give_up(NodeStopping("The node is stopping."))

    def _give_up(self, error: HttpError) -> None:
        waiting, self._waiting = self._waiting, {}
        for futures in waiting.values():
            for future in futures:
                _fail(future, error)
        settling, self._settling[:] = self._settling[:], []
        for settled in settling:
            _fail(settled, error)


def _succeed(future: Future[_Result], result: _Result) -> None:
    """Set a result unless the caller has given up on it."""
    if future.set_running_or_notify_cancel():
        future.set_result(result)


def _fail(future: Future[Any], error: Exception) -> None:
    if future.set_running_or_notify_cancel():
        future.set_exception(error)
