"""Calls between canisters: typed, raw, nested; rejects, traps and cleanup."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cdk.candid import NAT64, TEXT, Codec, Principal
from cdk.testing import Simulator, Trapped

Start = Callable[..., Simulator]
ALICE = Principal(b"alice")
MANAGEMENT = Principal.management_canister()


@pytest.fixture
def pair(canister: Start) -> tuple[Simulator, Simulator]:
    caller, counter = canister("caller"), canister("counter", 10, id=b"\x00\x08\x01\x01")
    caller.connect(counter)
    return caller, counter


def test_calls_are_awaited_one_after_the_other(pair: tuple[Simulator, Simulator]) -> None:
    caller, counter = pair
    assert caller.update("add_twice", counter.id, 4) == {"Ok": 8}
    assert counter.query("get") == 18


def test_a_reject_is_a_value(pair: tuple[Simulator, Simulator]) -> None:
    caller, counter = pair
    assert caller.update("add_twice", ALICE, 4) == {
        "Err": f"Rejection code 3, no canister answers get at {ALICE}"
    }
    caller.handlers[counter.id, "add"] = _trap
    assert caller.update("add_or_explain", counter.id, 1) == (
        "failed: Rejection code 5, canister trapped: out of something"
    )


def _trap(argument: bytes) -> bytes:
    raise Trapped("out of something")


def test_a_yielded_generator_is_awaited_and_its_errors_arrive(pair: tuple[Simulator, Simulator]) -> None:
    caller, counter = pair
    assert caller.update("add_or_explain", counter.id, 5) == "now 15"


def test_a_trap_after_an_await_runs_finally_blocks(pair: tuple[Simulator, Simulator]) -> None:
    caller, counter = pair
    caller.handlers[counter.id, "add"] = _trap
    with pytest.raises(Trapped, match="out of something"):
        caller.update("add_locked", counter.id, 1)
    assert caller.query("is_locked") is False
    caller.connect(counter)
    assert caller.update("add_locked", counter.id, 1) == 11


def test_cleanup_gives_up_what_a_waiting_task_holds(canister: Start) -> None:
    """What the system does when a callback runs out of instructions."""
    caller = canister("caller")
    system = caller.system
    system.argument = caller_argument(caller)
    caller._dispatch("method", caller._index("add_locked"))
    [call] = system.calls
    system.calls.clear()
    assert caller.query("is_locked") is True
    caller._dispatch("cleanup", call.callback_id)
    assert caller.query("is_locked") is False


def caller_argument(caller: Simulator) -> bytes:
    return Codec(caller.loaded.methods.METHODS["add_locked"].arguments).encode([ALICE, 1])


def test_raw_calls_carry_cycles_and_typed_bytes(canister: Start) -> None:
    caller = canister("caller")
    seen = []

    def key(argument: bytes) -> bytes:
        seen.append(argument)
        return Codec([TEXT]).encode(["a key"])

    caller.handlers[ALICE, "key"] = key
    before = caller.system.cycles
    assert caller.update("raw", ALICE, "name", 26_000_000_000) == "a key"
    assert before - caller.system.cycles == 26_000_000_000
    assert seen[0].startswith(b"DIDL\x02l\x02") and b"name" in seen[0]


def test_a_reply_that_cannot_be_read_is_an_error_value(pair: tuple[Simulator, Simulator]) -> None:
    caller, counter = pair
    caller.handlers[counter.id, "get"] = lambda argument: Codec([TEXT]).encode(["five"])
    answer = caller.update("add_twice", counter.id, 1)
    assert "the reply of get" in answer["Err"] and "cannot be read as `nat64`" in answer["Err"]


def test_raw_rand_is_a_call_of_the_management_canister(canister: Start) -> None:
    caller = canister("caller")
    caller.handlers[MANAGEMENT, "raw_rand"] = lambda argument: b"DIDL\x01\x6d\x7b\x01\x00\x02\x05\x06"
    assert caller.update("random_bytes") == b"\x05\x06"


def test_one_way_calls_do_not_wait(pair: tuple[Simulator, Simulator]) -> None:
    caller, counter = pair
    assert caller.update("tell", counter.id, 3) == "{'Ok': None}"
    assert counter.query("get") == 13
    caller.system.refuse_calls = 2
    assert caller.update("tell", counter.id, 3) == "{'Err': {'SysTransient': None}}"


def test_a_call_that_cannot_be_enqueued_resumes_at_once_with_an_error(canister: Start) -> None:
    caller = canister("caller")
    caller.system.refuse_calls = 2
    assert caller.update("add_twice", ALICE, 1) == {
        "Err": "Rejection code 2, the call of get could not be enqueued"
    }


def test_the_caller_is_the_original_one_after_an_await(pair: tuple[Simulator, Simulator]) -> None:
    caller, counter = pair
    assert caller.update("who", counter.id, caller=ALICE) == ALICE


def test_yielding_anything_else_is_a_type_error(canister: Start) -> None:
    with pytest.raises(
        Trapped, match="TypeError: only calls to canisters and generators may be yielded, not int"
    ):
        canister("caller").update("wrong_yield")


def test_an_argument_that_does_not_fit_raises_where_the_call_is_made(source: Start) -> None:
    sim = source(
        """
class Other(Service):
    @service_update
    def put(self, key: nat64, value: text) -> void: ...
@update
def f() -> Async[text]:
    other = Other(ic.id())
    try:
        yield other.put(1, 2)
    except CandidError as error:
        return str(error)
    return "not reached"
"""
    )
    assert sim.update("f") == "argument of Other.put.value 2: expected text (str), got int 2"


def test_replies_to_composite_queries(source: Start) -> None:
    sim = source(
        """
class Other(Service):
    @service_query
    def put(self) -> nat64: ...
@query
def f(other: Other) -> Async[nat64]:
    result = yield other.put()
    return result.Ok
"""
    )
    assert sim.loaded.entry_points[0] == "canister_composite_query f"
    sim.handlers[ALICE, "put"] = lambda argument: Codec([NAT64]).encode([9])
    assert sim.query("f", ALICE) == 9


def test_only_one_answer_is_allowed(source: Start) -> None:
    sim = source("@update\ndef f() -> nat:\n    ic.reply(1)\n    return 2\n")
    with pytest.raises(Trapped, match="answered before"):
        sim.update("f")


def test_services_can_be_parameters_and_results(source: Start) -> None:
    sim = source(
        """
class Other(Service):
    @service_query
    def put(self) -> nat64: ...
@query
def f(other: Other) -> Other:
    return Other(other.canister_id) if other == Other(other.canister_id) else None
"""
    )
    assert sim.query("f", ALICE).canister_id == ALICE


def test_a_message_without_an_answer_is_noticed(source: Start) -> None:
    sim = source("@update\ndef f() -> Manual[nat]:\n    pass\n")
    with pytest.raises(Trapped, match="did not reply"):
        sim.update("f")
