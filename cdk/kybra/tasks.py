"""Runs generator functions as asynchronous tasks: each yielded call suspends the task until its callback.

The table of callbacks lives in the heap. When a callback traps, the system undoes its changes and then runs
`cleanup`, which closes the generators, so that `finally:` blocks can give up locks.

An upgrade loses the table, but the answers to calls made before it still arrive. Each installation therefore
numbers its callbacks from another beginning: an answer to the code before finds no task of this one.
"""

from __future__ import annotations

import _ic0

from .service import Call, CallResult, rejected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_LAST_ID = 0x7FFFFFFF
_SPREAD = 0x9E3779B1
_waiting: dict[int, tuple[Callable[[CallResult], None], Callable[[], None], Call]] = {}
_next_id = 0
_GENERATOR = (lambda: (yield))().__class__


def await_call(call: Call, resume: Callable[[CallResult], None], abandon: Callable[[], None]) -> int:
    """Make `call`; later `resume(result)`, or `abandon()` if that traps. 0, or the system's error code."""
    global _next_id
    _next_id = (_next_id or _beginning()) % _LAST_ID + 1
    while _next_id in _waiting:
        _next_id = _next_id % _LAST_ID + 1
    code = call.start(_next_id)
    if not code:
        _waiting[_next_id] = (resume, abandon, call)
    return code


def _beginning() -> int:
    """Before this installation's first callback id; after an upgrade far from those still outstanding."""
    number: int = (_ic0.canister_version() * _SPREAD + _ic0.time()) % _LAST_ID
    return number


def on_reply(callback_id: int) -> None:
    """A call was answered."""
    resume, _, call = _waiting.pop(callback_id)
    resume(call.read_reply(_ic0.msg_arg_data()))


def on_reject(callback_id: int) -> None:
    """A call was rejected."""
    resume, _, _ = _waiting.pop(callback_id)
    resume(rejected(_ic0.msg_reject_code(), _ic0.msg_reject_msg()))


def on_cleanup(callback_id: int) -> None:
    """The callback trapped and was undone."""
    waiting = _waiting.pop(callback_id, None)
    if waiting is not None:
        waiting[1]()


def is_generator(value: object) -> bool:
    """Whether calling an endpoint gave a generator, that is, a task to run."""
    return value.__class__ is _GENERATOR


class Task:
    """A generator (and those it yielded to) in progress; `finish` takes its return value."""

    __slots__ = ("enter", "finish", "stack")

    def __init__(
        self, generator: Any, finish: Callable[[Any], None], enter: Callable[[], None] | None = None
    ) -> None:
        self.stack = [generator]
        self.finish = finish
        self.enter = enter

    def resume(self, value: Any = None) -> None:
        """Run until the next call, or to the end."""
        if self.enter is not None:
            self.enter()
        error: BaseException | None = None
        while self.stack:
            try:
                if error is None:
                    step = self.stack[-1].send(value)
                else:
                    step = self.stack[-1].throw(error)
            except StopIteration as stop:
                self.stack.pop()
                value, error = stop.value, None
                continue
            except Exception as raised:
                self.stack.pop()
                if not self.stack:
                    raise
                error = raised
                continue
            value, error = self._await(step)
            if value is self:
                return
        self.finish(value)

    def _await(self, step: Any) -> tuple[Any, BaseException | None]:
        """Start what was yielded: what to send into the generator next, or self to wait for a callback."""
        if isinstance(step, Call):
            code = await_call(step, self.resume, self.close)
            if code:
                return rejected(code, f"the call of {step.method} could not be enqueued"), None
            return self, None
        if is_generator(step):
            self.stack.append(step)
            return None, None
        return None, TypeError(
            f"only calls to canisters and generators may be yielded, not {type(step).__name__}"
        )

    def close(self) -> None:
        """Drop the task: run the `finally:` blocks of its generators."""
        while self.stack:
            self.stack.pop().close()
