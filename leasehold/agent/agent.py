"""The agent: update calls, queries and certified state of canisters, every answer verified.

Source: IC interface specification, "HTTPS interface".
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from leasehold.agent.answers import query_reply, rejection, status_reply
from leasehold.agent.boundary import Answer, Boundary, describe, is_loopback
from leasehold.agent.canister import Canister
from leasehold.agent.certificate import Certificate, decode_map, verify_certificate
from leasehold.agent.errors import AnswerTimeoutError, NetworkError, UntimelyError
from leasehold.agent.identity import Identity
from leasehold.agent.interface import Interface
from leasehold.agent.network_clock import NetworkClock
from leasehold.agent.principal import Principal
from leasehold.agent.query_signature import (
    NodeKeys,
    UnknownNodeError,
    node_keys,
    verify_query_signatures,
)
from leasehold.agent.request import SignedRequest, call_content, read_state_content, sign_request
from leasehold.agent.root_key import MAINNET_ROOT_KEY, choose_root_key

FIRST_POLL_S = 0.05
MAX_POLL_S = 1.0

# How long after its message expired a call is still waited for.
MAX_PROCESSING_NS = 10 * 60 * 1_000_000_000

# The first canister of a local network; any id routes to its only subnet.
LOCAL_CANISTER = Principal(bytes.fromhex("00000000000000000101"))

# How nodes begin to say that a message's expiry is past or too far ahead.
EXPIRY_REFUSED = b"Invalid request expiry"

_Checked = TypeVar("_Checked")


@dataclass
class _Trust:
    # What is known of the network; shared by agents of several identities.
    root_key: bytes | None
    node_keys: dict[Principal, NodeKeys] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Agent:
    """Talks to one network as one identity. Thread-safe; close it, or use it in `with`.

    Args:
        url: of the network.
        identity: who signs; anonymous by default.
        root_key: DER of the network's root key; without it, mainnet's own, or what a node on this machine
            says.
        clock: the time in nanoseconds since 1970; by default this machine's, or that of a network on this
            machine, see `leasehold.agent.network_clock`.
        sleep: waits between polls and attempts.
        transport: another `httpx` transport, for tests.
    """

    def __init__(
        self,
        url: str,
        identity: Identity = Identity.ANONYMOUS,
        root_key: bytes | None = None,
        *,
        clock: Callable[[], int] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.identity = identity
        self._boundary = Boundary(url, transport=transport, sleep=sleep)
        self._trust = _Trust(root_key)
        follows = clock is None and is_loopback(url) and root_key != MAINNET_ROOT_KEY
        self._clock = NetworkClock(self._local_time if follows else None, clock or time.time_ns)

    @property
    def url(self) -> str:
        """Where the network is."""
        return self._boundary.url

    @property
    def root_key(self) -> bytes:
        """DER of the key everything is verified under; read once."""
        with self._trust.lock:
            if self._trust.root_key is None:
                self._trust.root_key = choose_root_key(self._boundary)
            return self._trust.root_key

    def now_ns(self) -> int:
        """The network's time as this agent takes it, in nanoseconds since 1970."""
        return self._clock.now_ns()

    def with_identity(self, identity: Identity) -> "Agent":
        """An agent for another identity over the same connections and keys."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, identity=identity)
        return other

    def canister(self, canister: Principal | str, interface: Interface | str) -> Canister:
        """A canister whose methods are Python methods.

        Args:
            interface: parsed, or the text of its `.did` file.
        """
        parsed = Interface.parse(interface) if isinstance(interface, str) else interface
        return Canister(self, Principal.of(canister), parsed)

    def update(
        self, canister: Principal | str, method: str, arg: bytes, *, effective: Principal | None = None
    ) -> bytes:
        """Call a method, and return its certified reply.

        Args:
            arg: Candid.
            effective: the effective canister id, for calls of the management canister.

        Raises:
            RejectedError, CertificateError, AnswerTimeoutError, NetworkError
        """
        target = Principal.of(canister)
        effective = effective or target
        answer, version, request = self._send(
            "call",
            effective,
            lambda now: call_content(target, method, arg, self.identity.principal, now, "call"),
        )
        if answer.status == 200:
            return self._call_answer(answer.body, request, effective, method)
        if answer.status == 202:
            return self._poll(request, effective, method)
        raise NetworkError(f"{version} call of {method!r} was not accepted: {describe(answer)}")

    def query(
        self, canister: Principal | str, method: str, arg: bytes, *, effective: Principal | None = None
    ) -> bytes:
        """Ask one node, and return its reply, whose signature is checked.

        Raises:
            RejectedError, CertificateError, NetworkError
        """
        target = Principal.of(canister)
        effective = effective or target
        answer, version, request = self._send(
            "query",
            effective,
            lambda now: call_content(target, method, arg, self.identity.principal, now, "query"),
        )
        if answer.status != 200:
            raise NetworkError(f"{version} query of {method!r} was not accepted: {describe(answer)}")
        fields = decode_map(answer.body, "answer to the query")
        self._verify_query(fields, request, effective)
        return query_reply(fields)

    def read_state(
        self, paths: Sequence[Sequence[bytes]], canister: Principal | str = Principal.MANAGEMENT
    ) -> Certificate:
        """A verified certificate over the paths.

        Args:
            canister: whose subnet is asked, and which it must be responsible for.
        """
        target = Principal.of(canister)
        answer, version, _ = self._send(
            "read_state", target, lambda now: read_state_content(paths, self.identity.principal, now)
        )
        if answer.status != 200:
            raise NetworkError(f"{version} read_state was not accepted: {describe(answer)}")
        encoded = decode_map(answer.body, "answer to read_state").get("certificate")
        return self._verified(encoded, target)

    def metadata(self, canister: Principal | str, name: str) -> bytes | None:
        """A public metadata section of a canister, such as `candid:service`; `None` without it."""
        target = Principal.of(canister)
        path = (b"canister", target.raw, b"metadata", name.encode())
        return self.read_state([path], target).lookup(*path)

    def module_hash(self, canister: Principal | str) -> bytes | None:
        """SHA-256 of a canister's module; `None` when it has none."""
        target = Principal.of(canister)
        path = (b"canister", target.raw, b"module_hash")
        return self.read_state([path], target).lookup(*path)

    def close(self) -> None:
        """Close the connections, also those of agents made by `with_identity`."""
        self._boundary.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Requests

    def _send(
        self, kind: str, effective: Principal, content: Callable[[int], dict[str, Any]]
    ) -> tuple[Answer, str, SignedRequest]:
        # Once more if a local network has moved its time since it was asked: nothing was accepted yet.
        request = sign_request(content(self._clock.now_ns()), self.identity)
        answer, version = self._boundary.post(kind, effective, request.body)
        if answer.status == 400 and EXPIRY_REFUSED in answer.body and self._clock.refresh():
            request = sign_request(content(self._clock.now_ns()), self.identity)
            answer, version = self._boundary.post(kind, effective, request.body)
        return answer, version, request

    def _local_time(self) -> int:
        # Nodes take an anonymous read_state at any time, so that clients can ask what time it is.
        content = read_state_content([[b"time"]], Principal.ANONYMOUS, time.time_ns())
        body = sign_request(content, Identity.ANONYMOUS).body
        answer, _ = self._boundary.post("read_state", LOCAL_CANISTER, body)
        if answer.status != 200:
            # One that does not tell, because it hosts other canisters, goes by the machine's clock.
            return time.time_ns()
        encoded = decode_map(answer.body, "answer to read_state").get("certificate")
        if not isinstance(encoded, bytes):
            raise NetworkError("the answer carries no certificate")
        return verify_certificate(encoded, self.root_key, canister=None, now=None).time

    # Answers

    def _timely(self, check: Callable[[int], _Checked]) -> _Checked:
        try:
            return check(self._clock.now_ns())
        except UntimelyError:
            if not self._clock.refresh():
                raise
            return check(self._clock.now_ns())

    def _verified(self, encoded: Any, canister: Principal) -> Certificate:
        if not isinstance(encoded, bytes):
            raise NetworkError("the answer carries no certificate")
        return self._timely(
            lambda now: verify_certificate(encoded, self.root_key, canister=canister, now=now)
        )

    def _call_answer(self, body: bytes, request: SignedRequest, effective: Principal, method: str) -> bytes:
        fields = decode_map(body, "answer to the call")
        if fields.get("status") == "non_replicated_rejection":
            raise rejection(fields, certified=False)
        certificate = self._verified(fields.get("certificate"), effective)
        reply = status_reply(certificate, request)
        return reply if reply is not None else self._poll(request, effective, method)

    def _poll(self, request: SignedRequest, effective: Principal, method: str) -> bytes:
        path = (b"request_status", request.request_id)
        pause = FIRST_POLL_S
        while True:
            certificate = self.read_state([path], effective)
            reply = status_reply(certificate, request)
            if reply is not None:
                return reply
            if certificate.time > request.expires_at and certificate.lookup(*path, b"status") is None:
                raise AnswerTimeoutError(f"{method!r} was not executed before the message expired")
            if certificate.time > request.expires_at + MAX_PROCESSING_NS:
                raise AnswerTimeoutError(f"{method!r} is still being executed; look at its effects later")
            self._boundary.sleep(pause)
            pause = min(pause * 2, MAX_POLL_S)

    # Signatures on queries

    def _verify_query(self, fields: Mapping[str, Any], request: SignedRequest, effective: Principal) -> None:
        fresh = effective not in self._trust.node_keys

        def verify() -> None:
            keys = self._node_keys(effective)
            self._timely(lambda now: verify_query_signatures(fields, request.request_id, keys, now))

        try:
            verify()
        except UnknownNodeError:
            if fresh:
                raise
            # The subnet's membership may have changed.
            with self._trust.lock:
                self._trust.node_keys.pop(effective, None)
            verify()

    def _node_keys(self, canister: Principal) -> NodeKeys:
        with self._trust.lock:
            known = self._trust.node_keys.get(canister)
        if known is None:
            known = node_keys(self.read_state([(b"subnet",)], canister))
            with self._trust.lock:
                self._trust.node_keys[canister] = known
        return known
