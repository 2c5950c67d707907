from typing import Any

import cbor2
import httpx
import pytest

from leasehold.agent import (
    Agent,
    AnswerTimeoutError,
    CertificateError,
    Identity,
    NetworkError,
    Principal,
    RejectedError,
)
from leasehold.agent.request import hash_of_map
from tests.leasehold.fake_node import CANISTER, NOW, URL, FakeNode, Reject, Subnet

FIVE_MINUTES = 5 * 60 * 10**9


def echo(arg: bytes, sender: Principal) -> bytes:
    return arg + sender.raw


def refuse(arg: bytes, sender: Principal) -> bytes:
    raise Reject(4, "no, thank you")


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.fixture
def node() -> FakeNode:
    return FakeNode({"echo": echo, "refuse": refuse})


@pytest.mark.parametrize("algorithm", ["ed25519", "secp256k1", "p256"])
def test_an_update_answers_the_certified_reply_and_is_signed(node: FakeNode, algorithm: str) -> None:
    identity = Identity.generate(algorithm)
    agent = node.agent(identity)

    assert agent.update(CANISTER, "echo", b"hello") == b"hello" + identity.principal.raw

    envelope = cbor2.loads(node.bodies[0])
    assert envelope["sender_pubkey"] == identity.public_key_der
    assert len(envelope["sender_sig"]) == 64
    assert node.paths[0] == f"/api/v4/canister/{CANISTER}/call"


def test_anonymous_messages_carry_no_signature(node: FakeNode) -> None:
    assert node.agent(Identity.ANONYMOUS).update(CANISTER, "echo", b"") == b"\x04"
    assert set(cbor2.loads(node.bodies[0])) == {"content"}


def test_a_query_answers_the_signed_reply(node: FakeNode) -> None:
    agent = node.agent()
    assert agent.query(CANISTER, "echo", b"hi") == b"hi" + agent.identity.principal.raw


def test_rejections_carry_code_text_and_error_code(node: FakeNode) -> None:
    agent = node.agent()
    with pytest.raises(RejectedError, match=r"refused: no, thank you \[IC0503\]") as update:
        agent.update(CANISTER, "refuse", b"")
    with pytest.raises(RejectedError, match="no, thank you") as query:
        agent.query(CANISTER, "refuse", b"")
    assert (update.value.code, query.value.code) == (4, 4)


def test_an_uncertified_rejection_says_so(node: FakeNode) -> None:
    def tamper(kind: str, answer: dict[str, Any]) -> None:
        if kind == "call":
            answer.clear()
            answer.update(status="non_replicated_rejection", reject_code=3, reject_message="no such canister")

    node.tamper = tamper
    with pytest.raises(RejectedError, match="no such canister") as error:
        node.agent().update(CANISTER, "echo", b"")
    assert not error.value.certified


def test_a_slow_call_is_polled_until_it_replies(node: FakeNode) -> None:
    node.pending = 3
    agent = node.agent()
    assert agent.update(CANISTER, "echo", b"x") == b"x" + agent.identity.principal.raw
    assert sum(path.endswith("read_state") for path in node.paths) == 4


def test_older_nodes_are_asked_in_older_versions_once(node: FakeNode) -> None:
    node.missing = ("/api/v4/", "/api/v3/")
    agent = node.agent()
    for text in (b"1", b"2"):
        assert agent.update(CANISTER, "echo", text).startswith(text)
        assert agent.query(CANISTER, "echo", text).startswith(text)
    assert sum(path.startswith(("/api/v4/", "/api/v3/")) for path in node.paths) == 4


def test_a_call_that_meets_failures_is_sent_again_unchanged(node: FakeNode) -> None:
    node.failures = [httpx.ConnectError("refused"), 503, httpx.ReadTimeout("slow")]
    agent = node.agent()
    assert agent.update(CANISTER, "echo", b"x").startswith(b"x")
    assert len({*node.bodies[:4]}) == 1
    assert len(node.statuses) == 1


def test_a_node_that_is_not_there_is_a_clear_error(node: FakeNode) -> None:
    node.failures = [httpx.ConnectError("connection refused")] * 99
    with pytest.raises(NetworkError, match=r"127\.0\.0\.1:4943 cannot be reached .*connection refused"):
        node.agent().update(CANISTER, "echo", b"")


def test_a_refused_message_is_not_repeated(node: FakeNode) -> None:
    node.failures = [400]
    with pytest.raises(NetworkError, match="HTTP 400: failing on purpose"):
        node.agent().update(CANISTER, "echo", b"")
    assert len(node.bodies) == 1


