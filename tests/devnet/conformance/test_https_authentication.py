"""Interface specification, "Authentication", "Request ids" and "CBOR encoding of requests and responses"."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devnet.principal import principal_text
from tests.devnet.agent import MINUTE_NS, Identity, Key, decode, sign, value_hash
from tests.devnet.conformance.driver import Canister, Network, User, tagged
from tests.devnet.conformance.program import blob, reply
from tests.devnet.conformance.signed_requests import content_of, ed25519_key, is_caller, is_refused, post


@pytest.mark.parametrize(
    "make",
    [
        ed25519_key,
        lambda: ec.generate_private_key(ec.SECP256R1()),
        lambda: ec.generate_private_key(ec.SECP256K1()),
    ],
    ids=["Ed25519", "P-256", "secp256k1"],
)
def test_kinds_of_keys(network: Network, canister: Canister, make: Callable[[], Key]) -> None:
    """Signatures: Ed25519, ECDSA on P-256 and on secp256k1."""
    identity = Identity.of(make())
    user = User(network, identity)
    assert is_caller(user, canister, identity.principal)


def test_the_specifications_example_of_a_request_id() -> None:
    """Request ids: the client of this suite computes the specification's example."""
    content = {
        "request_type": "call",
        "sender": b"\x04",
        "ingress_expiry": 1685570400000000000,
        "canister_id": bytes.fromhex("00000000000004d2"),
        "method_name": "hello",
        "arg": b"DIDL\x00\xfd*",
    }
    assert value_hash(content).hex() == "1d1091364d6bb8a6c16b203ee75467d59ead468f523eb058880ae8ec80e2b101"


@pytest.mark.parametrize("kind", ["call", "query", "read_state"])
@pytest.mark.parametrize("field", ["sender_sig", "sender_pubkey"])
def test_the_sender_must_sign(user: User, canister: Canister, kind: str, field: str) -> None:
    """Authentication: key and signature must be set unless the sender is anonymous."""
    envelope = user.envelope(content_of(user, canister, kind))
    del envelope[field]
    assert is_refused(user, canister, envelope, kind)


@pytest.mark.parametrize("kind", ["call", "query", "read_state"])
def test_a_wrong_signature_is_refused(user: User, canister: Canister, kind: str) -> None:
    """Authentication: of other content, by another key, damaged."""
    content = content_of(user, canister, kind)
    envelope = user.envelope(content)
    other = user.envelope(content_of(user, canister, kind))["sender_sig"]
    mine = envelope["sender_sig"]
    forged = sign(ed25519_key(), b"\x0aic-request" + value_hash(content))
    for signature in (other, forged, mine[:-1], b"", mine[:-1] + bytes([mine[-1] ^ 1])):
        assert is_refused(user, canister, {**envelope, "sender_sig": signature}, kind)


def test_the_sender_must_own_the_key(user: User, canister: Canister) -> None:
    """Authentication: the sender is the self-authenticating id of `sender_pubkey`."""
    envelope = user.envelope(user.call_content(canister.id, "update", reply(), sender=canister.id))
    assert is_refused(user, canister, envelope)


def test_anonymous_requests_must_not_be_signed(network: Network, user: User, canister: Canister) -> None:
    """Authentication: the fields must be omitted if the sender is anonymous."""
    envelope = user.envelope(user.call_content(canister.id, "update", reply(), sender=b"\x04"))
    assert is_refused(user, canister, envelope)


@pytest.mark.parametrize("kind", ["call", "query", "read_state"])
@pytest.mark.parametrize("minutes, refused", [(-1, True), (4, False), (30, True)])
def test_the_expiry_lies_ahead_but_not_too_far(
    user: User, canister: Canister, kind: str, minutes: int, refused: bool
) -> None:
    """Authentication, `ingress_expiry`: neither past nor too far ahead, for all requests alike."""
    now = user.network.now_ns()
    # Where a test set the network's time forward, devnet still takes clients that go by the real time.
    expiry = (min(now, time.time_ns()) if minutes < 0 else now) + minutes * MINUTE_NS
    content = content_of(user, canister, kind, ingress_expiry=expiry)
    assert is_refused(user, canister, user.envelope(content), kind) is refused


