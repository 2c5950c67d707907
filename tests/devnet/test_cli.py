"""`devnet start`, `status` and `stop` as processes."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from devnet.cli import devnet
from devnet.daemon import STATUS_FILE, find_running, stop_running
from tests.devnet import whoami
from tests.devnet.agent import Agent

TIMEOUT_S = 60


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state"
    stop_running(tmp_path / "state")


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(devnet, list(arguments))


def answer(*arguments: str) -> dict[str, Any]:
    result = invoke(*arguments, "--json")
    assert result.exit_code == 0, result.output
    decoded: dict[str, Any] = json.loads(result.stdout)
    return decoded


def kill(pid: int) -> None:
    """End a process at once and return when it is gone."""
    handle = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    select.select([handle], [], [], TIMEOUT_S)
    os.close(handle)


def test_a_detached_node_is_found_again_and_stopped(state: Path) -> None:
    where = ("--state", str(state))
    assert answer("status", *where)["running"] is False
    started = answer("start", "--port", "0", "--detach", *where)
    assert os.getsid(started["pid"]) == started["pid"], "the node must have a session of its own"
    assert answer("status", *where) == started
    assert answer("start", "--port", "0", "--detach", *where) == started
    assert "already runs" in invoke("start", *where).output
    refused = invoke("start", "--reset", *where)
    assert (refused.exit_code, "stop it first" in refused.output) == (1, True)
    assert (state / "root_key.der").read_bytes().hex() == started["root_key"]
    assert answer("stop", *where)["running"] is False
    assert not (state / STATUS_FILE).exists()
    assert invoke("stop", *where).exit_code == 0


def test_a_killed_node_is_noticed_and_started_again_with_its_keys_and_canisters(state: Path) -> None:
    where = ("--state", str(state))
    first = answer("start", "--port", "0", "--detach", *where)
    with Agent(first["url"], bytes.fromhex(first["root_key"])) as agent:
        canister = whoami.deploy(agent)
        reply = agent.update(canister, "bump")
    kill(first["pid"])
    assert (state / STATUS_FILE).exists()
    assert answer("status", *where)["running"] is False
    second = answer("start", "--port", "0", "--detach", *where)
    assert second["pid"] != first["pid"]
    assert second["root_key"] == first["root_key"]
    with Agent(second["url"], bytes.fromhex(second["root_key"])) as agent:
        assert agent.query(canister, "count")["reply"] == {"arg": reply}
    answer("stop", *where)
    third = answer("start", "--port", "0", "--detach", "--reset", *where)
    assert third["root_key"] != first["root_key"]


def test_a_taken_port_is_explained(state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        result = invoke("start", "--port", port, "--detach", "--state", str(state))
    assert result.exit_code == 1
    assert f"cannot listen on 127.0.0.1:{port}" in result.output
    assert find_running(state) is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_node_in_the_foreground_stops_gracefully_on_signals(state: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "devnet", "start", "--port", "0", "--state", str(state), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["running"] is True
        process.send_signal(number)
        assert process.wait(TIMEOUT_S) == 0
    assert find_running(state) is None
    assert not (state / STATUS_FILE).exists()
