"""Interface specification, "System time" to "Controller check", "Environment Variables", "Debugging aids"."""

from __future__ import annotations

import pytest

from tests.devnet.conformance.driver import (
    CANISTER_ERROR,
    Canister,
    Rejected,
    User,
    code_of,
    number,
    passed,
    rejected,
)
from tests.devnet.conformance.program import (
    TIMER,
    append,
    as_bytes,
    blob,
    call,
    call_other,
    read,
    reply,
    reply_number,
    set_hook,
    set_variable,
    spin,
    trap,
    variable,
)

SECOND_NS = 10**9
TIME = reply_number(call("time"))
HOUR_S = 3600


def test_time_is_close_to_real_and_grows(canister: Canister, user: User) -> None:
    """System time: nanoseconds since 1970; monotonic across executions and upgrades."""
    times = [number(canister.update(TIME)) for _ in range(3)]
    canister.install(arg=set_variable(0, call("time")), mode="upgrade")
    times += [canister.number(variable(0)), number(canister.update(TIME))]
    assert times == sorted(times)
    assert abs(times[0] - user.network.now_ns()) < 60 * SECOND_NS


def test_time_is_constant_within_an_execution(canister: Canister) -> None:
    """System time: "within an invocation of one entry point, the time is constant"."""
    answer = canister.update(append(as_bytes(call("time"))) + spin(1_000_000) + reply(as_bytes(call("time"))))
    assert answer[:8] == answer[8:]


def test_setting_the_timer_tells_the_previous_value(user: User) -> None:
    """Global timer: returns the previous value, 0 without one; 0 switches it off."""
    canister = user.deploy()
    later = user.network.now_ns() + HOUR_S * SECOND_NS

    def set_timer(when: int) -> int:
        return number(canister.update(reply_number(call("global_timer_set", when))))

    assert [set_timer(when) for when in (later, later + 1, 0, later, 0)] == [0, later, later + 1, 0, later]


def test_a_trap_leaves_the_timer_as_it_was(user: User) -> None:
    """Global timer: like all changes, it is discarded by a trap."""
    canister = user.deploy()
    later = user.network.now_ns() + HOUR_S * SECOND_NS
    assert code_of(lambda: canister.update(call("global_timer_set", later) + trap())) == CANISTER_ERROR
    assert number(canister.update(reply_number(call("global_timer_set", 0)))) == 0


def test_a_timer_that_is_off_does_not_run(user: User) -> None:
    """Global timer: passing zero prevents the call."""
    canister = user.deploy(arg=set_hook(TIMER, set_variable(0, 1)))
    canister.update(call("global_timer_set", 1) + call("global_timer_set", 0) + reply())
    canister.update(reply())
    assert canister.number(variable(0)) == 0


def counter(kind: int) -> bytes:
    return as_bytes(call("performance_counter", kind))


def test_the_counter_of_one_execution(canister: Canister) -> None:
    """Performance counter 0: instructions since the beginning of the message execution."""
    answer = canister.update(append(counter(0)) + spin(100_000) + reply(counter(0)))
    before, after = number(answer[:8]), number(answer[8:])
    assert 0 < before < after - 100_000


def test_the_counter_of_a_call_context(canister: Canister, other: Canister) -> None:
    """Performance counter 1: grows over all executions of a call; counter 0 starts anew in each."""
    callback = reply(counter(0), counter(1))
    answer = canister.update(spin(1_000_000) + call_other(other.id, "query", reply(), on_reply=callback))
    assert number(answer[:8]) < 1_000_000 < number(answer[8:])
    composite = spin(1_000_000) + call_other(other.id, "query", reply(), on_reply=callback)
    answer = canister.composite(composite)
    assert number(answer[:8]) < 1_000_000 < number(answer[8:])


def test_other_counters_trap(canister: Canister) -> None:
    """Performance counter: types 0 and 1 exist."""
    assert code_of(lambda: canister.query(call("performance_counter", 2) + reply())) == CANISTER_ERROR


def test_replicated_execution(canister: Canister, other: Canister) -> None:
    """Replicated execution check: 1 for updates and replicated queries, 0 for queries."""
    check = reply_number(call("in_replicated_execution"))
    assert number(canister.update(check)) == 1
    assert number(canister.replicated_query(check)) == 1
    assert number(passed(canister.update(call_other(other.id, "query", check)))) == 1
    assert number(canister.query(check)) == 0
    assert number(canister.composite(check)) == 0
    assert number(canister.composite(call_other(other.id, "query", reply(), on_reply=check))) == 0


