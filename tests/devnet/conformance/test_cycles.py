"""Interface specification, "Cycles" of the System API, and "Canister cycles"."""

from __future__ import annotations

import pytest

from tests.devnet.conformance.driver import (
    CANISTER_ERROR,
    SYS_TRANSIENT,
    Canister,
    User,
    code_of,
    number,
    passed,
    poll,
    rejected,
)
from tests.devnet.conformance.program import (
    DROP,
    add,
    allocate,
    append,
    as_bytes,
    blob,
    call,
    call_other,
    read,
    read_128,
    reject,
    reply,
    reply_number,
    set_variable,
    spin,
    trap,
    variable,
)
from tests.network import moves_time

T = 10**12
AVAILABLE, REFUNDED = read_128("msg_cycles_available128"), read_128("msg_cycles_refunded128")
BALANCE = read_128("canister_cycle_balance128")
LIQUID = read_128("canister_liquid_cycle_balance128")


def accept(most: int) -> bytes:
    return read_128("msg_cycles_accept128", most >> 64, most)


def numbers(answer: bytes) -> list[int]:
    return [number(answer[at : at + 16]) for at in range(0, len(answer), 16)]


def test_a_callee_takes_what_it_accepts_and_the_rest_returns(canister: Canister, other: Canister) -> None:
    """`msg_cycles_available`, `msg_cycles_accept`, `msg_cycles_refunded`: T = taken + refunded."""
    callee = reply(AVAILABLE, accept(2 * T), AVAILABLE, accept(9 * T), AVAILABLE)
    before = other.status()["cycles"]
    on_reply = reply(REFUNDED, read("msg_arg_data"))
    answer = numbers(canister.update(call_other(other.id, "update", callee, cycles=3 * T, on_reply=on_reply)))
    assert answer == [0, 3 * T, 2 * T, T, T, 0]
    assert other.status()["cycles"] > before + 3 * T - 10**10


@pytest.mark.parametrize("end", [reply(), reject("no"), trap(), b""])
def test_what_is_not_accepted_is_refunded(canister: Canister, other: Canister, end: bytes) -> None:
    """`msg_cycles_refunded`: all of it with replies, rejects and traps without acceptance."""
    steps = call_other(
        other.id, "update", end, cycles=5 * T, on_reply=reply(REFUNDED), on_reject=reply(REFUNDED)
    )
    assert numbers(canister.update(steps)) == [5 * T]


def test_a_trap_undoes_acceptance(canister: Canister, other: Canister) -> None:
    """Entry points: cycles accepted in an execution that traps are not accepted."""
    before = other.status()["cycles"]
    steps = call_other(
        other.id, "update", accept(T) + DROP + DROP + trap(), cycles=T, on_reject=reply(REFUNDED)
    )
    assert numbers(canister.update(steps)) == [T]
    assert other.status()["cycles"] <= before


def test_nothing_is_available_after_the_answer(canister: Canister, other: Canister) -> None:
    """`msg_cycles_available`: reports 0 when the call is responded to; accepting then gives 0."""
    steps = (
        reply()
        + set_variable(0, call("msg_cycles_available"))
        + set_variable(1, call("msg_cycles_accept", 5))
    )
    passed(canister.update(call_other(other.id, "update", steps, cycles=T)))
    assert [other.number(variable(index)) for index in (0, 1)] == [0, 0]


def test_ingress_brings_no_cycles(canister: Canister) -> None:
    """`msg_cycles_available`: users attach none."""
    assert numbers(canister.update(reply(AVAILABLE, accept(T)))) == [0, 0]


def test_the_64_bit_functions_agree(canister: Canister, other: Canister) -> None:
    """The functions for 64-bit amounts."""
    callee = reply(
        as_bytes(call("msg_cycles_available")),
        as_bytes(call("msg_cycles_accept", T)),
        as_bytes(call("msg_cycles_available")),
    )
    steps = call_other(other.id, "update", callee, cycles=3 * T)
    answer = passed(canister.update(steps))
    assert [number(answer[at : at + 8]) for at in (0, 8, 16)] == [3 * T, T, 2 * T]
    refunded = call_other(
        other.id, "update", reply(), cycles=T, on_reply=reply_number(call("msg_cycles_refunded"))
    )
    assert number(canister.update(refunded)) == T
    assert 0 < canister.number(call("canister_cycle_balance")) < 2**63


