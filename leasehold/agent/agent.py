"""The agent: update calls, queries and certified state of canisters, every answer verified.

Source: IC interface specification, "HTTPS interface".
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx

from leasehold.agent.boundary import Boundary, describe
from leasehold.agent.canister import Canister
from leasehold.agent.certificate import Certificate, decode_leb128, decode_map, verify_certificate
from leasehold.agent.errors import AnswerTimeoutError, NetworkError, RejectedError
from leasehold.agent.identity import Identity
from leasehold.agent.interface import Interface
from leasehold.agent.principal import Principal
from leasehold.agent.query_signature import (
    NodeKeys,
    UnknownNodeError,
    node_keys,
    verify_query_signatures,
)
from leasehold.agent.request import SignedRequest, call_content, read_state_content, sign_request
from leasehold.agent.root_key import choose_root_key

FIRST_POLL_S = 0.05
MAX_POLL_S = 1.0

# How long after its message expired a call is still waited for.
MAX_PROCESSING_NS = 10 * 60 * 1_000_000_000


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
        clock: the time in nanoseconds since 1970.
        sleep: waits between polls and attempts.
        transport: another `httpx` transport, for tests.
    """

    def __init__(
        self,
        url: str,
        identity: Identity = Identity.ANONYMOUS,
        root_key: bytes | None = None,
        *,
        clock: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.identity = identity
        self._clock = clock
        self._boundary = Boundary(url, transport=transport, sleep=sleep)
        self._trust = _Trust(root_key)

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
        content = call_content(target, method, arg, self.identity.principal, self._clock(), "call")
        request = sign_request(content, self.identity)
        answer, version = self._boundary.post("call", effective, request.body)
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
        content = call_content(target, method, arg, self.identity.principal, self._clock(), "query")
        request = sign_request(content, self.identity)
        answer, version = self._boundary.post("query", effective, request.body)
        if answer.status != 200:
            raise NetworkError(f"{version} query of {method!r} was not accepted: {describe(answer)}")
        fields = decode_map(answer.body, "answer to the query")
        self._verify_query(fields, request, effective)
        return _query_reply(fields)

    def read_state(
        self, paths: Sequence[Sequence[bytes]], canister: Principal | str = Principal.MANAGEMENT
    ) -> Certificate:
        """A verified certificate over the paths.

        Args:
            canister: whose subnet is asked, and which it must be responsible for.
        """
        target = Principal.of(canister)
        content = read_state_content(paths, self.identity.principal, self._clock())
        answer, version = self._boundary.post("read_state", target, sign_request(content, self.identity).body)
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

    # Answers

    def _verified(self, encoded: Any, canister: Principal) -> Certificate:
        if not isinstance(encoded, bytes):
            raise NetworkError("the answer carries no certificate")
        return verify_certificate(encoded, self.root_key, canister=canister, now=self._clock())

    def _call_answer(self, body: bytes, request: SignedRequest, effective: Principal, method: str) -> bytes:
        fields = decode_map(body, "answer to the call")
        if fields.get("status") == "non_replicated_rejection":
            raise _rejection(fields, certified=False)
        certificate = self._verified(fields.get("certificate"), effective)
        reply = _status_reply(certificate, request)
        return reply if reply is not None else self._poll(request, effective, method)

    def _poll(self, request: SignedRequest, effective: Principal, method: str) -> bytes:
        path = (b"request_status", request.request_id)
        pause = FIRST_POLL_S
        while True:
            certificate = self.read_state([path], effective)
            reply = _status_reply(certificate, request)
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
        try:
            keys = self._node_keys(effective)
            verify_query_signatures(fields, request.request_id, keys, self._clock())
        except UnknownNodeError:
            if fresh:
                raise
            # The subnet's membership may have changed.
            with self._trust.lock:
                self._trust.node_keys.pop(effective, None)
            keys = self._node_keys(effective)
            verify_query_signatures(fields, request.request_id, keys, self._clock())

    def _node_keys(self, canister: Principal) -> NodeKeys:
        with self._trust.lock:
            known = self._trust.node_keys.get(canister)
        if known is None:
            known = node_keys(self.read_state([(b"subnet",)], canister))
            with self._trust.lock:
                self._trust.node_keys[canister] = known
        return known


def _status_reply(certificate: Certificate, request: SignedRequest) -> bytes | None:
    # The reply, `None` while there is none yet.
    path = (b"request_status", request.request_id)
    status = certificate.lookup(*path, b"status")
    if status == b"replied":
        return certificate.require(*path, b"reply")
    if status == b"rejected":
        code = decode_leb128(certificate.require(*path, b"reject_code"))
        message = certificate.require(*path, b"reject_message").decode(errors="replace")
        error_code = certificate.lookup(*path, b"error_code")
        raise RejectedError(code, message, error_code.decode(errors="replace") if error_code else None)
    if status == b"done":
        raise AnswerTimeoutError("the call was executed, but its reply is no longer kept by the network")
    return None


def _query_reply(fields: Mapping[str, Any]) -> bytes:
    match fields:
        case {"status": "replied", "reply": {"arg": bytes() as arg}}:
            return arg
        case {"status": "rejected"}:
            raise _rejection(fields, certified=True)
    raise NetworkError("the answer to the query is neither a reply nor a rejection")


def _rejection(fields: Mapping[str, Any], *, certified: bool) -> RejectedError:
    code, message = fields.get("reject_code"), fields.get("reject_message")
    error_code = fields.get("error_code")
    if not isinstance(code, int) or not isinstance(message, str):
        raise NetworkError("the node rejected the call without a reason")
    return RejectedError(
        code, message, error_code if isinstance(error_code, str) else None, certified=certified
    )
