"""Interface specification, "Inter-canister method calls"."""

from __future__ import annotations

import pytest

from devnet.principal import canister_id
from tests.devnet.conformance.driver import (
    CANISTER_ERROR,
    CANISTER_REJECT,
    DESTINATION_INVALID,
    SYS_UNKNOWN,
    Canister,
    User,
    code_of,
    number,
    passed,
    poll,
    rejected,
    waiting,
)
from tests.devnet.conformance.program import (
    CALLBACK,
    add,
    allocate,
    append,
    as_bytes,
    blob,
    call,
    call_other,
    keep,
    read,
    read_128,
    register,
    reject,
    reply,
    reply_number,
    set_register,
    set_variable,
    trap,
    variable,
    when,
)
from tests.network import moves_time

NOBODY = canister_id(2**33)
SECOND_NS = 10**9


def new_call(callee: bytes, method: bytes = b"update", **callbacks: bytes) -> bytes:
    on_reply, on_reject = (callbacks.get(name, reply()) for name in ("on_reply", "on_reject"))
    return call("call_new", blob(callee), blob(method), CALLBACK, keep(on_reply), CALLBACK, keep(on_reject))


PERFORM = call("call_perform")


@pytest.mark.parametrize(
    "steps, code, words",
    [
        (reject("said so"), CANISTER_REJECT, "said so"),
        (trap("oops"), CANISTER_ERROR, "oops"),
        (b"", CANISTER_ERROR, ""),
    ],
)
def test_failures_reach_the_reject_callback(
    canister: Canister, other: Canister, steps: bytes, code: int, words: str
) -> None:
    """The reject callback is executed if the call fails; it sees code and message."""
    found = rejected(lambda: passed(canister.update(call_other(other.id, "update", steps))))
    assert found.code == code
    assert words in found.message


def test_calls_to_nobody_fail_asynchronously(canister: Canister, user: User) -> None:
    """`call_perform`: "returned because the destination canister does not exist"; also without code."""
    found = rejected(lambda: passed(canister.update(call_other(NOBODY, "update"))))
    assert found.code == DESTINATION_INVALID
    empty = user.create()
    found = rejected(lambda: passed(canister.update(call_other(empty.id, "update"))))
    assert found.code == CANISTER_ERROR


def test_calls_to_stopped_canisters_fail(canister: Canister, user: User) -> None:
    """Canister status: calls to a stopped canister are rejected with CANISTER_ERROR."""
    stopped = user.deploy()
    stopped.manage("stop_canister")
    found = rejected(lambda: passed(canister.update(call_other(stopped.id, "update", reply()))))
    assert found.code == CANISTER_ERROR


def test_exactly_one_callback_runs(canister: Canister, other: Canister) -> None:
    """`call_perform`: exactly one of the reply and reject callbacks is executed."""
    count = set_variable(0, add(variable(0), 1)) + reply_number(variable(0))
    for steps in (reply(), reject("x")):
        before = canister.number(variable(0))
        canister.update(call_other(other.id, "update", steps, on_reply=count, on_reject=count))
        assert canister.number(variable(0)) == before + 1


def test_many_calls_at_once(canister: Canister, other: Canister) -> None:
    """Several calls of one execution are all made, and their callbacks share the canister's state."""
    count = set_variable(1, add(variable(1), 1))
    steps = b"".join(
        call_other(other.id, "update", reply(), on_reply=count, on_reject=b"") for _ in range(20)
    )
    assert code_of(lambda: canister.update(steps)) == CANISTER_ERROR
    assert canister.number(variable(1)) == 20


def test_calls_are_made_in_callbacks_and_to_oneself(canister: Canister, other: Canister) -> None:
    """A callback may make further calls; a canister may call itself."""
    third = call_other(canister.id, "update", reply(blob(b"third")))
    second = call_other(other.id, "update", reply(), on_reply=third)
    first = call_other(other.id, "update", reply(), on_reply=second)
    assert passed(canister.update(first)) == b"third"


def test_the_argument_is_assembled(canister: Canister, other: Canister) -> None:
    """`call_data_append` may be called multiple times."""
    program = reply(blob(b"assembled"))
    parts = b"".join(call("call_data_append", blob(program[at : at + 5])) for at in range(0, len(program), 5))
    steps = new_call(other.id, on_reply=reply(read("msg_arg_data"))) + parts + PERFORM
    assert canister.update(steps) == b"assembled"


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("call_on_cleanup", (CALLBACK, 0)),
        ("call_data_append", (0, 0)),
        ("call_with_best_effort_response", (10,)),
        ("call_cycles_add", (1,)),
        ("call_cycles_add128", (0, 1)),
        ("call_perform", ()),
    ],
)
def test_a_call_must_be_under_construction(
    canister: Canister, other: Canister, name: str, arguments: tuple[int, ...]
) -> None:
    """These trap before `call_new` and after `call_perform`."""
    step = call(name, *arguments)
    assert code_of(lambda: canister.update(step + reply())) == CANISTER_ERROR
    after = new_call(other.id, b"query") + PERFORM + step + reply()
    assert code_of(lambda: canister.update(after)) == CANISTER_ERROR


@pytest.mark.parametrize(
    "step", [call("call_on_cleanup", CALLBACK, 0), call("call_with_best_effort_response", 10)]
)
def test_some_attributes_are_set_once(canister: Canister, other: Canister, step: bytes) -> None:
    """`call_on_cleanup` and `call_with_best_effort_response`: at most once for each call."""
    once = new_call(other.id, b"query") + step
    assert canister.update(once + reply()) == b""
    assert code_of(lambda: canister.update(once + step + reply())) == CANISTER_ERROR


