"""The endpoints as a client sees them, before a replica without Wasm."""

import threading
from typing import Any

import pytest

from devnet.node import Node
from devnet.principal import canister_id, principal_text
from devnet.replica.api import Ingress
from tests.devnet.agent import Agent, Identity, decode, open_certificate, value_hash
from tests.devnet.http.fake_replica import CONTROLLER, COUNTER, FakeReplica, ManualClock


def wait_for(node: Node, content: dict[str, Any]) -> None:
    """Return when the call with this content is finished."""
    again = Ingress(value_hash(content), b"\x04", COUNTER, "increment", b"", 0, COUNTER)
    node.engine.call(again).result()


def test_status_gives_the_root_key_and_health(node: Node, anonymous: Agent) -> None:
    response = anonymous.http.get("/api/v2/status")
    status = decode(response.content)
    assert response.content.startswith(b"\xd9\xd9\xf7")
    assert status["root_key"] == node.root_key and len(node.root_key) == 133
    assert status["replica_health_status"] == "healthy"


@pytest.mark.parametrize("version", ["v3", "v4"])
def test_a_sync_call_gives_a_certified_reply(agent: Agent, version: str) -> None:
    content = agent.call_content(COUNTER, "increment")
    answer = decode(agent.send("call", content, COUNTER, version).content)
    assert answer["status"] == "replied"
    certificate = open_certificate(answer["certificate"], agent.root_key)
    path = (b"request_status", value_hash(content))
    assert certificate.find(*path, b"status") == b"replied"
    assert certificate.find(*path, b"reply") == b"1"
    assert certificate.find(*path, b"reject_code") == "absent"
    assert certificate.find(b"canister", COUNTER, b"certified_data") == "unknown"


def test_every_kind_of_key_is_accepted(node: Node, clock: ManualClock, identity: Identity) -> None:
    with Agent(node.url, node.root_key, identity, clock.now_ns) as agent:
        assert agent.update(COUNTER, "caller") == identity.principal
        assert agent.query(COUNTER, "caller")["reply"] == {"arg": identity.principal}


def test_a_trap_is_a_certified_reject(agent: Agent) -> None:
    content = agent.call_content(COUNTER, "trap")
    answer = decode(agent.send("call", content, COUNTER, "v4").content)
    certificate = open_certificate(answer["certificate"], agent.root_key)
    path = (b"request_status", value_hash(content))
    assert certificate.find(*path, b"status") == b"rejected"
    assert certificate.find(*path, b"reject_code") == b"\x05"
    assert certificate.find(*path, b"reject_message") == b"Canister trapped: unreachable"
    assert certificate.find(*path, b"error_code") == b"IC0502"
    assert certificate.find(*path, b"reply") == "absent"


def test_an_async_call_is_polled_for(agent: Agent, replica: FakeReplica) -> None:
    content = agent.call_content(COUNTER, "increment")
    path = [b"request_status", value_hash(content)]
    assert agent.read_state(COUNTER, [path], "v2").find(*path, b"status") == "absent"
    replica.hold(True)
    response = agent.send("call", content, COUNTER, "v2")
    assert (response.status_code, response.content) == (202, b"")
    assert agent.read_state(COUNTER, [path], "v2").find(*path, b"status") == b"received"
    replica.hold(False)
    agent.update(COUNTER, "increment")
    certificate = agent.read_state(COUNTER, [[*path, b"status"], [*path, b"reply"]], "v2")
    assert certificate.find(*path, b"status") == b"replied"
    assert certificate.find(*path, b"reply") == b"1"


def test_a_sync_call_that_takes_too_long_is_answered_202(clock: ManualClock) -> None:
    replica = FakeReplica(clock)
    replica.hold(True)
    with (
        Node.start(clock=clock, open_replica=lambda *_: replica, sync_call_timeout_s=0.05) as node,
        Agent(node.url, node.root_key, None, clock.now_ns) as agent,
    ):
        content = agent.call_content(COUNTER, "increment")
        response = agent.send("call", content, COUNTER, "v4")
        assert (response.status_code, response.content) == (202, b"")
        replica.hold(False)
        wait_for(node, content)
        path = [b"request_status", value_hash(content)]
        assert agent.read_state(COUNTER, [path]).find(*path, b"reply") == b"1"


@pytest.mark.parametrize("version", ["v2", "v3", "v4"])
def test_a_call_that_is_not_accepted_is_rejected_without_certificate(agent: Agent, version: str) -> None:
    unknown = canister_id(99)
    response = agent.send("call", agent.call_content(unknown, "x"), unknown, version)
    answer = decode(response.content)
    assert response.status_code == 200
    assert answer.pop("status", None) == (None if version == "v2" else "non_replicated_rejection")
    assert answer == {"reject_code": 3, "reject_message": "Canister not found", "error_code": "IC0301"}


