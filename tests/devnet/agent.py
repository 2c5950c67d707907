"""A small Internet Computer client for tests: builds requests, signs them, and verifies what comes back.

It shares no code with the node but the BLS check; hashes and lookups are written anew from the specification.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cbor2
import httpx
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from devnet.crypto.bls import public_key_from_der, verify_bls
from devnet.principal import principal_text

ANONYMOUS = b"\x04"
MINUTE_NS = 60_000_000_000
_nonces = itertools.count(1)

Key = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


def decode(body: bytes) -> Any:
    """Decode a tagged CBOR answer into plain dicts and lists."""
    assert body.startswith(b"\xd9\xd9\xf7")
    return cbor2.loads(body[3:])


def uleb(number: int) -> bytes:
    out = b""
    while True:
        number, low = number >> 7, number & 0x7F
        out += bytes([low | (0x80 if number else 0)])
        if not number:
            return out


def value_hash(value: Any) -> bytes:
    if isinstance(value, dict):
        pairs = sorted(value_hash(key) + value_hash(item) for key, item in value.items())
        return hashlib.sha256(b"".join(pairs)).digest()
    if isinstance(value, list):
        return hashlib.sha256(b"".join(map(value_hash, value))).digest()
    if isinstance(value, int):
        value = uleb(value)
    return hashlib.sha256(value.encode() if isinstance(value, str) else value).digest()


def der(key: Key) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def sign(key: Key, message: bytes) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def delegate(
    signer: Key, to: bytes, expiration: int, targets: list[bytes] | None = None, **extra: Any
) -> dict[str, Any]:
    """A signed delegation of `signer` to the DER public key `to`."""
    delegation: dict[str, Any] = {"pubkey": to, "expiration": expiration, **extra}
    if targets is not None:
        delegation["targets"] = targets
    signature = sign(signer, b"\x1aic-request-auth-delegation" + value_hash(delegation))
    return {"delegation": delegation, "signature": signature}


@dataclass
class Identity:
    """Who signs: the key of the principal, and the chain from it to the signing key."""

    root: Key
    signer: Key
    delegations: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, key: Key) -> Identity:
        return cls(key, key)

    @property
    def principal(self) -> bytes:
        return hashlib.sha224(der(self.root)).digest() + b"\x02"


def reconstruct(tree: list[Any]) -> bytes:
    kind = tree[0]
    if kind == 4:
        return bytes(tree[1])
    names = ["empty", "fork", "labeled", "leaf"]
    domain = f"ic-hashtree-{names[kind]}".encode()
    body = {
        0: lambda: b"",
        1: lambda: reconstruct(tree[1]) + reconstruct(tree[2]),
        2: lambda: tree[1] + reconstruct(tree[2]),
        3: lambda: tree[1],
    }[kind]()
    return hashlib.sha256(bytes([len(domain)]) + domain + body).digest()


def flatten(tree: list[Any]) -> list[list[Any]]:
    if tree[0] == 0:
        return []
    return flatten(tree[1]) + flatten(tree[2]) if tree[0] == 1 else [tree]


def find(tree: list[Any], path: Sequence[bytes]) -> bytes | str:
    """Value at a path, or `absent`, `unknown`, `error`, as the specification's `lookup` decides."""
    if not path:
        return {0: "absent", 3: tree[-1], 4: "unknown"}.get(tree[0], "error")
    forest = flatten(tree)
    if not forest or (len(forest) == 1 and forest[0][0] == 3):
        return "absent"
    for node in forest:
        if node[0] == 2 and node[1] == path[0]:
            return find(node[2], path[1:])
    labels = [node[1] if node[0] == 2 else None for node in forest]
    for index in range(len(labels) + 1):
        low, high = labels[index - 1] if index else b"", labels[index] if index < len(labels) else b""
        above = index == 0 or (low is not None and low < path[0])
        below = index == len(labels) or (high is not None and path[0] < high)
        if above and below:
            return "absent"
    return "unknown"


@dataclass
class Certificate:
    """A certificate whose signature was verified."""

    tree: list[Any]

    def find(self, *path: bytes) -> bytes | str:
        return find(self.tree, path)


def open_certificate(data: bytes, root_key: bytes) -> Certificate:
    fields = decode(data)
    assert set(fields) == {"tree", "signature"}
    message = b"\x0dic-state-root" + reconstruct(fields["tree"])
    verify_bls(public_key_from_der(root_key), message, fields["signature"])
    return Certificate(fields["tree"])


