"""A message that traps changes nothing."""

from __future__ import annotations

import pytest

from tests.devnet.replica.harness import Net, rejected
from tests.devnet.replica.wat import module, number

CANISTER = module(
    """
    (global $count (mut i64) (i64.const 7))
    (func (export "canister_init")
      (i32.store (i32.const 100) (i32.const 40))
      (drop (call $stable64_grow (i64.const 1))))

    (func (export "canister_update set")
      (i32.store (i32.const 100) (i32.const 41))
      (global.set $count (i64.const 8))
      (call $msg_reply))
    (func (export "canister_update stable_set")
      (i64.store (i32.const 8) (i64.const 77))
      (call $stable64_write (i64.const 4090) (i64.const 8) (i64.const 8))
      (call $msg_reply))
    (func (export "canister_update grow_and_keep")
      (drop (memory.grow (i32.const 3)))
      (i32.store (i32.const 200000) (i32.const 9))
      (call $msg_reply))
    (func (export "canister_update pages")
      (i32.store (i32.const 0) (memory.size))
      (call $msg_reply_data_append (i32.const 0) (i32.const 4))
      (call $msg_reply))

    (func (export "canister_update heap")
      (i32.store (i32.const 100) (i32.const 99))
      (i32.store (i32.const 90000) (i32.const 99))
      (call $trap {boom}))
    (func (export "canister_update global")
      (global.set $count (i64.const 99))
      (call $trap {boom}))
    (func (export "canister_update unreachable")
      (global.set $count (i64.const 99))
      unreachable)
    (func (export "canister_update grow")
      (drop (memory.grow (i32.const 3)))
      (i32.store (i32.const 200000) (i32.const 9))
      (call $trap {boom}))
    (func (export "canister_update stable")
      (i64.store (i32.const 8) (i64.const 5))
      (call $stable64_write (i64.const 4090) (i64.const 8) (i64.const 8))
      (call $trap {boom}))
    (func (export "canister_update stable_grow")
      (drop (call $stable64_grow (i64.const 2)))
      (call $stable64_write (i64.const 70000) (i64.const 100) (i64.const 4))
      (call $trap {boom}))
    (func (export "canister_update certify")
      (call $certified_data_set {boom})
      (call $trap {boom}))
    (func (export "canister_update timer")
      (drop (call $global_timer_set (i64.const 1)))
      (call $trap {boom}))
    (func $deep (i32.store (i32.const 100) (i32.const 98)) (call $deep) (call $deep))
    (func (export "canister_update stack") (call $deep))

    (func $answer (param i32 i32)
      (call $msg_reply_data_append (local.get 0) (local.get 1))
      (call $msg_reply))
    (func (export "canister_query read_heap") (call $answer (i32.const 100) (i32.const 4)))
    (func (export "canister_query read_high") (call $answer (i32.const 90000) (i32.const 4)))
    (func (export "canister_query read_global")
      (i64.store (i32.const 0) (global.get $count))
      (call $answer (i32.const 0) (i32.const 8)))
    (func (export "canister_query read_stable")
      (call $stable64_read (i64.const 0) (i64.const 4090) (i64.const 8))
      (call $answer (i32.const 0) (i32.const 8)))
    (func (export "canister_query stable_pages")
      (i64.store (i32.const 0) (call $stable64_size))
      (call $answer (i32.const 0) (i32.const 8)))
    (func (export "canister_query write")
      (i32.store (i32.const 100) (i32.const 97))
      (global.set $count (i64.const 97))
      (drop (call $stable64_grow (i64.const 1)))
      (call $stable64_write (i64.const 0) (i64.const 100) (i64.const 4))
      (call $msg_reply))
    (func (export "canister_query grow_in_query")
      (drop (memory.grow (i32.const 3)))
      (i32.store (i32.const 100) (i32.const 96))
      (global.set $count (i64.const 96))
      (call $msg_reply))
    (func (export "canister_global_timer") (i32.store (i32.const 100) (i32.const 95)))
    """,
    pages=2,
    texts={"boom": "boom"},
)


@pytest.fixture
def canister(net: Net) -> bytes:
    return net.deploy(CANISTER)


def state(net: Net, canister: bytes) -> tuple[int, ...]:
    queries = ("read_heap", "read_high", "read_global", "read_stable", "stable_pages")
    return tuple(number(net.query(canister, name)) for name in queries)


@pytest.mark.parametrize(
    "method",
    ["heap", "global", "unreachable", "grow", "stable", "stable_grow", "certify", "timer", "stack"],
)
def test_a_trap_leaves_everything_as_it_was(net: Net, canister: bytes, method: str) -> None:
    net.update(canister, "set")
    net.update(canister, "stable_set")
    before = state(net, canister)
    view = net.replica.canister_view(canister)
    assert rejected(lambda: net.update(canister, method)).code == 5
    net.advance(10)
    assert state(net, canister) == before == (41, 0, 8, 77, 1)
    assert net.replica.canister_view(canister) == view
    assert number(net.update(canister, "pages")) == 2


def test_a_canister_goes_on_after_a_trap(net: Net, canister: bytes) -> None:
    rejected(lambda: net.update(canister, "grow"))
    net.update(canister, "set")
    net.update(canister, "grow_and_keep")
    assert number(net.update(canister, "pages")) == 5
    rejected(lambda: net.update(canister, "grow"))
    assert number(net.update(canister, "pages")) == 5
    assert number(net.query(canister, "read_heap")) == 41


@pytest.mark.parametrize("method", ["write", "grow_in_query"])
def test_a_query_changes_nothing(net: Net, canister: bytes, method: str) -> None:
    net.update(canister, "set")
    before = state(net, canister)
    first = net.query(canister, method)
    assert net.query(canister, method) == first
    assert state(net, canister) == before
    assert number(net.update(canister, "pages")) == 2


def test_a_query_method_called_as_an_update_changes_nothing(net: Net, canister: bytes) -> None:
    before = state(net, canister)
    net.update(canister, "write")
    assert state(net, canister) == before


def test_stack_overflow_is_a_trap(net: Net, canister: bytes) -> None:
    reject = rejected(lambda: net.update(canister, "stack"))
    assert reject.error_code in ("IC0502", "IC0522")
    assert "stack overflow" in reject.message
