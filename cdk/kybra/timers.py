"""Timers, multiplexed over the canister's one global timer.

Each run is a message of its own (the canister calls itself), so that a trap undoes that run only and cannot
stop the other timers. Timers live in the heap: they are gone after an upgrade, as on every canister, and
must be set again in `post_upgrade`.
"""

from __future__ import annotations

import _ic0

from cdk.candid.principal import Principal

from .service import Call, CallResult
from .tasks import Task, await_call, is_generator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

RUN_METHOD = "<cdk internal> run_timer"
_SECOND = 1_000_000_000


class _Timer:
    __slots__ = ("due", "function", "interval")

    def __init__(self, due: int, interval: int, function: Callable[[], Any]) -> None:
        self.due = due
        self.interval = interval
        self.function = function


_timers: dict[int, _Timer] = {}
_running: dict[int, _Timer] = {}
_last_id = 0


def set_timer(delay: int, function: Callable[[], Any], interval: int = 0) -> int:
    """Run `function` once in `delay` seconds, or every `interval` seconds; answers the timer's id."""
    global _last_id
    if delay < 0:
        raise ValueError(f"a timer cannot begin {-delay} s ago")
    _last_id += 1
    _timers[_last_id] = _Timer(_ic0.time() + int(delay * _SECOND), int(interval * _SECOND), function)
    _arm()
    return _last_id


def clear_timer(timer_id: int) -> None:
    """Forget a timer; unknown ids are ignored. A run that has begun goes on."""
    if _timers.pop(timer_id, None) is not None:
        _arm()


def on_global_timer() -> None:
    """The global timer fired: start a run of everything that is due."""
    now = _ic0.time()
    myself = Principal(_ic0.canister_self())
    for timer_id in sorted([key for key, timer in _timers.items() if timer.due <= now]):
        timer = _timers[timer_id]
        if timer_id not in _running and not _start(timer_id, timer, myself):
            timer.due = now + _SECOND
        elif timer.interval:
            timer.due += timer.interval
            if timer.due <= now:  # the canister was stopped meanwhile: do not catch up
                timer.due = now + timer.interval
        else:
            del _timers[timer_id]
    _arm()


def _start(timer_id: int, timer: _Timer, myself: Principal) -> bool:
    def ended(result: CallResult) -> None:
        _running.pop(timer_id, None)
        if result.Err is not None:
            problem = result.Err.split("\n")[0]  # the traceback is in the log already
            _ic0.debug_print(f"timer {timer_id} ({timer.function.__name__}) failed: {problem}")

    call = Call(myself, RUN_METHOD, timer_id.to_bytes(8, "little"), None)
    if await_call(call, ended, lambda: None):
        return False
    _running[timer_id] = timer
    return True


def run_timer() -> None:
    """The internal endpoint: one run of one timer. Only the canister itself may call it."""
    if _ic0.msg_caller() != _ic0.canister_self():
        _ic0.msg_reject("only the canister itself may run its timers")
        return
    timer = _running.get(int.from_bytes(_ic0.msg_arg_data(), "little"))
    result = timer.function() if timer is not None else None
    if is_generator(result):
        Task(result, lambda _: _ic0.msg_reply(b"")).resume()
    else:
        _ic0.msg_reply(b"")


def _arm() -> None:
    _ic0.global_timer_set(min([timer.due for timer in _timers.values()], default=0))
