"""Runs the build's commands: output to a log file, progress now and then, errors that name the log."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cdk.errors import CdkError

Progress = Callable[[str], None]

PROGRESS_SECONDS = 10
TIMEOUT_SECONDS = 1800
SHOWN_LINES = 5


class ToolchainError(CdkError):
    """A source, a tool or a step of the runtime's build is missing or failed."""


@dataclass(frozen=True)
class Runner:
    """Runs commands of one build.

    log: file that all output is appended to.
    progress: called with a line of text while work goes on.
    """

    log: Path
    progress: Progress

    def run(
        self,
        title: str,
        command: Sequence[str | Path],
        folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Run `command` in `folder`. Raises ToolchainError, naming the log, if it fails or hangs."""
        self.progress(title)
        arguments = [str(part) for part in command]
        with self.log.open("ab") as log:
            log.write(f"\n== {title}\n$ {' '.join(arguments)}\n".encode())
            log.flush()
            try:
                process = subprocess.Popen(
                    arguments,
                    cwd=folder,
                    env={**os.environ, **(environment or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise ToolchainError(f"{title}: {arguments[0]} cannot be run: {error}") from error
            status = self._wait(title, process)
        if status != 0:
            raise ToolchainError(f"{title}: {Path(arguments[0]).name} failed ({status}). {self._tail()}")

    def _wait(self, title: str, process: subprocess.Popen[bytes]) -> int:
        start = time.monotonic()
        try:
            while True:
                try:
                    return process.wait(PROGRESS_SECONDS)
                except subprocess.TimeoutExpired:
                    elapsed = int(time.monotonic() - start)
                    if elapsed > TIMEOUT_SECONDS:
                        raise ToolchainError(f"{title}: no end after {elapsed} s. {self._tail()}") from None
                    self.progress(f"{title} … {elapsed} s")
        finally:
            if process.poll() is None:  # interrupted or too long: end the command and its children
                os.killpg(process.pid, 9)
                process.wait()

    def _tail(self) -> str:
        lines = self.log.read_text(errors="replace").rstrip().splitlines()[-SHOWN_LINES:]
        return f"The log is {self.log}; it ends with:\n  " + "\n  ".join(lines)
