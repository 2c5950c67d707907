"""The endpoint decorators, and what runs when an endpoint is called."""

from __future__ import annotations

import _ic0

from cdk.candid.codec import Codec
from cdk.candid.errors import CandidError

from .annotations import PROGRAMS, located, signature, unwrap
from .tasks import Task, is_generator
from .types import DefinitionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from cdk.candid.types import Type

EMPTY_MESSAGE = b"DIDL\x00\x00"
HOOKS = ("init", "post_upgrade", "pre_upgrade", "heartbeat", "inspect_message")


class Method:
    """An endpoint. Its codecs are made by `prepare`, once the whole canister has been imported."""

    def __init__(self, function: Any, kind: str, guard: Any) -> None:
        self.function = function
        self.name: str = function.__name__
        self.kind = kind
        self.guard = guard
        self.arguments: tuple[Type, ...] = ()
        self.results: tuple[Type, ...] = ()
        self.manual = False
        self.awaits = False

    def prepare(self) -> None:
        """Read the annotations; DefinitionError with file and line when they are incomplete."""
        self.arguments, self.results = signature(self.function)
        wrappers = unwrap(self.function.__annotations__["return"], self.function.__globals__)[1]
        self.manual = "Manual" in wrappers
        self.awaits = "Async" in wrappers
        generator = bool(self.function.__code__.co_flags & 0x20)
        if generator and "Async" not in wrappers:
            raise located(self.function, "has a yield, so its return type must be Async[…]")
        if generator and self.kind == "query":
            self.kind = "composite_query"
        arguments, results = Codec(self.arguments, PROGRAMS), Codec(self.results, PROGRAMS)
        arguments.warm_decoder(from_agents=True)
        results.warm_encoder()
        self.decode, self.encode = arguments.decode, results.encode_once

    def reply(self, result: Any) -> None:
        """Answer the caller with `result`."""
        try:
            _ic0.msg_reply(self.encode([result]) if self.results else EMPTY_MESSAGE)
        except CandidError as error:
            raise error.within(f"result of {self.name}") from None

    def run(self) -> None:
        """Serve one message: guard, decode, call, encode."""
        global current
        current = self
        if self.guard is not None:
            verdict = self.guard()
            if "Err" in verdict:
                _ic0.msg_reject(verdict["Err"])
                return
        message = _ic0.msg_arg_data()
        if message == EMPTY_MESSAGE and not self.arguments:
            result = self.function()
        else:
            try:
                values = self.decode(message)
            except CandidError as error:
                _ic0.msg_reject(f"CandidError: cannot read the arguments of {self.name}: {error}")
                return
            result = self.function(*values)
        if self.awaits and is_generator(result):
            Task(result, self.finish, self.enter).resume()
        elif not self.manual:
            self.reply(result)

    def enter(self) -> None:
        """A task of this method continues."""
        global current
        current = self

    def finish(self, result: Any) -> None:
        """A task of this method ended."""
        if not self.manual:
            self.reply(result)


class Hook(Method):
    """A lifecycle function: nothing to reply to."""

    def run(self) -> None:
        """Run it; the arguments of init and post_upgrade are decoded, a bad one traps."""
        if self.guard is not None:
            verdict = self.guard()
            if "Err" in verdict:
                _ic0.trap(verdict["Err"])
        values = self.decode(_ic0.msg_arg_data() or EMPTY_MESSAGE) if self.arguments else ()
        result = self.function(*values)
        if is_generator(result):
            Task(result, self.finish).resume()

    def finish(self, result: Any) -> None:
        """Heartbeats and the like have no answer."""


current: Method | None = None
"""The endpoint that is running, for `ic.reply`."""
METHODS: dict[str, Method] = {}
HOOKED: dict[str, Hook] = {}


def _register(function: Any, kind: str, guard: Any) -> Any:
    if kind in HOOKS:
        if kind in HOOKED:
            raise located(function, f"is a second @{kind}; the first is {HOOKED[kind].name}")
        HOOKED[kind] = Hook(function, kind, guard)
    else:
        if function.__name__ in METHODS:
            raise located(function, "is declared twice as an endpoint")
        METHODS[function.__name__] = Method(function, kind, guard)
    return function


def _decorator(kind: str) -> Callable[..., Any]:
    def decorate(_func: Any = None, *, guard: Any = None) -> Any:
        if _func is None:
            return lambda function: _register(function, kind, guard)
        return _register(_func, kind, guard)

    decorate.__name__ = kind
    return decorate


query = _decorator("query")
update = _decorator("update")
init = _decorator("init")
post_upgrade = _decorator("post_upgrade")
pre_upgrade = _decorator("pre_upgrade")
heartbeat = _decorator("heartbeat")
inspect_message = _decorator("inspect_message")


def prepare_all() -> None:
    """Resolve every annotation of the canister."""
    for method in [*METHODS.values(), *HOOKED.values()]:
        method.prepare()
    for kind, hook in HOOKED.items():
        if hook.results:
            raise located(hook.function, f"is a @{kind} and cannot return a value: use `-> void`")
        if hook.arguments and kind not in ("init", "post_upgrade"):
            raise located(hook.function, f"is a @{kind} and cannot have parameters")
        if hook.function.__code__.co_flags & 0x20 and kind != "heartbeat":
            raise located(hook.function, f"is a @{kind} and cannot await (yield)")
    if not METHODS:
        raise DefinitionError("the canister has no endpoints: decorate functions with @query or @update")
