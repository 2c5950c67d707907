"""A node from start to stop."""

import socket
from pathlib import Path

import httpx
import pytest

from devnet.clock import SystemClock
from devnet.node import Node, PortTaken
from tests.devnet.agent import Agent
from tests.devnet.http.fake_replica import COUNTER, FakeReplica


def start(replica: FakeReplica | None = None, **options: object) -> Node:
    replica = replica or FakeReplica(SystemClock())
    return Node.start(open_replica=lambda keys, clock: replica, **options)  # type: ignore[arg-type]


def test_a_node_answers_until_it_is_stopped_and_stops_twice() -> None:
    replica = FakeReplica(SystemClock())
    node = start(replica)
    with Agent(node.url, node.root_key) as agent:
        assert agent.update(COUNTER, "increment") == b"1"
    node.stop()
    assert replica.closed
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{node.url}/api/v2/status", trust_env=False)
    node.stop()


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"127.0.0.1:{port}"):
            start(port=port)


def test_a_state_folder_keeps_the_root_key(tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        with start(state_dir=tmp_path / "state") as node:
            keys.append(node.root_key)
    assert keys[0] == keys[1]
    with start() as node:
        assert node.root_key != keys[0]


def test_a_replica_that_does_not_open_frees_the_port() -> None:
    def fail(*_: object) -> FakeReplica:
        raise OSError("no such disk")

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(OSError, match="no such disk"):
        Node.start(port=port, open_replica=fail)
    with start(port=port) as node:
        assert node.port == port
