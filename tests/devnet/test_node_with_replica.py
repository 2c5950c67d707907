"""The whole node: a Wasm canister behind the HTTP interface."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from devnet.node import Node
from devnet.principal import MANAGEMENT_CANISTER, canister_id
from tests.devnet import whoami
from tests.devnet.agent import Agent, Identity, decode, open_certificate, value_hash


def fresh() -> Identity:
    return Identity.of(ed25519.Ed25519PrivateKey.generate())


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with Node.start() as node:
        yield node


@pytest.fixture(scope="module")
def agent(node: Node) -> Iterator[Agent]:
    with Agent(node.url, node.root_key, fresh()) as agent:
        yield agent


@pytest.fixture(scope="module")
def canister(agent: Agent) -> bytes:
    return whoami.deploy(agent)


def count(data: bytes) -> int:
    assert data.startswith(b"DIDL\x00\x01\x79")
    return int.from_bytes(data[7:], "little")


def test_updates_and_queries_run_in_the_canister(agent: Agent, canister: bytes) -> None:
    before = count(agent.query(canister, "count")["reply"]["arg"])
    assert count(agent.update(canister, "bump")) == before + 1
    assert count(agent.query(canister, "count")["reply"]["arg"]) == before + 1
    assert agent.update(canister, "caller").endswith(agent.sender)


def test_a_query_may_be_called_as_an_update(agent: Agent, canister: bytes) -> None:
    assert agent.update(canister, "who").endswith(agent.sender)


def test_certified_data_is_in_the_certificate_that_a_query_sees(agent: Agent, canister: bytes) -> None:
    number = count(agent.update(canister, "bump"))
    data = agent.query(canister, "certificate")["reply"]["arg"]
    certificate = open_certificate(data, agent.root_key)
    assert certificate.find(b"canister", canister, b"certified_data") == number.to_bytes(4, "little")


def test_a_trap_is_a_certified_reject(agent: Agent, canister: bytes) -> None:
    content = agent.call_content(canister, "fail")
    answer = decode(agent.send("call", content, canister, "v4").content)
    certificate = open_certificate(answer["certificate"], agent.root_key)
    path = (b"request_status", value_hash(content))
    assert certificate.find(*path, b"status") == b"rejected"
    assert certificate.find(*path, b"reject_code") == b"\x05"


def test_the_tree_shows_the_installed_module(agent: Agent, canister: bytes) -> None:
    base = [b"canister", canister]
    paths = [[*base, b"module_hash"], [*base, b"controllers"], [*base, b"metadata", b"candid:service"]]
    certificate = agent.read_state(canister, paths)
    module_hash, controllers, candid = (certificate.find(*path) for path in paths)
    assert isinstance(module_hash, bytes) and len(module_hash) == 32
    assert isinstance(controllers, bytes) and decode(controllers) == [agent.sender]
    assert candid == whoami.INTERFACE.encode()


@pytest.mark.parametrize("version", ["v2", "v4"])
def test_a_canister_that_does_not_exist_is_refused_without_certificate(agent: Agent, version: str) -> None:
    unknown = canister_id(2**40)
    answer = decode(agent.send("call", agent.call_content(unknown, "x"), unknown, version).content)
    assert (answer["reject_code"], answer["error_code"]) == (3, "IC0301")
    query = agent.query(unknown, "x")
    assert (query["status"], query["reject_code"]) == ("rejected", 3)


def test_only_controllers_install_code(node: Node, canister: bytes) -> None:
    with Agent(node.url, node.root_key, fresh()) as stranger:
        argument = whoami.install_argument(canister, whoami.module())
        content = stranger.call_content(MANAGEMENT_CANISTER, "install_code", argument)
        answer = decode(stranger.send("call", content, canister, "v4").content)
    assert answer["status"] == "non_replicated_rejection"


def test_a_management_call_must_name_its_canister_in_the_url(agent: Agent, canister: bytes) -> None:
    argument = whoami.canister_argument(canister)
    content = agent.call_content(MANAGEMENT_CANISTER, "stop_canister", argument)
    response = agent.send("call", content, canister_id(2**40), "v4")
    assert response.status_code == 400
    assert "does not match effective canister id" in response.text


def test_many_clients_at_once_are_all_answered(node: Node, canister: bytes) -> None:
    def work(_: int) -> list[bool]:
        with Agent(node.url, node.root_key, fresh()) as agent:
            return [agent.update(canister, "caller")[-29:] == agent.sender for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        assert all(all(answers) for answers in pool.map(work, range(8)))


def test_a_restarted_node_has_its_canisters(tmp_path: Path) -> None:
    identity = fresh()
    with Node.start(state_dir=tmp_path) as node, Agent(node.url, node.root_key, identity) as agent:
        canister = whoami.deploy(agent)
        number = count(agent.update(canister, "bump"))
    with Node.start(state_dir=tmp_path) as node, Agent(node.url, node.root_key, identity) as agent:
        assert count(agent.query(canister, "count")["reply"]["arg"]) == number
        assert count(agent.update(canister, "bump")) == number + 1
