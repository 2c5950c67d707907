"""How long the local node takes until it answers: as a process of its own, everything compiled before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.canisters import OUR_CANISTERS
from benchmarks.figures import Figure
from benchmarks.goods import stock
from benchmarks.local_network import deployed
from devnet.daemon import find_running, start_detached, stop_running
from devnet.running import Running
from devnet.state_folder import is_locked

GOAL_MS = 1_500.0
STARTS = 7
RENTALS = 200


def measure() -> list[Figure]:
    """From the start of the process to a healthy answer; and of the whole command."""
    with TemporaryDirectory() as empty, TemporaryDirectory() as folder:
        state = Path(folder)
        _fill(state)
        what = f"{len(OUR_CANISTERS)} canisters, {RENTALS} rentals in state"
        return [
            _figure("start to healthy, empty state", Path(empty), _start, _stop),
            _figure(f"start to healthy, {what}", state, _start, _stop),
            _figure("the same state, after kill -9", state, _start, _kill),
            _figure("`leasehold devnet start --detach`, same state", state, _start_by_command, _stop),
        ]


def _figure(
    name: str, state: Path, start: Callable[[Path], Running], end: Callable[[Running], None]
) -> Figure:
    found = []
    for _ in range(STARTS + 1):
        begun = time.perf_counter()
        running = start(state)
        found.append((time.perf_counter() - begun) * 1e3)
        end(running)
    # The first may have had to compile.
    return Figure(name, median(found[1:]), "ms", GOAL_MS, note=f"median of {STARTS}")


def _fill(state: Path) -> None:
    """Deploy our canisters and create rentals."""
    running = start_detached(state, 0)
    try:
        with deployed(running.url, bytes.fromhex(running.root_key)) as clients:
            goods, renter = stock(clients), clients["renter"].marketplace
            for _ in range(RENTALS):
                renter.create_rental(goods.rental())
    finally:
        stop_running(state)


def _start(state: Path) -> Running:
    return start_detached(state, 0)


def _start_by_command(state: Path) -> Running:
    command = [str(Path(sys.executable).parent / "leasehold"), "devnet", "start", "--detach", "--port", "0"]
    subprocess.run([*command, "--state", str(state)], check=True, stdout=subprocess.DEVNULL)
    running = find_running(state)
    if running is None:
        raise RuntimeError("`leasehold devnet start` left no node")
    return running


def _stop(running: Running) -> None:
    stop_running(Path(running.state))


def _kill(running: Running) -> None:
    os.kill(running.pid, signal.SIGKILL)
    while is_locked(Path(running.state)):
        time.sleep(0.01)
