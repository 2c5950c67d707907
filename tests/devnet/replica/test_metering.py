"""Instructions count what the Internet Computer counts for them."""

from __future__ import annotations

import contextlib

import pytest
import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st

from devnet.replica.system_api.bridge import OVERHEADS
from devnet.replica.wasm.engine import make_engine
from devnet.replica.wasm.format import WasmFormatError
from devnet.replica.wasm.metering import meter
from devnet.replica.wasm.weights import PREFIXED, SIMD_WEIGHTS, WEIGHTS
from tests.devnet.replica.harness import SMALL, Net, rejected
from tests.devnet.replica.wat import ANSWER, module, number

HELPERS = (
    ANSWER
    + """
    (table $table 4 funcref)
    (elem (i32.const 0) $leaf)
    (type $plain (func))
    (global $global (mut i32) (i32.const 0))
    (func $leaf)
    (func (export "canister_query cost") (local $i i32) (local $l i64) (local $before i64)
      (local.set $before (call $performance_counter (i32.const 0)))
      BODY
      (call $answer_i64 (i64.sub (call $performance_counter (i32.const 0)) (local.get $before))))
"""
)
BETWEEN = 1 + 1 + 5 + OVERHEADS["performance_counter"]
"""Counted between the two readings besides the body: setting the local, a constant, a call of the system."""


def counted(net: Net, body: str) -> int:
    """What a body of instructions counts."""
    canister = net.deploy(module(HELPERS.replace("BODY", body)))
    return number(net.query(canister, "cost")) - BETWEEN


def test_an_access_to_a_memory_with_64_bit_addresses_counts_twice(net: Net) -> None:
    canister = net.deploy(
        module(
            """
            (func (export "canister_query cost") (local $before i64)
              (local.set $before (call $performance_counter (i32.const 0)))
              (drop (i32.load (i64.const 0)))
              (i64.store (i64.const 8)
                (i64.sub (call $performance_counter (i32.const 0)) (local.get $before)))
              (call $msg_reply_data_append (i64.const 8) (i64.const 8))
              (call $msg_reply))
            """,
            wide=True,
        )
    )
    address_of_the_store = 1
    assert number(net.query(canister, "cost")) == BETWEEN + address_of_the_store + 1 + 2 + 1


@pytest.mark.parametrize(
    ("body", "weight"),
    [
        ("", 0),
        ("(local.set $i (i32.add (local.get $i) (i32.const 1)))", 4),
        ("(nop)", 1),
        ("(drop (i32.const 1))", 2),
        ("(block (br 0))", 2),
        ("(block (br_if 0 (i32.const 1)))", 3),
        ("(block (br_table 0 0 0 (i32.const 1)))", 3),
        ("(if (i32.const 1) (then (nop)) (else (nop)))", 4),
        ("(loop (nop))", 1),
        ("(call $leaf)", 5),
        ("(call_indirect (type $plain) (i32.const 0))", 11),
        ("(drop (global.get $global))", 3),
        ("(global.set $global (i32.const 1))", 3),
        ("(drop (i32.div_u (i32.const 1) (i32.const 1)))", 13),
        ("(drop (i64.rem_s (i64.const 1) (i64.const 1)))", 13),
        ("(drop (f64.add (f64.const 1) (f64.const 1)))", 5),
        ("(drop (f64.min (f64.const 1) (f64.const 1)))", 21),
        ("(drop (f32.lt (f32.const 1) (f32.const 1)))", 6),
        ("(drop (i32.trunc_f64_s (f64.const 1)))", 22),
        ("(drop (i32.trunc_sat_f64_s (f64.const 1)))", 22),
        ("(drop (f64.convert_i64_u (i64.const 1)))", 18),
        ("(drop (memory.size))", 21),
        ("(drop (memory.grow (i32.const 0)))", 302),
        ("(drop (table.size $table))", 101),
        ("(drop (table.get $table (i32.const 0)))", 7),
        ("(drop (ref.is_null (ref.func $leaf)))", 136),
        ("(drop (select (i32.const 1) (i32.const 2) (i32.const 3)))", 5),
        ("(drop (i32.load offset=300 (i32.const 0)))", 3),
        ("(i64.store (i32.const 0) (i64.const -1))", 3),
        ("(memory.fill (i32.const 0) (i32.const 0) (i32.const 1000))", 1103),
        ("(memory.copy (i32.const 0) (i32.const 500) (i32.const 0))", 103),
        ("(drop (i64x2.extract_lane 0 (i64x2.mul (v128.const i64x2 1 2) (v128.const i64x2 1 2))))", 8),
        ("(drop (i8x16.extract_lane_u 3 (v128.load8_lane 1 (i32.const 0) (v128.const i64x2 1 2))))", 5),
    ],
)
def test_an_instruction_counts_its_weight(net: Net, body: str, weight: int) -> None:
    assert counted(net, body) == weight


