"""`leasehold devnet` and its node as a process."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from devnet.cli import devnet
from devnet.daemon import find_running, stop_running
from devnet.state_folder import DOMAINS_FILE, LOCK_FILE, SEED_FILE, STATUS_FILE
from tests.devnet import whoami
from tests.devnet.agent import Agent

TIMEOUT_S = 60
HOUR_NS = 3_600 * 10**9


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


def test_time_is_set_forward_and_stays_so_over_a_restart(state: Path) -> None:
    where = ("--state", str(state))
    assert "no node runs" in invoke("advance", "1h", *where).output
    started = answer("start", "--port", "0", "--detach", "--speed", "2", *where)
    assert started["speed"] == "2"
    before = time.time_ns()
    advanced = answer("advance", "1h", *where)
    assert advanced["advanced_ns"] == str(HOUR_NS)
    assert int(advanced["time_ns"]) >= before + HOUR_NS
    assert "already runs, at speed 2" in invoke("start", "--speed", "3", *where).output
    assert answer("start", *where) == answer("start", "--speed", "2", *where) == started
    kill(started["pid"])
    answer("start", "--port", "0", "--detach", *where)
    later = answer("advance", "1ms", *where)
    assert int(later["time_ns"]) > int(advanced["time_ns"])


@pytest.mark.parametrize(
    "arguments",
    [
        *(("advance", by) for by in ("0", "-1h", "soon", "1h30m")),
        *(("start", "--speed", factor) for factor in ("0.5", "fast", "1/0", "86401")),
        ("start", "--port", "65536"),
        ("advance",),
        ("reset", "everything"),
    ],
)
def test_wrong_input_is_a_usage_error(arguments: tuple[str, ...], state: Path) -> None:
    assert invoke(*arguments, "--state", str(state)).exit_code == 2
    assert not state.exists()


def test_a_network_is_forgotten_only_when_asked_and_not_while_it_runs(state: Path) -> None:
    where = ("--state", str(state))
    assert answer("reset", "-y", *where)["reset"] is False
    first = answer("start", "--port", "0", "--detach", *where)
    refused = invoke("reset", "-y", *where)
    assert (refused.exit_code, "stop it first" in refused.output) == (1, True)
    answer("stop", *where)
    (state / DOMAINS_FILE).write_text("")
    declined = CliRunner().invoke(devnet, ["reset", *where], input="n\n")
    assert (declined.exit_code, (state / SEED_FILE).exists()) == (1, True)
    assert answer("reset", "--yes", *where) == {"reset": True, "state": str(state)}
    assert sorted(entry.name for entry in state.iterdir()) == [DOMAINS_FILE, LOCK_FILE]
    assert answer("start", "--port", "0", "--detach", *where)["root_key"] != first["root_key"]


def test_every_command_explains_itself() -> None:
    listed = invoke("--help").output
    for name in devnet.commands:
        assert name in listed
        assert "--state" in invoke(name, "--help").output
