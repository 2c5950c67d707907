"""System calls about the message and its answer."""

from __future__ import annotations

import pytest

from devnet.replica import Ingress, Limits, Query
from tests.devnet.replica.harness import OTHER_USER, START_NS, USER, Net, make_net, rejected
from tests.devnet.replica.wat import ANSWER, module, number

CANISTER = module(
    ANSWER
    + """
    (func $echo_argument
      (call $msg_arg_data_copy (i32.const 100) (i32.const 0) (call $msg_arg_data_size))
      (call $answer (i32.const 100) (call $msg_arg_data_size)))
    (func (export "canister_update echo") (call $echo_argument))
    (func (export "canister_query echo_query") (call $echo_argument))
    (func (export "canister_update part")
      (call $msg_arg_data_copy (i32.const 100) (i32.const 2) (i32.const 3))
      (call $answer (i32.const 100) (i32.const 3)))
    (func (export "canister_update past_end")
      (call $msg_arg_data_copy (i32.const 100) (i32.const 2) (call $msg_arg_data_size))
      (call $msg_reply))
    (func (export "canister_update outside")
      (call $msg_arg_data_copy (i32.const 65530) (i32.const 0) (call $msg_arg_data_size))
      (call $msg_reply))
    (func (export "canister_update caller")
      (call $msg_caller_copy (i32.const 100) (i32.const 0) (call $msg_caller_size))
      (call $answer (i32.const 100) (call $msg_caller_size)))
    (func (export "canister_update self")
      (call $canister_self_copy (i32.const 100) (i32.const 0) (call $canister_self_size))
      (call $answer (i32.const 100) (call $canister_self_size)))
    (func (export "canister_update reject") (call $msg_reject {no}))
    (func (export "canister_update reject_binary") (call $msg_reject {binary}))
    (func (export "canister_update twice") (call $msg_reply) (call $msg_reply))
    (func (export "canister_update append_after")
      (call $msg_reply)
      (call $msg_reply_data_append (i32.const 0) (i32.const 1)))
    (func (export "canister_update silent"))
    (func (export "canister_update too_large")
      (loop $again
        (call $msg_reply_data_append (i32.const 0) (i32.const 60000))
        (br $again)))
    (func (export "canister_update time") (call $answer_i64 (call $time)))
    (func (export "canister_update replicated")
      (call $answer_i64 (i64.extend_i32_u (call $in_replicated_execution))))
    (func (export "canister_query not_replicated")
      (call $answer_i64 (i64.extend_i32_u (call $in_replicated_execution))))
    (func (export "canister_update controller")
      (call $msg_caller_copy (i32.const 100) (i32.const 0) (call $msg_caller_size))
      (call $answer_i64 (i64.extend_i32_u (call $is_controller (i32.const 100) (call $msg_caller_size)))))
    (func (export "canister_update print") (call $debug_print {no}) (call $msg_reply))
    (func (export "canister_update print_outside")
      (call $debug_print (i32.const 65530) (i32.const 100))
      (call $msg_reply))
    (func (export "canister_query certificate")
      (call $data_certificate_copy (i32.const 100) (i32.const 0) (call $data_certificate_size))
      (call $answer (i32.const 100) (call $data_certificate_size)))
    (func (export "canister_update certify")
      (call $certified_data_set {no})
      (call $msg_reply))
    (func (export "canister_update certify_too_much")
      (call $certified_data_set (i32.const 0) (i32.const 33))
      (call $msg_reply))
    (func (export "canister_update call_in_wrong_place") (call $accept_message))
    (func (export "canister_query timer_in_query") (drop (call $global_timer_set (i64.const 0))))
    (func (export "canister_update root_key")
      (call $root_key_copy (i32.const 100) (i32.const 0) (call $root_key_size))
      (call $answer (i32.const 100) (call $root_key_size)))
    (func (export "canister_query root_key_in_query") (drop (call $root_key_size)))
    """,
    texts={"no": "no thanks", "binary": b"\xff\xfe"},
)


@pytest.fixture
def canister(net: Net) -> bytes:
    return net.deploy(CANISTER)


def test_argument_and_reply_travel(net: Net, canister: bytes) -> None:
    assert net.update(canister, "echo", b"hello") == b"hello"
    assert net.query(canister, "echo_query", b"hello") == b"hello"
    assert net.update(canister, "echo_query", b"as update") == b"as update"
    assert net.update(canister, "part", b"abcdef") == b"cde"
    assert net.update(canister, "echo", b"") == b""


