"""A node whose time is moved: what is due happens, and clients that go by another clock still get through."""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction

import httpx
import pytest
import wasmtime
from icp_candid import Types, decode

from devnet.node import Node
from devnet.principal import MANAGEMENT_CANISTER, canister_id
from tests.devnet import whoami
from tests.devnet.agent import Agent, value_hash
from tests.devnet.agent import decode as decode_cbor
from tests.devnet.replica.test_timers import TIMED, at
from tests.devnet.replica.wat import number

HOUR_NS = 3_600 * 10**9
PATIENCE_S = 20


@pytest.fixture
def node() -> Iterator[Node]:
    with Node.start() as node:
        yield node


def deploy_timed(agent: Agent) -> bytes:
    created = agent.update(
        MANAGEMENT_CANISTER,
        "provisional_create_canister_with_cycles",
        whoami.record(whoami.CREATE, amount=[10**15]),
        canister_id(0),
    )
    canister = bytes(decode(created, Types.Record(whoami.CANISTER))[0]["value"]["canister_id"].bytes)
    module = bytes(wasmtime.wat2wasm(TIMED))
    agent.update(MANAGEMENT_CANISTER, "install_code", whoami.install_argument(canister, module), canister)
    return canister


def fired(agent: Agent, canister: bytes) -> int:
    return number(agent.query(canister, "fired")["reply"]["arg"])


def post(node: Node, **options: object) -> httpx.Response:
    return httpx.post(f"{node.url}/_/time", trust_env=False, **options)  # type: ignore[arg-type]


def certified_time(agent: Agent) -> int:
    encoded = agent.read_state(canister_id(0), [[b"time"]]).find(b"time")
    assert isinstance(encoded, bytes)
    return sum((byte & 0x7F) << 7 * place for place, byte in enumerate(encoded))


def test_what_becomes_due_has_happened_when_the_call_returns(node: Node) -> None:
    with Agent(node.url, node.root_key) as agent:
        canister = deploy_timed(agent)
        agent.update(canister, "set", at(node.now_ns() + HOUR_NS))
        node.advance(HOUR_NS // 2)
        assert fired(agent, canister) == 0
        answer = post(node, json={"advance_ns": str(HOUR_NS // 2)})
        assert answer.status_code == 200
        assert fired(agent, canister) == 1
        assert int(answer.json()["time_ns"]) >= time.time_ns() + HOUR_NS // 2
        assert certified_time(agent) >= int(answer.json()["time_ns"])
        shown = httpx.get(f"{node.url}/_/time", trust_env=False).json()
        assert shown["speed"] == "1" and int(shown["time_ns"]) >= certified_time(agent) - 10**9


def test_clients_may_go_by_the_machines_clock_or_by_the_networks(node: Node) -> None:
    with Agent(node.url, node.root_key) as by_machine:
        canister = deploy_timed(by_machine)
        node.advance(24 * HOUR_NS)
        by_machine.update(canister, "set", at(0))
        assert fired(by_machine, canister) == 0
        with Agent(node.url, node.root_key, now=node.now_ns) as by_network:
            by_network.update(canister, "set", at(0))
        with Agent(node.url, node.root_key, now=lambda: time.time_ns() + HOUR_NS) as once_synchronised:
            once_synchronised.update(canister, "set", at(0))


@pytest.mark.parametrize("off_ns", [-HOUR_NS, 25 * HOUR_NS])
def test_an_expiry_that_fits_no_clock_is_refused_in_words_clients_know(node: Node, off_ns: int) -> None:
    node.advance(24 * HOUR_NS)
    with Agent(node.url, node.root_key, now=lambda: time.time_ns() + off_ns) as agent:
        content = agent.call_content(canister_id(0), "anything")
        refused = agent.send("call", content, canister_id(0), "v4")
    assert refused.status_code == 400
    assert refused.text.startswith("Invalid request expiry: ")


def test_requests_and_their_answers_outlive_a_leap(node: Node) -> None:
    """Their senders have not waited, so they must still find the answer, and not execute a request twice."""
    with Agent(node.url, node.root_key) as agent:
        canister = whoami.deploy(agent)
        content = agent.call_content(canister, "bump")
        assert agent.send("call", content, canister, "v4").status_code == 200
        node.advance(30 * 24 * HOUR_NS)
        path = (b"request_status", value_hash(content))
        assert agent.read_state(canister, [list(path)]).find(*path, b"status") == b"replied"
        again = agent.send("call", content, canister, "v4")
        assert decode_cbor(again.content)["status"] == "replied"
        assert number(agent.query(canister, "count")["reply"]["arg"][7:]) == 1


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"json": {"advance_ns": "-1"}}, 400),
        ({"json": {"advance_ns": -1}}, 400),
        ({"json": {"advance_ns": str(2**63)}}, 400),
        ({"json": {"advance_ns": 1.5}}, 400),
        ({"json": {"advance_ns": True}}, 400),
        ({"json": {"advance_ns": "1", "other": 1}}, 400),
        ({"json": []}, 400),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400),
        ({"content": b" " * 2_000, "headers": {"content-type": "application/json"}}, 400),
        ({"content": b'{"advance_ns": "1"}', "headers": {"content-type": "text/plain"}}, 403),
        ({"json": {"advance_ns": "1"}, "headers": {"host": "attacker.example"}}, 403),
    ],
)
def test_time_is_moved_by_nothing_else(node: Node, options: dict[str, object], status: int) -> None:
    """Neither backwards, nor by a malformed request, nor by another site's page."""
    before = node.now_ns() - time.time_ns()
    assert post(node, **options).status_code == status
    assert abs(node.now_ns() - time.time_ns() - before) < HOUR_NS


def test_a_page_gets_no_leave_to_move_time(node: Node) -> None:
    preflight = httpx.options(
        f"{node.url}/_/time",
        headers={"origin": "http://attacker.example", "access-control-request-method": "POST",
                 "access-control-request-headers": "content-type"},
        trust_env=False,
    )  # fmt: skip
    assert "access-control-allow-origin" not in preflight.headers


def test_a_fast_network_reaches_its_timers_sooner() -> None:
    with Node.start(speed=Fraction(3_600)) as node, Agent(node.url, node.root_key) as agent:
        canister = deploy_timed(agent)
        agent.update(canister, "set", at(node.now_ns() + HOUR_NS // 10))
        deadline = time.monotonic() + PATIENCE_S
        while not fired(agent, canister):
            assert time.monotonic() < deadline, "six minutes at 3,600 times the speed never passed"
