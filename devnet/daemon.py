"""A node as a process: one per state folder, found again through its status file.

The running process holds a lock on the folder for as long as it lives, so a status file that a killed process
left behind is never mistaken for a running node, and no process id is trusted without the lock.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Any, Final

import httpx

from devnet.crypto.node_keys import ROOT_KEY_FILE, SEED_FILE
from devnet.errors import DevnetError, StateFolderError
from devnet.identity_page.identities import FILE as IDENTITIES_FILE
from devnet.node import REPLICA_FOLDER, Node
from devnet.principal import principal_text

log = logging.getLogger(__name__)

DEFAULT_PORT: Final = 4943
DEFAULT_STATE: Final = Path(".leasehold/devnet")
STATUS_FILE: Final = "status.json"
LOCK_FILE: Final = "lock"
LOG_FILE: Final = "node.log"
START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 60.0
_POLL_S: Final = 0.05
_LOCK_ATTEMPTS: Final = 5
_LOG_TAIL_LINES: Final = 15


class NodeDidNotStart(DevnetError):
    """The detached process ended, or did not answer in time."""


class NodeDidNotStop(DevnetError):
    """The process goes on after it was asked to stop."""


class AlreadyRunning(DevnetError):
    """Another process runs a node on this state folder."""


@dataclass(frozen=True)
class Running:
    """What a running node says of itself.

    Args:
        root_key: DER, hexadecimal.
        state: absolute path of the state folder.
    """

    pid: int
    port: int
    url: str
    root_key: str
    state: str


def find_running(state: Path) -> Running | None:
    """The node that runs on a state folder, or None."""
    if not _is_locked(state):
        return None
    try:
        return Running(**json.loads((state / STATUS_FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def serve(state: Path, port: int, ready: Callable[[Running], None]) -> None:
    """Run a node in this process until SIGTERM or SIGINT; then save its state.

    Args:
        ready: called once the node answers.

    Raises:
        AlreadyRunning: another process runs on the folder.
        PortTaken, StateFolderError: see `Node.start`.
    """
    stopping = threading.Event()
    with _lock(state), _on_signals(stopping.set):
        with Node.start(port=port, state_dir=state, canister_log=_log_canister) as node:
            running = Running(os.getpid(), node.port, node.url, node.root_key.hex(), str(state.resolve()))
            _write_status(state, running)
            try:
                ready(running)
                stopping.wait()
                log.info("stopping")
            finally:
                (state / STATUS_FILE).unlink(missing_ok=True)


def start_detached(state: Path, port: int, timeout_s: float = START_TIMEOUT_S) -> Running:
    """Start a node as a process of its own session and return once it answers.

    Raises:
        NodeDidNotStart: it ended or did not answer in time; the message ends with its log.
    """
    state.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "devnet", "start", "--port", str(port), "--state", str(state.resolve())]
    with open(state / LOG_FILE, "wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        running = find_running(state)
        if running is not None and running.pid == process.pid and is_healthy(running):
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
    while _is_locked(state):
        if time.monotonic() > deadline:
            raise NodeDidNotStop(
                f"process {running.pid} still runs after {timeout_s:.0f} s; see {state / LOG_FILE}"
            )
        time.sleep(_POLL_S)
    return running


def is_healthy(running: Running) -> bool:
    """Whether the node answers its status endpoint."""
    try:
        return httpx.get(f"{running.url}/api/v2/status", timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def reset(state: Path) -> None:
    """Forget keys and canisters of a state folder.

    Raises:
        AlreadyRunning: a node runs on it.
    """
    if not state.exists():
        return
    with _lock(state):
        shutil.rmtree(state / REPLICA_FOLDER, ignore_errors=True)
        for name in (SEED_FILE, ROOT_KEY_FILE, IDENTITIES_FILE, STATUS_FILE, LOG_FILE):
            (state / name).unlink(missing_ok=True)


@contextmanager
def _lock(state: Path) -> Iterator[None]:
    """Hold the folder's lock; the system releases it when the process ends, however it ends."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        file = open(state / LOCK_FILE, "a")
    except OSError as error:
        raise StateFolderError(f"cannot use the state folder {state}: {error}") from error
    with file:
        if not _try_lock(file):
            raise AlreadyRunning(f"a node already runs on the state folder {state}; stop it first")
        yield


def _try_lock(file: IO[str]) -> bool:
    """Try a few times, since whoever looks for a running node holds the lock for a moment."""
    for _ in range(_LOCK_ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_POLL_S)
        else:
            return True
    return False


def _is_locked(state: Path) -> bool:
    try:
        with open(state / LOCK_FILE) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


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
