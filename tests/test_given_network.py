"""Tests of canisters run on a network somebody else started: `LEASEHOLD_NETWORK`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from devnet.daemon import start_detached, stop_running
from devnet.running import Running
from tests.network import CanisterNetwork

ROOT = Path(__file__).parents[1]
SOME = [
    "tests/cdk/network/test_public_api.py::test_functions_and_services_are_values",
    "tests/vault/test_on_devnet.py::test_an_unfinished_upload_goes_away_by_itself_after_an_upgrade",
    "tests/vault/test_on_devnet.py::test_a_file_survives_upload_grant_upgrade_and_download",
]


@pytest.fixture
def devnet(tmp_path: Path) -> Iterator[Running]:
    """A devnet in a process of its own."""
    yield start_detached(tmp_path / "devnet", 0)
    stop_running(tmp_path / "devnet")


def test_canisters_are_tested_on_the_network_that_was_given(devnet: Running) -> None:
    network = CanisterNetwork(devnet.url, bytes.fromhex(devnet.root_key))
    before = network.now_ns()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment |= {"LEASEHOLD_NETWORK": devnet.url, "LEASEHOLD_ROOT_KEY": devnet.root_key}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *SOME]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    # It happened there: the vault's test has moved that network's time by more than a day.
    time_ns = int(httpx.get(f"{devnet.url}/_/time", trust_env=False).json()["time_ns"])
    assert time_ns - before > 86_400 * 10**9
    assert network.now_ns() - before > 86_400 * 10**9
    network.close()
