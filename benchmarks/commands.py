"""How long the project's two commands take where everything is set up and built."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.canisters import ROOT
from benchmarks.figures import Figure, Section

DEMO_GOAL_S = 180.0
TESTS_GOAL_S = 360.0
TIMEOUT_S = 900
STOP_TIMEOUT_S = 60
WORKERS = 2
SHOWN_CHARACTERS = 2_000


class CommandFailed(Exception):
    """A command ended with a failure; the message ends with its output."""


def seconds_of(command: Sequence[str]) -> float:
    """Run a module of this Python in the project's folder.

    Raises: CommandFailed with the end of its output.
    """
    start = time.perf_counter()
    # In a session of its own, so that it is interrupted once, by us, and not in the middle of cleaning up.
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            printed, _ = process.communicate(timeout=TIMEOUT_S)
        except BaseException:
            process.send_signal(signal.SIGINT)
            process.wait(STOP_TIMEOUT_S)
            raise
    seconds = time.perf_counter() - start
    if process.returncode != 0:
        raise CommandFailed(f"{command[0]} ended with {process.returncode}:\n{printed[-SHOWN_CHARACTERS:]}")
    return seconds


def measure_demo() -> Section:
    """Play the demo once in a folder of its own, in all and step by step."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        seconds = seconds_of(["leasehold", "demo", "--folder", f"{folder}/demo", "--json", str(report)])
        steps: dict[str, float] = json.loads(report.read_text())["seconds"]
    whole = Figure("make demo, warm", seconds, "s", DEMO_GOAL_S, note="once, without set-up")
    return Section("Demo", [whole, *(Figure(f"of it: {name}", spent, "s") for name, spent in steps.items())])


def measure_tests() -> Section:
    """Run every test once, as `make test` does."""
    seconds = seconds_of(["pytest", "-q", "-n", str(WORKERS), "--dist", "loadgroup"])
    note = f"once, {WORKERS} workers, without set-up"
    return Section("Tests", [Figure("make test, warm", seconds, "s", TESTS_GOAL_S, note=note)])
