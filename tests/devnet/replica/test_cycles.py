"""Balances, transfers and charges."""

from __future__ import annotations

import pytest

from devnet.replica import prices
from devnet.replica.candid import encode_one
from devnet.replica.management import interface
from devnet.replica.system_api import costs
from tests.devnet.replica.harness import SMALL, USER, Net, rejected
from tests.devnet.replica.wat import ANSWER, module, number

BANK = module(
    ANSWER
    + """
    (table funcref (elem $refunded $refunded))
    (type $callback (func (param i32)))
    (func $refunded (param i32)
      (call $msg_cycles_refunded128 (i32.const 16))
      (call $answer (i32.const 16) (i32.const 16)))
    (func $arguments (call $msg_arg_data_copy (i32.const 1000) (i32.const 0) (call $msg_arg_data_size)))
    ;; argument: 8 bytes cycles to send, 8 bytes to be accepted, callee
    (func (export "canister_update send")
      (call $arguments)
      (call $call_new (i32.const 1016) (i32.const 10) {take}
        (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0))
      (call $call_data_append (i32.const 1008) (i32.const 8))
      (call $call_cycles_add (i64.load (i32.const 1000)))
      (drop (call $call_perform)))
    (func (export "canister_update take")
      (call $arguments)
      (drop (call $msg_cycles_accept (i64.load (i32.const 1000))))
      (call $answer_i64 (call $msg_cycles_available)))
    (func (export "canister_update take_and_trap")
      (drop (call $msg_cycles_accept (i64.const 1000000)))
      unreachable)
    (func (export "canister_update add_too_much")
      (call $call_new (i32.const 1016) (i32.const 10) {take}
        (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0))
      (call $call_cycles_add128 (i64.const 1) (i64.const 0)))
    (func (export "canister_update never_sent")
      (call $call_new (i32.const 1016) (i32.const 10) {take}
        (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0))
      (call $call_cycles_add (i64.const 1000000000000))
      (call $msg_reply))
    (func (export "canister_update burn")
      (call $cycles_burn128 (i64.const 0) (i64.const 1000000000000) (i32.const 0))
      (call $answer (i32.const 0) (i32.const 16)))
    (func (export "canister_query balance")
      (call $canister_cycle_balance128 (i32.const 0))
      (call $answer (i32.const 0) (i32.const 16)))
    (func (export "canister_query liquid")
      (call $canister_liquid_cycle_balance128 (i32.const 0))
      (call $answer (i32.const 0) (i32.const 16)))
    (func (export "canister_query key_cost") (local $status i32)
      (local.set $status (call $cost_vetkd_derive_key {key} (i32.const 0) (i32.const 16)))
      (i32.store (i32.const 32) (local.get $status))
      (call $answer (i32.const 16) (i32.const 20)))
    ;; argument: 4 bytes curve or algorithm, key name; answers the cost and the status
    (func (export "canister_query ecdsa_cost")
      (call $arguments)
      (i32.store (i32.const 32) (call $cost_sign_with_ecdsa
        (i32.const 1004) (i32.sub (call $msg_arg_data_size) (i32.const 4))
        (i32.load (i32.const 1000)) (i32.const 16)))
      (call $answer (i32.const 16) (i32.const 20)))
    (func (export "canister_query schnorr_cost")
      (call $arguments)
      (i32.store (i32.const 32) (call $cost_sign_with_schnorr
        (i32.const 1004) (i32.sub (call $msg_arg_data_size) (i32.const 4))
        (i32.load (i32.const 1000)) (i32.const 16)))
      (call $answer (i32.const 16) (i32.const 20)))
    ;; argument: two numbers
    (func (export "canister_query call_cost")
      (call $arguments)
      (call $cost_call (i64.load (i32.const 1000)) (i64.load (i32.const 1008)) (i32.const 16))
      (call $answer (i32.const 16) (i32.const 16)))
    (func (export "canister_query old_outcall_cost")
      (call $arguments)
      (call $cost_http_request (i64.load (i32.const 1000)) (i64.load (i32.const 1008)) (i32.const 16))
      (call $answer (i32.const 16) (i32.const 16)))
    (func (export "canister_query outcall_cost")
      (call $arguments)
      (call $cost_http_request_v2 (i32.const 1000) (call $msg_arg_data_size) (i32.const 16))
      (call $answer (i32.const 16) (i32.const 16)))
    (func (export "canister_query creation_cost")
      (call $cost_create_canister (i32.const 0))
      (call $answer (i32.const 0) (i32.const 16)))
    """,
    texts={"take": "take", "key": "test_key_1"},
)


def u64(value: int) -> bytes:
    return value.to_bytes(8, "little")


def balance(net: Net, canister: bytes) -> int:
    return int(net.status(canister)["cycles"])


