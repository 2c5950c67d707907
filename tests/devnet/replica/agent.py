"""A canister that calls the management canister with whatever it is told."""

from __future__ import annotations

from devnet.replica.candid import CandidType, decode_one
from tests.devnet.replica.harness import Net
from tests.devnet.replica.wat import ANSWER, module

AGENT_BODY = (
    ANSWER
    + """
    (table funcref (elem $reply $reject))
    (type $callback (func (param i32)))
    (func $reply (param i32)
      (call $msg_arg_data_copy (i32.const 2000) (i32.const 0) (call $msg_arg_data_size))
      (call $answer (i32.const 2000) (call $msg_arg_data_size)))
    (func $reject (param i32)
      (call $msg_reject_msg_copy (i32.const 2000) (i32.const 0) (call $msg_reject_msg_size))
      (call $msg_reject (i32.const 2000) (call $msg_reject_msg_size)))
    ;; argument: 8 bytes cycles, 1 byte length of the method's name, name, argument for aaaaa-aa
    (func (export "canister_update manage") (local $skip i32)
      (call $msg_arg_data_copy (i32.const 1000) (i32.const 0) (call $msg_arg_data_size))
      (call $call_new
        (i32.const 0) (i32.const 0)
        (i32.const 1009) (i32.load8_u (i32.const 1008))
        (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0))
      (local.set $skip (i32.add (i32.const 9) (i32.load8_u (i32.const 1008))))
      (call $call_data_append
        (i32.add (i32.const 1000) (local.get $skip))
        (i32.sub (call $msg_arg_data_size) (local.get $skip)))
      (call $call_cycles_add128 (i64.const 0) (i64.load (i32.const 1000)))
      (drop (call $call_perform)))
    (func (export "canister_update wait_for_self") (local $skip i32)
      (call $call_new (i32.const 0) (i32.const 0) {raw_rand}
        (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0))
      (call $call_data_append {empty})
      (drop (call $call_perform)))
    (func (export "canister_update chatty") (local $left i32)
      (local.set $left (i32.const 100))
      (loop $more
        (call $debug_print {line})
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br_if $more (local.get $left)))
      (call $msg_reply))
    (func (export "canister_update fail") (call $trap {line}))
    """
)
AGENT_TEXTS: dict[str, str | bytes] = {"raw_rand": "raw_rand", "empty": b"DIDL\0\0", "line": "l" * 100}
AGENT = module(AGENT_BODY, texts=AGENT_TEXTS)


def as_canister(
    net: Net, agent: bytes, method: str, argument: bytes, result: CandidType | None, cycles: int = 0
) -> object:
    arg = cycles.to_bytes(8, "little") + bytes([len(method)]) + method.encode() + argument
    return decode_one(result, net.update(agent, "manage", arg))
