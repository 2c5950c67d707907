"""Global timer, heartbeat, low memory hook."""

from __future__ import annotations

from tests.devnet.replica.harness import START_NS, Net
from tests.devnet.replica.wat import ANSWER, module, number

SECOND = 1_000_000_000

TIMED = module(
    ANSWER
    + """
    (global $fired (mut i64) (i64.const 0))
    (func (export "canister_update set")
      (call $msg_arg_data_copy (i32.const 100) (i32.const 0) (i32.const 8))
      (call $answer_i64 (call $global_timer_set (i64.load (i32.const 100)))))
    (func (export "canister_global_timer")
      (global.set $fired (i64.add (global.get $fired) (i64.const 1)))
      (if (i64.eq (global.get $fired) (i64.const 3)) (then unreachable))
      (if (i64.lt_u (global.get $fired) (i64.const 2))
        (then (drop (call $global_timer_set (i64.add (call $time) (i64.const 1000000000)))))))
    (func (export "canister_query fired") (call $answer_i64 (global.get $fired)))
    """
)


def at(time_ns: int) -> bytes:
    return time_ns.to_bytes(8, "little")


def test_the_timer_fires_once_its_time_has_come(net: Net) -> None:
    canister = net.deploy(TIMED)
    assert net.replica.next_wakeup() is None
    assert number(net.update(canister, "set", at(START_NS + 5 * SECOND))) == 0
    assert net.replica.next_wakeup() == START_NS + 5 * SECOND
    net.advance(4.9)
    assert number(net.query(canister, "fired")) == 0
    net.advance(0.1)
    assert number(net.query(canister, "fired")) == 1
    assert net.replica.next_wakeup() == START_NS + 6 * SECOND
    net.advance(100)
    assert number(net.query(canister, "fired")) == 2
    assert net.replica.next_wakeup() is None
    net.advance(100)
    assert number(net.query(canister, "fired")) == 2


def test_setting_the_timer_returns_the_old_one_and_zero_switches_it_off(net: Net) -> None:
    canister = net.deploy(TIMED)
    net.update(canister, "set", at(START_NS + SECOND))
    assert number(net.update(canister, "set", at(0))) == START_NS + SECOND
    net.advance(10)
    assert number(net.query(canister, "fired")) == 0


def test_a_stopped_canister_has_no_timer_until_it_starts(net: Net) -> None:
    canister = net.deploy(TIMED)
    net.update(canister, "set", at(START_NS + SECOND))
    net.manage("stop_canister", canister_id=canister)
    net.advance(10)
    net.manage("start_canister", canister_id=canister)
    net.settle()
    assert number(net.query(canister, "fired")) == 1


def test_an_upgrade_switches_the_timer_off(net: Net) -> None:
    canister = net.deploy(TIMED)
    net.update(canister, "set", at(START_NS + SECOND))
    net.install(canister, TIMED, mode="upgrade")
    net.advance(10)
    assert number(net.query(canister, "fired")) == 0


def test_heartbeats_come_about_once_a_second(net: Net) -> None:
    beating = module(
        ANSWER
        + """
        (global $beats (mut i64) (i64.const 0))
        (func (export "canister_heartbeat") (global.set $beats (i64.add (global.get $beats) (i64.const 1))))
        (func (export "canister_query beats") (call $answer_i64 (global.get $beats)))
        """
    )
    canister = net.deploy(beating)
    net.advance(1)
    before = number(net.query(canister, "beats"))
    for _ in range(5):
        net.advance(1)
    net.settle()
    assert number(net.query(canister, "beats")) == before + 5
    wakeup = net.replica.next_wakeup()
    assert wakeup is not None and wakeup <= net.clock.now + SECOND


def test_the_low_memory_hook_runs_once_when_memory_gets_short(net: Net) -> None:
    growing = module(
        ANSWER
        + """
        (global $warned (mut i64) (i64.const 0))
        (func (export "canister_on_low_wasm_memory")
          (global.set $warned (i64.add (global.get $warned) (i64.const 1))))
        (func (export "canister_update grow") (drop (memory.grow (i32.const 4))) (call $msg_reply))
        (func (export "canister_query warned") (call $answer_i64 (global.get $warned)))
        """
    )
    canister = net.create(wasm_memory_limit=1_000_000, wasm_memory_threshold=500_000)
    net.install(canister, growing)
    net.update(canister, "grow")
    assert number(net.query(canister, "warned")) == 0
    net.update(canister, "grow")
    net.update(canister, "grow")
    net.settle()
    assert number(net.query(canister, "warned")) == 1
