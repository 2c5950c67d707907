"""What is refused, with which status and words; the node answers the next request in every case."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import cbor2
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devnet.http.envelope import MAX_BODY_BYTES, MAX_MESSAGE_BYTES
from devnet.node import Node
from devnet.principal import canister_id, principal_text
from tests.devnet.agent import MINUTE_NS, Agent, Identity, delegate, der, value_hash
from tests.devnet.http.fake_replica import COUNTER, FakeReplica, ManualClock

CALL = f"/api/v4/canister/{principal_text(COUNTER)}/call"


@pytest.fixture(autouse=True)
def alive(agent: Agent) -> Iterator[None]:
    """After each test the node still executes calls."""
    yield
    agent.update(COUNTER, "increment")


def ensure_refused(response: httpx.Response, status: int, *words: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("text/plain")
    for word in words:
        assert word in response.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"not cbor",
        b"\xd9\xd9\xf7",
        cbor2.dumps([1]),
        cbor2.dumps({1: 2}),
        cbor2.dumps({"content": 5}),
        cbor2.dumps({"content": {}}) + b"\x00",
        b"\xa2gcontent\xa0gcontent\xa0",
        b"\x81" * 100_000,
        b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
        cbor2.dumps({"content": cbor2.CBORTag(35, "(a+)+$")}),
        cbor2.dumps({"content": cbor2.CBORTag(28, [cbor2.CBORTag(29, 0)])}),
        cbor2.dumps({"content": cbor2.CBORTag(4000, {})}),
    ],
    ids=lambda body: body[:12].hex(),
)
def test_malformed_cbor_is_a_client_error(agent: Agent, body: bytes) -> None:
    ensure_refused(agent.post(CALL, body), 400)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("nonce", bytes(33), "`nonce` has 33 bytes, more than 32"),
        ("nonce", "text", "must be of type bytes"),
        ("sender", bytes(30), "more than 29"),
        ("ingress_expiry", -1, "unsigned 64-bit"),
        ("ingress_expiry", 1.5, "must be of type int"),
        ("ingress_expiry", True, "must be of type int"),
        ("ingress_expiry", 2**64, "tags are not allowed"),
        ("method_name", b"bytes", "must be of type str"),
        ("method_name", "m" * 20_001, "`method_name` has more than 20000 bytes"),
        ("arg", None, "lacks the field `arg`"),
        ("canister_id", None, "lacks the field `canister_id`"),
        ("request_type", "query", "this endpoint takes 'call'"),
        ("sender_info", {"info": b""}, "`sender_info` lacks the field `signer`"),
        ("extra", 1.5, "unsupported fields: ['extra']"),
    ],
)
def test_fields_of_the_wrong_kind_are_named(agent: Agent, field: str, value: Any, words: str) -> None:
    content = agent.call_content(COUNTER, "increment")
    content = {key: item for key, item in {**content, field: value}.items() if item is not None}
    ensure_refused(agent.post(CALL, {"content": content}), 400, words)


def test_a_nonce_of_32_bytes_is_accepted(agent: Agent) -> None:
    content = agent.call_content(COUNTER, "increment", nonce=bytes(32))
    assert agent.send("call", content, COUNTER, "v4").status_code == 200


def test_a_wrong_content_type_is_refused(agent: Agent) -> None:
    response = agent.http.post(CALL, content=b"", headers={"content-type": "text/html"})
    ensure_refused(response, 400, "expected application/cbor")


def test_an_oversized_body_is_refused(agent: Agent) -> None:
    ensure_refused(agent.post(CALL, bytes(MAX_BODY_BYTES + 1)), 413, "request body")


def test_an_oversized_chunked_body_is_refused(agent: Agent) -> None:
    parts = (bytes(1 << 20) for _ in range(5))
    ensure_refused(agent.http.post(CALL, content=parts), 413, "request body")


def test_a_message_over_two_mib_is_refused_and_one_of_two_mib_is_not(agent: Agent) -> None:
    room = MAX_MESSAGE_BYTES - len("increment")
    fits = agent.call_content(COUNTER, "increment", bytes(room))
    assert agent.send("call", fits, COUNTER, "v4").status_code == 200
    exceeds = agent.call_content(COUNTER, "increment", bytes(room + 1))
    ensure_refused(agent.send("call", exceeds, COUNTER, "v4"), 413, str(MAX_MESSAGE_BYTES + 1))


@pytest.mark.parametrize("kind", ["call", "query", "read_state"])
@pytest.mark.parametrize("offset", [0, -MINUTE_NS, 6 * MINUTE_NS, 2**63])
def test_an_expiry_outside_the_window_is_refused(agent: Agent, kind: str, offset: int) -> None:
    expiry = min(agent.now() + offset, 2**64 - 1)
    fields: dict[str, Any] = {"ingress_expiry": expiry}
    if kind == "read_state":
        content = agent.content(kind, paths=[[b"time"]], **fields)
    else:
        content = agent.call_content(COUNTER, "get", kind=kind, **fields)
    response = agent.send(kind, content, COUNTER, "v3")
    ensure_refused(response, 400, "Specified ingress_expiry not within expected range")
    assert response.text.startswith("Invalid request expiry: ")


def test_an_anonymous_call_has_to_keep_the_window(anonymous: Agent) -> None:
    content = anonymous.call_content(COUNTER, "increment", ingress_expiry=1)
    ensure_refused(anonymous.send("call", content, COUNTER, "v4"), 400, "Invalid request expiry: ")


def test_a_flipped_bit_anywhere_in_the_signature_is_refused(agent: Agent) -> None:
    envelope = agent.envelope(agent.call_content(COUNTER, "increment"))
    signature = envelope["sender_sig"]
    for position in range(0, 512, 37):
        flipped = int.from_bytes(signature, "big") ^ (1 << position)
        envelope["sender_sig"] = flipped.to_bytes(64, "big")
        ensure_refused(agent.post(CALL, envelope), 400, "Invalid signature")


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65), b"\xff" * 64])
@pytest.mark.parametrize("curve", [None, ec.SECP256R1(), ec.SECP256K1()])
def test_malformed_signatures_are_refused(
    node: Node, clock: ManualClock, signature: bytes, curve: ec.EllipticCurve | None
) -> None:
    key = ec.generate_private_key(curve) if curve else ed25519.Ed25519PrivateKey.generate()
    with Agent(node.url, node.root_key, Identity.of(key), clock.now_ns) as agent:
        envelope = agent.envelope(agent.call_content(COUNTER, "increment")) | {"sender_sig": signature}
        ensure_refused(agent.post(CALL, envelope), 400, "Invalid signature")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_bit_anywhere_in_the_request_never_executes_it(
    agent: Agent, replica: FakeReplica, data: st.DataObject
) -> None:
    body = bytearray(cbor2.dumps(agent.envelope(agent.call_content(COUNTER, "increment"))))
    position = data.draw(st.integers(0, 8 * len(body) - 1))
    body[position // 8] ^= 1 << position % 8
    before = replica.counter
    response = agent.post(CALL, bytes(body))
    assert 400 <= response.status_code < 500, response.text
    assert replica.counter == before


def test_a_sender_must_own_the_key(agent: Agent) -> None:
    envelope = agent.envelope(agent.call_content(COUNTER, "increment", sender=bytes(28) + b"\x02"))
    ensure_refused(agent.post(CALL, envelope), 400, "is not the principal of `sender_pubkey`")


@pytest.mark.parametrize("missing", ["sender_pubkey", "sender_sig"])
def test_a_sender_must_sign(agent: Agent, missing: str) -> None:
    envelope = agent.envelope(agent.call_content(COUNTER, "increment"))
    del envelope[missing]
    ensure_refused(agent.post(CALL, envelope), 400, "must give `sender_pubkey` and `sender_sig`")


def test_an_anonymous_request_must_not_be_signed(agent: Agent) -> None:
    envelope = agent.envelope(agent.call_content(COUNTER, "increment", sender=b"\x04"))
    ensure_refused(agent.post(CALL, envelope), 400, "an anonymous request must carry no key")


def test_keys_in_other_encodings_are_refused(agent: Agent) -> None:
    assert agent.identity is not None
    for key in (b"", b"\x30", der(agent.identity.root) + b"\x00", bytes(2000)):
        envelope = agent.envelope(agent.call_content(COUNTER, "increment")) | {"sender_pubkey": key}
        assert agent.post(CALL, envelope).status_code == 400


def fresh() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


@pytest.fixture
def delegated(node: Node, clock: ManualClock) -> Iterator[Callable[..., Agent]]:
    """Makes clients that sign with a session key under a delegation."""
    agents = []

    def make(expiration: int | None = None, targets: list[bytes] | None = None, **extra: Any) -> Agent:
        root, session = fresh(), fresh()
        expiration = clock.now + MINUTE_NS if expiration is None else expiration
        chain = [delegate(root, der(session), expiration, targets, **extra)]
        agents.append(Agent(node.url, node.root_key, Identity(root, session, chain), clock.now_ns))
        return agents[-1]

    yield make
    for agent in agents:
        agent.http.close()


def test_a_delegated_key_acts_for_the_root_key(delegated: Callable[..., Agent]) -> None:
    agent = delegated(targets=[canister_id(7), COUNTER], permissions="all")
    assert agent.update(COUNTER, "caller") == agent.sender


def test_a_chain_of_twenty_delegations_is_accepted_and_twenty_one_are_not(
    node: Node, clock: ManualClock
) -> None:
    keys = [fresh() for _ in range(22)]
    chain = [delegate(a, der(b), clock.now + MINUTE_NS) for a, b in itertools.pairwise(keys)]
    with Agent(node.url, node.root_key, Identity(keys[0], keys[20], chain[:20]), clock.now_ns) as agent:
        assert agent.update(COUNTER, "caller") == agent.sender
        agent.identity = Identity(keys[0], keys[21], chain)
        content = agent.call_content(COUNTER, "increment")
        ensure_refused(agent.send("call", content, COUNTER, "v4"), 400, "has 21 items, more than 20")


def test_a_thousand_targets_are_accepted_and_one_more_is_not(delegated: Callable[..., Agent]) -> None:
    targets = [canister_id(number) for number in range(1000)]
    assert delegated(targets=targets).update(COUNTER, "increment")
    agent = delegated(targets=[*targets, canister_id(1000)])
    content = agent.call_content(COUNTER, "increment")
    ensure_refused(agent.send("call", content, COUNTER, "v4"), 400, "has 1001 items, more than 1000")


def test_an_expired_delegation_is_refused(delegated: Callable[..., Agent], clock: ManualClock) -> None:
    agent = delegated(expiration=clock.now)
    content = agent.call_content(COUNTER, "increment")
    ensure_refused(agent.send("call", content, COUNTER, "v4"), 400, "Invalid delegation expiry")


@pytest.mark.parametrize("targets", [[], [canister_id(7)]])
def test_a_delegation_for_other_canisters_is_refused(
    delegated: Callable[..., Agent], targets: list[bytes]
) -> None:
    agent = delegated(targets=targets)
    for kind in ("call", "query"):
        content = agent.call_content(COUNTER, "get", kind=kind)
        ensure_refused(agent.send(kind, content, COUNTER, "v3"), 400, "not one of the delegation's targets")


def test_a_delegation_for_queries_permits_no_calls(delegated: Callable[..., Agent]) -> None:
    agent = delegated(permissions="queries")
    assert agent.query(COUNTER, "caller")["reply"] == {"arg": agent.sender}
    content = agent.call_content(COUNTER, "increment")
    ensure_refused(agent.send("call", content, COUNTER, "v4"), 400, "permits queries only")


def test_a_delegation_with_an_unknown_restriction_is_refused(delegated: Callable[..., Agent]) -> None:
    for extra in ({"permissions": "nothing"}, {"only_on_sundays": 1}):
        agent = delegated(**extra)
        content = agent.call_content(COUNTER, "increment")
        assert agent.send("call", content, COUNTER, "v4").status_code == 400


def test_a_delegation_signed_by_another_key_is_refused(node: Node, clock: ManualClock) -> None:
    root, session = fresh(), fresh()
    chain = [delegate(fresh(), der(session), clock.now + MINUTE_NS)]
    with Agent(node.url, node.root_key, Identity(root, session, chain), clock.now_ns) as agent:
        content = agent.call_content(COUNTER, "increment")
        ensure_refused(agent.send("call", content, COUNTER, "v4"), 400, "Invalid delegation")


def test_a_cycle_of_delegations_is_refused(node: Node, clock: ManualClock) -> None:
    root, middle = fresh(), fresh()
    until = clock.now + MINUTE_NS
    chain = [delegate(root, der(middle), until), delegate(middle, der(root), until)]
    for identity in (Identity(root, root, chain), Identity(root, root, [delegate(root, der(root), until)])):
        with Agent(node.url, node.root_key, identity, clock.now_ns) as agent:
            content = agent.call_content(COUNTER, "increment")
            ensure_refused(agent.send("call", content, COUNTER, "v4"), 400, "cycle")


@pytest.mark.parametrize("kind", ["call", "query"])
def test_the_canister_in_the_url_must_be_the_callee(agent: Agent, kind: str) -> None:
    content = agent.call_content(COUNTER, "get", kind=kind)
    response = agent.send(kind, content, canister_id(5), "v3")
    ensure_refused(response, 400, "does not match effective canister id")


@pytest.mark.parametrize("text", ["nonsense", "aaaaa-ab", principal_text(COUNTER) + "a"])
def test_a_malformed_principal_in_the_url_is_refused(agent: Agent, text: str) -> None:
    content = agent.call_content(COUNTER, "increment")
    response = agent.post(f"/api/v4/canister/{text}/call", agent.envelope(content))
    ensure_refused(response, 400, "Malformed principal")


def test_endpoints_that_do_not_exist_are_not_found(agent: Agent) -> None:
    for path in ("/", "/api/v5/canister/aaaaa-aa/call", "/api/v4/canister/aaaaa-aa/query", "/api/v2/nothing"):
        assert agent.post(path, {}).status_code == 404


def read(agent: Agent, *paths: list[bytes], effective: bytes = COUNTER) -> httpx.Response:
    return agent.send("read_state", agent.content("read_state", paths=list(paths)), effective, "v3")


@pytest.mark.parametrize(
    "path",
    [
        [],
        [b"canister"],
        [b"canister", COUNTER],
        [b"canister", COUNTER, b"certified_data"],
        [b"canister", COUNTER, b"metadata"],
        [b"canister", COUNTER, b"metadata", b"\xff"],
        [b"canister", canister_id(5), b"module_hash"],
        [b"canister_ranges", bytes(29)],
        [b"request_status"],
        [b"request_status", bytes(31)],
        [b"request_status", bytes(32), b"other"],
        [b"subnet", bytes(29), b"metrics"],
        [b"time", b"more"],
        [b"\xff\xfe"],
    ],
)
def test_paths_that_nobody_may_read_are_refused(agent: Agent, path: list[bytes]) -> None:
    ensure_refused(read(agent, path), 400)


def test_only_its_sender_may_read_a_request(agent: Agent, anonymous: Agent) -> None:
    content = agent.call_content(COUNTER, "increment")
    agent.send("call", content, COUNTER, "v4")
    path = [b"request_status", value_hash(content)]
    assert read(agent, path).status_code == 200
    ensure_refused(read(anonymous, path), 403, "not signed by the caller")
    ensure_refused(read(agent, path, effective=canister_id(5)), 403, "ask for its status there")


def test_all_request_paths_must_name_one_request(agent: Agent) -> None:
    paths = [[b"request_status", bytes(32)], [b"request_status", b"\x01" * 32]]
    ensure_refused(read(agent, *paths), 400, "must name the same id")


def test_private_metadata_is_for_controllers(agent: Agent) -> None:
    path = [b"canister", COUNTER, b"metadata", b"secret"]
    ensure_refused(read(agent, path), 403, "only by the controllers")


def test_a_thousand_paths_are_accepted_and_one_more_is_not(agent: Agent) -> None:
    assert read(agent, *[[b"time"]] * 1000).status_code == 200
    ensure_refused(read(agent, *[[b"time"]] * 1001), 400, "has 1001 items, more than 1000")
    ensure_refused(read(agent, [b"x"] * 128), 400, "at most 127 labels")


def test_another_subnet_is_not_hosted_here(agent: Agent) -> None:
    content = agent.content("read_state", paths=[[b"time"]])
    response = agent.send("read_state", content, bytes(28) + b"\x02", "v3", "subnet")
    ensure_refused(response, 400, "not hosted by this node")


def test_a_fault_of_the_replica_is_a_server_error(agent: Agent, replica: FakeReplica) -> None:
    replica.fault = RuntimeError("broken on purpose")
    content = agent.call_content(COUNTER, "increment")
    ensure_refused(agent.send("call", content, COUNTER, "v4"), 500, "its log says why")
