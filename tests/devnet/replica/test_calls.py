"""Inter-canister calls, callbacks and their failures."""

from __future__ import annotations

import pytest

from devnet.principal import principal_text
from devnet.replica import Limits
from tests.devnet.replica.harness import SMALL, Net, make_net, rejected
from tests.devnet.replica.wat import ANSWER, module, number

CALLEE = module(
    ANSWER
    + """
    (global $seen (mut i64) (i64.const 0))
    (func (export "canister_update echo")
      (global.set $seen (i64.add (global.get $seen) (i64.const 1)))
      (call $msg_arg_data_copy (i32.const 100) (i32.const 0) (call $msg_arg_data_size))
      (call $answer (i32.const 100) (call $msg_arg_data_size)))
    (func (export "canister_update refuse") (call $msg_reject {no}))
    (func (export "canister_update boom") (call $trap {no}))
    (func (export "canister_update silent"))
    (func (export "canister_update caller")
      (call $msg_caller_copy (i32.const 100) (i32.const 0) (call $msg_caller_size))
      (call $answer (i32.const 100) (call $msg_caller_size)))
    (func (export "canister_update deadline") (call $answer_i64 (call $msg_deadline)))
    (func (export "canister_query seen") (call $answer_i64 (global.get $seen)))
    """,
    texts={"no": "no"},
)

CALLER = module(
    ANSWER
    + """
    (table funcref (elem $reply $reject $boom $cleanup $nothing $again))
    (type $callback (func (param i32)))
    (global $cleaned (mut i64) (i64.const 0))
    (global $replies (mut i64) (i64.const 0))

    ;; argument: 10 bytes callee, 1 byte length of the method's name, the name, the call's argument
    (func $begin (param $on_reply i32) (param $on_reject i32)
      (call $msg_arg_data_copy (i32.const 1000) (i32.const 0) (call $msg_arg_data_size))
      (call $call_new
        (i32.const 1000) (i32.const 10)
        (i32.const 1011) (i32.load8_u (i32.const 1010))
        (local.get $on_reply) (i32.const 5)
        (local.get $on_reject) (i32.const 6)))
    (func $append_rest (local $skip i32)
      (local.set $skip (i32.add (i32.const 11) (i32.load8_u (i32.const 1010))))
      (call $call_data_append
        (i32.add (i32.const 1000) (local.get $skip))
        (i32.sub (call $msg_arg_data_size) (local.get $skip))))

    (func $reply (param i32)
      (global.set $replies (i64.add (global.get $replies) (i64.const 1)))
      (call $msg_arg_data_copy (i32.const 2000) (i32.const 0) (call $msg_arg_data_size))
      (call $answer (i32.const 2000) (call $msg_arg_data_size)))
    (func $reject (param i32)
      (i32.store8 (i32.const 2000) (call $msg_reject_code))
      (call $msg_reject_msg_copy (i32.const 2001) (i32.const 0) (call $msg_reject_msg_size))
      (call $answer (i32.const 2000) (i32.add (i32.const 1) (call $msg_reject_msg_size))))
    (func $boom (param i32)
      (global.set $cleaned (i64.const 99))
      (call $trap {boom}))
    (func $cleanup (param i32)
      (global.set $cleaned (i64.add (global.get $cleaned) (i64.extend_i32_u (local.get 0)))))
    (func $nothing (param i32))
    (func $again (param i32)
      (call $begin_echo (i32.const 0)))
    (func $begin_echo (param $on_reply i32)
      (call $call_new (i32.const 1000) (i32.const 10) {echo}
        (local.get $on_reply) (i32.const 0) (i32.const 1) (i32.const 0))
      (call $call_data_append {two})
      (drop (call $call_perform)))

    (func (export "canister_update call")
      (call $begin (i32.const 0) (i32.const 1)) (call $append_rest)
      (drop (call $call_perform)))
    (func (export "canister_update call_and_trap")
      (call $begin (i32.const 0) (i32.const 1)) (call $append_rest)
      (drop (call $call_perform))
      (call $trap {boom}))
    (func (export "canister_update call_without_perform")
      (call $begin (i32.const 0) (i32.const 1)) (call $append_rest)
      (call $msg_reply))
    (func (export "canister_update trap_in_callback")
      (call $begin (i32.const 2) (i32.const 2)) (call $append_rest)
      (call $call_on_cleanup (i32.const 3) (i32.const 7))
      (drop (call $call_perform)))
    (func (export "canister_update silent_callback")
      (call $begin (i32.const 4) (i32.const 4)) (call $append_rest)
      (drop (call $call_perform)))
    (func (export "canister_update bad_callback")
      (call $begin (i32.const 77) (i32.const 77)) (call $append_rest)
      (drop (call $call_perform)))
    (func (export "canister_update twice")
      (call $begin (i32.const 5) (i32.const 1)) (call $append_rest)
      (drop (call $call_perform)))
    (func (export "canister_update answer_first")
      (call $begin (i32.const 4) (i32.const 4)) (call $append_rest)
      (drop (call $call_perform))
      (call $msg_reply))
    (func (export "canister_update best_effort")
      (call $begin (i32.const 0) (i32.const 1)) (call $append_rest)
      (call $call_with_best_effort_response (i32.const 10))
      (drop (call $call_perform)))
    (func (export "canister_update perform_alone") (drop (call $call_perform)))
    (func (export "canister_update many") (local $left i32) (local $failed i64)
      (local.set $left (i32.const 10))
      (loop $more
        (call $begin (i32.const 4) (i32.const 4)) (call $append_rest)
        (local.set $failed (i64.add (local.get $failed) (i64.extend_i32_u (call $call_perform))))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br_if $more (local.get $left)))
      (call $answer_i64 (local.get $failed)))
    (func (export "canister_query in_query")
      (call $begin (i32.const 0) (i32.const 1)))
    (func (export "canister_query cleaned") (call $answer_i64 (global.get $cleaned)))
    (func (export "canister_query replies") (call $answer_i64 (global.get $replies)))
    """,
    texts={"boom": "boom in callback", "echo": "echo", "two": "second"},
)


