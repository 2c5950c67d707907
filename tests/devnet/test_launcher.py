"""The program that `icp network start` runs, as a process."""

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import httpx
import pytest
from click.testing import CliRunner

from devnet.launcher import main

TIMEOUT_S = 60


def arguments(folder: Path, **changed: str) -> list[str]:
    """What the command line passes, with flags that mean nothing here."""
    flags = {
        "interface-version": "1.1.0",
        "state-dir": str(folder / "state"),
        "bind": "127.0.0.1",
        "gateway-port": "0",
        "status-dir": str(folder / "status"),
    } | changed
    given = [part for name, value in flags.items() for part in (f"--{name}", value)]
    return [*given, "--verbose", "--ii", "--domain=localhost"]


def first_line(pipe: Path) -> str:
    """The line that a process writes to a named pipe."""
    descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor) as reader:
        ready, _, _ = select.select([reader], [], [], TIMEOUT_S)
        assert ready, "the launcher wrote no status"
        return reader.readline()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_tells_its_port_and_root_key_in_one_line_and_stops(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "status").mkdir()
    os.mkfifo(tmp_path / "status" / "status.json")
    command = [sys.executable, "-W", "error", "-m", "devnet.launcher", *arguments(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = first_line(tmp_path / "status" / "status.json")
            status: dict[str, Any] = json.loads(line)
            assert line.endswith("}\n")
            assert (status["v"], status["supported_features"]) == ("1", ["custom-domains"])
            url = f"http://127.0.0.1:{status['gateway_port']}/api/v2/status"
            assert bytes.fromhex(status["root_key"]) in httpx.get(url).content
        finally:
            process.send_signal(number)
            log = _rest(process.stderr)
        assert process.wait(TIMEOUT_S) == 0, log
    assert "flag not used: --ii" in log


def _rest(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.read()


def refusal(folder: Path, **changed: str) -> str:
    result = CliRunner().invoke(main, arguments(folder, **changed))
    assert result.exit_code == 1, result.output
    return result.output


def test_it_refuses_an_interface_that_it_does_not_know(tmp_path: Path) -> None:
    assert "speaks 1.x" in refusal(tmp_path, **{"interface-version": "2.0.0"})


def test_it_listens_on_the_loopback_interface_only(tmp_path: Path) -> None:
    assert "127.0.0.1 only" in refusal(tmp_path, bind="0.0.0.0")
