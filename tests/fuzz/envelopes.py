"""Requests to a node: signed envelopes with anything wrong in them, before or after they were signed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import strategies as st

from cdk.candid import PRINCIPAL, Codec, Field, Principal, Record
from tests.devnet.agent import MINUTE_NS, Identity, Key, delegate, der, sign, value_hash
from tests.fuzz.candid_messages import messages
from tests.fuzz.damage import damaged

KEYS: list[Key] = [
    ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))),
    ec.derive_private_key(7, ec.SECP256R1()),
    ec.derive_private_key(8, ec.SECP256K1()),
]
FIELDS = ["request_type", "sender", "ingress_expiry", "nonce", "canister_id", "method_name", "arg", "paths"]
FIELDS += ["sender_info", "content", "sender_pubkey", "sender_sig", "sender_delegation", "", "x"]
METHODS = ["echo", "look", "trap", "http_request", "nothing", "", "canister_init", "é" * 3, "m" * 20_001]
MANAGEMENT = ["install_code", "canister_status", "update_settings", "upload_chunk", "install_chunked_code"]
MANAGEMENT += ["provisional_create_canister_with_cycles", "create_canister", "stop_canister", "http_request"]
MANAGEMENT += ["take_canister_snapshot", "raw_rand", "vetkd_derive_key", "sign_with_ecdsa", "canister_info"]
MANAGEMENT += ["fetch_canister_logs", "stored_chunks", "read_canister_snapshot_data", "node_metrics_history"]
SELF_DESCRIBED = (b"", b"\xd9\xd9\xf7")
FAULTS = ["none"] * 6 + ["content", "missing", "envelope", "bytes", "path", "canister", "expiry", "size"]
LABELS = ["time", "subnet", "canister", "request_status", "metadata", "candid:service", "canister_ranges"]
LABELS += ["controllers", "module_hash", "public_key", "node", "api_boundary_nodes", "status", "reply"]


@dataclass(frozen=True)
class Request:
    """A body and where it goes."""

    path: str
    body: bytes


def about(target: bytes) -> st.SearchStrategy[bytes]:
    """An argument that names the target, as management calls need, with little else."""
    types = Record((Field("canister_id", PRINCIPAL),))
    message = Codec([types]).encode([{"canister_id": Principal(target)}])
    return st.just(message) | damaged(message, most=1)


def cbor_values() -> st.SearchStrategy[Any]:
    """What CBOR can say, and Python's library writes."""
    scalars = (
        st.none()
        | st.booleans()
        | st.integers(-(1 << 70), 1 << 70)
        | st.floats()
        | st.text(max_size=8)
        | st.binary(max_size=40)
        | st.sampled_from([0, 1 << 63, (1 << 64) - 1, b"", b"\x04", bytes(29), bytes(30), "call", "query"])
        | st.builds(cbor2.CBORTag, st.integers(0, 60_000), st.binary(max_size=4))
    )
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=3), inner, max_size=4)
            | st.dictionaries(st.integers() | st.binary(max_size=2), inner, max_size=2)
        ),
        max_leaves=8,
    )


@st.composite
def requests(draw: st.DrawFn, target: bytes, now: int) -> Request:
    """A request to any endpoint with at most one fault, beside what its values may be."""
    kind = draw(st.sampled_from(["call", "query", "read_state"]))
    fault = draw(st.sampled_from(FAULTS))
    identity = draw(identities(now, target))
    canister = draw(st.binary(max_size=30)) if fault == "canister" else draw(st.sampled_from([target, b""]))
    content = draw(contents(kind, canister, target, now, fault))
    content["sender"] = identity.principal if identity else b"\x04"
    if fault == "content":
        content[draw(st.sampled_from(FIELDS))] = draw(cbor_values())
    if fault == "missing":
        del content[draw(st.sampled_from(sorted(content)))]
    envelope = _signed(content, identity)
    if fault == "envelope":
        envelope[draw(st.sampled_from(FIELDS))] = draw(cbor_values())
    body = SELF_DESCRIBED[draw(st.booleans())] + cbor2.dumps(envelope)
    if fault == "bytes":
        body = draw(damaged(body))
    path = draw(paths(target)) if fault == "path" else draw(endpoints(kind, target))
    return Request(path, body)


