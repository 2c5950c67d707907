"""A node that answers from Python functions, with genuine certificates; what it says can be tampered with."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import cbor2
import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from leasehold.agent import Agent, Identity, Principal
from leasehold.agent.bls import DOMAIN, public_key_to_der
from leasehold.agent.certificate import STATE_ROOT_DOMAIN
from leasehold.agent.hash_tree import root_hash
from leasehold.agent.query_signature import RESPONSE_DOMAIN
from leasehold.agent.request import hash_of_map, leb128

NOW = 1_800_000_000_000_000_000
URL = "http://127.0.0.1:4943"
CANISTER = Principal(bytes.fromhex("00000000000000010101"))

Nested = Mapping[bytes, Any]
# The argument and the caller in, the reply out; raise `Reject` to reject.
Handler = Callable[[bytes, Principal], bytes]


class Reject(Exception):
    """A handler's rejection: code and text."""


class Subnet:
    """A subnet's key, and certificates signed with it."""

    def __init__(self, secret: int = 7) -> None:
        self._secret = Scalar(secret)
        self.public_key = public_key_to_der((G2Point() * self._secret).to_compressed_bytes())
        self.id = Principal.of_public_key(self.public_key)

    def certificate(self, state: Nested, delegation: Mapping[str, Any] | None = None) -> bytes:
        """CBOR of a certificate over a state, given as nested labels."""
        tree = build_tree(state)
        point = G1Point.hash_to_curve(STATE_ROOT_DOMAIN + root_hash(tree), DOMAIN) * self._secret
        parts: dict[str, Any] = {"tree": tree, "signature": point.to_compressed_bytes()}
        if delegation is not None:
            parts["delegation"] = dict(delegation)
        return cbor2.dumps(cbor2.CBORTag(55799, parts))

    def delegation(
        self, to: "Subnet", ranges: list[tuple[bytes, bytes]], *, spread: bool = False
    ) -> dict[str, Any]:
        """A delegation to another subnet that is responsible for these ranges."""
        encoded = cbor2.dumps([list(pair) for pair in ranges])
        subnet: dict[bytes, Any] = {b"public_key": to.public_key}
        state: dict[bytes, Any] = {b"time": leb128(NOW), b"subnet": {to.id.raw: subnet}}
        if spread:
            state[b"canister_ranges"] = {to.id.raw: {ranges[0][0]: encoded}}
        else:
            subnet[b"canister_ranges"] = encoded
        return {"subnet_id": to.id.raw, "certificate": self.certificate(state)}


def build_tree(state: Nested | bytes) -> list[Any]:
    """A hash tree of nested labels, balanced as forks."""
    if isinstance(state, bytes):
        return [3, state]
    trees = [[2, label, build_tree(below)] for label, below in sorted(state.items())]
    while len(trees) > 1:
        pairs = [trees[at : at + 2] for at in range(0, len(trees), 2)]
        trees = [[1, *pair] if len(pair) == 2 else pair[0] for pair in pairs]
    return trees[0] if trees else [0]