def target(callee: bytes, method: str, arg: bytes = b"") -> bytes:
    return callee + bytes([len(method)]) + method.encode() + arg


@pytest.fixture
def pair(net: Net) -> tuple[bytes, bytes]:
    return net.deploy(CALLER), net.deploy(CALLEE)


def test_a_call_brings_the_answer_back(net: Net, pair: tuple[bytes, bytes]) -> None:
    caller, callee = pair
    assert net.update(caller, "call", target(callee, "echo", b"ping")) == b"ping"
    assert net.update(caller, "call", target(callee, "caller")) == caller
    assert number(net.query(callee, "seen")) == 1


def test_a_canister_may_call_itself_and_query_methods(net: Net, pair: tuple[bytes, bytes]) -> None:
    caller, callee = pair
    inner = target(callee, "echo", b"deep")
    assert net.update(caller, "call", target(caller, "call", inner)) == b"deep"
    assert number(net.update(caller, "call", target(callee, "seen"))) == 1


def test_a_callback_may_call_again(net: Net, pair: tuple[bytes, bytes]) -> None:
    caller, callee = pair
    assert net.update(caller, "twice", target(callee, "echo", b"first")) == b"second"
    assert number(net.query(callee, "seen")) == 2


@pytest.mark.parametrize(
    ("method", "code", "message"),
    [
        ("refuse", 4, "no"),
        ("boom", 5, "IC0503: Error from Canister {}: Canister called `ic0.trap` with message: 'no'"),
        ("silent", 5, "IC0506: Error from Canister {}: Canister did not reply to the call"),
        ("missing", 5, "IC0536: Error from Canister {}: Canister has no update method 'missing'."),
    ],
)
def test_failures_of_the_callee_reach_the_reject_callback(
    net: Net, pair: tuple[bytes, bytes], method: str, code: int, message: str
) -> None:
    caller, callee = pair
    answer = net.update(caller, "call", target(callee, method))
    assert (answer[0], answer[1:].decode()) == (code, message.format(principal_text(callee)))


def test_a_missing_callee_is_an_invalid_destination(net: Net, pair: tuple[bytes, bytes]) -> None:
    answer = net.update(pair[0], "call", target(b"\0" * 8 + b"\1\1", "echo"))
    assert answer[0] == 3
    assert b"IC0301" in answer


def test_a_stopped_callee_rejects(net: Net, pair: tuple[bytes, bytes]) -> None:
    caller, callee = pair
    net.manage("stop_canister", canister_id=callee)
    assert b"IC0508" in net.update(caller, "call", target(callee, "echo"))


