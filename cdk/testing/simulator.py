"""`Simulator`: one canister's endpoints on this machine, without WebAssembly and without a node."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cdk.candid import Codec, Principal

from .loading import LoadedCanister
from .system import PendingCall, Rejected, System, Trapped

SECOND = 1_000_000_000
Handler = Callable[[bytes], bytes]


class Simulator:
    """Imports a canister module and sends it messages. Values go through the real Candid codec.

    Calls that the canister makes are answered by `handlers[(principal, method)]`, a function from argument
    bytes to reply bytes that may raise `Rejected`; other simulators can be reached with `connect`. A trap
    undoes changes in stable maps; unlike the real system it cannot undo changes of Python variables, and so
    runs no cleanup.
    """

    def __init__(
        self, module: str, *init_values: Any, root: Path | None = None, system: System | None = None
    ) -> None:
        self.module = module
        self.root = root or Path.cwd()
        self.system = system or System()
        self.handlers: dict[tuple[Principal, str], Handler] = {}
        self._load()
        self._lifecycle("init", init_values)

    def _load(self) -> None:
        self.loaded = LoadedCanister(self.module, self.root, self.system.modules())
        self._indexes = {name: index for index, name in enumerate(self.loaded.entry_points)}

    @property
    def id(self) -> Principal:
        """The canister's principal."""
        return Principal(self.system.canister_id)

    def upgrade(self, *values: Any) -> None:
        """Replace the code by itself: variables and timers are lost, stable maps stay."""
        self._lifecycle("pre_upgrade", ())
        self.system.timer = 0
        self.system.canister_version += 1
        self._load()
        self._lifecycle("post_upgrade", values)

    def _lifecycle(self, event: str, values: tuple[Any, ...]) -> None:
        hook = self.loaded.methods.HOOKED.get(event)
        types = hook.arguments if hook else ()
        # Fewer values than types are sent as they are: the canister reads the missing ones as null, or traps.
        self.system.argument = Codec(types[: len(values)]).encode(values[: len(types)])
        self._dispatch(event, 0)
        self._settle()

    def update(self, name: str, *values: Any, caller: Principal | None = None, cycles: int = 0) -> Any:
        """Call an endpoint and run everything it starts; its result, or Rejected, or Trapped."""
        method = self.loaded.methods.METHODS[name]
        reply = self.call_raw(name, Codec(method.arguments).encode(values), caller, cycles)
        return next(iter(Codec(method.results).decode(reply)), None)

    query = update

    def call_raw(self, name: str, argument: bytes, caller: Principal | None = None, cycles: int = 0) -> bytes:
        """Call an endpoint with raw Candid bytes; its reply."""
        index = self._index(name)
        system = self.system
        before = (system.caller, system.argument, system.reply, system.reject, system.cycles_available)
        system.caller = (caller or Principal.anonymous()).bytes
        system.argument, system.cycles_available = argument, cycles
        system.reply = system.reject = None
        try:
            self._dispatch("method", index)
            self._settle()
            if system.reject is not None:
                raise system.reject
            if system.reply is None:
                raise Trapped(f"{name} did not reply")
            return system.reply
        finally:
            (system.caller, system.argument, system.reply, system.reject, system.cycles_available) = before

    def _index(self, name: str) -> int:
        for kind in ("update", "query", "composite_query"):
            if f"canister_{kind} {name}" in self._indexes:
                return self._indexes[f"canister_{kind} {name}"]
        raise Rejected(f"canister has no method {name!r}", 3)

    def advance(self, seconds: float) -> None:
        """Let time pass, running the timers that come due on the way."""
        end = self.system.now + int(seconds * SECOND)
        while 0 < self.system.timer <= end:
            self.system.now = max(self.system.now, self.system.timer)
            self.system.timer = 0
            self._dispatch("global_timer", 0)
            self._settle()
        self.system.now = end

    def connect(self, other: Simulator) -> None:
        """Let this canister call the endpoints of `other`."""
        for name in other.loaded.methods.METHODS:
            self.handlers[other.id, name] = lambda argument, name=name: other.call_raw(  # type: ignore[misc]
                name, argument, self.id
            )

    def _dispatch(self, event: str, index: int) -> None:
        saved = {id: dict(entries) for id, entries in self.system.maps.items()}
        calls = len(self.system.calls)
        try:
            with self.loaded.installed():
                self.loaded.dispatch(event, index)
        except Exception as error:
            self.system.maps.clear()
            self.system.maps.update(saved)
            del self.system.calls[calls:]
            self._reload_maps()
            if isinstance(error, Trapped):
                raise
            raise Trapped(f"{type(error).__name__}: {error}") from error

    def _reload_maps(self) -> None:
        fresh = self.system.modules()["_stable"]
        vars(self.loaded.modules["_stable"]).update(
            {name: value for name, value in vars(fresh).items() if not name.startswith("__")}
        )

    def _settle(self) -> None:
        """Answer the calls the canister made, one after the other, until there are none."""
        while self.system.calls:
            call = self.system.calls.pop(0)
            try:
                event, argument = "reply", self._answer(call)
            except Rejected as reject:
                event, argument = "reject", b""
                self.system.reject_code, self.system.reject_message = reject.code, reject.message
            except Trapped as trap:
                event, argument = "reject", b""
                self.system.reject_code, self.system.reject_message = 5, f"canister trapped: {trap}"
            if call.callback_id < 0:
                continue
            self.system.argument = argument
            self._dispatch(event, call.callback_id)

    def _answer(self, call: PendingCall) -> bytes:
        callee = Principal(call.callee)
        if callee == self.id and (callee, call.method) not in self.handlers:
            return self.call_raw(call.method, call.argument, self.id)
        handler = self.handlers.get((callee, call.method))
        if handler is None:
            raise Rejected(f"no canister answers {call.method} at {callee}", 3)
        return handler(call.argument)
