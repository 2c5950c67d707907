"""Interface specification, "The IC management canister": creation, running, stopping, deletion."""

from __future__ import annotations

import pytest

from devnet.principal import canister_id
from devnet.replica.candid import encode_one
from tests.devnet.conformance import management
from tests.devnet.conformance.driver import (
    CANISTER_ERROR,
    CANISTER_REJECT,
    DESTINATION_INVALID,
    MANAGEMENT,
    Canister,
    Rejected,
    User,
    code_of,
    passed,
    poll,
    rejected,
    waiting,
)
from tests.devnet.conformance.program import (
    blob,
    call,
    call_other,
    reply,
    set_variable,
    variable,
)
from tests.network import moves_time

T = 10**12


def test_create_canister_is_for_canisters(user: User, canister: Canister) -> None:
    """`create_canister`: not for users; cycles are attached; the caller becomes the controller."""
    assert not rejected(lambda: user.manage("create_canister")).certified
    created = canister.manage_through("create_canister", cycles=2 * T)["canister_id"]
    status = canister.manage_through("canister_status", canister_id=created)
    assert status["settings"]["controllers"] == [canister.id]
    assert code_of(lambda: canister.manage_through("create_canister")) == CANISTER_ERROR


def test_a_specified_id_and_no_id_twice(user: User) -> None:
    """`specified_id` of provisional creation; `delete_canister`: an id "cannot be reused"."""
    wanted = canister_id(2**20 - 17)
    if exists(user, wanted):
        pytest.skip("a canister with this id is on the given network")
    created = user.manage("provisional_create_canister_with_cycles", specified_id=wanted)
    assert created["canister_id"] == wanted
    canister = Canister(user, wanted)
    for _ in range(2):
        with pytest.raises(Rejected):
            user.manage("provisional_create_canister_with_cycles", specified_id=wanted)
        if exists(user, wanted):
            canister.manage("stop_canister")
            canister.manage("delete_canister")


def exists(user: User, identifier: bytes) -> bool:
    return code_of(lambda: user.manage("canister_info", query=True, canister_id=identifier)) == 0


def test_topping_up(user: User, canister: Canister, other: Canister) -> None:
    """`provisional_top_up_canister` by anybody; `deposit_cycles` by canisters."""
    before = other.status()["cycles"]
    user.manage("provisional_top_up_canister", canister_id=other.id, amount=5 * T)
    assert other.status()["cycles"] > before + 4 * T
    canister.manage_through("deposit_cycles", canister_id=other.id, cycles=7 * T)
    assert other.status()["cycles"] > before + 11 * T
    assert not rejected(lambda: user.manage("deposit_cycles", canister_id=other.id)).certified


def test_stopping_and_starting(user: User, other: Canister) -> None:
    """`stop_canister`, `start_canister`: a stopped canister takes no calls; both may be repeated."""
    canister = user.deploy()
    for _ in range(2):
        canister.manage("stop_canister")
        assert canister.status()["status"] == ("stopped", None)
    assert canister.status()["ready_for_migration"]
    assert code_of(lambda: canister.update(reply())) == CANISTER_ERROR
    assert code_of(lambda: passed(other.update(call_other(canister.id, "update", reply())))) == CANISTER_ERROR
    for _ in range(2):
        canister.manage("start_canister")
    assert canister.update(reply(blob(b"back"))) == b"back"


def test_a_canister_with_open_calls_is_stopping(user: User, other: Canister) -> None:
    """`stop_canister`: stopping until all calls are answered; calls are rejected, responses are processed."""
    canister = user.deploy()
    steps = waiting(canister, other)
    request = user.submit(canister.id, "update", steps)
    poll(lambda: canister.status()["status"] == ("stopping", None))
    assert code_of(lambda: canister.update(reply())) == CANISTER_ERROR
    canister.manage("start_canister")
    assert code_of(lambda: passed(passed(user.wait(canister.id, request)))) != 0
    assert canister.status()["status"] == ("running", None)
    assert canister.update(reply(blob(b"runs"))) == b"runs"


def test_starting_cancels_the_stop(user: User, other: Canister) -> None:
    """`start_canister`: "all `stop_canister` calls which are processing fail (and are rejected)"."""
    canister = user.deploy()
    request = user.submit(canister.id, "update", waiting(canister, other))
    poll(lambda: canister.status()["status"] == ("stopping", None))
    canister.manage("start_canister")
    outcome = rejected(lambda: passed(passed(user.wait(canister.id, request))))
    assert outcome.code in (CANISTER_REJECT, CANISTER_ERROR)


@moves_time
def test_stopping_does_not_take_for_ever(user: User, other: Canister) -> None:
    """`stop_canister`: an error after an implementation-specific timeout; the canister goes on stopping."""
    canister = user.deploy()
    held = user.submit(canister.id, "update", waiting(canister, other))
    poll(lambda: canister.status()["status"] == ("stopping", None))
    argument = encode_one(management.CANISTER, {"canister_id": canister.id})
    stop = user.submit(MANAGEMENT, "stop_canister", argument, effective=canister.id)
    user.network.advance(600)
    assert rejected(lambda: user.wait(canister.id, stop)).certified
    rejected(lambda: passed(passed(user.wait(canister.id, held))))
    poll(lambda: canister.status()["status"] == ("stopped", None))


def test_uninstalling(user: User) -> None:
    """`uninstall_code`: code and state are gone; cycles, controllers, settings and status stay."""
    canister = user.deploy(arg=set_variable(0, 5) + call("stable64_grow", 2), freezing_threshold=1234)
    before = canister.status()
    canister.manage("uninstall_code")
    after = canister.status()
    assert after["module_hash"] is None
    assert after["memory_metrics"]["stable_memory_size"] == 0
    assert after["settings"] == before["settings"]
    assert after["cycles"] > before["cycles"] - T
    assert code_of(lambda: canister.update(reply())) == CANISTER_ERROR
    canister.install()
    assert canister.number(variable(0)) == 0


def test_uninstalling_rejects_open_calls(user: User, other: Canister) -> None:
    """`uninstall_code`: calls not yet answered are rejected; callbacks do not run after reinstalling."""
    canister = user.deploy()
    request = user.submit(canister.id, "update", waiting(canister, other))
    poll(lambda: canister.status()["status"] == ("stopping", None))
    canister.manage("uninstall_code")
    assert rejected(lambda: user.wait(canister.id, request)).code == CANISTER_REJECT
    canister.install()
    canister.manage("start_canister")
    assert canister.update(reply(blob(b"anew"))) == b"anew"


def test_deleting(user: User, canister: Canister) -> None:
    """`delete_canister`: only a stopped canister; afterwards it does not exist."""
    gone = user.deploy()
    with pytest.raises(Rejected):
        gone.manage("delete_canister")
    gone.manage("stop_canister")
    gone.manage("delete_canister")
    assert code_of(lambda: gone.update(reply())) == DESTINATION_INVALID
    assert code_of(gone.status) == DESTINATION_INVALID
    found = rejected(lambda: passed(canister.update(call_other(gone.id, "update", reply()))))
    assert found.code == DESTINATION_INVALID
