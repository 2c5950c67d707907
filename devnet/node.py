"""A whole node in this process: keys, replica and HTTP server."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final

import uvicorn

from devnet.crypto.node_keys import NodeKeys
from devnet.crypto.vetkd import VetKd
from devnet.errors import DevnetError
from devnet.gateway.app import Gateway
from devnet.gateway.router import HostRouter
from devnet.http.app import SYNC_CALL_TIMEOUT_S, Api
from devnet.http.engine import Engine, ReplicaPort
from devnet.identity_page.app import IdentityPage
from devnet.identity_page.identities import Identities
from devnet.replica.api import Clock, Limits, LogSink
from devnet.replica.replica import Replica
from devnet.system.canisters import SystemCanisters

log = logging.getLogger(__name__)

LOOPBACK: Final = "127.0.0.1"
REPLICA_FOLDER: Final = "replica"
_SHUTDOWN_GRACE_S: Final = 5
_BACKLOG: Final = 512


class PortTaken(DevnetError):
    """Another program listens on the port."""


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        return time.time_ns()


class Node:
    """A running node; made by `Node.start`, ended by `stop` or by leaving its `with` block."""

    def __init__(self, engine: Engine, keys: NodeKeys, app: HostRouter, listener: socket.socket) -> None:
        self._engine = engine
        self._keys = keys
        self._listener = listener
        self.port: int = listener.getsockname()[1]
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=_SHUTDOWN_GRACE_S,
            h11_max_incomplete_event_size=None,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="devnet-http", daemon=True)

    @classmethod
    def start(
        cls,
        *,
        port: int = 0,
        state_dir: Path | None = None,
        seed: bytes | None = None,
        clock: Clock | None = None,
        limits: Limits | None = None,
        canister_log: LogSink | None = None,
        sync_call_timeout_s: float = SYNC_CALL_TIMEOUT_S,
        open_replica: Callable[[NodeKeys, Clock], ReplicaPort] | None = None,
    ) -> Node:
        """Start a node on the loopback interface and return once it answers.

        Args:
            port: 0 takes a free one.
            state_dir: keeps keys and canisters from one start to the next; None: in memory only.
            seed: 32 bytes that fix the keys of a node without a state folder; None: fresh keys.
            open_replica: what executes canisters, if not the real replica.

        Raises:
            PortTaken: another program listens on the port.
            StateFolderError: the state folder cannot be used.
        """
        clock = clock or SystemClock()
        listener = _listen(port)
        try:
            keys = _open_keys(state_dir, seed)

            def open_real(keys: NodeKeys, clock: Clock) -> ReplicaPort:
                return Replica(
                    keys=VetKd(),
                    subnet_id=keys.subnet_id,
                    clock=clock,
                    root_key=keys.root_key,
                    state_dir=state_dir / REPLICA_FOLDER if state_dir else None,
                    limits=limits,
                    log=canister_log,
                    natives=lambda services, state: SystemCanisters(state, services),
                )

            opener = open_replica or open_real
            engine = Engine(lambda: opener(keys, clock), keys, clock)
            engine.start()
        except BaseException:
            listener.close()
            raise
        api = Api(engine, keys, clock, sync_call_timeout_s=sync_call_timeout_s)
        identities = IdentityPage(Identities(keys, state_dir), clock)
        app = HostRouter(api.app(), Gateway(engine, keys, clock), identities.app())
        node = cls(engine, keys, app, listener)
        node._thread.start()
        return node

    @property
    def url(self) -> str:
        """Where clients reach the node."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def root_key(self) -> bytes:
        """DER of the root key."""
        return self._keys.root_key

    @property
    def keys(self) -> NodeKeys:
        """The node's keys."""
        return self._keys

    @property
    def engine(self) -> Engine:
        """The engine, for tests that look at or advance the replica itself."""
        return self._engine

    def stop(self) -> None:
        """Answer what is being answered, save the state, release the port. Stopping twice is fine."""
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()
        self._engine.stop()

    def __enter__(self) -> Node:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _serve(self) -> None:
        self._server.run(sockets=[self._listener])


def _open_keys(state_dir: Path | None, seed: bytes | None) -> NodeKeys:
    if state_dir is not None:
        state_dir.mkdir(parents=True, exist_ok=True)
        return NodeKeys.open(state_dir)
    return NodeKeys.from_seed(seed) if seed is not None else NodeKeys.generate()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise PortTaken(
            f"cannot listen on {LOOPBACK}:{port}: {error.strerror}; stop what uses it or choose another port"
        ) from error
    listener.setblocking(False)
    return listener
