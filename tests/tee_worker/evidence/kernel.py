"""The kernel's side of configfs-tsm: fills the folder that is made, and signs what is written into it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tee_worker.evidence.configfs_tsm import Quote, read_quote


class Kernel:
    """Quotes by `sign`, `auxiliary` beside them; `disturbed`: somebody else writes in between."""

    def __init__(
        self,
        folder: Path,
        sign: Callable[[bytes], bytes],
        provider: str = "sev_guest",
        auxiliary: bytes | None = b"",
        disturbed: bool = False,
    ) -> None:
        self.folder, self.sign, self.provider = folder, sign, provider
        self.auxiliary, self.disturbed = auxiliary, disturbed
        self.asked: list[bytes] = []
        self._thread: threading.Thread | None = None

    def read(self, report_data: bytes) -> Quote:
        """What a guest reads."""
        return read_quote(report_data, self.folder, self.make, self.remove)

    def make(self, entry: Path) -> None:
        """A new folder, as mkdir makes it there."""
        entry.mkdir()
        (entry / "provider").write_text(self.provider + "\n")
        (entry / "generation").write_text("1\n")
        (entry / "inblob").touch()
        os.mkfifo(entry / "outblob")
        if self.auxiliary is not None:
            (entry / "auxblob").write_bytes(self.auxiliary)
        self._thread = threading.Thread(target=partial(self._answer, entry), daemon=True)
        self._thread.start()

    def remove(self, entry: Path) -> None:
        """The folder gone, as rmdir does there."""
        # A guest that gave up early left the other side waiting for a reader.
        waiting = os.open(entry / "outblob", os.O_RDONLY | os.O_NONBLOCK)
        assert self._thread is not None
        self._thread.join()
        os.close(waiting)
        shutil.rmtree(entry)

    def _answer(self, entry: Path) -> None:
        with (entry / "outblob").open("wb") as file:
            report_data = (entry / "inblob").read_bytes()
            if report_data:
                self.asked.append(report_data)
                file.write(self.sign(report_data))
            if self.disturbed:
                (entry / "generation").write_text("2\n")