@pytest.mark.parametrize(
    ("body", "counted_for_call"),
    [
        ("(drop (call $time))", 500),
        ("(drop (call $stable64_size))", 20),
        ("(drop (call $is_controller (i32.const 0) (i32.const 10)))", 1_010),
        ("(call $msg_caller_copy (i32.const 0) (i32.const 0) (call $msg_caller_size))", 1_029),
        ("(call $debug_print (i32.const 0) (i32.const 7))", 107),
    ],
)
def test_a_system_call_counts_its_overhead_and_its_bytes(net: Net, body: str, counted_for_call: int) -> None:
    rest = 5 * body.count("call $") + body.count("const") + body.count("drop")
    assert counted(net, body) == counted_for_call + rest


def test_a_loop_counts_every_time_it_runs(net: Net) -> None:
    loop = """
      (local.set $i (i32.const 1000))
      (loop $again
        (local.set $i (i32.sub (local.get $i) (i32.const 1)))
        (br_if $again (local.get $i)))"""
    assert counted(net, loop) == 2 + 1_000 * (4 + 1 + 2)


def test_moving_bytes_without_end_is_stopped(net: Net) -> None:
    """Each of these moves takes little fuel and much time."""
    canister = net.deploy(
        module(
            """
            (func (export "canister_query fill")
              (loop $again
                (memory.fill (i32.const 0) (i32.const 0) (i32.const 4194304))
                (br $again)))
            (func (export "canister_update fill_a_little")
              (memory.fill (i32.const 0) (i32.const 7) (i32.const 4194304))
              (call $msg_reply))
            (func (export "canister_update fail") (unreachable))
            """,
            pages=64,
        )
    )
    reject = rejected(lambda: net.query(canister, "fill"))
    assert reject.error_code == "IC0522"
    for _ in range(10):
        net.update(canister, "fill_a_little")
    spent = net.replica.last_instructions(canister, "canister_update fill_a_little")
    assert spent is not None and 4_194_304 < spent < 4_200_000
    assert rejected(lambda: net.update(canister, "fail")).error_code == "IC0502"
    assert SMALL.query_instructions < 2 * 4_194_304


CODE = bytes(
    wasmtime.wat2wasm(
        """(module (memory 1) (table 1 funcref) (elem declare func $f) (func $f (param i32) (result i32)
        (local i64 v128)
        (block (result i32)
          (if (result i32) (local.get 0)
            (then (call $f (i32.const 1)))
            (else (br_table 0 1 (i32.const 7) (i32.const 0))))))
        (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 1))
          (drop (v128.load8_lane 1 (i32.const 0) (v128.const i64x2 1 2)))
          (drop (f64.const 1)) (drop (i32.trunc_sat_f32_s (f32.const 1)))
          (drop (select (result funcref) (ref.func 0) (ref.null func) (i32.const 1)))))"""
    )
)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_malformed_code_is_refused_before_or_by_the_compiler(data: st.DataObject) -> None:
    """Bytes changed or cut: never anything but the two errors that mean a refused module."""
    engine = make_engine(SMALL)
    mutated = bytearray(CODE)
    for _ in range(data.draw(st.integers(1, 3))):
        mutated[data.draw(st.integers(8, len(CODE) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(WasmFormatError, wasmtime.WasmtimeError):
        wasmtime.Module.validate(engine, meter(bytes(mutated[: data.draw(st.integers(8, len(CODE)))])))
    wasmtime.Module.validate(engine, meter(CODE))


def test_every_weight_is_at_least_what_the_meter_takes() -> None:
    assert min(WEIGHTS.values()) == 1
    assert min(SIMD_WEIGHTS.values()) == 2
    assert min(weight for _, weight in PREFIXED.values()) == 20