def test_sending_a_call_twice_executes_it_once(agent: Agent, replica: FakeReplica) -> None:
    content = agent.call_content(COUNTER, "increment")
    first, second = (agent.send("call", content, COUNTER, "v4") for _ in range(2))
    path = (b"request_status", value_hash(content), b"reply")
    for response in (first, second):
        certificate = decode(response.content)["certificate"]
        assert open_certificate(certificate, agent.root_key).find(*path) == b"1"
    assert replica.counter == 1


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_query_answers_are_signed_by_the_node(agent: Agent, version: str) -> None:
    agent.update(COUNTER, "increment")
    assert agent.query(COUNTER, "get", version=version)["reply"] == {"arg": b"1"}
    rejected = agent.query(COUNTER, "nothing", version=version)
    assert (rejected["status"], rejected["reject_code"], rejected["error_code"]) == ("rejected", 3, "IC0536")


def test_a_query_sees_a_certificate_of_the_latest_certified_data(agent: Agent) -> None:
    for expected in (b"1", b"2"):
        agent.update(COUNTER, "increment")
        data = agent.query(COUNTER, "certificate")["reply"]["arg"]
        certificate = open_certificate(data, agent.root_key)
        assert certificate.find(b"canister", COUNTER, b"certified_data") == expected
        assert isinstance(certificate.find(b"time"), bytes)


def test_anonymous_requests_with_null_keys_and_without_tag_are_accepted(anonymous: Agent) -> None:
    envelope = {
        "content": anonymous.call_content(COUNTER, "caller", kind="query"),
        "sender_pubkey": None,
        "sender_sig": None,
    }
    response = anonymous.post(f"/api/v2/canister/{principal_text(COUNTER)}/query", envelope, tagged=False)
    assert decode(response.content)["reply"] == {"arg": b"\x04"}


def test_anonymous_queries_and_reads_may_carry_any_expiry(anonymous: Agent) -> None:
    query = anonymous.call_content(COUNTER, "get", kind="query", ingress_expiry=0)
    assert anonymous.send("query", query, COUNTER, "v3").status_code == 200
    read = anonymous.content("read_state", paths=[[b"time"]], ingress_expiry=2**64 - 1)
    assert anonymous.send("read_state", read, COUNTER, "v3").status_code == 200


def test_the_subnet_and_its_ranges_can_be_read(node: Node, agent: Agent) -> None:
    subnet, nodeid = node.keys.subnet_id, node.keys.node_id
    certificate = agent.read_state(COUNTER, [[b"subnet"]])
    assert certificate.find(b"subnet", subnet, b"public_key") == node.root_key
    assert certificate.find(b"subnet", subnet, b"type") == b"application"
    key = certificate.find(b"subnet", subnet, b"node", nodeid, b"public_key")
    assert key == node.keys.node_public_key and len(key) == 44
    ranges = certificate.find(b"subnet", subnet, b"canister_ranges")
    sharded = agent.read_state(subnet, [[b"canister_ranges", subnet]], scope="subnet")
    shard = sharded.find(b"canister_ranges", subnet, canister_id(0))
    assert isinstance(ranges, bytes) and ranges == shard
    assert decode(ranges) == [[canister_id(0), canister_id(2**64 - 1)]]


def test_canister_information_can_be_read(agent: Agent) -> None:
    base = [b"canister", COUNTER]
    fields = [[b"module_hash"], [b"controllers"], [b"metadata", b"candid:service"], [b"metadata", b"zzz"]]
    certificate = agent.read_state(COUNTER, [[*base, *path] for path in fields])
    module_hash, controllers, candid, missing = (certificate.find(*base, *path) for path in fields)
    assert isinstance(module_hash, bytes) and len(module_hash) == 32
    assert isinstance(controllers, bytes) and decode(controllers) == [CONTROLLER]
    assert (candid, missing) == (b"service : {}", "absent")
    assert certificate.find(*base, b"metadata", b"secret") == "unknown"


def test_a_canister_that_does_not_exist_is_proved_absent(agent: Agent) -> None:
    unknown = canister_id(99)
    certificate = agent.read_state(unknown, [[b"canister", unknown, b"module_hash"]])
    assert certificate.find(b"canister", unknown, b"module_hash") == "absent"


def test_time_in_certificates_follows_the_clock(agent: Agent, clock: ManualClock) -> None:
    before = agent.read_state(COUNTER, [[b"time"]]).find(b"time")
    clock.now += 1_000_000_000
    assert agent.read_state(COUNTER, [[b"time"]]).find(b"time") != before


def test_the_server_answers_while_a_canister_runs_long(
    node: Node, agent: Agent, replica: FakeReplica
) -> None:
    replica.blocked = threading.Event()
    try:
        content = agent.call_content(COUNTER, "increment")
        assert agent.send("call", content, COUNTER, "v2").status_code == 202
        assert agent.http.get("/api/v2/status").status_code == 200
    finally:
        replica.blocked.set()
    wait_for(node, content)
    path = [b"request_status", value_hash(content)]
    assert agent.read_state(COUNTER, [path]).find(*path, b"reply") == b"1"


def test_preflights_and_cross_origin_posts_are_allowed(node: Node, anonymous: Agent) -> None:
    origin = f"http://{principal_text(COUNTER)}.localhost:{node.port}"
    preflight = anonymous.http.options(
        f"/api/v4/canister/{principal_text(COUNTER)}/call",
        headers={
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type",
        },
    )
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "content-type" in preflight.headers["access-control-allow-headers"].lower()
    status = anonymous.http.get("/api/v2/status", headers={"origin": origin})
    assert status.headers["access-control-allow-origin"] == "*"