def test_a_call_that_expired_unseen_times_out(node: FakeNode) -> None:
    node.missing = ("/api/v4/", "/api/v3/")
    node.now = NOW + FIVE_MINUTES
    node._execute = lambda content, request_id: None  # type: ignore[method-assign]
    with pytest.raises(AnswerTimeoutError, match="was not executed"):
        node.agent().update(CANISTER, "echo", b"")


def test_a_call_that_never_ends_is_given_up(node: FakeNode) -> None:
    node.pending = 10**9
    clock = iter(range(NOW, NOW + 100 * FIVE_MINUTES, FIVE_MINUTES // 5))

    def now() -> int:
        node.now = next(clock)
        return node.now

    agent = Agent(URL, clock=now, sleep=lambda seconds: None, transport=httpx.MockTransport(node.handle))
    with pytest.raises(AnswerTimeoutError, match="still being executed"):
        agent.update(CANISTER, "echo", b"")


@pytest.mark.parametrize("kind", ["call", "read_state"])
@pytest.mark.parametrize("at", [30, 60, 100, -1, -20, -40])
def test_a_flipped_bit_in_a_certificate_is_refused(node: FakeNode, kind: str, at: int) -> None:
    def tamper(found: str, answer: dict[str, Any]) -> None:
        if found == kind:
            answer["certificate"] = flip(answer["certificate"], at % len(answer["certificate"]))

    node.tamper = tamper
    node.pending = kind == "read_state"
    with pytest.raises((CertificateError, NetworkError)):
        node.agent().update(CANISTER, "echo", b"some argument that is long enough")


def test_every_flipped_byte_of_a_certificate_is_refused_or_harmless(node: FakeNode) -> None:
    # What is not under the signature is CBOR framing: a flip there may still decode to the same tree.
    agent = node.agent()
    honest = agent.update(CANISTER, "echo", b"x")
    position = 0

    def tamper(kind: str, answer: dict[str, Any]) -> None:
        if kind == "call":
            answer["certificate"] = flip(answer["certificate"], position)

    node.tamper = tamper
    for at in range(0, 200, 3):
        position = at
        try:
            assert agent.update(CANISTER, "echo", b"x") == honest
        except (CertificateError, NetworkError):
            continue


def test_another_subnet_cannot_answer(node: FakeNode) -> None:
    with pytest.raises(CertificateError, match="does not hold"):
        node.agent(root_key=Subnet(8).public_key).update(CANISTER, "echo", b"")


@pytest.mark.parametrize("off", [FIVE_MINUTES + 1, -FIVE_MINUTES - 1])
def test_an_old_or_early_certificate_is_refused(node: FakeNode, off: int) -> None:
    node.now = NOW + off
    with pytest.raises(CertificateError, match="off this machine's clock"):
        node.agent().update(CANISTER, "echo", b"")


def test_a_certificate_at_the_edge_of_the_skew_is_taken(node: FakeNode) -> None:
    node.now = NOW + FIVE_MINUTES
    assert node.agent().update(CANISTER, "echo", b"x").startswith(b"x")


def test_the_reply_of_another_request_is_not_taken(node: FakeNode) -> None:
    agent = node.agent()
    agent.update(CANISTER, "echo", b"first")
    other = node.subnet.certificate({b"request_status": node.statuses, b"time": b"\x00"})

    def tamper(kind: str, answer: dict[str, Any]) -> None:
        answer["certificate"] = other

    node.tamper = tamper
    with pytest.raises(CertificateError):
        agent.update(CANISTER, "echo", b"second")


@pytest.mark.parametrize("spread", [False, True])
def test_a_delegated_subnet_answers_for_its_canisters_only(node: FakeNode, spread: bool) -> None:
    root = Subnet(99)
    low, high = bytes(8) + b"\x01\x01", b"\x00" * 6 + b"\xff\xff\x01\x01"
    node.delegation = root.delegation(node.subnet, [(low, high)], spread=spread)
    agent = node.agent(root_key=root.public_key)
    assert agent.update(CANISTER, "echo", b"x").startswith(b"x")
    assert agent.query(CANISTER, "echo", b"x").startswith(b"x")

    outside = Principal(b"\x00" * 5 + b"\x01\x00\x00\x01\x01")
    with pytest.raises(CertificateError, match="not responsible"):
        agent.update(outside, "echo", b"x")


def test_a_delegation_by_somebody_else_is_refused(node: FakeNode) -> None:
    node.delegation = Subnet(5).delegation(node.subnet, [(b"", b"\xff" * 29)])
    with pytest.raises(CertificateError):
        node.agent(root_key=Subnet(99).public_key).update(CANISTER, "echo", b"")


def test_a_delegated_delegation_is_refused(node: FakeNode) -> None:
    root, middle = Subnet(99), Subnet(98)
    inner = middle.delegation(node.subnet, [(b"", b"\xff" * 29)])
    decoded = dict(cbor2.loads(inner["certificate"]))
    decoded["delegation"] = root.delegation(middle, [(b"", b"\xff" * 29)])
    node.delegation = inner | {"certificate": cbor2.dumps(decoded)}
    with pytest.raises(CertificateError, match="must not be delegated"):
        node.agent(root_key=root.public_key).update(CANISTER, "echo", b"")


def test_a_changed_answer_to_a_query_is_refused(node: FakeNode) -> None:
    def tamper(kind: str, answer: dict[str, Any]) -> None:
        if kind == "query":
            answer["reply"] = {"arg": b"a million tokens"}

    node.tamper = tamper
    with pytest.raises(CertificateError, match="does not hold"):
        node.agent().query(CANISTER, "echo", b"")


@pytest.mark.parametrize("signatures", [[], None, [{}], [{"timestamp": 1, "signature": b"", "identity": 5}]])
def test_an_unsigned_answer_to_a_query_is_refused(node: FakeNode, signatures: Any) -> None:
    def tamper(kind: str, answer: dict[str, Any]) -> None:
        if kind == "query":
            answer["signatures"] = signatures

    node.tamper = tamper
    with pytest.raises(CertificateError):
        node.agent().query(CANISTER, "echo", b"")


def test_a_stale_answer_to_a_query_is_refused(node: FakeNode) -> None:
    agent = node.agent()
    agent.query(CANISTER, "echo", b"")
    node.now = NOW - FIVE_MINUTES - 1
    with pytest.raises(CertificateError, match="stale"):
        agent.query(CANISTER, "echo", b"")


def test_node_keys_are_read_again_when_the_subnet_changed(node: FakeNode) -> None:
    agent = node.agent()
    agent.query(CANISTER, "echo", b"")
    node.node_id = b"\x22" * 29
    assert agent.query(CANISTER, "echo", b"x").startswith(b"x")


def test_the_answer_of_an_unknown_node_is_refused(node: FakeNode) -> None:
    def tamper(kind: str, answer: dict[str, Any]) -> None:
        if kind == "query":
            answer["signatures"][0]["identity"] = b"\x33" * 29

    node.tamper = tamper
    with pytest.raises(CertificateError, match="no node of the subnet"):
        node.agent().query(CANISTER, "echo", b"")


def test_clear_text_to_another_machine_is_refused(node: FakeNode) -> None:
    with pytest.raises(NetworkError, match="refusing to talk in clear"):
        node.agent(url="http://example.com")


def test_a_remote_network_must_have_a_known_root_key(node: FakeNode) -> None:
    with pytest.raises(CertificateError, match="LEASEHOLD_ROOT_KEY"):
        node.agent(url="https://example.com").update(CANISTER, "echo", b"")
    assert not any("status" in path for path in node.paths)


def test_mainnet_is_trusted_by_its_own_key_only(node: FakeNode) -> None:
    with pytest.raises(CertificateError, match="does not hold"):
        node.agent(url="https://icp-api.io").update(CANISTER, "echo", b"")
    assert not any("status" in path for path in node.paths)


def test_identities_share_connections_and_keys(node: FakeNode) -> None:
    first = node.agent()
    second = first.with_identity(Identity.generate())
    assert first.update(CANISTER, "echo", b"") != second.update(CANISTER, "echo", b"")
    assert sum("status" in path for path in node.paths) == 1


def test_the_request_id_of_the_specification() -> None:
    # Interface specification, "Request ids": the example with its hash.
    content = {
        "request_type": "call",
        "canister_id": bytes.fromhex("00000000000004D2"),
        "method_name": "hello",
        "arg": b"DIDL\x00\xfd*",
        "sender": b"\x04",
        "ingress_expiry": 1685570400000000000,
    }
    expected = "1d1091364d6bb8a6c16b203ee75467d59ead468f523eb058880ae8ec80e2b101"
    assert hash_of_map(content).hex() == expected