def test_copies_are_checked_against_value_and_memory(net: Net, canister: bytes) -> None:
    assert rejected(lambda: net.update(canister, "past_end", b"abc")).error_code == "IC0504"
    assert "heap out of bounds" in rejected(lambda: net.update(canister, "outside", b"1234567")).message


def test_caller_and_self_are_known(net: Net, canister: bytes) -> None:
    assert net.update(canister, "caller") == USER
    assert net.update(canister, "caller", sender=b"\x04") == b"\x04"
    assert net.update(canister, "self") == canister
    assert number(net.update(canister, "controller")) == 1
    assert number(net.update(canister, "controller", sender=OTHER_USER)) == 0


def test_a_canister_rejects_with_its_own_words(net: Net, canister: bytes) -> None:
    reject = rejected(lambda: net.update(canister, "reject"))
    assert (reject.code, reject.message, reject.error_code) == (4, "no thanks", "IC0406")
    assert rejected(lambda: net.update(canister, "reject_binary")).error_code == "IC0504"


@pytest.mark.parametrize("method", ["twice", "append_after", "too_large"])
def test_replying_wrongly_is_a_contract_violation(net: Net, canister: bytes, method: str) -> None:
    reject = rejected(lambda: net.update(canister, method))
    assert (reject.code, reject.error_code) == (5, "IC0504")


def test_not_replying_is_a_reject(net: Net, canister: bytes) -> None:
    reject = rejected(lambda: net.update(canister, "silent"))
    assert (reject.code, reject.error_code) == (5, "IC0506")
    assert "did not reply" in reject.message


def test_time_is_the_clocks(net: Net, canister: bytes) -> None:
    assert number(net.update(canister, "time")) == START_NS
    net.clock.now -= 5
    assert number(net.update(canister, "time")) == START_NS


def test_replicated_execution_is_known(net: Net, canister: bytes) -> None:
    assert number(net.update(canister, "replicated")) == 1
    assert number(net.query(canister, "not_replicated")) == 0
    assert number(net.update(canister, "not_replicated")) == 1


def test_what_a_canister_prints_is_kept_and_shown(net: Net, canister: bytes) -> None:
    net.update(canister, "print")
    net.update(canister, "print_outside")
    rejected(lambda: net.update(canister, "twice"))
    assert net.printed[0] == "no thanks"
    assert net.printed[1] == "(message out of memory bounds)"
    assert net.printed[2].startswith("[TRAP]: ic0.msg_reply")


def test_certified_data_is_shown_and_bounded(net: Net, canister: bytes) -> None:
    net.update(canister, "certify")
    view = net.replica.canister_view(canister)
    assert view is not None and view.certified_data == b"no thanks"
    assert "32 bytes" in rejected(lambda: net.update(canister, "certify_too_much")).message


def test_a_query_gets_the_certificate_only_if_there_is_one(net: Net, canister: bytes) -> None:
    asked = Query(USER, canister, "certificate", b"", data_certificate=lambda: b"certificate")
    assert net.replica.query(asked) == b"certificate"
    assert rejected(lambda: net.query(canister, "certificate")).error_code == "IC0504"


def test_system_calls_in_the_wrong_context_trap(net: Net, canister: bytes) -> None:
    reject = rejected(lambda: net.update(canister, "call_in_wrong_place"))
    assert '"ic0.accept_message" cannot be executed in update mode' in reject.message
    reject = rejected(lambda: net.query(canister, "timer_in_query"))
    assert '"ic0.global_timer_set" cannot be executed in non-replicated query mode' in reject.message
    assert net.update(canister, "root_key") == b"root key"
    assert rejected(lambda: net.query(canister, "root_key_in_query")).error_code == "IC0504"


def test_unknown_canisters_and_methods_are_refused_at_once(net: Net, canister: bytes) -> None:
    reject = rejected(lambda: net.submit(b"\0" * 8 + b"\1\1", "echo"))
    assert (reject.code, reject.error_code) == (3, "IC0301")
    assert rejected(lambda: net.query(b"\0" * 8 + b"\1\1", "echo")).code == 3
    reject = rejected(lambda: net.submit(canister, "nope"))
    assert (reject.error_code, "no update method 'nope'" in reject.message) == ("IC0536", True)
    reject = rejected(lambda: net.query(canister, "echo"))
    assert "no query method 'echo'" in reject.message
    assert rejected(lambda: net.query(net.create(), "echo")).error_code == "IC0537"


def test_the_same_request_runs_once(net: Net, canister: bytes) -> None:
    request_id = net.submit(canister, "echo", b"once")
    net.settle()
    version = net.status(canister)["version"]
    net.replica.submit(Ingress(request_id, USER, canister, "echo", b"once", START_NS, canister))
    net.settle()
    assert net.status(canister)["version"] == version


