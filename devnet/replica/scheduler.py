"""Decides what runs next: due timers and heartbeats, then queued messages, round robin over canisters."""

from __future__ import annotations

from dataclasses import replace

from devnet.replica import prices
from devnet.replica.api import SECOND_NS
from devnet.replica.canister import Canister, Status
from devnet.replica.installation import Installer
from devnet.replica.management.canister import Management
from devnet.replica.messages import Task, TaskKind
from devnet.replica.outcalls.pending import Outcalls
from devnet.replica.processing import Processor
from devnet.replica.subnet import Subnet

HEARTBEAT_INTERVAL_NS = SECOND_NS
CHARGE_INTERVAL_NS = 10 * SECOND_NS
"""How often canisters pay for their memory."""

_HEARTBEAT = Task(TaskKind.HEARTBEAT)


class Scheduler:
    """Drives the execution of a subnet's messages."""

    def __init__(
        self,
        subnet: Subnet,
        processor: Processor,
        management: Management,
        installer: Installer,
        outcalls: Outcalls,
    ) -> None:
        self._subnet = subnet
        self._processor = processor
        self._management = management
        self._installer = installer
        self._outcalls = outcalls
        self._next_heartbeat = 0
        self._next_charge = 0

    def run(self, max_messages: int) -> bool:
        """Execute up to that many messages; True if more can run now."""
        now = self._subnet.now()
        self._subnet.expire_calls()
        self._outcalls.settle()
        self._processor.expire_stop_requests(now)
        self._subnet.ingress.prune(now)
        self._charge_for_memory(now)
        self._queue_tasks(now)
        self._subnet.rounds += 1
        for _ in range(max_messages):
            if not self._step():
                return False
            self._subnet.messages_executed += 1
        return bool(self._subnet.ready or self._subnet.management_queue)

    def next_wakeup(self) -> int | None:
        """When there will be something to do without new input; None: never."""
        times = [
            canister.global_timer for canister in self._subnet.canisters.values() if _timer_can_fire(canister)
        ]
        if any(_has_heartbeat(canister) for canister in self._subnet.canisters.values()):
            times.append(self._next_heartbeat)
        times += [
            waiter.deadline
            for canister in self._subnet.canisters.values()
            for waiter in canister.stop_waiters
        ]
        if self._subnet.deadlines:
            times.append(self._subnet.deadlines[0][0])
        if self._outcalls.have_finished():
            return self._subnet.now()
        return min(times, default=None)

    def _step(self) -> bool:
        """Let the management canister and the next canister each process one message."""
        subnet = self._subnet
        if subnet.management_queue:
            call = subnet.management_queue.popleft()
            if call.callee in subnet.natives:
                result, refund = subnet.natives.execute(call, subnet.now())
                subnet.respond(call.origin, result, refund)
            else:
                self._management.execute(call)
            return True
        canister = subnet.next_canister()
        if canister is None:
            return False
        self._processor.process_next(canister)
        return True

    def _queue_tasks(self, now: int) -> None:
        heartbeat = now >= self._next_heartbeat
        if heartbeat:
            self._next_heartbeat = now + HEARTBEAT_INTERVAL_NS
        for canister in self._subnet.canisters.values():
            if _timer_can_fire(canister) and canister.global_timer <= now:
                canister.global_timer = 0
                self._subnet.enqueue(canister, Task(TaskKind.GLOBAL_TIMER))
            if heartbeat and _has_heartbeat(canister) and _HEARTBEAT not in canister.queue:
                self._subnet.enqueue(canister, _HEARTBEAT)

    def _charge_for_memory(self, now: int) -> None:
        if now < self._next_charge:
            return
        self._next_charge = now + CHARGE_INTERVAL_NS
        for canister in self._subnet.canisters.values():
            elapsed_s = (now - canister.charged_until) / SECOND_NS
            canister.charged_until = now
            settings = canister.settings
            memory = prices.storage(max(canister.memory_bytes, settings.memory_allocation), elapsed_s)
            compute = prices.compute(settings.compute_allocation, elapsed_s)
            if memory + compute <= canister.cycles:
                canister.pay("memory", memory)
                canister.pay("compute_allocation", compute)
            else:
                self._run_out_of_cycles(canister)

    def _run_out_of_cycles(self, canister: Canister) -> None:
        """Take away what the canister cannot pay for: code, data, snapshots, allocations and history."""
        canister.pay("uninstall", canister.cycles)
        canister.snapshots.clear()
        canister.history.clear()
        canister.settings = replace(canister.settings, memory_allocation=0, compute_allocation=0)
        if canister.code is not None:
            self._installer.uninstall(canister)
            self._processor.finish_stopping(canister)


def _timer_can_fire(canister: Canister) -> bool:
    return (
        canister.global_timer > 0
        and canister.status is Status.RUNNING
        and canister.code is not None
        and TaskKind.GLOBAL_TIMER.export in canister.code.exports
    )


def _has_heartbeat(canister: Canister) -> bool:
    return (
        canister.status is Status.RUNNING
        and canister.code is not None
        and TaskKind.HEARTBEAT.export in canister.code.exports
    )