def test_amounts_that_need_more_than_64_bits(user: User, other: Canister) -> None:
    """The 64-bit functions trap when the amount does not fit; the 128-bit ones serve."""
    rich = user.deploy(cycles=2**70)
    assert code_of(lambda: rich.query(reply_number(call("canister_cycle_balance")))) == CANISTER_ERROR
    assert numbers(rich.query(reply(BALANCE)))[0] > 2**69
    much = call_other(other.id, "update", reply(AVAILABLE), cycles=2**66)
    assert numbers(passed(rich.update(much))) == [2**66]
    too_much = call_other(other.id, "update", reply_number(call("msg_cycles_available")), cycles=2**66)
    assert code_of(lambda: passed(rich.update(too_much))) == CANISTER_ERROR


def test_more_than_there_is_cannot_be_sent(canister: Canister, other: Canister) -> None:
    """`call_cycles_add`: traps if more than the liquid balance is to be transferred."""
    for amount in (2**80, 10**15):
        steps = call_other(other.id, "update", reply(), cycles=amount)
        assert code_of(lambda: canister.update(steps)) == CANISTER_ERROR  # noqa: B023


def test_the_balance_shows_what_is_on_its_way(canister: Canister, other: Canister) -> None:
    """`canister_cycle_balance`: minus cycles queued up to be sent."""
    steps = append(BALANCE) + call_other(other.id, "update", reply(), cycles=T, on_reply=b"") + reply(BALANCE)
    before, after = numbers(canister.update(steps))
    assert after <= before - T


def test_the_liquid_balance_leaves_the_freezing_reserve(user: User) -> None:
    """`canister_liquid_cycle_balance128`: what may be spent without freezing the canister."""
    canister = user.deploy()
    balance, liquid = numbers(canister.query(reply(BALANCE, LIQUID)))
    assert liquid <= balance
    canister.set(freezing_threshold=10**10)
    balance, less = numbers(canister.query(reply(BALANCE, LIQUID)))
    assert less < liquid


def test_burning_cycles(user: User) -> None:
    """`cycles_burn128`: as many as wanted, but no more than the liquid balance."""
    canister = user.deploy(cycles=10 * T)
    assert numbers(canister.update(reply(read_128("cycles_burn128", 0, T)))) == [T]
    assert canister.status()["cycles"] < 9 * T
    burned = numbers(canister.update(reply(read_128("cycles_burn128", 2**60, 0))))[0]
    assert 0 < burned < 9 * T


def test_a_frozen_canister_takes_no_calls(user: User, canister: Canister) -> None:
    """`freezing_threshold`: calls to a frozen canister are rejected with SYS_TRANSIENT."""
    frozen = user.deploy(cycles=10 * T)
    frozen.set(freezing_threshold=2**50)
    assert rejected(lambda: frozen.update(reply())).code == SYS_TRANSIENT
    found = rejected(lambda: passed(canister.update(call_other(frozen.id, "update", reply()))))
    assert found.code == SYS_TRANSIENT
    frozen.set(freezing_threshold=1000)
    assert frozen.update(reply(blob(b"thawed"))) == b"thawed"


def test_a_poor_canister_cannot_call(user: User, other: Canister) -> None:
    """`call_perform`: gives 2 if the call would bring the balance below the freezing reserve."""
    poor = user.deploy(cycles=10 * T)
    burn = read_128("cycles_burn128", 0, 10 * T) + DROP + DROP
    once = burn + call_to(other.id) + set_variable(2, add(1, call("call_perform"))) + reply()
    poor.update(once)
    poor.manage("provisional_top_up_canister", amount=10 * T)
    assert poor.number(variable(2)) == 3


def call_to(callee: bytes) -> bytes:
    return call("call_new", blob(callee), blob("query"), 0, 0, 0, 0)


