"""Every principal x method x status x side of the deadline: what the table allows happens, all else changes
nothing.

The expectations are written out here on their own, so that the code's table is compared with a second one.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from canisters.marketplace.core import gate, jobs, keys, reaper, rentals
from canisters.marketplace.core.errors import (
    DeadlinePassed,
    InvalidState,
    MarketError,
    NotAuthorized,
)
from canisters.marketplace.core.lifecycle import change
from canisters.marketplace.core.transitions import TRANSITIONS, Kind, Who, permit
from canisters.marketplace.core.types import ANONYMOUS, TERMINAL, Principal, Status, self_authenticating
from tests.marketplace.world import (
    ARBITER,
    GOVERNOR,
    OPERATOR,
    OWNER,
    PUBLISHER,
    RENTER,
    SECOND,
    STRANGER,
    TRANSPORT_KEY,
    TREASURY,
    WORKER,
    World,
    artifact,
    believing,
    bundle_for,
    fork,
    market,
    session_key,
)

GUEST = 77
"""Number of the session whose evidence is submitted, or that is attested, in the matrix."""
SESSION = self_authenticating(session_key(GUEST))
NONCE = bytes(range(32))
CALLERS = {
    "renter": RENTER,
    "worker": WORKER,
    "session": SESSION,
    "operator": OPERATOR,
    "arbiter": ARBITER,
    "governor": GOVERNOR,
    "treasury": TREASURY,
    "publisher": PUBLISHER,
    "data owner": OWNER,
    "stranger": STRANGER,
    "anonymous": ANONYMOUS,
}

Act = Callable[[World, Principal, int], Any]
METHODS: dict[str, Act] = {
    "claim": lambda w, who, r: w.do(jobs.claim, who, w.offer.id, r),
    "begin": lambda w, who, r: w.do(gate.begin, who, r, NONCE),
    "submit": lambda w, who, r: w.do(gate.submit, who, r, bundle_for(NONCE, OPERATOR, GUEST), believing),
    "progress": lambda w, who, r: w.do(jobs.post_progress, who, r, ()),
    "checkpoint": lambda w, who, r: w.do(jobs.submit_checkpoint, who, r, artifact("checkpoint")),
    "release": lambda w, who, r: w.do(keys.authorise, who, keys.Item("listing", w.listing.id), r, None),
    "hand back": lambda w, who, r: w.do(jobs.hand_back, who, r, "SIGTERM"),
    "result": lambda w, who, r: w.do(jobs.submit_result, who, r, artifact("other adapter"), "{}"),
    "cancel": lambda w, who, r: w.do(rentals.cancel, who, r),
    "accept": lambda w, who, r: w.do(rentals.accept, who, r),
    "dispute": lambda w, who, r: w.do(rentals.dispute, who, r, "empty"),
    "rule succeeded": lambda w, who, r: w.do(rentals.rule, who, r, True, "fine"),
    "rule failed": lambda w, who, r: w.do(rentals.rule, who, r, False, "broken"),
    "open result": lambda w, who, r: w.do(
        keys.authorise, who, keys.Item("result", str(r)), None, TRANSPORT_KEY
    ),
}
ALLOWED: dict[tuple[str, str], dict[str, str]] = {
    ("queued", "claim"): {"worker": "attesting"},
    ("queued", "cancel"): {"renter": "cancelled"},
    ("attesting", "claim"): {"worker": "attesting"},  # its own claim again: the same job, no change
    ("attesting", "begin"): {"worker": "attesting"},
    ("attesting", "submit"): {"session": "running"},
    ("attesting", "hand back"): {"worker": "queued"},
    ("running", "claim"): {"worker": "running"},  # the same, for a worker that was started again
    ("running", "progress"): {"session": "running"},
    ("running", "checkpoint"): {"session": "running"},
    ("running", "release"): {"session": "running"},
    ("running", "hand back"): {"session": "queued", "worker": "queued"},
    ("running", "result"): {"session": "settling"},
    ("running", "cancel"): {"renter": "cancelled"},
    ("settling", "accept"): {"renter": "succeeded"},
    ("settling", "dispute"): {"renter": "disputed"},
    ("disputed", "rule succeeded"): {"arbiter": "succeeded"},
    ("disputed", "rule failed"): {"arbiter": "failed"},
    ("succeeded", "open result"): {"renter": "succeeded"},
}
AFTER_DEADLINE = {
    "queued": "expired",
    "attesting": "queued",
    "running": "queued",
    "settling": "succeeded",
    "disputed": "succeeded",
}


def to_status(status: Status) -> tuple[World, int]:
    world = market()
    rental = world.create().id
    if status is Status.EXPIRED:
        world.later(7_200)
        world.reap()
    if status in (Status.QUEUED, Status.EXPIRED):
        return world, rental
    world.claim(rental)
    world.do(gate.begin, WORKER, rental, NONCE)
    if status is Status.ATTESTING:
        return world, rental
    world._sessions[rental] = GUEST
    METHODS["submit"](world, SESSION, rental)
    world.release(rental)
    if status is Status.RUNNING:
        return world, rental
    world.later(50)
    if status is Status.CANCELLED:
        world.do(rentals.cancel, RENTER, rental)
        return world, rental
    world.finish(rental)
    if status in (Status.DISPUTED, Status.FAILED):
        world.do(rentals.dispute, RENTER, rental, "empty")
    if status is Status.FAILED:
        world.do(rentals.rule, ARBITER, rental, False, "broken")
    if status is Status.SUCCEEDED:
        world.do(rentals.accept, RENTER, rental)
    return world, rental


@cache
def prepared(status: Status) -> tuple[World, int]:
    world, rental = to_status(status)
    assert world.rental(rental).status is status
    return world, rental


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("method", METHODS)
def test_before_the_deadline_only_the_table_s_rows_happen(status: Status, method: str) -> None:
    allowed = ALLOWED.get((status.value, method), {})
    for name, caller in CALLERS.items():
        world, rental = fork(prepared(status)[0]), prepared(status)[1]
        before = world.snapshot()
        if name in allowed:
            METHODS[method](world, caller, rental)
            assert world.rental(rental).status.value == allowed[name], name
            continue
        with pytest.raises((NotAuthorized, InvalidState)):
            METHODS[method](world, caller, rental)
        assert world.snapshot() == before, name


@pytest.mark.parametrize("status", [status for status in Status if status not in TERMINAL])
@pytest.mark.parametrize("method", METHODS)
def test_from_the_deadline_on_no_action_happens(status: Status, method: str) -> None:
    for caller in CALLERS.values():
        world, rental = fork(prepared(status)[0]), prepared(status)[1]
        world.now = world.rental(rental).deadline or 0
        before = world.snapshot()
        if status.value in ("attesting", "running") and method == "claim" and caller == WORKER:
            METHODS[method](world, caller, rental)  # the answer to a repeated claim promises nothing
        else:
            with pytest.raises((NotAuthorized, InvalidState, DeadlinePassed)):
                METHODS[method](world, caller, rental)
        assert world.snapshot() == before


@pytest.mark.parametrize("status", Status)
def test_anyone_may_reap_exactly_from_the_deadline_on(status: Status) -> None:
    for caller in CALLERS.values():
        world, rental = fork(prepared(status)[0]), prepared(status)[1]
        deadline = world.rental(rental).deadline
        if status in TERMINAL:
            assert deadline is None
            assert not world.do(reaper.reap, caller, rental)
            continue
        assert deadline is not None
        world.now = deadline - 1
        before = world.snapshot()
        assert not world.do(reaper.reap, caller, rental)
        assert world.snapshot() == before
        world.now = deadline
        assert world.do(reaper.reap, caller, rental)
        assert world.rental(rental).status.value == AFTER_DEADLINE[status.value]


def test_every_status_that_holds_money_has_a_row_for_anyone_after_its_deadline() -> None:
    exits = {row.source for row in TRANSITIONS if Who.ANYONE in row.who}
    assert exits == {status for status in Status if status not in TERMINAL}


def test_the_late_error_names_deadline_and_time() -> None:
    world, rental = to_status(Status.RUNNING)
    deadline = world.rental(rental).deadline or 0
    world.now = deadline + SECOND
    with pytest.raises(DeadlinePassed) as caught:
        world.heartbeat(rental)
    assert (caught.value.deadline, caught.value.now) == (deadline, deadline + SECOND)


def test_a_stranger_learns_nothing_about_the_state() -> None:
    refusals = set()
    for status in Status:
        world, rental = fork(prepared(status)[0]), prepared(status)[1]
        with pytest.raises(NotAuthorized) as caught:
            world.do(rentals.cancel, STRANGER, rental)
        refusals.add(str(caught.value))
    assert len(refusals) == 1


def test_a_change_outside_the_table_is_a_bug_and_raises(world: World) -> None:
    rental = world.create()
    with pytest.raises(RuntimeError, match="no transition"):
        world.do(change, RENTER, rental, Kind.ACCEPT, Status.SUCCEEDED)
    with pytest.raises(RuntimeError, match="no deadline"):
        permit(replace(rental, deadline=None), Kind.CANCEL, {Who.RENTER}, world.now)


def test_errors_are_candid_alternatives_and_explain_themselves(world: World) -> None:
    with pytest.raises(MarketError) as caught:
        world.do(rentals.cancel, STRANGER, world.create().id)
    assert caught.value.variant() == {"NotAuthorized": {"required": "the renter of rental 0"}}
    assert "the renter of rental 0" in str(caught.value)
