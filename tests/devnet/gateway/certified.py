"""Certified responses made by hand, as canisters of others make them."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any

import cbor2

from devnet.crypto.hash_tree import Leaf, Node, forest, lookup, witness
from devnet.crypto.node_keys import NodeKeys
from devnet.gateway.exchange import HttpRequest, HttpResponse
from devnet.gateway.expression import parse_expression
from devnet.gateway.verification import request_hash, response_hash
from devnet.http.certification import STATE_ROOT_DOMAIN
from devnet.http.request_id import leb128

CANISTER = bytes(7) + b"\x05\x01\x01"
NOW = 1_700_000_000_000_000_000
KEYS = NodeKeys.from_seed(b"gateway-" * 4)

WITH_REQUEST = (
    "default_certification(ValidationArgs{certification:Certification{request_certification:"
    'RequestCertification{certified_request_headers:["accept"],certified_query_parameters:["q"]},'
    'response_certification:ResponseCertification{certified_response_headers:ResponseHeaderList{headers:["etag"]}}}})'
)
RESPONSE_ONLY = (
    "default_certification(ValidationArgs{certification:Certification{no_request_certification:Empty{},"
    'response_certification:ResponseCertification{response_header_exclusions:ResponseHeaderList{headers:["date"]}}}})'
)
NOTHING = "default_certification(ValidationArgs{no_certification:Empty{}})"


def tree_of(nested: dict[str | bytes, Any] | bytes) -> Node:
    if isinstance(nested, bytes):
        return Leaf(nested)
    labels = {key.encode() if isinstance(key, str) else key: tree_of(below) for key, below in nested.items()}
    return forest(labels)


def certificate(
    certified_data: bytes, time: int = NOW, keys: NodeKeys = KEYS, canister: bytes = CANISTER
) -> bytes:
    tree = tree_of({"canister": {canister: {"certified_data": certified_data}}, "time": leb128(time)})
    signature = keys.subnet.sign(STATE_ROOT_DOMAIN + tree.digest)
    shown = witness(tree, [[b"canister", canister, b"certified_data"], [b"time"]])
    return bytes(cbor2.dumps(cbor2.CBORTag(55799, {"tree": shown.encoded(), "signature": signature})))


def structured(**parts: bytes | int) -> str:
    """A structured header: base64 between colons, numbers as they are."""
    shown = {
        name: str(part) if isinstance(part, int) else f":{base64.b64encode(part).decode()}:"
        for name, part in parts.items()
    }
    return ", ".join(f"{name}={part}" for name, part in shown.items())


def version_1(assets: dict[str, bytes], response: HttpResponse, **changes: Any) -> HttpResponse:
    """The response with its certificate of version 1; `assets` maps paths to certified bodies."""
    tree = tree_of({"http_assets": {path: hashlib.sha256(body).digest() for path, body in assets.items()}})
    header = structured(certificate=certificate(tree.digest, **changes), tree=cbor2.dumps(tree.encoded()))
    return HttpResponse(response.status, (*response.headers, ("IC-Certificate", header)), response.body)


@dataclass
class Version2:
    """What a canister certifies with version 2; each part can be changed before `answer`."""

    request: HttpRequest
    response: HttpResponse
    expression: str = RESPONSE_ONLY
    path: list[str] = field(default_factory=lambda: ["http_expr", "page", "<$>"])
    others: list[list[str]] = field(default_factory=list)
    shown: list[list[str]] = field(default_factory=list)

    def answer(self) -> HttpResponse:
        headers = (*self.response.headers, ("IC-CertificateExpression", self.expression))
        response = HttpResponse(self.response.status, headers, self.response.body)
        expression = parse_expression(self.expression)
        leaf: dict[str | bytes, Any] = {}
        if expression.response is not None:
            asked = b"" if expression.request is None else request_hash(self.request, expression.request)
            leaf = {asked: {response_hash(response, expression.response): b""}}
        nested: dict[str | bytes, Any] = {}
        for path in [self.path, *self.others]:
            node = nested
            for segment in path:
                node = node.setdefault(segment, {})
            node[hashlib.sha256(self.expression.encode()).digest()] = leaf
        tree = tree_of(nested)
        asked_for = [[segment.encode() for segment in path] for path in [self.path, *self.shown]]
        assert lookup(tree, asked_for[0]) is not None
        header = structured(
            certificate=certificate(tree.digest),
            tree=cbor2.dumps(witness(tree, asked_for).encoded()),
            expr_path=cbor2.dumps(self.path),
            version=2,
        )
        return HttpResponse(response.status, (*headers, ("IC-Certificate", header)), response.body)
