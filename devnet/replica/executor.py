"""Compiles modules and runs entry points; knows nothing of queues."""

from __future__ import annotations

import logging
from pathlib import Path

from devnet.principal import principal_text
from devnet.replica import rejects
from devnet.replica.api import Limits, LogSink, Reject
from devnet.replica.canister import Canister, Code
from devnet.replica.execution import CalledTrap, ContractViolation, Execution
from devnet.replica.messages import Closure
from devnet.replica.system_api.bridge import Host
from devnet.replica.system_api.calls import discard_pending
from devnet.replica.system_api.modes import REPLICATED, Mode
from devnet.replica.system_api.table import function_types
from devnet.replica.wasm.engine import CompiledModule, Compiler, make_engine
from devnet.replica.wasm.instance import NoSuchFunction, OutOfInstructions, WasmTrap
from devnet.replica.wasm.validation import unpack, validate

BRIEF = 30_000_000
"""An entry point that last took fewer instructions runs without giving up the interpreter lock."""

_logger = logging.getLogger(__name__)


class Executor:
    """Everything needed to run canister code.

    Args:
        cache: folder for compiled modules; None keeps none on disk.
        log: receives what canisters print, also in queries.
    """

    def __init__(
        self, *, limits: Limits, subnet_id: bytes, root_key: bytes, cache: Path | None, log: LogSink | None
    ) -> None:
        self.limits = limits
        self._subnet_id = subnet_id
        self._root_key = root_key
        self._log = log
        self._host = Host()
        self._engine = make_engine(limits)
        self._compilers = {
            pointer: Compiler(self._engine, self._host.make_linker(self._engine, pointer), cache)
            for pointer in ("i32", "i64")
        }
        self._types = function_types()

    def compile(self, module: bytes) -> CompiledModule:
        """Check and compile a module as it came in `install_code`.

        Raises:
            InvalidModule: it breaks a rule.
        """
        binary = unpack(module, self.limits)
        info = validate(binary, self._types, self.limits)
        return self._compilers["i64" if info.is_64 else "i32"].compile(module, binary, info)

    def forget_except(self, used: set[bytes]) -> None:
        """Drop compiled modules other than those with these hashes."""
        for compiler in self._compilers.values():
            compiler.forget_except(used)

    def prepare(
        self, canister: Canister, mode: Mode, caller: bytes, arg: bytes, now: int, limit: int
    ) -> Execution:
        """The state for one run, with at most `limit` instructions."""
        execution = Execution(
            canister=canister,
            mode=int(mode),
            caller=caller,
            arg=arg,
            now=now,
            limits=self.limits,
            subnet_id=self._subnet_id,
            root_key=self._root_key,
            instruction_limit=limit,
        )
        execution.replicated = bool(mode & REPLICATED)
        return execution

    def run(self, execution: Execution, code: Code, entry: str | int | Closure) -> Reject | None:
        """Run an export, a function by its index, or a callback; the caller commits or rolls back.

        Returns:
            None on success, else why it failed; the instance must then be discarded.
        """
        canister_id = execution.canister.id
        execution.enter(code.instance())
        key = ~entry.function if isinstance(entry, Closure) else entry
        brief = code.instructions.get(key, BRIEF) < BRIEF
        self._host.execution = execution
        try:
            if isinstance(entry, Closure):
                execution.instance.call_table(entry.function, entry.environment, brief)
            else:
                execution.instance.call(code.exports[entry] if isinstance(entry, str) else entry, brief)
        except CalledTrap as error:
            execution.log.append(f"[TRAP]: {error}".encode())
            return rejects.called_trap(canister_id, str(error))
        except ContractViolation as error:
            execution.log.append(f"[TRAP]: {error}".encode())
            return rejects.violated_contract(canister_id, str(error))
        except OutOfInstructions:
            return rejects.instruction_limit(canister_id)
        except NoSuchFunction as error:
            return rejects.function_not_found(canister_id, str(error))
        except WasmTrap as error:
            execution.log.append(f"[TRAP]: {error}".encode())
            return rejects.trapped(canister_id, str(error))
        except Exception as error:
            _logger.exception("internal error while canister %s was running", principal_text(canister_id))
            return rejects.internal(f"the node failed: {type(error).__name__}: {error}")
        finally:
            self._host.execution = None
            code.instructions[key] = execution.instructions()
            self._emit(execution)
        discard_pending(execution)
        return self._check_limits(execution, canister_id)

    def _check_limits(self, execution: Execution, canister_id: bytes) -> Reject | None:
        if execution.instructions() > execution.limit:
            return rejects.instruction_limit(canister_id)
        limit = execution.canister.settings.wasm_memory_limit
        size = execution.instance.heap_size
        if limit and size > limit and execution.mode & (Mode.U | Mode.T | Mode.I):
            return rejects.heap_limit(canister_id, limit, size)
        return None

    def _emit(self, execution: Execution) -> None:
        """Keep replicated output in the canister's log, and show all of it."""
        for line in execution.log:
            if execution.replicated:
                execution.canister.log.append(execution.now, line)
            if self._log is not None:
                self._log(execution.canister.id, line.decode(errors="replace"))