@dataclass
class FakeNode:
    """Answers as a node does.

    Args:
        methods: update methods and queries by name, of every canister that is not in `canisters`.
        canisters: what answers for a canister instead, given the method's name too.
        pending: how many answers to a call say "not yet" first.
        missing: API paths that do not exist, such as `/api/v4/`.
        failures: what to do instead of answering, once each; an exception or an HTTP status.
        tamper: changes an answer's fields before they are encoded, by kind of request.
        delegation: for certificates; with it, `subnet` signs on behalf of another root.
    """

    methods: dict[str, Handler] = field(default_factory=dict)
    canisters: dict[bytes, Callable[[str, bytes, Principal], bytes]] = field(default_factory=dict)
    pending: int = 0
    missing: tuple[str, ...] = ()
    failures: list[Exception | int] = field(default_factory=list)
    tamper: Callable[[str, dict[str, Any]], None] = lambda kind, answer: None
    subnet: Subnet = field(default_factory=Subnet)
    delegation: dict[str, Any] | None = None
    now: int = NOW
    bodies: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    statuses: dict[bytes, dict[bytes, Any]] = field(default_factory=dict)
    node_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    node_id: bytes = b"\x11" * 29
    lock: threading.Lock = field(default_factory=threading.Lock)

    def agent(
        self, identity: Identity | None = None, *, url: str = URL, root_key: bytes | None = None
    ) -> Agent:
        """An agent that talks to this node, without waiting."""
        return Agent(
            url,
            identity or Identity.from_ed25519(bytes(32)),
            root_key,
            clock=lambda: NOW,
            sleep=lambda seconds: None,
            transport=httpx.MockTransport(self.handle),
        )

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; one at a time, as a canister does."""
        with self.lock:
            return self._handle(request)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.paths.append(path)
        self.bodies.append(request.content)
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return httpx.Response(failure, text="failing on purpose")
        if path.startswith(self.missing):
            return httpx.Response(404)
        if path == "/api/v2/status":
            return self._answer("status", {"root_key": self.subnet.public_key})
        content = cbor2.loads(request.content)["content"]
        request_id = hash_of_map(content)
        kind = path.rsplit("/", 1)[1]
        if kind == "query":
            return self._query(content, request_id)
        if kind == "call":
            self._execute(content, request_id)
            if self.pending or path.startswith("/api/v2/"):
                return httpx.Response(202)
            return self._certified("call", {b"request_status": {request_id: self.statuses[request_id]}})
        return self._read_state(content)

    def _query(self, content: dict[str, Any], request_id: bytes) -> httpx.Response:
        try:
            reply = self._dispatch(content)
            answer: dict[str, Any] = {"status": "replied", "reply": {"arg": reply}}
        except Reject as error:
            answer = {"status": "rejected", "reject_code": error.args[0], "reject_message": error.args[1]}
        signed = answer | {"timestamp": self.now, "request_id": request_id}
        signature = self.node_key.sign(RESPONSE_DOMAIN + hash_of_map(signed))
        entry = {"timestamp": self.now, "signature": signature, "identity": self.node_id}
        return self._answer("query", answer | {"signatures": [entry]})

    def _dispatch(self, content: dict[str, Any]) -> bytes:
        method, sender = content["method_name"], Principal(content["sender"])
        if content["canister_id"] in self.canisters:
            return self.canisters[content["canister_id"]](method, content["arg"], sender)
        return self.methods[method](content["arg"], sender)

    def _execute(self, content: dict[str, Any], request_id: bytes) -> None:
        if request_id in self.statuses:
            return
        try:
            reply = self._dispatch(content)
            self.statuses[request_id] = {b"status": b"replied", b"reply": reply}
        except Reject as error:
            code, message = error.args
            self.statuses[request_id] = {
                b"status": b"rejected",
                b"reject_code": leb128(code),
                b"reject_message": message.encode(),
                b"error_code": b"IC0503",
            }

    def _read_state(self, content: dict[str, Any]) -> httpx.Response:
        label = content["paths"][0][0]
        if label == b"request_status":
            request_id = content["paths"][0][1]
            if self.pending:
                self.pending -= 1
                return self._certified(
                    "read_state", {b"request_status": {request_id: {b"status": b"processing"}}}
                )
            return self._certified(
                "read_state", {b"request_status": {request_id: self.statuses.get(request_id, {})}}
            )
        der = bytes.fromhex("302a300506032b6570032100") + self.node_key.public_key().public_bytes_raw()
        nodes = {self.node_id: {b"public_key": der}}
        return self._certified("read_state", {b"subnet": {self.subnet.id.raw: {b"node": nodes}}})

    def _certified(self, kind: str, state: dict[bytes, Any]) -> httpx.Response:
        certificate = self.subnet.certificate(state | {b"time": leb128(self.now)}, self.delegation)
        return self._answer(kind, {"status": "replied", "certificate": certificate})

    def _answer(self, kind: str, fields: dict[str, Any]) -> httpx.Response:
        self.tamper(kind, fields)
        return httpx.Response(200, content=cbor2.dumps(cbor2.CBORTag(55799, fields)))