def test_executions_cost_cycles(user: User) -> None:
    """Canister cycles: a canister pays for what it uses; more work costs more."""
    canister = user.deploy()

    def cost(steps: bytes) -> int:
        before = canister.status()["cycles"]
        canister.update(steps)
        return int(before - canister.status()["cycles"])

    small, big = cost(reply()), cost(spin(10_000_000) + reply())
    assert 0 < small < big


def test_costs_are_told(canister: Canister) -> None:
    """Cycle cost calculation: functions that tell what calls cost; larger ones cost more."""

    def told(name: str, *arguments: int | bytes) -> int:
        return numbers(canister.query(reply(read_128(name, *arguments))))[0]

    assert 0 < told("cost_call", 10, 10) < told("cost_call", 10, 10_000)
    assert told("cost_create_canister") > 10**9
    assert 0 < told("cost_http_request", 100, 100) < told("cost_http_request", 100, 2_000_000)


@pytest.mark.parametrize(
    "name, curves", [("cost_sign_with_ecdsa", 1), ("cost_sign_with_schnorr", 2), ("cost_vetkd_derive_key", 1)]
)
def test_costs_of_threshold_keys(canister: Canister, name: str, curves: int) -> None:
    """Cycle cost calculation: 1 for an invalid curve, 2 for an unknown key name, else 0."""

    def result(key: str, curve: int) -> int:
        return canister.number(call(name, blob(key), curve, allocate(16)))

    assert [result("key_1", curve) for curve in range(curves)] == [0] * curves
    assert result("key_1", curves) == 1
    assert result("no_such_key", 0) == 2
    outside = call(name, blob("key_1"), 0, 2**32 - 8)
    assert code_of(lambda: canister.query(outside + reply())) == CANISTER_ERROR


def test_what_creating_a_canister_costs_is_enough(canister: Canister) -> None:
    """`cost_create_canister`: with that many cycles attached, `create_canister` succeeds; with less not."""
    cost = numbers(canister.query(reply(read_128("cost_create_canister"))))[0]
    assert canister.manage_through("create_canister", cycles=cost)["canister_id"]
    assert code_of(lambda: canister.manage_through("create_canister", cycles=cost - 1)) == CANISTER_ERROR


def test_a_minimum_of_cycles_for_calls(user: User, canister: Canister) -> None:
    """`minimum_incoming_canister_call_cycles`: fewer is CANISTER_ERROR; users and itself are exempt."""
    dear = user.deploy(minimum_incoming_canister_call_cycles=T)
    cheap = call_other(dear.id, "update", reply(), cycles=T - 1, on_reject=reply(REFUNDED))
    assert numbers(canister.update(cheap)) == [T - 1]
    assert code_of(lambda: passed(canister.update(call_other(dear.id, "update", reply())))) == CANISTER_ERROR
    assert passed(canister.update(call_other(dear.id, "update", reply(), cycles=T))) == b""
    assert passed(dear.update(call_other(dear.id, "update", reply(blob(b"self"))))) == b"self"
    controlling = user.deploy()
    dear.set(controllers=[user.sender, controlling.id])
    assert (
        code_of(lambda: passed(controlling.update(call_other(dear.id, "update", reply())))) == CANISTER_ERROR
    )


@moves_time
def test_a_canister_without_cycles_loses_its_code(user: User) -> None:
    """Canister cycles: deallocated when the balance falls to zero; topped up, it can be installed again."""
    canister = user.deploy(freezing_threshold=0, memory_allocation=2**33)
    canister.update(DRAIN + reply())
    user.network.advance(24 * 3600)
    poll(lambda: canister.status()["module_hash"] is None)
    status = canister.status()
    assert status["settings"]["memory_allocation"] == 0
    assert status["settings"]["controllers"] == [user.sender]
    assert code_of(lambda: canister.update(reply())) != 0
    canister.manage("provisional_top_up_canister", amount=10**15)
    canister.install()
    assert canister.update(reply(blob(b"again"))) == b"again"


DRAIN = read_128("cycles_burn128", 2**60, 0) + DROP + DROP
