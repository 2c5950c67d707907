"""Instruction limits and counters."""

from __future__ import annotations

import functools

from tests.devnet.replica.harness import SMALL, Net, rejected
from tests.devnet.replica.wat import ANSWER, module, number

CANISTER = module(
    ANSWER
    + """
    (func $forever (loop $again (br $again)))
    (func $work (param $times i64)
      (loop $again
        (local.set $times (i64.sub (local.get $times) (i64.const 1)))
        (br_if $again (i64.ne (local.get $times) (i64.const 0)))))
    (func (export "canister_update forever") (i32.store (i32.const 100) (i32.const 9)) (call $forever))
    (func (export "canister_query forever_query") (call $forever))
    (func (export "canister_update host_calls")
      (loop $again (drop (call $time)) (br $again)))
    (func (export "canister_update host_bytes")
      (drop (call $stable64_grow (i64.const 1)))
      (loop $again (call $stable64_read (i64.const 0) (i64.const 0) (i64.const 60000)) (br $again)))
    (func (export "canister_update counter")
      (call $work (i64.const 1000))
      (call $answer_i64 (call $performance_counter (i32.const 0))))
    (func (export "canister_update counter_grows") (local $first i64)
      (call $work (i64.const 1000))
      (local.set $first (call $performance_counter (i32.const 0)))
      (call $work (i64.const 1000))
      (call $answer_i64 (i64.sub (call $performance_counter (i32.const 1)) (local.get $first))))
    (func (export "canister_update no_such_counter")
      (call $answer_i64 (call $performance_counter (i32.const 2))))
    (func (export "canister_query state")
      (call $answer_i64 (i64.extend_i32_u (i32.load (i32.const 100)))))
    """
)


def test_endless_updates_hit_the_limit(net: Net) -> None:
    canister = net.deploy(CANISTER)
    for method in ("forever", "host_calls", "host_bytes"):
        reject = rejected(functools.partial(net.update, canister, method))
        assert (reject.code, reject.error_code) == (5, "IC0522"), method
        assert "exceeded the instruction limit" in reject.message
    assert number(net.query(canister, "state")) == 0


def test_an_endless_query_hits_the_limit(net: Net) -> None:
    canister = net.deploy(CANISTER)
    assert rejected(lambda: net.query(canister, "forever_query")).error_code == "IC0522"


def test_an_endless_installation_hits_the_limit(net: Net) -> None:
    canister = net.create()
    endless = module('(func (export "canister_init") (loop $again (br $again)))')
    assert rejected(lambda: net.install(canister, endless)).error_code == "IC0522"
    assert net.status(canister)["module_hash"] is None


def test_a_message_that_hits_the_limit_pays_for_it(net: Net) -> None:
    canister = net.deploy(CANISTER)
    before = net.status(canister)["cycles"]
    rejected(lambda: net.update(canister, "forever"))
    paid = before - net.status(canister)["cycles"]
    assert paid >= SMALL.update_instructions


def test_performance_counters_count(net: Net) -> None:
    canister = net.deploy(CANISTER)
    assert 4_000 < number(net.update(canister, "counter")) < 20_000
    assert 4_000 < number(net.update(canister, "counter_grows")) < 20_000
    assert rejected(lambda: net.update(canister, "no_such_counter")).error_code == "IC0504"
