"""Installing, reinstalling, upgrading and removing code; each is atomic.

Source: IC interface specification, `install_code` and "Canister upgrades".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from devnet.replica import prices, rejects
from devnet.replica.canister import Canister, Code
from devnet.replica.execution import Execution
from devnet.replica.executor import Executor
from devnet.replica.messages import FromSystem
from devnet.replica.snapshots import Snapshot
from devnet.replica.stable_memory import StableMemory
from devnet.replica.subnet import Subnet
from devnet.replica.system_api.modes import Mode
from devnet.replica.wasm.heap import WASM_PAGE
from devnet.replica.wasm.instance import Globals
from devnet.replica.wasm.validation import InvalidModule


class InstallMode(StrEnum):
    INSTALL = "install"
    REINSTALL = "reinstall"
    UPGRADE = "upgrade"


@dataclass(frozen=True)
class InstallRequest:
    """Arguments of `install_code` that matter here.

    Args:
        keep_heap: upgrade option `wasm_memory_persistence = keep`.
    """

    mode: InstallMode
    module: bytes
    arg: bytes
    sender: bytes
    skip_pre_upgrade: bool = False
    keep_heap: bool = False


class Installer:
    """Changes the code of canisters."""

    def __init__(self, subnet: Subnet, executor: Executor) -> None:
        self._subnet = subnet
        self._executor = executor

    def install(self, canister: Canister, request: InstallRequest) -> None:
        """Install code as requested; on failure the canister stays as it was, but for the cycles used.

        Raises:
            Reject: says why it failed.
        """
        if request.mode is InstallMode.INSTALL and canister.code is not None:
            raise rejects.not_empty(canister.id)
        if request.mode is InstallMode.UPGRADE and canister.code is None:
            raise rejects.no_module(canister.id)
        reserve = prices.execution(self._executor.limits.install_instructions)
        missing = reserve + canister.freezing_limit - canister.cycles
        if missing > 0:
            raise rejects.out_of_cycles(canister.id, missing)
        try:
            module = self._executor.compile(request.module)
        except InvalidModule as error:
            raise rejects.invalid_module(canister.id, str(error)) from error
        attempt = _Attempt(self._subnet, self._executor, canister, request, Code(module))
        try:
            attempt.run()
        finally:
            canister.pay("instructions", prices.execution(attempt.used))
        self._executor.forget_except(
            {other.code.module.hash for other in self._subnet.canisters.values() if other.code}
        )

    def load_snapshot(self, canister: Canister, snapshot: Snapshot) -> None:
        """Replace code and data by a snapshot's; on failure the canister stays as it was.

        Raises:
            Reject: its parts do not fit together, which can only be with an uploaded one.
        """
        try:
            module = self._executor.compile(snapshot.module.read(0, snapshot.module.size))
        except InvalidModule as error:
            raise rejects.invalid_module(canister.id, str(error)) from error
        code = Code(module)
        try:
            _restore(code, snapshot)
        except BaseException:
            code.close()
            raise
        stable = StableMemory(self._executor.limits.stable_bytes)
        stable.restore(snapshot.stable.size, snapshot.stable.chunks())
        timer = canister.global_timer if snapshot.global_timer is None else snapshot.global_timer
        canister.replace_code(code, self._subnet.now())
        canister.replace_stable(stable)
        canister.global_timer = timer
        canister.certified_data = snapshot.certified_data
        canister.chunks.clear()
        canister.chunks.update(snapshot.chunks)
        canister.version += 1

    def uninstall(self, canister: Canister) -> None:
        """Remove code and data; calls the canister was working on are rejected."""
        canister.replace_code(None)
        canister.replace_stable(StableMemory(self._executor.limits.stable_bytes))
        canister.certified_data = b""
        canister.chunks.clear()
        canister.log.clear()
        canister.version += 1
        for context in list(canister.contexts.values()):
            if not context.responded and not isinstance(context.origin, FromSystem):
                reject = rejects.uninstalled(canister.id)
                self._subnet.respond(context.origin, reject, context.cycles)
        canister.contexts.clear()
        canister.cycles += sum(callback.reserved for callback in canister.callbacks.values())
        canister.callbacks.clear()
        canister.outstanding_to.clear()


def _restore(code: Code, snapshot: Snapshot) -> None:
    """Give fresh code the heap and globals of a snapshot."""
    initial = code.instance().initial.values
    code.discard_instance()
    if [kind for kind, _ in initial] != [kind for kind, _ in snapshot.globals]:
        raise rejects.snapshot_data("the globals are not those of the module")
    if (
        snapshot.heap.size < code.heap.size
        or snapshot.heap.size % WASM_PAGE
        or snapshot.stable.size % WASM_PAGE
    ):
        raise rejects.snapshot_data("the size of a memory is not possible")
    code.heap.restore(snapshot.heap.size, snapshot.heap.chunks())
    code.globals = Globals(list(snapshot.globals))


class _Attempt:
    """One installation in progress. `used` counts instructions."""

    def __init__(
        self, subnet: Subnet, executor: Executor, canister: Canister, request: InstallRequest, code: Code
    ) -> None:
        self.used = 0
        self._now = subnet.now()
        self._executor = executor
        self._canister = canister
        self._request = request
        self._code = code
        self._upgrade = request.mode is InstallMode.UPGRADE
        self._stable = canister.stable if self._upgrade else StableMemory(executor.limits.stable_bytes)
        self._certified_data = canister.certified_data if self._upgrade else b""
        self._timer = 0

    def run(self) -> None:
        version = self._canister.version
        try:
            if self._upgrade:
                self._before_upgrade()
            self._canister.version += 1
            start = self._code.module.info.start
            if start is not None:
                self._step(self._code, Mode.s, start)
            entry = "canister_post_upgrade" if self._upgrade else "canister_init"
            self._optional_step(self._code, Mode.I, entry)
        except BaseException:
            self._canister.version = version
            self._undo()
            raise
        self._apply()

    def _before_upgrade(self) -> None:
        old = self._canister.code
        assert old is not None
        if not self._request.skip_pre_upgrade:
            self._optional_step(old, Mode.G, "canister_pre_upgrade")
        if self._request.keep_heap:
            least = self._code.heap.size
            self._code.heap.copy_from(old.instance().base, old.instance().heap_size)
            self._code.heap.extend(least)

    def _optional_step(self, code: Code, mode: Mode, export: str) -> None:
        if export in code.exports:
            self._step(code, mode, export)

    def _step(self, code: Code, mode: Mode, entry: str | int) -> None:
        limit = self._executor.limits.install_instructions - self.used
        request = self._request
        execution = self._executor.prepare(
            self._canister, mode, request.sender, request.arg, self._now, limit
        )
        execution.stable = self._stable
        execution.frozen = self._canister.freezing_limit
        reject = self._executor.run(execution, code, entry)
        self.used += min(execution.instructions(), limit)
        if reject is not None:
            raise reject
        self._collect(execution)

    def _collect(self, execution: Execution) -> None:
        if execution.certified_data is not None:
            self._certified_data = execution.certified_data
        if execution.global_timer is not None and execution.mode == Mode.I:
            self._timer = execution.global_timer
        self._canister.cycles = execution.balance
        self._canister.consumed.burned_cycles += execution.burned

    def _undo(self) -> None:
        self._code.close()
        if self._upgrade:
            self._stable.rollback()
            if self._canister.code is not None:
                self._canister.code.rollback()
                self._canister.code.discard_instance()
        else:
            self._stable.close()

    def _apply(self) -> None:
        canister = self._canister
        self._code.commit()
        self._stable.commit()
        canister.replace_code(self._code, self._now)
        if not self._upgrade:
            canister.replace_stable(self._stable)
            canister.log.clear()
        canister.certified_data = self._certified_data
        canister.global_timer = self._timer