def test_a_call_that_is_not_performed_is_never_made(canister: Canister, other: Canister) -> None:
    """`call_new`: a call is discarded by returning, or by beginning another; its cycles come back."""
    begun = new_call(other.id) + call("call_data_append", blob(set_variable(2, 1) + reply()))
    assert canister.update(begun + reply(blob(b"done"))) == b"done"
    assert other.number(variable(2)) == 0
    balance = read_128("canister_cycle_balance128")
    cycles = begun + call("call_cycles_add", 10**12)
    answer = canister.update(
        append(balance) + cycles + append(balance) + begun + append(balance) + call("msg_reply")
    )
    before, during, after = (number(answer[at : at + 16]) for at in (0, 16, 32))
    assert during <= before - 10**12
    assert after > during + 10**12 - 10**9


@pytest.mark.parametrize("callee, method", [(bytes(30), b"x"), (b"\1", b"\xff"), (b"\1", b"x" * 20_001)])
def test_callee_and_method_name_are_checked(canister: Canister, callee: bytes, method: bytes) -> None:
    """`call_new`: a principal has at most 29 bytes, a name is UTF-8 of at most 20,000 bytes."""
    assert code_of(lambda: canister.update(new_call(callee, method) + reply())) == CANISTER_ERROR


def test_arguments_have_a_maximum(canister: Canister, other: Canister) -> None:
    """`call_data_append`: "Traps if the total appended data exceeds the maximum" (10 MiB on one subnet)."""
    part = set_register(3, allocate(2**20))
    more = call("call_data_append", register(3), 2**20)
    steps = part + new_call(other.id, b"none", on_reject=reply(blob(b"sent")))
    assert canister.update(steps + more * 2 + PERFORM) == b"sent"
    assert code_of(lambda: canister.update(steps + more * 11 + reply())) == CANISTER_ERROR


def test_the_queue_to_one_canister_is_bounded(canister: Canister, other: Canister) -> None:
    """`call_perform` gives 2 (SYS_FATAL) for lack of resources, and no callback is executed then."""
    one = new_call(other.id, b"query", on_reply=b"", on_reject=b"") + when(PERFORM, set_variable(4, 1))
    steps = one * 510
    assert code_of(lambda: canister.update(steps)) == CANISTER_ERROR
    assert canister.number(variable(4)) == 1


@moves_time
def test_a_bounded_wait_ends(canister: Canister, other: Canister, user: User) -> None:
    """`call_with_best_effort_response`: SYS_UNKNOWN after the timeout; a later answer is not delivered."""
    slow = user.deploy()
    on_reply, on_reject = set_variable(8, 1) + reply(), append(REJECT_CODE) + call("msg_reply")
    steps = call_other(
        slow.id, "update", waiting(slow, other), timeout=2, on_reply=on_reply, on_reject=on_reject
    )
    request = canister.user.submit(canister.id, "update", steps)
    poll(lambda: slow.status()["status"] == ("stopping", None))
    user.network.advance(3)
    assert canister.user.wait(canister.id, request) == bytes([SYS_UNKNOWN])
    slow.manage("start_canister")
    poll(lambda: slow.number(call("canister_status")) == 1)
    assert canister.number(variable(8)) == 0


REJECT_CODE = as_bytes(call("msg_reject_code"), 1)


@pytest.mark.parametrize(
    "timeout, least, most", [(10, 9, 11), (300, 299, 301), (10**6, 1, 301), (2**32 - 1, 1, 301)]
)
def test_deadlines_follow_from_timeouts(
    canister: Canister, other: Canister, timeout: int, least: int, most: int
) -> None:
    """`msg_deadline`: time of the call plus the timeout, which is bounded silently."""
    deadline = reply(as_bytes(call("msg_deadline")), as_bytes(call("time")))
    answer = passed(canister.update(call_other(other.id, "update", deadline, timeout=timeout)))
    left = (number(answer[:8]) - number(answer[8:])) / SECOND_NS
    assert least - 1 <= left <= most


def test_callbacks_keep_the_deadline_of_their_method(canister: Canister, other: Canister) -> None:
    """`msg_deadline`: "for update methods and their callbacks"."""
    deadline = reply(as_bytes(call("msg_deadline")))
    callback = call_other(canister.id, "query", reply(), on_reply=deadline)
    found = number(passed(canister.update(call_other(other.id, "update", callback, timeout=60))))
    assert found > 0


def test_query_methods_have_no_deadline(canister: Canister, other: Canister) -> None:
    """`msg_deadline`: 0 for "all calls to query and composite query methods, … in replicated mode"."""
    steps = call_other(other.id, "query", reply(as_bytes(call("msg_deadline"))), timeout=60)
    assert number(passed(canister.update(steps))) == 0


def test_a_bounded_wait_gets_its_answer_in_time(canister: Canister, other: Canister) -> None:
    """`call_with_best_effort_response`: replies and rejects in time are as usual."""
    steps = call_other(other.id, "update", reply(blob(b"quick")), timeout=100)
    assert passed(canister.update(steps)) == b"quick"
    assert (
        code_of(lambda: passed(canister.update(call_other(other.id, "update", trap(), timeout=100))))
        == CANISTER_ERROR
    )


def test_a_timeout_of_nothing_is_over_at_once(canister: Canister, other: Canister) -> None:
    """`call_with_best_effort_response`: "any value is permitted"; the wait may be over before the answer."""
    found = code_of(lambda: passed(canister.update(call_other(other.id, "update", reply(), timeout=0))))
    assert found in (0, SYS_UNKNOWN)
