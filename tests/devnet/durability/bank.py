"""A test canister that keeps everything twice, in stable memory and on the heap, and pays its like.

A payment is known by its id. The payer takes the amount off its balance, calls `take` of the payee, and marks
the id when the payee has replied; a payee refuses every seventh id, and the payer then has its money back. A
timer counts as fast as it is let.
"""

from __future__ import annotations

from dataclasses import dataclass

import wasmtime

from tests.devnet.replica.wat import ANSWER, module, number

IDS = 8_000
FUNDS = 1_000_000

# Heap and stable memory have the same layout: balance, marks made, ticks; at MARKS and TAKEN a byte per id.
_MARKS, _TAKEN = 1_024, 16_384
_SIZE = _TAKEN + IDS
_HEAP = 65_536

_WAT = module(
    ANSWER
    + f"""
    (table funcref (elem $paid $refused))
    (func $both (param $at i32) (param $by i64)
      (i64.store (i32.add (i32.const {_HEAP}) (local.get $at))
        (i64.add (i64.load (i32.add (i32.const {_HEAP}) (local.get $at))) (local.get $by)))
      (call $stable64_read (i64.const 16) (i64.extend_i32_u (local.get $at)) (i64.const 8))
      (i64.store (i32.const 16) (i64.add (i64.load (i32.const 16)) (local.get $by)))
      (call $stable64_write (i64.extend_i32_u (local.get $at)) (i64.const 16) (i64.const 8)))
    (func $byte (param $at i32)
      (i32.store8 (i32.add (i32.const {_HEAP}) (local.get $at))
        (i32.add (i32.load8_u (i32.add (i32.const {_HEAP}) (local.get $at))) (i32.const 1)))
      (call $stable64_read (i64.const 24) (i64.extend_i32_u (local.get $at)) (i64.const 1))
      (i32.store8 (i32.const 24) (i32.add (i32.load8_u (i32.const 24)) (i32.const 1)))
      (call $stable64_write (i64.extend_i32_u (local.get $at)) (i64.const 24) (i64.const 1)))
    (func $read (param $skip i32) (param $size i32)
      (call $msg_arg_data_copy (i32.const 100) (local.get $skip) (local.get $size)))
    (func $amount (param $id i32) (result i64)
      (i64.extend_i32_u (i32.add (i32.rem_u (local.get $id) (i32.const 97)) (i32.const 1))))
    (func $marked (param $id i32)
      (call $byte (i32.add (i32.const {_MARKS}) (local.get $id)))
      (call $both (i32.const 8) (i64.const 1))
      (call $answer_i64 (i64.load (i32.const {_HEAP + 8}))))
    (func (export "canister_init")
      (drop (call $stable64_grow (i64.const 1)))
      (call $both (i32.const 0) (i64.const {FUNDS}))
      (drop (call $global_timer_set (i64.const 1))))
    (func (export "canister_global_timer")
      (call $both (i32.const 16) (i64.const 1))
      (drop (call $global_timer_set (i64.add (call $time) (i64.const 3000000)))))
    (func (export "canister_update mark")
      (call $read (i32.const 0) (i32.const 4))
      (call $marked (i32.load (i32.const 100))))
    (func (export "canister_update pay") (local $id i32)
      (call $read (i32.const 0) (i32.const 14))
      (local.set $id (i32.load (i32.const 100)))
      (call $both (i32.const 0) (i64.sub (i64.const 0) (call $amount (local.get $id))))
      (call $call_new (i32.const 104) (i32.const 10) {{take}}
        (i32.const 0) (local.get $id) (i32.const 1) (local.get $id))
      (call $call_data_append (i32.const 100) (i32.const 4))
      (if (call $call_perform) (then unreachable)))
    (func $paid (param $id i32) (call $marked (local.get $id)))
    (func $refused (param $id i32)
      (call $both (i32.const 0) (call $amount (local.get $id)))
      (call $answer {{refused}}))
    (func (export "canister_update take") (local $id i32)
      (call $read (i32.const 0) (i32.const 4))
      (local.set $id (i32.load (i32.const 100)))
      (call $both (i32.const 0) (call $amount (local.get $id)))
      (call $byte (i32.add (i32.const {_TAKEN}) (local.get $id)))
      (if (i32.eqz (i32.rem_u (local.get $id) (i32.const 7))) (then unreachable))
      (call $answer {{taken}}))
    (func (export "canister_query books")
      (call $msg_reply_data_append (i32.const {_HEAP}) (i32.const {_SIZE}))
      (call $stable64_read (i64.const {2 * _HEAP}) (i64.const 0) (i64.const {_SIZE}))
      (call $answer (i32.const {2 * _HEAP}) (i32.const {_SIZE})))
    """,
    pages=3,
    texts={"take": "take", "taken": "taken", "refused": "refused"},
)


def bank_module() -> bytes:
    """The Wasm module."""
    return bytes(wasmtime.wat2wasm(_WAT))


def amount(identifier: int) -> int:
    """What the payment with this id moves."""
    return identifier % 97 + 1


@dataclass(frozen=True)
class Books:
    """What a bank has written: marks and taken payments as counts by id."""

    balance: int
    made: int
    ticks: int
    marks: bytes
    taken: bytes

    @classmethod
    def read(cls, data: bytes) -> Books:
        """From what `books` replied; the heap and the stable memory must agree."""
        assert len(data) == 2 * _SIZE
        assert data[:_SIZE] == data[_SIZE:], "heap and stable memory are of different moments"
        balance, made, ticks = (number(data[at : at + 8]) for at in (0, 8, 16))
        return cls(balance, made, ticks, data[_MARKS : _MARKS + IDS], data[_TAKEN : _TAKEN + IDS])
