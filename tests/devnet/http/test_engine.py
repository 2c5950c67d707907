"""Rounds: batching, timers, faults and stopping."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from devnet.crypto.node_keys import NodeKeys
from devnet.http.engine import Engine
from devnet.http.errors import NodeFault, NodeStopping
from devnet.replica.api import Ingress
from tests.devnet.agent import open_certificate
from tests.devnet.http.fake_replica import COUNTER, FakeReplica, ManualClock

KEYS = NodeKeys.from_seed(bytes(32))
TIMEOUT_S = 10


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def replica(clock: ManualClock) -> FakeReplica:
    return FakeReplica(clock)


@pytest.fixture
def engine(replica: FakeReplica, clock: ManualClock) -> Iterator[Engine]:
    engine = Engine(lambda: replica, KEYS, clock)
    engine.start()
    yield engine
    engine.stop()


def ingress(number: int, method: str = "increment") -> Ingress:
    return Ingress(
        request_id=number.to_bytes(32, "big"),
        sender=b"\x04",
        canister_id=COUNTER,
        method=method,
        arg=b"",
        ingress_expiry=0,
        effective_canister_id=COUNTER,
    )


def settle(futures: list[Future[bytes]]) -> list[bytes]:
    return [future.result(TIMEOUT_S) for future in futures]


def test_calls_that_finish_in_one_round_share_one_certified_state(
    engine: Engine, replica: FakeReplica
) -> None:
    replica.hold(True)
    futures = [engine.call(ingress(number)) for number in range(10)]
    engine.perform(lambda _: replica.hold(False)).result(TIMEOUT_S)
    certificates = settle(futures)
    assert engine.height == 1
    for number, certificate in enumerate(certificates):
        opened = open_certificate(certificate, KEYS.root_key)
        path = (b"request_status", number.to_bytes(32, "big"), b"reply")
        assert opened.find(*path) == str(number + 1).encode()
        other = (number + 1) % 10
        assert opened.find(b"request_status", other.to_bytes(32, "big"), b"reply") == "unknown"


def test_more_calls_than_fit_in_a_round_are_all_answered(engine: Engine, replica: FakeReplica) -> None:
    assert len(settle([engine.call(ingress(number)) for number in range(200)])) == 200
    assert replica.counter == 200
    assert replica.rounds > 200 // 64


def test_due_timers_run_without_any_request(engine: Engine, replica: FakeReplica, clock: ManualClock) -> None:
    def set_timer(_: object) -> None:
        replica.wakeup = clock.now + 1_000

    engine.perform(set_timer).result(TIMEOUT_S)
    assert engine.perform(lambda _: replica.counter).result(TIMEOUT_S) == 0
    clock.now += 1_000
    engine.wake()
    attempts = (engine.perform(lambda _: replica.counter).result(TIMEOUT_S) for _ in range(1000))
    assert next((counter for counter in attempts if counter), None) == 1000


def test_a_fault_fails_the_calls_of_its_round_and_no_others(engine: Engine, replica: FakeReplica) -> None:
    replica.fault = RuntimeError("broken on purpose")
    with pytest.raises(NodeFault):
        engine.call(ingress(1)).result(TIMEOUT_S)
    assert engine.call(ingress(2)).result(TIMEOUT_S)


def test_a_call_is_accepted_only_once_it_is_saved(engine: Engine, replica: FakeReplica) -> None:
    """A node killed after its answer 202 used to forget calls that waited for a long message."""
    replica.blocked = threading.Event()
    try:
        engine.submit(ingress(1)).result(TIMEOUT_S)
        assert replica.saved == {ingress(1).request_id}
    finally:
        replica.blocked.set()


def test_a_call_that_cannot_be_saved_is_not_accepted(engine: Engine, replica: FakeReplica) -> None:
    replica.unsavable = OSError("disk full, on purpose")
    with pytest.raises(NodeFault, match="could not save"):
        engine.submit(ingress(1)).result(TIMEOUT_S)
    replica.unsavable = None
    engine.saved().result(TIMEOUT_S)
    assert ingress(1).request_id in replica.saved


def test_settling_waits_for_all_that_is_due(engine: Engine, replica: FakeReplica, clock: ManualClock) -> None:
    def leap(_: object) -> None:
        clock.now += 5_000
        replica.wakeup = clock.now - 1

    engine.settle(leap).result(TIMEOUT_S)
    assert replica.counter == 1000
    with pytest.raises(OSError, match="on purpose"):
        engine.settle(_fail_on_purpose).result(TIMEOUT_S)


def _fail_on_purpose(_: object) -> None:
    raise OSError("on purpose")


def test_stopping_closes_the_replica_and_answers_everybody(replica: FakeReplica, clock: ManualClock) -> None:
    engine = Engine(lambda: replica, KEYS, clock)
    engine.start()
    replica.hold(True)
    waiting = engine.call(ingress(1))
    engine.stop()
    assert replica.closed
    with pytest.raises(NodeStopping):
        waiting.result(TIMEOUT_S)
    with pytest.raises(NodeStopping):
        engine.submit(ingress(2)).result(TIMEOUT_S)
    engine.stop()


def test_what_opening_the_replica_raises_is_raised_by_start(clock: ManualClock) -> None:
    def fail() -> FakeReplica:
        raise OSError("no such disk")

    engine = Engine(fail, KEYS, clock)
    with pytest.raises(OSError, match="no such disk"):
        engine.start()
    engine.stop()