def test_a_message_that_waited_too_long_is_not_begun(net: Net, canister: bytes) -> None:
    request = net.submit(canister, "echo")
    net.advance(300)
    reject = rejected(lambda: net.outcome(request))
    assert (reject.code, reject.error_code) == (2, "IC0202")


WIDE = module(
    """
    (func (export "canister_update double")
      (call $msg_arg_data_copy (i64.const 100) (i64.const 0) (call $msg_arg_data_size))
      (call $stable64_write (call $stable64_grow (i64.const 1)) (i64.const 100) (i64.const 4))
      (call $stable64_read (i64.const 104) (i64.const 0) (i64.const 4))
      (call $msg_reply_data_append (i64.const 100) (i64.const 8))
      (call $msg_reply))
    (func (export "canister_update outside")
      (call $msg_arg_data_copy (i64.const -1) (i64.const 0) (call $msg_arg_data_size))
      (call $msg_reply))
    """,
    wide=True,
)


def test_modules_may_have_64_bit_memory(net: Net) -> None:
    canister = net.deploy(WIDE)
    assert net.update(canister, "double", b"abcd") == b"abcdabcd"
    assert "heap out of bounds" in rejected(lambda: net.update(canister, "outside", b"abcd")).message


VARIABLES = module(
    ANSWER
    + """
    (func (export "canister_query count") (call $answer_i64 (i64.extend_i32_u (call $env_var_count))))
    (func (export "canister_query name")
      (call $env_var_name_copy
        (i32.const 1) (i32.const 100) (i32.const 0) (call $env_var_name_size (i32.const 1)))
      (call $answer (i32.const 100) (call $env_var_name_size (i32.const 1))))
    (func (export "canister_query value") (local $size i32)
      (call $msg_arg_data_copy (i32.const 100) (i32.const 0) (call $msg_arg_data_size))
      (local.set $size (call $env_var_value_size (i32.const 100) (call $msg_arg_data_size)))
      (call $env_var_value_copy
        (i32.const 100) (call $msg_arg_data_size) (i32.const 500) (i32.const 0) (local.get $size))
      (call $answer (i32.const 500) (local.get $size)))
    (func (export "canister_query exists")
      (call $msg_arg_data_copy (i32.const 100) (i32.const 0) (call $msg_arg_data_size))
      (call $answer_i64
        (i64.extend_i32_u (call $env_var_name_exists (i32.const 100) (call $msg_arg_data_size)))))
    """
)


def test_environment_variables_are_readable(net: Net) -> None:
    variables = [{"name": "PUBLIC_CANISTER_ID:a", "value": "aaaaa-aa"}, {"name": "b", "value": "two"}]
    canister = net.create(environment_variables=variables)
    net.install(canister, VARIABLES)
    assert number(net.query(canister, "count")) == 2
    assert net.query(canister, "name") == b"b"
    assert net.query(canister, "value", b"PUBLIC_CANISTER_ID:a") == b"aaaaa-aa"
    assert [number(net.query(canister, "exists", name)) for name in (b"b", b"c")] == [1, 0]
    assert rejected(lambda: net.query(canister, "value", b"c")).error_code == "IC0504"
    assert rejected(lambda: net.query(canister, "exists", b"x" * 129)).error_code == "IC0504"


INSPECTOR = module(
    """
    (func (export "canister_inspect_message")
      (call $msg_method_name_copy (i32.const 100) (i32.const 0) (i32.const 1))
      (if (i32.eq (i32.load8_u (i32.const 100)) (i32.const 111)) (then (call $accept_message)))
      (if (i32.eq (i32.load8_u (i32.const 100)) (i32.const 122)) (then (loop $l (br $l)))))
    (func (export "canister_update ok") (call $msg_reply))
    (func (export "canister_update bad") (call $msg_reply))
    (func (export "canister_update zzz") (call $msg_reply))
    """
)


def test_inspection_decides_over_ingress(net: Net) -> None:
    canister = net.deploy(INSPECTOR)
    assert net.update(canister, "ok") == b""
    assert rejected(lambda: net.submit(canister, "bad")).error_code == "IC0516"
    assert rejected(lambda: net.submit(canister, "zzz")).error_code == "IC0516"


def test_the_ingress_queue_is_bounded() -> None:
    net = make_net(Limits(ingress_queue=3))
    canister = net.deploy(CANISTER)
    for _ in range(3):
        net.submit(canister, "echo")
    assert rejected(lambda: net.submit(canister, "echo")).code == 2
    net.settle()
    net.submit(canister, "echo")
    net.replica.close()
