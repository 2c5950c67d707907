"""What a folder keeps between two runs of the node."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from devnet.errors import StateFolderError
from devnet.replica import Ingress, IngressState, Reject
from devnet.replica.executor import Executor
from devnet.replica.messages import Response
from devnet.replica.state.store import StateStore
from devnet.replica.subnet import Subnet
from tests.devnet.replica.agent import AGENT
from tests.devnet.replica.harness import SMALL, USER, FakeClock, Net, make_net, rejected
from tests.devnet.replica.test_calls import CALLEE, CALLER, target
from tests.devnet.replica.test_installation import look, version
from tests.devnet.replica.test_management import logs
from tests.devnet.replica.test_timers import SECOND, TIMED, at
from tests.devnet.replica.wat import number

Opener = Callable[[], Net]


@pytest.fixture
def reopen(tmp_path: Path) -> Opener:
    """Opens the same folder again with the same clock."""
    clock = FakeClock()
    return lambda: make_net(SMALL, tmp_path / "state", tmp_path / "cache", clock)


def test_canisters_go_on_where_they_were(reopen: Opener) -> None:
    net = reopen()
    canister = net.deploy(version(1))
    net.update(canister, "set")
    net.manage("upload_chunk", canister_id=canister, chunk=b"chunk")
    before, status = look(net, canister), net.status(canister)
    view = net.replica.canister_view(canister)
    net.replica.close()

    net = reopen()
    assert look(net, canister) == before == (1, 50, 60)
    assert net.replica.canister_view(canister) == view
    again = net.status(canister)
    for field in ("settings", "module_hash", "version", "memory_size", "status"):
        assert again[field] == status[field]
    assert len(net.manage("stored_chunks", canister_id=canister)) == 1
    net.install(canister, version(2), mode="upgrade")
    assert look(net, canister) == (2, 2, 60)
    assert net.create() > canister
    net.replica.close()


def test_only_what_was_checkpointed_returns(reopen: Opener, tmp_path: Path) -> None:
    """A node that is killed falls back to its last checkpoint, whole."""
    net = reopen()
    canister = net.deploy(version(1))
    net.replica.checkpoint()
    net.update(canister, "set")
    copy = tmp_path / "copy"
    copy.mkdir()
    with sqlite3.connect(tmp_path / "state" / "replica.sqlite") as source:
        with sqlite3.connect(copy / "replica.sqlite") as destination:
            source.backup(destination)
    source.close()
    destination.close()
    net.replica.close()
    killed = make_net(SMALL, copy, tmp_path / "cache")
    assert look(killed, canister) == (1, 1, 0)
    killed.replica.close()


def test_later_checkpoints_write_what_changed(reopen: Opener) -> None:
    net = reopen()
    canister = net.deploy(version(1))
    net.replica.checkpoint()
    net.update(canister, "set")
    net.replica.checkpoint()
    gone = net.create()
    net.replica.checkpoint()
    net.manage("stop_canister", canister_id=gone)
    net.manage("delete_canister", canister_id=gone)
    net.install(canister, version(3), mode="reinstall")
    net.replica.close()
    net = reopen()
    assert look(net, canister) == (3, 3, 0)
    assert net.replica.canister_ids() == [canister]
    net.replica.close()


def test_messages_in_flight_arrive_after_a_restart(reopen: Opener) -> None:
    net = reopen()
    caller, callee = net.deploy(CALLER), net.deploy(CALLEE)
    waiting = net.submit(caller, "call", target(callee, "echo", b"still here"))
    timed = net.submit(caller, "best_effort", target(callee, "echo", b"in time"))
    fresh = net.submit(callee, "echo", b"queued")
    net.replica.run(2)
    net.replica.close()

    net = reopen()
    status = net.replica.ingress_status(waiting)
    assert status is not None and status.state is IngressState.PROCESSING
    net.settle()
    assert net.outcome(waiting) == b"still here"
    assert net.outcome(timed) == b"in time"
    assert net.outcome(fresh) == b"queued"
    net.replica.close()


def test_answers_logs_and_timers_survive(reopen: Opener) -> None:
    net = reopen()
    agent, timed, callee = net.deploy(AGENT), net.deploy(TIMED), net.deploy(CALLEE)
    net.update(agent, "chatty")
    net.update(timed, "set", at(net.clock.now + SECOND))
    request = net.submit(callee, "refuse")
    net.settle()
    kept = logs(net, agent)
    net.replica.close()

    net = reopen()
    assert logs(net, agent) == kept
    assert rejected(lambda: net.outcome(request)) == Reject(4, "no", "IC0406")
    net.replica.submit(Ingress(request, USER, callee, "refuse", b"", net.clock.now, callee))
    net.advance(1)
    assert number(net.query(timed, "fired")) == 1
    net.replica.close()


def test_time_does_not_go_back(reopen: Opener) -> None:
    net = reopen()
    net.advance(100)
    seen = net.replica.time()
    net.replica.close()
    net.clock.now -= 50 * SECOND
    net = reopen()
    assert net.replica.time() == seen
    net.replica.close()


def test_a_message_that_took_the_place_of_another_in_memory_is_saved(tmp_path: Path) -> None:
    """What changed was once recognised by `id`, which a new message may share with one that is gone."""
    clock = FakeClock()
    subnet, store = Subnet(SMALL, clock), StateStore(tmp_path)
    queue = subnet.create_canister(0).queue
    queue.append(Response(1, b"first", 0))
    store.save(subnet)
    place = id(queue[0])
    queue.popleft()
    kept = [Response(2, b"second", 0) for _ in range(100)]
    queue.append(next((message for message in kept if id(message) == place), kept[0]))
    store.save(subnet)
    store.close()
    subnet.remove_canister(next(iter(subnet.canisters.values())))
    again, store = Subnet(SMALL, clock), StateStore(tmp_path)
    executor = Executor(limits=SMALL, subnet_id=b"", root_key=b"", cache=None, log=None)
    store.load(again, executor)
    store.close()
    (canister,) = again.canisters.values()
    assert list(canister.queue) == [Response(2, b"second", 0)]
    canister.close()


def test_a_folder_serves_one_node(reopen: Opener) -> None:
    net = reopen()
    with pytest.raises(StateFolderError, match="another running node"):
        reopen()
    net.replica.close()
    reopen().replica.close()


def test_a_folder_of_another_version_or_kind_is_refused(reopen: Opener, tmp_path: Path) -> None:
    reopen().replica.close()
    database = tmp_path / "state" / "replica.sqlite"
    connection = sqlite3.connect(database)
    connection.execute("UPDATE fact SET value = X'39' WHERE name = 'format'")
    connection.commit()
    connection.close()
    with pytest.raises(StateFolderError, match="format 9"):
        reopen()
    database.write_bytes(b"this is no database, but long enough to be looked at" * 100)
    with pytest.raises(StateFolderError, match="cannot read the state"):
        reopen()


def test_the_history_of_ingress_messages_is_forgotten_in_steps(reopen: Opener) -> None:
    net = reopen()
    callee = net.deploy(CALLEE)
    request = net.submit(callee, "echo", b"hello")
    net.settle()
    net.advance(599)
    assert net.outcome(request) == b"hello"
    net.advance(2)
    status = net.replica.ingress_status(request)
    assert status is not None and (status.state, status.reply) == (IngressState.DONE, None)
    net.advance(300)
    assert net.replica.ingress_status(request) is None
    net.replica.close()
    net = reopen()
    assert net.replica.ingress_status(request) is None
    net.replica.close()
