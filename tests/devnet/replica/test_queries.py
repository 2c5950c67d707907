"""Queries and composite queries."""

from __future__ import annotations

import pytest

from tests.devnet.replica.harness import Net, rejected
from tests.devnet.replica.test_calls import CALLEE, target
from tests.devnet.replica.wat import ANSWER, module, number

COMPOSITE = module(
    ANSWER
    + """
    (table funcref (elem $reply $reject))
    (type $callback (func (param i32)))
    (global $steps (mut i64) (i64.const 0))
    (func $step (global.set $steps (i64.add (global.get $steps) (i64.const 1))))
    (func $begin
      (call $step)
      (call $msg_arg_data_copy (i32.const 1000) (i32.const 0) (call $msg_arg_data_size))
      (call $call_new
        (i32.const 1000) (i32.const 10)
        (i32.const 1011) (i32.load8_u (i32.const 1010))
        (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0))
      (drop (call $call_perform)))
    (func $reply (param i32)
      (call $step)
      (call $msg_arg_data_copy (i32.const 2000) (i32.const 0) (call $msg_arg_data_size))
      (i64.store (i32.add (i32.const 2000) (call $msg_arg_data_size)) (global.get $steps))
      (call $answer (i32.const 2000) (i32.add (call $msg_arg_data_size) (i32.const 1))))
    (func $reject (param i32)
      (i32.store8 (i32.const 2000) (call $msg_reject_code))
      (call $answer (i32.const 2000) (i32.const 1)))
    (func (export "canister_composite_query ask") (call $begin))
    (func (export "canister_query plain") (call $begin))
    (func (export "canister_query steps") (call $answer_i64 (global.get $steps)))
    """
)


@pytest.fixture
def pair(net: Net) -> tuple[bytes, bytes]:
    return net.deploy(COMPOSITE), net.deploy(CALLEE)


def test_a_composite_query_asks_another_canister(net: Net, pair: tuple[bytes, bytes]) -> None:
    composite, callee = pair
    answer = net.query(composite, "ask", target(callee, "seen"))
    assert (number(answer[:8]), answer[8]) == (0, 2)
    assert number(net.query(composite, "steps")) == 0


def test_its_failures_reach_the_reject_callback(net: Net, pair: tuple[bytes, bytes]) -> None:
    composite, callee = pair
    assert net.query(composite, "ask", target(callee, "missing")) == b"\x05"
    assert net.query(composite, "ask", target(b"\0" * 8 + b"\1\1", "seen")) == b"\x03"
    assert net.query(composite, "ask", target(composite, "steps")) == b"\x05"


def test_composite_queries_are_no_updates_and_plain_queries_call_nobody(
    net: Net, pair: tuple[bytes, bytes]
) -> None:
    composite, callee = pair
    assert rejected(lambda: net.submit(composite, "ask", target(callee, "seen"))).error_code == "IC0527"
    assert rejected(lambda: net.query(composite, "plain", target(callee, "seen"))).error_code == "IC0504"