def test_controllers(canister: Canister, other: Canister) -> None:
    """Controller check: 1 for a controller, 0 for others; traps for what is no principal."""

    def controls(principal: bytes) -> int:
        return canister.number(call("is_controller", blob(principal)))

    assert controls(canister.user.sender) == 1
    assert controls(other.id) == controls(b"\x04") == controls(b"") == 0
    for source in (blob(bytes(30)), b"\x01" + bytes(8) + b"\x01" + (2**32 - 1).to_bytes(8, "little")):
        steps = call("is_controller", source) + reply()
        assert code_of(lambda: canister.query(steps)) == CANISTER_ERROR  # noqa: B023


@pytest.fixture(scope="module")
def variables(owner: User) -> Canister:
    """A canister with environment variables."""
    given = {"FIRST": "one", "SECOND": "", "É": "ü"}
    return owner.deploy(
        environment_variables=[{"name": name, "value": value} for name, value in given.items()]
    )


def test_environment_variables_are_enumerated(variables: Canister) -> None:
    """Environment variables: count, names by index, values by name."""
    assert variables.number(call("env_var_count")) == 3
    names = [variables.query(reply(read("env_var_name", index))).decode() for index in range(3)]
    assert sorted(names) == ["FIRST", "SECOND", "É"]
    values = {name: variables.query(reply(read("env_var_value", blob(name)))).decode() for name in names}
    assert values == {"FIRST": "one", "SECOND": "", "É": "ü"}
    assert variables.number(call("env_var_name_exists", blob("FIRST"))) == 1
    assert variables.number(call("env_var_name_exists", blob("first"))) == 0


@pytest.mark.parametrize(
    "steps",
    [
        call("env_var_name_size", 3),
        call("env_var_name_copy", 3, 0x9000, 0, 0),
        call("env_var_name_copy", 0, 0x9000, 0, 100),
        call("env_var_name_copy", 0, 2**32 - 1, 0, 1),
        call("env_var_value_size", blob("NONE")),
        call("env_var_value_copy", blob("NONE"), 0x9000, 0, 0),
        call("env_var_value_copy", blob("FIRST"), 0x9000, 0, 4),
        call("env_var_value_copy", blob("FIRST"), 2**32 - 1, 0, 3),
        call("env_var_name_exists", blob(b"\xff")),
        call("env_var_value_size", blob(b"\xff")),
        call("env_var_name_exists", blob(bytes(30_000))),
        call("env_var_name_exists", 2**32 - 1, 5),
    ],
)
def test_misuse_of_environment_variables_traps(variables: Canister, steps: bytes) -> None:
    """Environment variables: the conditions under which the calls trap."""
    assert code_of(lambda: variables.query(steps + reply())) == CANISTER_ERROR


def test_environment_variables_follow_the_settings(user: User) -> None:
    """`environment_variables` of the settings: replaced as a whole, seen without reinstalling."""
    canister = user.deploy(environment_variables=[{"name": "A", "value": "1"}])
    canister.set(environment_variables=[{"name": "B", "value": "2"}])
    assert canister.query(reply(read("env_var_name", 0))) == b"B"
    assert canister.status()["settings"]["environment_variables"] == [{"name": "B", "value": "2"}]


def test_duplicate_environment_variables_are_refused(user: User) -> None:
    """`environment_variables`: "Each key must be unique"."""
    twice = [{"name": "C", "value": "1"}, {"name": "C", "value": "2"}]
    canister = user.deploy()
    with pytest.raises(Rejected):
        canister.set(environment_variables=twice)
    assert canister.number(call("env_var_count")) == 0


def test_prints_and_traps_go_to_the_log(user: User) -> None:
    """Debugging aids: `debug_print` and traps are logged; queries leave no trace."""
    canister = user.deploy()
    canister.update(call("debug_print", blob("first line")) + reply())
    rejected(lambda: canister.update(call("debug_print", blob("second")) + trap("the end")))
    canister.query(call("debug_print", blob("from a query")) + reply())
    log = b"\n".join(canister.logs())
    assert b"first line" in log and b"second" in log and b"the end" in log
    assert b"from a query" not in log
