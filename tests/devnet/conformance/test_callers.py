"""Interface specification, "Overview of imports": from where each function of `ic0` may be called.

Every function is called in every context. A call from a context that the table does not list traps, which
ends in the reject code CANISTER_ERROR (for `canister_inspect_message`, in a message that is not accepted).

`CC`, the cleanup callback of a composite query, is left out: nothing it does can be seen from outside.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.devnet.conformance.driver import (
    CANISTER_ERROR,
    CANISTER_REJECT,
    Canister,
    Rejected,
    User,
    code_of,
    number,
    poll,
    rejected,
)
from tests.devnet.conformance.imports import IMPORTS, ONLY_32_BIT
from tests.devnet.conformance.invocations import VALUE, VARIABLE, bare, invocation
from tests.devnet.conformance.program import (
    INSPECT,
    KEPT_BLOB,
    PRE_UPGRADE,
    TIMER,
    Program,
    add,
    blob,
    call,
    call_other,
    module,
    read,
    reject,
    reply,
    reply_number,
    run,
    set_hook,
    set_kept_blob,
    set_slot,
    trap,
)

NAMES = [name for name in IMPORTS if name != "trap"]
RESPONDS = ("msg_reply", "msg_reject")
ALLOWED, FORBIDDEN = True, False


@pytest.fixture(scope="module")
def canister(owner: User) -> Canister:
    variables = [{"name": VARIABLE, "value": VALUE}]
    return owner.deploy(environment_variables=variables)


@pytest.fixture(scope="module")
def inspecting(owner: User) -> Canister:
    """A canister that runs a message's argument as its inspection."""
    canister = owner.deploy("inspect", environment_variables=[{"name": VARIABLE, "value": VALUE}])
    canister.install(module("inspect"), set_hook(INSPECT, run(read("msg_arg_data"))), mode="reinstall")
    return canister


def steps(name: str, context: str, callee: bytes) -> Program:
    """A call of the function; where it is allowed, with what has to come before."""
    return invocation(name, callee) if context in IMPORTS[name].contexts else bare(name, callee)


def answered(name: str, program: Program) -> Program:
    """The program, and a reply unless the function itself responds."""
    return program if name in RESPONDS else program + reply()


def expected(context: str) -> dict[str, bool]:
    return {name: context in IMPORTS[name].contexts for name in NAMES}


def outcome(act: Callable[[], object]) -> bool:
    code = code_of(act)
    assert code in (0, CANISTER_REJECT, CANISTER_ERROR)
    return code != CANISTER_ERROR


def run_in_calls(canister: Canister, programs: dict[str, tuple[str, Program]]) -> dict[str, bool]:
    """Have the canister call itself once for each function, and see which of the calls trapped."""
    parent = set_kept_blob(blob(bytes(8 * len(programs))))
    for index, (method, child) in enumerate(programs.values()):
        on_reject = set_slot(index, add(1, call("msg_reject_code")))
        parent += call_other(canister.id, method, child, on_reply=set_slot(index, 1), on_reject=on_reject)
    assert rejected(lambda: canister.update(parent)).code == CANISTER_ERROR
    slots = canister.query(reply(KEPT_BLOB))
    codes = [number(slots[at : at + 8]) - 1 for at in range(0, len(slots), 8)]
    assert set(codes) <= {0, CANISTER_REJECT, CANISTER_ERROR}
    return {name: code != CANISTER_ERROR for name, code in zip(programs, codes, strict=True)}


@pytest.mark.parametrize("context, method", [("U", "update"), ("RQ", "query")])
def test_update_and_replicated_query(canister: Canister, context: str, method: str) -> None:
    """`U` and `RQ`: methods called by another canister."""
    programs = {name: (method, answered(name, steps(name, context, canister.id))) for name in NAMES}
    assert run_in_calls(canister, programs) == expected(context)


@pytest.mark.parametrize("context, callee", [("Ry", reply()), ("Rt", reject("as told"))])
def test_callbacks(canister: Canister, context: str, callee: Program) -> None:
    """`Ry` and `Rt`: callbacks of a call made by an update."""

    def child(name: str) -> Program:
        callback = answered(name, steps(name, context, canister.id))
        return call_other(canister.id, "update", callee, on_reply=callback, on_reject=callback)

    assert run_in_calls(canister, {name: ("update", child(name)) for name in NAMES}) == expected(context)


