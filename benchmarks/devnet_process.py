"""The local node as a person runs it: a process of its own with a state folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from devnet.daemon import start_detached, stop_running
from devnet.running import Running


@contextmanager
def devnet() -> Iterator[Running]:
    """`leasehold devnet start --detach` in a temporary folder; stopped in the end."""
    with TemporaryDirectory() as folder:
        state = Path(folder)
        try:
            yield start_detached(state, 0)
        finally:
            stop_running(state)