@st.composite
def contents(
    draw: st.DrawFn, kind: str, canister: bytes, target: bytes, now: int, fault: str
) -> dict[str, Any]:
    """What a client would send."""
    expiry = draw(st.sampled_from([-1, 1 << 62])) if fault == "expiry" else 4 * MINUTE_NS
    content: dict[str, Any] = {
        "request_type": kind,
        "ingress_expiry": now + expiry,
        "nonce": draw(st.binary(min_size=8, max_size=32)),
    }
    if kind == "read_state":
        label = st.sampled_from(LABELS).map(str.encode) | st.just(target) | st.binary(max_size=32)
        content["paths"] = draw(st.lists(st.lists(label, max_size=5), max_size=4))
        return content
    names = METHODS if canister else MANAGEMENT
    argument = st.just(bytes(2_100_000)) if fault == "size" else messages() | about(target)
    return content | {
        "canister_id": canister,
        "method_name": draw(st.sampled_from(names)),
        "arg": draw(argument),
    }


@st.composite
def identities(draw: st.DrawFn, now: int, target: bytes) -> Identity | None:
    """Nobody, a key, or a chain of delegations that holds, mostly."""
    if draw(st.booleans()):
        return None
    root = draw(st.sampled_from(KEYS))
    identity = Identity.of(root)
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2, 21]))):
        signer, to = identity.signer, draw(st.sampled_from(KEYS))
        others = draw(st.none() | st.lists(st.binary(max_size=31), max_size=3))
        targets = None if others is None else [target, b"", *others]
        expiration = now + draw(st.sampled_from([10 * MINUTE_NS] * 4 + [-1, 1 << 62]))
        link = delegate(signer, der(to), expiration, targets)
        if draw(st.sampled_from([True] + [False] * 9)):
            link["delegation"][draw(st.sampled_from(["pubkey", "targets", "permissions"]))] = draw(
                cbor_values()
            )
        identity = Identity(root, to, [*identity.delegations, link])
    return identity


def bodies() -> st.SearchStrategy[bytes]:
    """Bytes, and CBOR of anything."""
    return st.binary(max_size=60) | cbor_values().map(cbor2.dumps).flatmap(damaged)


def endpoints(kind: str, target: bytes) -> st.SearchStrategy[str]:
    """Where requests of this kind about the target go."""
    versions = {"call": ["v2", "v3", "v4"], "query": ["v2", "v3"], "read_state": ["v2", "v3"]}[kind]
    return st.sampled_from([f"/api/{version}/canister/{text_of(target)}/{kind}" for version in versions])


@st.composite
def paths(draw: st.DrawFn, target: bytes) -> str:
    """Where nothing is, most often."""
    words = ["api", "v2", "v3", "v4", "canister", "subnet", "status", "call", "query", "_", "time"]
    others = [text_of(target), "aaaaa-aa", "2vxsx-fae", "x" * 500, "%00", "..", "%2f", ""]
    segments = draw(st.lists(st.sampled_from(words + others), max_size=6))
    prefix = draw(
        st.sampled_from(["/", "/api/", "/api/v4/canister/", f"/api/v3/canister/{text_of(target)}/"])
    )
    return prefix + "/".join(segments)


def text_of(principal: bytes) -> str:
    from devnet.principal import principal_text

    return principal_text(principal)


def _signed(content: dict[str, Any], identity: Identity | None) -> dict[str, Any]:
    envelope: dict[str, Any] = {"content": content}
    if identity is not None:
        digest = value_hash(content) if _has_hash(content) else hashlib.sha256(b"no hash").digest()
        envelope["sender_pubkey"] = der(identity.root)
        envelope["sender_sig"] = sign(identity.signer, b"\x0aic-request" + digest)
        if identity.delegations:
            envelope["sender_delegation"] = identity.delegations
    return envelope


def _has_hash(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _has_hash(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_has_hash, value))
    return isinstance(value, str | bytes) or (isinstance(value, int) and value >= 0)