def test_cleanup(canister: Canister) -> None:
    """`C`: the callback that runs when another has trapped."""
    program = set_kept_blob(blob(bytes(8 * len(NAMES))))
    for index, name in enumerate(NAMES):
        cleanup = steps(name, "C", canister.id) + set_slot(index, 1)
        child = call_other(canister.id, "update", reply(), on_reply=trap(), on_cleanup=cleanup)
        program += call_other(canister.id, "update", child, on_reply=b"", on_reject=b"")
    assert rejected(lambda: canister.update(program)).code == CANISTER_ERROR
    slots = canister.query(reply(KEPT_BLOB))
    ran = {name: slots[8 * index] == 1 for index, name in enumerate(NAMES)}
    assert ran == expected("C")


@pytest.mark.parametrize("context", ["NRQ", "CQ"])
def test_queries(canister: Canister, context: str) -> None:
    """`NRQ` and `CQ`: query and composite query methods, called by a user."""
    ask = canister.query if context == "NRQ" else canister.composite
    found = {
        name: outcome(lambda: ask(answered(name, steps(name, context, canister.id))))  # noqa: B023
        for name in NAMES
    }
    assert found == expected(context)


@pytest.mark.parametrize("context, callee", [("CRy", reply()), ("CRt", reject("as told"))])
def test_callbacks_of_composite_queries(
    canister: Canister, other: Canister, context: str, callee: Program
) -> None:
    """`CRy` and `CRt`."""

    def ask(name: str) -> bytes:
        callback = answered(name, steps(name, context, other.id))
        return canister.composite(
            call_other(other.id, "query", callee, on_reply=callback, on_reject=callback)
        )

    assert {name: outcome(lambda: ask(name)) for name in NAMES} == expected(context)  # noqa: B023


def test_inspection(inspecting: Canister) -> None:
    """`F`: `canister_inspect_message`; a message it accepts is then executed, and fails."""
    accept = call("accept_message")

    def accepted(name: str) -> bool:
        program = steps(name, "F", inspecting.id) + (b"" if name == "accept_message" else accept)
        return rejected(lambda: inspecting.update(program)).certified

    assert {name: accepted(name) for name in NAMES} == expected("F")


@pytest.mark.parametrize("mode", ["reinstall", "upgrade"])
def test_installation(canister: Canister, mode: str) -> None:
    """`I`: `canister_init` and `canister_post_upgrade`."""
    found = {
        name: outcome(lambda: canister.install(arg=steps(name, "I", canister.id), mode=mode))  # noqa: B023
        for name in NAMES
    }
    assert found == expected("I")


def test_pre_upgrade(canister: Canister) -> None:
    """`G`: `canister_pre_upgrade`."""

    def upgrade(name: str) -> None:
        canister.update(set_hook(PRE_UPGRADE, steps(name, "G", canister.id)) + reply())
        canister.install(mode="upgrade")

    found = {name: outcome(lambda: upgrade(name)) for name in NAMES}  # noqa: B023
    canister.install(mode="upgrade", skip_pre_upgrade=True)
    assert found == expected("G")


def test_start(canister: Canister) -> None:
    """`s`: the start function of the module."""

    def start(name: str) -> None:
        canister.install(module("start", start=steps(name, "s", canister.id)), mode="reinstall")

    found = {name: outcome(lambda: start(name)) for name in NAMES}  # noqa: B023
    canister.install(mode="reinstall")
    assert found == expected("s")


def test_system_task(canister: Canister) -> None:
    """`T`: here the global timer; it is off once its task has begun."""

    def ran(name: str) -> bool:
        hook = set_hook(TIMER, steps(name, "T", canister.id) + set_slot(0, 1))
        start = set_kept_blob(blob(bytes(8))) + call("global_timer_set", 1)
        canister.update(hook + start + reply())
        previous = reply_number(call("global_timer_set", 1))
        poll(lambda: number(canister.update(previous)) == 0)
        return number(canister.query(reply(KEPT_BLOB))) == 1

    found = {name: ran(name) for name in NAMES}
    canister.install(mode="reinstall")
    assert found == expected("T")


@pytest.mark.parametrize("context", ["update", "query"])
def test_trap_always_traps(canister: Canister, context: str) -> None:
    """`ic0.trap` may be called everywhere, and says why in the reject message."""
    ask = canister.update if context == "update" else canister.query
    reject = rejected(lambda: ask(trap("the reason")))
    assert reject.code == CANISTER_ERROR
    assert "the reason" in reject.message


@pytest.mark.parametrize("name", ONLY_32_BIT)
def test_functions_for_32_bit_memory_only(owner: User, name: str) -> None:
    """A module whose memory has 64-bit addresses cannot import them."""
    known = IMPORTS[name]
    types = f"(param {' '.join(known.parameters)}) (result {' '.join(known.results)})"
    text = f'(module (import "ic0" "{name}" (func {types})) (memory i64 1))'
    canister = owner.create()
    with pytest.raises(Rejected) as caught:
        canister.install(module(text=text))
    assert caught.value.code == CANISTER_ERROR