def test_cycles_move_and_the_rest_returns(net: Net) -> None:
    giver, taker = net.deploy(BANK), net.deploy(BANK)
    before = balance(net, taker)
    refund = number(net.update(giver, "send", u64(5_000_000_000_000) + u64(3_000_000_000_000) + taker))
    assert refund == 2_000_000_000_000
    gained = balance(net, taker) - before
    assert 0 <= 3_000_000_000_000 - gained < 100_000_000
    assert 0 <= 97_000_000_000_000 - balance(net, giver) < 100_000_000


def test_no_cycles_appear_or_vanish_but_the_fees(net: Net) -> None:
    """Both balances together change only by what execution and transmission cost."""
    giver, taker = net.deploy(BANK), net.deploy(BANK)
    total = balance(net, giver) + balance(net, taker)
    net.update(giver, "send", u64(5_000_000_000_000) + u64(1) + taker)
    net.update(giver, "never_sent")
    spent = total - balance(net, giver) - balance(net, taker)
    assert 0 < spent < 100_000_000


def test_a_rejected_call_returns_its_cycles(net: Net) -> None:
    giver = net.deploy(BANK)
    refund = number(net.update(giver, "send", u64(7_000) + u64(1) + b"\0" * 8 + b"\1\1"))
    assert refund == 7_000


def test_more_than_there_is_cannot_be_sent(net: Net) -> None:
    canister = net.deploy(BANK)
    reject = rejected(lambda: net.update(canister, "add_too_much"))
    assert reject.error_code == "IC0504"
    assert "available for spending" in reject.message


def test_cycles_can_be_burned(net: Net) -> None:
    canister = net.deploy(BANK)
    before = balance(net, canister)
    assert number(net.update(canister, "burn")) == 1_000_000_000_000
    assert 0 <= before - balance(net, canister) - 1_000_000_000_000 < 100_000_000


def test_work_is_charged_by_the_table(net: Net) -> None:
    canister = net.deploy(BANK)
    before = balance(net, canister)
    net.update(canister, "take", u64(0))
    spent = before - balance(net, canister)
    status_call = prices.ingress(len("canister_status") + 25)
    assert prices.UPDATE_BASE + prices.INGRESS_BASE < spent - status_call < 8_000_000


def test_storage_is_charged_over_time(net: Net) -> None:
    canister = net.deploy(BANK)
    net.advance(0)
    before, per_day = balance(net, canister), net.status(canister)["idle_cycles_burned_per_day"]
    assert per_day > 500_000
    net.advance(86_400)
    spent = before - balance(net, canister)
    assert per_day <= spent < per_day + 10_000_000


def test_allocations_are_charged_whether_used_or_not(net: Net) -> None:
    """Figures of the price table: 10 M cycles a percent-second, 127,000 a GiB-second."""
    canister = net.create(compute_allocation=3, memory_allocation=2 << 30)
    per_second = 3 * 10_000_000 + 2 * 127_000
    assert net.status(canister)["idle_cycles_burned_per_day"] == 86_400 * per_second
    net.advance(0)
    before = balance(net, canister)
    net.advance(1_000)
    assert 0 <= before - balance(net, canister) - 1_000 * per_second < 10_000_000


def test_the_freezing_threshold_keeps_cycles_for_idle_time(net: Net) -> None:
    canister = net.deploy(BANK)
    burned = net.status(canister)["idle_cycles_burned_per_day"]
    set_threshold(net, canister, 1_000_000 * 86_400)
    liquid = number(net.query(canister, "liquid"))
    assert number(net.query(canister, "balance")) - liquid == 1_000_000 * burned
    set_threshold(net, canister, 1_000_000_000 * 86_400)
    reject = rejected(lambda: net.submit(canister, "take", u64(0)))
    assert (reject.code, reject.error_code) == (2, "IC0207")
    set_threshold(net, canister, 0)
    assert number(net.query(canister, "liquid")) == number(net.query(canister, "balance"))
    net.update(canister, "take", u64(0))


def set_threshold(net: Net, canister: bytes, seconds: int) -> None:
    settings = dict.fromkeys(interface.SETTINGS.fields) | {"freezing_threshold": seconds}
    net.manage("update_settings", canister_id=canister, settings=settings)


def test_a_canister_that_cannot_pay_is_refused_work(net: Net) -> None:
    canister = net.deploy(BANK, cycles=2 * prices.execution(SMALL.install_instructions))
    net.update(canister, "burn")
    reject = rejected(lambda: net.submit(canister, "take", u64(0)))
    assert (reject.code, reject.error_code) == (2, "IC0207")
    assert "please top up the canister with at least" in reject.message
    net.manage("provisional_top_up_canister", canister_id=canister, amount=10**12)
    net.update(canister, "take", u64(0))


