"""A node in a process of its own, which can be killed."""

from __future__ import annotations

import multiprocessing
import threading
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path

TIMEOUT_S = 60


def context() -> ForkServerContext:
    """Makes processes that have the node's code loaded already, so that a restart takes a moment."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(["devnet.node", __name__])
    return made


def _serve(state: Path, port: Connection) -> None:
    from devnet.node import Node

    with Node.start(state_dir=state) as node:
        port.send((node.url, node.root_key))
        threading.Event().wait()


class NodeProcess:
    """A running node on a state folder.

    Args:
        context: see `context`.
    """

    def __init__(self, context: ForkServerContext, state: Path) -> None:
        here, there = context.Pipe(duplex=False)
        self._process = context.Process(target=_serve, args=(state, there), daemon=True)
        self._process.start()
        there.close()
        with here:
            if not here.poll(TIMEOUT_S):
                self.kill()
                raise TimeoutError(f"the node did not start within {TIMEOUT_S} s")
            self.url, self.root_key = here.recv()

    def kill(self) -> None:
        """End it by SIGKILL; fine if it was killed before."""
        self._process.kill()
        self._process.join(TIMEOUT_S)

    def __enter__(self) -> NodeProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
