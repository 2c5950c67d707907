"""Requests that are right but for what a test changes, and whether the node refuses them."""

from __future__ import annotations

from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ed25519

from devnet.principal import principal_text
from tests.devnet.agent import Key
from tests.devnet.conformance.driver import Canister, User
from tests.devnet.conformance.program import blob, read, reply

CALLER = reply(read("msg_caller"))


Envelope = dict[str, Any]


def ed25519_key() -> Key:
    return ed25519.Ed25519PrivateKey.generate()


def post(user: User, canister: Canister, envelope: Envelope | bytes, kind: str = "call") -> httpx.Response:
    version = "v4" if kind == "call" else "v3"
    return user.post(f"/api/{version}/canister/{principal_text(canister.id)}/{kind}", envelope)


def is_refused(user: User, canister: Canister, envelope: Envelope | bytes, kind: str = "call") -> bool:
    """Whether the node answers with a client error, and still works."""
    response = post(user, canister, envelope, kind)
    assert response.status_code == 200 or 400 <= response.status_code < 500, response.text
    assert canister.query(reply(blob(b"alive"))) == b"alive"
    return response.status_code != 200


def is_caller(user: User, canister: Canister, principal: bytes) -> bool:
    return user.call(canister.id, "update", CALLER) == principal


def content_of(user: User, canister: Canister, kind: str, **fields: Any) -> dict[str, Any]:
    if kind == "read_state":
        return user.content("read_state", **{"paths": [[b"time"]], **fields})
    return user.call_content(canister.id, "query" if kind == "query" else "update", reply(), kind, **fields)
