"""What the demo starts and must end: a fresh folder, the local network, the worker's process."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from leasehold.agent import Identity
from leasehold.agent.boundary import is_loopback
from leasehold.errors import ConfigurationError, JobFailedError
from leasehold.identities import HOME_VARIABLE, IdentityStore
from leasehold.network import DEFAULT_FOLDER, NETWORK_VARIABLE, Network

STOP_TIMEOUT_S = 30
MARKER = ".leasehold-demo"


class Stage:
    """A folder as a person would work in: `.leasehold/` with the devnet's state, `home/` with keys.

    Args:
        folder: an earlier demo's is emptied first.
        keep_running: leave the devnet running.
        given: URL of a local network to use instead of a devnet; it is neither started nor stopped here.
    """

    def __init__(self, folder: Path, *, keep_running: bool = False, given: str | None = None) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / DEFAULT_FOLDER
        self.devnet_state = self.data / "devnet"
        self.identities = IdentityStore(self.folder / "home" / "identities")
        self.keep_running = keep_running
        self.given = given
        self.worker: subprocess.Popen[bytes] | None = None
        self.worker_log = self.folder / "worker.log"

    def __enter__(self) -> Self:
        self._make_fresh_folder()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_worker()
        if not self.keep_running and not self.given:
            self._devnet("stop")

    def _make_fresh_folder(self) -> None:
        # Only a folder of an earlier demo is ever emptied.
        if self.folder.exists() and any(self.folder.iterdir()):
            if not (self.folder / MARKER).exists():
                raise ConfigurationError(f"{self.folder} is not empty and no earlier demo's; choose another")
            self._devnet("stop")
            shutil.rmtree(self.folder)
        self.data.mkdir(parents=True)
        (self.folder / MARKER).touch()

    def identity(self, name: str) -> Identity:
        """A new identity, kept under its name so that it can be used afterwards."""
        identity = Identity.generate()
        self.identities.save(name, identity)
        return identity

    def start_network(self) -> Network:
        """Start the local network on a free port, or find the given one.

        Raises:
            ConfigurationError: it does not start, or the given one is not on this machine.
        """
        if self.given:
            return self._given_network(self.given)
        started = self._devnet("start", "--detach", "--port", "0", "--json")
        if started.returncode != 0:
            raise ConfigurationError(f"the local network did not start: {started.stderr.strip()}")
        json.loads(started.stdout)
        return Network.load("local", self.data)

    def _given_network(self, url: str) -> Network:
        network = Network.load(url)
        if not is_loopback(network.url):
            raise ConfigurationError(
                f"the demo creates canisters and tokens out of nothing, which {network.url} does not let it; "
                "give a network on this machine"
            )
        # Its canisters are this demo's own, whatever else is known of the network.
        return Network(network.url, {}, network.root_key, self.data)

    def start_worker(self, offer: int, url: str) -> int:
        """Start the operator's daemon as a process of its own; answers its process id."""
        command = [sys.executable, "-m", "leasehold", "--identity", "worker", "worker", "run"]
        command += ["--offer", str(offer), "--evidence", "simulated", "--checkpoint-every", "5", "--once"]
        with self.worker_log.open("ab") as log:
            self.worker = subprocess.Popen(
                command, cwd=self.folder, env=self.environment(url), stdout=log, stderr=log
            )
        return self.worker.pid

    def environment(self, url: str) -> dict[str, str]:
        """What a command in the folder needs to act in this story."""
        return {**os.environ, HOME_VARIABLE: str(self.folder / "home"), NETWORK_VARIABLE: url}

    def sleep_while_worker_lives(self, seconds: float) -> None:
        """Wait, but not for a worker that has failed.

        Raises:
            JobFailedError: with the end of the worker's log.
        """
        if self.worker is not None and self.worker.poll() not in (None, 0):
            raise JobFailedError(f"the worker ended with {self.worker.returncode}:\n{self.worker_tail()}")
        time.sleep(seconds)

    def worker_tail(self, lines: int = 12) -> str:
        """The end of the worker's log."""
        return "\n".join(self.worker_log.read_text("utf-8", errors="replace").splitlines()[-lines:])

    def stop_worker(self) -> None:
        """End the worker; it hands back what it holds."""
        if self.worker is None:
            return
        if self.worker.poll() is None:
            self.worker.terminate()
            try:
                self.worker.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.worker.kill()
        self.worker.wait()

    def _devnet(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "devnet", *arguments, "--state", str(self.devnet_state)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder)