def test_the_nonce_has_at_most_32_bytes(user: User, canister: Canister) -> None:
    """Authentication, `nonce`."""
    for size, refused in ((0, False), (32, False), (33, True)):
        content = content_of(user, canister, "call", nonce=bytes(range(size)))
        assert is_refused(user, canister, user.envelope(content)) is refused


def without(data: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != field}


@pytest.mark.parametrize(
    "field", ["request_type", "canister_id", "method_name", "arg", "sender", "ingress_expiry"]
)
def test_fields_that_must_be_there(user: User, canister: Canister, field: str) -> None:
    """Request: Call: required fields."""
    content = without(content_of(user, canister, "call"), field)
    assert is_refused(user, canister, user.envelope(content))


@pytest.mark.parametrize(
    "field, value",
    [
        ("request_type", "query"),
        ("request_type", b"call"),
        ("canister_id", "aaaaa-aa"),
        ("canister_id", bytes(30)),
        ("method_name", b"update"),
        ("arg", "text"),
        ("ingress_expiry", 1.5e18),
        ("ingress_expiry", -1),
        ("sender", bytes(30)),
        ("nonce", "text"),
    ],
)
def test_fields_of_the_wrong_kind(user: User, canister: Canister, field: str, value: Any) -> None:
    """CBOR encoding: blobs are byte strings, names are text, numbers are unsigned and never floats."""
    content = {**content_of(user, canister, "call"), field: value}
    envelope = {**user.envelope(content_of(user, canister, "call")), "content": content}
    assert is_refused(user, canister, tagged(envelope))


def test_duplicate_keys_are_prohibited(network: Network, canister: Canister) -> None:
    """CBOR encoding: "Duplicate keys are prohibited in CBOR maps"."""
    anonymous = network.anonymous()
    fields = list(content_of(anonymous, canister, "call").items())
    pairs = [*fields, ("arg", reply(blob(b"other")))]
    body = bytes([0xA0 | len(pairs)]) + b"".join(cbor2.dumps(part) for pair in pairs for part in pair)
    assert is_refused(anonymous, canister, b"\xd9\xd9\xf7\xa1" + cbor2.dumps("content") + body)


MALFORMED = [
    b"",
    b"\xd9\xd9\xf7",
    b"\xff",
    b"not cbor",
    tagged([]),
    tagged({}),
    tagged({"content": 1}),
    tagged({"content": {}}),
    tagged({"content": {"request_type": "call"}}),
    b"\xd9\xd9\xf7" + b"\x81" * 100_000,
    b"\xd9\xd9\xf7\xbb" + b"\xff" * 8,
    b"\xd9\xd9\xf7\xa1\x67content\x5b" + b"\x7f" * 8,
]


@pytest.mark.parametrize("kind", ["call", "query", "read_state"])
def test_malformed_cbor_is_a_client_error(user: User, canister: Canister, kind: str) -> None:
    """Request: Call and others: 4xx for client errors, e.g. malformed requests."""
    for body in MALFORMED:
        assert is_refused(user, canister, body, kind), body[:20]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_requests_never_break_the_node(user: User, canister: Canister, data: st.DataObject) -> None:
    """Any truncation or change of bytes of a request is refused, or the request was not changed by it."""
    envelope = user.envelope(content_of(user, canister, "call"))
    body = bytearray(tagged(envelope))
    at = data.draw(st.integers(0, len(body) - 1))
    if data.draw(st.booleans()):
        body[at] ^= data.draw(st.integers(1, 255))
    else:
        del body[at:]
    response = post(user, canister, bytes(body))
    assert response.status_code == 200 or 400 <= response.status_code < 500
    if response.status_code == 200:
        assert decode(response.content)["status"] == "replied"


def test_oversized_bodies_are_refused(user: User, canister: Canister) -> None:
    """Request: Call: 4xx for client errors."""
    content = user.call_content(canister.id, "update", bytes(5 * 1024 * 1024))
    assert is_refused(user, canister, user.envelope(content))


def test_the_tag_may_be_missing_and_keys_null(network: Network, canister: Canister) -> None:
    """CBOR encoding: some agents leave the tag out and send nulls for absent fields; that is accepted."""
    anonymous = network.anonymous()
    envelope = {
        "content": content_of(anonymous, canister, "query"),
        "sender_pubkey": None,
        "sender_sig": None,
    }
    path = f"/api/v3/canister/{principal_text(canister.id)}/query"
    assert anonymous.post(path, envelope, tagged=False).status_code == 200
