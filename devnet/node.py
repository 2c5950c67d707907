"""A whole node in this process: keys, replica and HTTP server."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final

import uvicorn

from devnet.clock import NetworkClock, SystemClock
from devnet.control import Control, advance
from devnet.crypto.node_keys import NodeKeys
from devnet.crypto.signing_keys import ThresholdKeyring
from devnet.errors import DevnetError
from devnet.gateway.app import Gateway
from devnet.gateway.domains import Domains
from devnet.gateway.hosts import Sites
from devnet.gateway.router import HostRouter
from devnet.http.app import SYNC_CALL_TIMEOUT_S, Api
from devnet.http.engine import Engine, ReplicaPort
from devnet.identity_page.app import IdentityPage
from devnet.identity_page.identities import Identities
from devnet.replica.api import Clock, Limits, LogSink
from devnet.replica.replica import Replica
from devnet.running import LOOPBACK
from devnet.state_folder import DOMAINS_FILE, REPLICA_FOLDER
from devnet.system.canisters import SystemCanisters

log = logging.getLogger(__name__)

_SHUTDOWN_GRACE_S: Final = 5
_BACKLOG: Final = 512


class PortTaken(DevnetError):
    """Another program listens on the port."""


class Node:
    """A running node; made by `Node.start`, ended by `stop` or by leaving its `with` block."""

    def __init__(
        self, engine: Engine, keys: NodeKeys, clock: NetworkClock, app: HostRouter, listener: socket.socket
    ) -> None:
        self._engine = engine
        self._clock = clock
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
        speed: Fraction = Fraction(1),
        domains: Path | None = None,
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
            clock: the machine's, if another than the system's is wanted.
            speed: how much faster than it the network's time runs, 1 to 86,400.
            domains: file of names for canisters, see `devnet.gateway.domains`; None: in the state folder.
            open_replica: what executes canisters, if not the real replica.

        Raises:
            PortTaken: another program listens on the port.
            StateFolderError: the state folder cannot be used.
            InvalidTime: another speed.
        """
        listener = _listen(port)
        try:
            keys = _open_keys(state_dir, seed)
            network_clock = NetworkClock(clock or SystemClock(), speed, state_dir)

            def open_real(keys: NodeKeys, clock: Clock) -> ReplicaPort:
                return Replica(
                    keys=ThresholdKeyring(),
                    subnet_id=keys.subnet_id,
                    clock=clock,
                    root_key=keys.root_key,
                    state_dir=state_dir / REPLICA_FOLDER if state_dir else None,
                    limits=limits,
                    log=canister_log,
                    natives=lambda services, state: SystemCanisters(state, services),
                    node_id=keys.node_id,
                    wake=lambda: engine.wake(),
                )

            opener = open_replica or open_real
            engine = Engine(lambda: opener(keys, network_clock), keys, network_clock, float(speed))
            engine.start()
        except BaseException:
            listener.close()
            raise
        api = Api(engine, keys, network_clock, sync_call_timeout_s=sync_call_timeout_s)
        identities = IdentityPage(Identities(keys, state_dir), network_clock)
        gateway, control = Gateway(engine, keys, network_clock), Control(engine, network_clock)
        if domains is None and state_dir is not None:
            domains = state_dir / DOMAINS_FILE
        app = HostRouter(api.app(), Sites(Domains(domains)), gateway, identities.app(), control.app())
        node = cls(engine, keys, network_clock, app, listener)
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

    def now_ns(self) -> int:
        """The network's time."""
        return self._clock.now_ns()

    def advance(self, by_ns: int) -> None:
        """Set the network's time forward and return once everything has been executed that was due then.

        Raises:
            InvalidTime: backwards, or too far.
        """
        advance(self._engine, self._clock, by_ns).result()

    def stop(self) -> None:
        """Answer what is being answered, save the state, release the port. Stopping twice is fine."""
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()
        self._engine.stop()
        self._clock.stop()

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
