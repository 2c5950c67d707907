"""Timers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cdk.candid import Principal
from cdk.testing import Rejected, Simulator, Trapped

Start = Callable[..., Simulator]


def test_a_one_shot_timer_runs_once_when_it_is_due(canister: Start) -> None:
    timers = canister("timers")
    timers.update("once", 5)
    timers.advance(4.9)
    assert timers.query("get", "once") == 0
    timers.advance(0.1)
    assert timers.query("get", "once") == 1
    timers.advance(100)
    assert timers.query("get", "once") == 1


def test_a_failing_timer_is_undone_logged_and_stops_no_other(canister: Start) -> None:
    timers = canister("timers")
    timers.advance(35)
    assert timers.query("get", "tick") == 3
    assert timers.query("get", "fail") == 0
    failures = [line for line in timers.system.printed if "this timer always fails" in line]
    assert len(failures) == 3 and failures[0].startswith("timer 1 (fail) failed: Rejection code 5")


def test_a_cleared_timer_does_not_run_again(canister: Start) -> None:
    timers = canister("timers")
    timers.update("stop", "tick")
    timers.update("stop", "tick")
    timers.advance(60)
    assert timers.query("get", "tick") == 0


def test_timers_may_await(canister: Start) -> None:
    timers = canister("timers")
    timers.update("ask_in", 1)
    timers.advance(1)
    assert timers.query("get", "refused") == 1
    timers.handlers[Principal(b""), "raw_rand"] = lambda argument: b"DIDL\x01\x6d\x7b\x01\x00\x01\x05"
    timers.update("ask_in", 1)
    timers.advance(1)
    assert timers.query("get", "asked") == 1


def test_timers_do_not_survive_an_upgrade(canister: Start) -> None:
    timers = canister("timers")
    timers.upgrade()
    assert timers.system.timer == 0
    timers.advance(100)
    assert timers.query("get", "tick") == 0


def test_an_interval_does_not_catch_up_after_a_pause(canister: Start) -> None:
    timers = canister("timers")
    timers.system.now += 1000 * 10**9
    timers.advance(0)
    assert timers.query("get", "tick") == 1
    timers.advance(10)
    assert timers.query("get", "tick") == 2


def test_a_run_that_cannot_be_started_is_tried_again(canister: Start) -> None:
    timers = canister("timers")
    timers.update("once", 5)
    timers.system.refuse_calls = 2
    timers.advance(6)
    timers.system.refuse_calls = 0
    timers.advance(2)
    assert timers.query("get", "once") == 1


def test_only_the_canister_itself_may_run_its_timers(canister: Start) -> None:
    timers = canister("timers")
    with pytest.raises(Rejected, match="only the canister itself"):
        timers.call_raw("<cdk internal> run_timer", bytes(8))
    assert timers.call_raw("<cdk internal> run_timer", bytes(8), timers.id) == b""


@pytest.mark.parametrize("call", ["ic.set_timer(-1, f)", "ic.set_timer_interval(0, f)"])
def test_times_that_make_no_sense_are_refused(source: Start, call: str) -> None:
    sim = source(f"@update\ndef f() -> void:\n    {call}\n")
    with pytest.raises(Trapped, match="ValueError"):
        sim.update("f")