def test_a_canister_that_cannot_pay_for_its_memory_loses_its_code(net: Net) -> None:
    canister = net.deploy(BANK, cycles=prices.execution(SMALL.install_instructions) * 2)
    net.advance(100 * 365 * 86_400)
    net.manage("provisional_top_up_canister", canister_id=canister, amount=10**12)
    status = net.status(canister)
    assert status["module_hash"] is None
    assert net.manage("canister_metrics", canister_id=canister)["cycles_consumed"]["uninstall"] > 0


def test_a_canister_out_of_cycles_loses_allocations_and_history_but_not_its_controllers(net: Net) -> None:
    canister = net.deploy(BANK, cycles=prices.execution(SMALL.install_instructions) * 2)
    settings = dict.fromkeys(interface.SETTINGS.fields)
    net.manage(
        "update_settings",
        canister_id=canister,
        settings=settings | {"compute_allocation": 1, "memory_allocation": 1 << 30},
    )
    net.advance(86_400)
    net.manage("provisional_top_up_canister", canister_id=canister, amount=10**12)
    status = net.status(canister)
    assert (status["settings"]["compute_allocation"], status["settings"]["memory_allocation"]) == (0, 0)
    assert status["settings"]["controllers"] == [USER]
    info = net.manage("canister_info", canister_id=canister, num_requested_changes=20)
    assert (info["recent_changes"], info["total_num_changes"]) == ([], 2)


def test_installation_needs_cycles_for_its_longest_run(net: Net) -> None:
    canister = net.create(cycles=prices.execution(SMALL.install_instructions) - 1)
    reject = rejected(lambda: net.install(canister, BANK))
    assert reject.error_code == "IC0207"


def test_costs_can_be_asked(net: Net) -> None:
    canister = net.deploy(BANK)
    answer = net.query(canister, "key_cost")
    assert (number(answer[:16]), number(answer[16:])) == (10_000_000_000, 0)
    assert number(net.query(canister, "creation_cost")) == prices.CREATE_CANISTER
    assert number(net.query(canister, "liquid")) <= number(net.query(canister, "balance"))


@pytest.mark.parametrize("method", ["ecdsa_cost", "schnorr_cost"])
def test_signatures_cost_what_the_price_list_says(net: Net, method: str) -> None:
    canister = net.deploy(BANK)

    def ask(curve: int, name: bytes) -> tuple[int, int]:
        answer = net.query(canister, method, curve.to_bytes(4, "little") + name)
        return number(answer[:16]), number(answer[16:])

    assert ask(0, b"key_1") == (26_153_846_153, 0)
    assert ask(0, b"test_key_1") == ask(0, b"dfx_test_key") == (10_000_000_000, 0)
    assert ask(0, b"unknown") == (0, 2)
    algorithms = 1 if method == "ecdsa_cost" else 2
    assert ask(algorithms - 1, b"key_1")[1] == 0
    assert ask(algorithms, b"key_1") == (0, 1)


def test_calls_and_outcalls_cost_what_the_price_list_says(net: Net) -> None:
    """Figures of the documentation's table for 13 nodes."""
    canister = net.deploy(BANK)
    free = number(net.query(canister, "call_cost", u64(0) + u64(0)))
    assert number(net.query(canister, "call_cost", u64(3) + u64(4))) - free == 7 * 1_000
    reserved = 1_000 * SMALL.reply_bytes + 5_000_000 + SMALL.update_instructions
    assert free == 260_000 + reserved
    old = number(net.query(canister, "old_outcall_cost", u64(10) + u64(100)))
    assert old == 49_140_000 + 10 * 5_200 + 100 * 10_400


def outcall(kind: object, **changes: int) -> bytes:
    used = {
        "request_bytes": 0,
        "http_roundtrip_time_ms": 0,
        "raw_response_bytes": 0,
        "transformed_response_bytes": 0,
        "transform_instructions": 0,
    }
    return encode_one(costs._OUTCALL, used | changes | {"outcall_type": kind})


def test_outcalls_cost_what_the_price_list_says(net: Net) -> None:
    """Figures of the documentation's table for 13 nodes: base, request byte, delivered byte."""
    canister = net.deploy(BANK)

    def cost(argument: bytes) -> int:
        return number(net.query(canister, "outcall_cost", argument))

    base = cost(outcall(None))
    assert base == cost(outcall(("fully_replicated", None))) == 38_417_600
    assert cost(outcall(None, request_bytes=1)) - base == 650
    assert cost(outcall(None, transformed_response_bytes=1)) - base == 9_490
    flexible = {"min_responses": 9, "max_responses": 13, "total_requests": 13}
    assert cost(outcall(("flexible", None))) == cost(outcall(("flexible", flexible)))
    assert cost(outcall(("non_replicated", None))) < base
    assert rejected(lambda: cost(b"junk")).error_code == "IC0504"
