"""The supervisor's end of the trainer process: start it, read its messages, stop it."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from tee_worker.trainer.job import MESSAGES, Message, TrainingJob

STOP_GRACE_S = 60.0
"""How long a stopped trainer may take for its checkpoint before it is killed."""


class TrainerProcess:
    """A running `python -m tee_worker.trainer`; use as a context manager, it is never left behind."""

    def __init__(self, job: TrainingJob, folder: Path) -> None:
        self._folder = folder
        self._job_file = folder / "job.json"
        self._job_file.write_text(job.model_dump_json())
        self._messages: queue.Queue[Message | None] = queue.Queue()

    def __enter__(self) -> TrainerProcess:
        log = (self._folder / "trainer.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tee_worker.trainer", str(self._job_file), "--with-parent"],
                stdin=subprocess.PIPE,  # never written to: that it closes is the message
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                # A Ctrl-C at the terminal reaches the supervisor, which stops the trainer.
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                self._messages.put(MESSAGES.validate_json(line))
            except ValidationError:
                continue  # not a message of ours; the log has it
        self._messages.put(None)

    def messages(self, poll_s: float) -> Iterator[Message | None]:
        """Messages as they come; None every `poll_s` without one; ends when the trainer closed its output."""
        while True:
            try:
                message = self._messages.get(timeout=poll_s)
            except queue.Empty:
                yield None
                continue
            if message is None:
                return
            yield message

    def stop(self) -> None:
        """Ask for a checkpoint and an end; the messages then run out by themselves."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            timer = threading.Timer(STOP_GRACE_S, self._process.kill)
            timer.daemon = True
            timer.start()

    @property
    def exit_status(self) -> int:
        """The exit status, once the messages ended (waits for the process)."""
        return self._process.wait()