class Agent:
    """Sends requests to one node."""

    def __init__(self, url: str, root_key: bytes, identity: Identity | None = None, now: Any = time.time_ns):
        # Plain HTTP: authorities for TLS would take longer to load than most tests run.
        self.http = httpx.Client(base_url=url, headers={"content-type": "application/cbor"}, verify=False)
        self.root_key = root_key
        self.identity = identity
        self.now = now

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    @property
    def sender(self) -> bytes:
        return self.identity.principal if self.identity else ANONYMOUS

    def content(self, request_type: str, **fields: Any) -> dict[str, Any]:
        base = {
            "request_type": request_type,
            "sender": self.sender,
            "ingress_expiry": self.now() + 4 * MINUTE_NS,
            "nonce": next(_nonces).to_bytes(8, "big"),
        }
        return {key: value for key, value in {**base, **fields}.items() if value is not None}

    def call_content(
        self, canister: bytes, method: str, arg: bytes = b"", kind: str = "call", **fields: Any
    ) -> dict[str, Any]:
        return self.content(kind, canister_id=canister, method_name=method, arg=arg, **fields)

    def envelope(self, content: dict[str, Any]) -> dict[str, Any]:
        envelope: dict[str, Any] = {"content": content}
        if self.identity:
            envelope["sender_pubkey"] = der(self.identity.root)
            envelope["sender_sig"] = sign(self.identity.signer, b"\x0aic-request" + value_hash(content))
            if self.identity.delegations:
                envelope["sender_delegation"] = self.identity.delegations
        return envelope

    def post(self, path: str, envelope: dict[str, Any] | bytes, tagged: bool = True) -> httpx.Response:
        if isinstance(envelope, dict):
            envelope = cbor2.dumps(cbor2.CBORTag(55799, envelope) if tagged else envelope)
        return self.http.post(path, content=envelope)

    def send(
        self, kind: str, content: dict[str, Any], effective: bytes, version: str, scope: str = "canister"
    ) -> httpx.Response:
        path = f"/api/{version}/{scope}/{principal_text(effective)}/{kind}"
        return self.post(path, self.envelope(content))

    def update(self, canister: bytes, method: str, arg: bytes = b"", effective: bytes | None = None) -> bytes:
        """Reply of a synchronous call; a certified reject is raised as an AssertionError."""
        content = self.call_content(canister, method, arg)
        response = self.send("call", content, effective or canister, "v4")
        assert response.status_code == 200, response.text
        answer = decode(response.content)
        assert answer["status"] == "replied", answer
        certificate = open_certificate(answer["certificate"], self.root_key)
        path = (b"request_status", value_hash(content))
        assert certificate.find(*path, b"status") == b"replied", certificate.find(*path, b"reject_message")
        reply = certificate.find(*path, b"reply")
        assert isinstance(reply, bytes)
        return reply

    def query(self, canister: bytes, method: str, arg: bytes = b"", version: str = "v3") -> dict[str, Any]:
        """The decoded answer of a query; its node signature is not checked here."""
        content = self.call_content(canister, method, arg, kind="query")
        response = self.send("query", content, canister, version)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = decode(response.content)
        self.check_node_signature(answer, content, canister)
        return answer

    def check_node_signature(self, answer: dict[str, Any], content: dict[str, Any], canister: bytes) -> None:
        subnet = hashlib.sha224(self.root_key).digest() + b"\x02"
        certificate = self.read_state(canister, [[b"subnet"]])
        for signature in answer["signatures"]:
            node = signature["identity"]
            key = certificate.find(b"subnet", subnet, b"node", node, b"public_key")
            assert isinstance(key, bytes)
            signed = {name: item for name, item in answer.items() if name != "signatures"}
            signed |= {"timestamp": signature["timestamp"], "request_id": value_hash(content)}
            public = load_der_public_key(key)
            assert isinstance(public, ed25519.Ed25519PublicKey)
            public.verify(signature["signature"], b"\x0bic-response" + value_hash(signed))

    def read_state(
        self,
        effective: bytes,
        paths: list[list[bytes]],
        version: str = "v3",
        scope: str = "canister",
    ) -> Certificate:
        response = self.send("read_state", self.content("read_state", paths=paths), effective, version, scope)
        assert response.status_code == 200, response.text
        return open_certificate(decode(response.content)["certificate"], self.root_key)