def test_a_trap_discards_the_calls_made(net: Net, pair: tuple[bytes, bytes]) -> None:
    caller, callee = pair
    rejected(lambda: net.update(caller, "call_and_trap", target(callee, "echo")))
    net.update(caller, "call_without_perform", target(callee, "echo"))
    assert number(net.query(callee, "seen")) == 0


def test_cleanup_runs_when_the_callback_traps(net: Net, pair: tuple[bytes, bytes]) -> None:
    caller, callee = pair
    reject = rejected(lambda: net.update(caller, "trap_in_callback", target(callee, "echo")))
    assert "boom in callback" in reject.message
    assert number(net.query(caller, "cleaned")) == 7
    assert number(net.query(callee, "seen")) == 1


def test_a_call_ends_without_reply_after_its_last_callback(net: Net, pair: tuple[bytes, bytes]) -> None:
    caller, callee = pair
    assert (
        rejected(lambda: net.update(caller, "silent_callback", target(callee, "echo"))).error_code == "IC0506"
    )
    assert rejected(lambda: net.update(caller, "bad_callback", target(callee, "echo"))).error_code == "IC0513"


def test_the_caller_may_answer_before_the_callee(net: Net, pair: tuple[bytes, bytes]) -> None:
    caller, callee = pair
    assert net.update(caller, "answer_first", target(callee, "echo")) == b""
    assert number(net.query(callee, "seen")) == 1


def test_building_a_call_wrongly_is_a_contract_violation(net: Net, pair: tuple[bytes, bytes]) -> None:
    caller, callee = pair
    assert rejected(lambda: net.update(caller, "perform_alone")).error_code == "IC0504"
    assert rejected(lambda: net.query(caller, "in_query", target(callee, "echo"))).error_code == "IC0504"


def test_a_best_effort_call_times_out(net: Net, pair: tuple[bytes, bytes]) -> None:
    caller, callee = pair
    assert number(net.update(caller, "best_effort", target(callee, "deadline"))) == net.clock.now + 10**10
    request = net.submit(caller, "best_effort", target(callee, "echo", b"late"))
    net.replica.run(1)
    assert net.replica.next_wakeup() == net.clock.now + 10**10
    net.clock.now += 10**10
    net.settle()
    answer = net.outcome(request)
    assert (answer[0], b"IC0601" in answer) == (6, True)
    assert number(net.query(callee, "seen")) == 1


def test_outstanding_calls_are_bounded() -> None:
    net = make_net(Limits(canister_queue=4))
    caller, callee = net.deploy(CALLER), net.deploy(CALLEE)
    assert number(net.update(caller, "many", target(callee, "echo"))) == 6 * 2
    assert number(net.query(callee, "seen")) == 4
    assert number(net.update(caller, "many", target(callee, "echo"))) == 6 * 2
    net.replica.close()


def test_canisters_take_turns(net: Net) -> None:
    """One canister with a long queue does not keep another waiting."""
    first, second = net.deploy(CALLEE), net.deploy(CALLEE)
    for _ in range(10):
        net.submit(first, "echo")
    late = net.submit(second, "echo", b"me too")
    assert net.replica.run(2)
    assert net.outcome(late) == b"me too"


def test_a_canister_that_calls_itself_keeps_one_place_in_line(net: Net) -> None:
    caller, callee = net.deploy(CALLER), net.deploy(CALLEE)
    argument = target(callee, "echo", b"end")
    for _ in range(6):
        argument = target(caller, "call", argument)
    waiting = net.submit(caller, "call", argument)
    others = [net.submit(callee, "echo", bytes([number])) for number in range(4)]
    for _ in range(40):
        net.replica.run(1)
        assert len(net.replica._subnet.ready) <= 2
    net.settle()
    assert net.outcome(waiting) == b"end"
    assert [net.outcome(request) for request in others] == [bytes([number]) for number in range(4)]


def test_two_runs_give_the_same_result() -> None:
    def run() -> list[bytes]:
        net = make_net(SMALL)
        caller, callee = net.deploy(CALLER), net.deploy(CALLEE)
        requests = [net.submit(caller, "twice", target(callee, "echo")) for _ in range(5)]
        requests += [net.submit(callee, "echo", bytes([number])) for number in range(5)]
        net.settle()
        cycles = [str(net.status(canister)["cycles"]).encode() for canister in (caller, callee)]
        answers = [net.outcome(request) for request in requests]
        net.replica.close()
        return answers + cycles

    assert run() == run()
