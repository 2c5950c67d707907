"""A node as a process: one per state folder, found again through its status file.

A status file that a killed process left behind is never mistaken for a running node, and no process id is
trusted, without the folder's lock.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from types import FrameType
from typing import Any, Final

from devnet.errors import DevnetError
from devnet.principal import principal_text
from devnet.running import Running
from devnet.state_folder import LOG_FILE, STATUS_FILE, is_locked, lock

log = logging.getLogger(__name__)

DEFAULT_PORT: Final = 4943
DEFAULT_STATE: Final = Path(".leasehold/devnet")
START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 60.0
_POLL_S: Final = 0.05
_LOG_TAIL_LINES: Final = 15


class NodeDidNotStart(DevnetError):
    """The detached process ended, or did not answer in time."""


class NodeDidNotStop(DevnetError):
    """The process goes on after it was asked to stop."""


def find_running(state: Path) -> Running | None:
    """The node that runs on a state folder, or None."""
    if not is_locked(state):
        return None
    try:
        return Running(**json.loads((state / STATUS_FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def serve(
    state: Path,
    port: int,
    ready: Callable[[Running], None],
    *,
    speed: Fraction = Fraction(1),
    domains: Path | None = None,
) -> None:
    """Run a node in this process until SIGTERM or SIGINT; then save its state.

    Args:
        speed, domains: see `Node.start`.
        ready: called once the node answers.

    Raises:
        AlreadyRunning: another process runs on the folder.
        PortTaken, StateFolderError, InvalidTime: see `Node.start`.
    """
    # Loaded here, since a command that only looks for a node needs none of it.
    from devnet.node import Node

    stopping = threading.Event()
    with lock(state), _on_signals(stopping.set):
        with Node.start(
            port=port, state_dir=state, speed=speed, domains=domains, canister_log=_log_canister
        ) as node:
            running = Running(
                os.getpid(), node.port, node.url, node.root_key.hex(), str(state.resolve()), str(speed)
            )
            _write_status(state, running)
            try:
                ready(running)
                stopping.wait()
                log.info("stopping")
            finally:
                (state / STATUS_FILE).unlink(missing_ok=True)


def start_detached(
    state: Path, port: int, options: Sequence[str] = (), timeout_s: float = START_TIMEOUT_S
) -> Running:
    """Start a node as a process of its own session and return once it answers.

    Args:
        options: further arguments of `devnet start`.

    Raises:
        NodeDidNotStart: it ended or did not answer in time; the message ends with its log.
    """
    state.mkdir(parents=True, exist_ok=True)
    where = ["--port", str(port), "--state", str(state.resolve())]
    command = [sys.executable, "-m", "devnet", "start", *where, *options]
    with open(state / LOG_FILE, "wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        running = find_running(state)
        if running is not None and running.pid == process.pid and running.is_healthy():
            # Reap it whenever it ends, in case this process outlives it.
            threading.Thread(target=process.wait, daemon=True).start()
            return running
        if process.poll() is not None:
            raise NodeDidNotStart(f"the node ended with exit code {process.returncode}:\n{_log_tail(state)}")
        time.sleep(_POLL_S)
    process.kill()
    process.wait()
    raise NodeDidNotStart(f"the node did not answer within {timeout_s:.0f} s:\n{_log_tail(state)}")


def stop_running(state: Path, timeout_s: float = STOP_TIMEOUT_S) -> Running | None:
    """Ask the node on a state folder to stop and wait until it has; None when none runs.

    Raises:
        NodeDidNotStop: it still runs after `timeout_s`.
    """
    running = find_running(state)
    if running is None:
        return None
    try:
        os.kill(running.pid, signal.SIGTERM)
    except ProcessLookupError:
        return running
    deadline = time.monotonic() + timeout_s
    while is_locked(state):
        if time.monotonic() > deadline:
            raise NodeDidNotStop(
                f"process {running.pid} still runs after {timeout_s:.0f} s; see {state / LOG_FILE}"
            )
        time.sleep(_POLL_S)
    return running


@contextmanager
def _on_signals(act: Callable[[], None]) -> Iterator[None]:
    def handle(number: int, _: FrameType | None) -> None:
        act()

    previous: dict[signal.Signals, Any] = {
        number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _write_status(state: Path, running: Running) -> None:
    part = state / f"{STATUS_FILE}.part"
    part.write_text(json.dumps(asdict(running), indent=2) + "\n")
    part.replace(state / STATUS_FILE)


def _log_tail(state: Path) -> str:
    text = (state / LOG_FILE).read_text(errors="replace")
    return "\n".join(text.splitlines()[-_LOG_TAIL_LINES:])


def _log_canister(canister_id: bytes, message: str) -> None:
    logging.getLogger("canister").info("%s: %s", principal_text(canister_id), message)
