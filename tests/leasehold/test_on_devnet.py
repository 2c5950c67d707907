"""The agent and the deployer against a real local node, with small modules written by hand."""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import wasmtime

from leasehold.agent import ALGORITHMS, Agent, Identity, Principal, RejectedError
from leasehold.errors import ConfigurationError
from leasehold.management import MAX_INSTALL_BYTES, Management
from leasehold.network import Network
from leasehold.roles.deployer import deploy
from tests.network import CanisterNetwork, open_network

# Answers the caller's principal followed by the argument, to updates and queries alike.
ECHO = """
(module
  (import "ic0" "msg_arg_data_size" (func $arg_size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg_copy (param i32 i32 i32)))
  (import "ic0" "msg_caller_size" (func $caller_size (result i32)))
  (import "ic0" "msg_caller_copy" (func $caller_copy (param i32 i32 i32)))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (memory 40)
  (func $echo
    (call $caller_copy (i32.const 0) (i32.const 0) (call $caller_size))
    (call $append (i32.const 0) (call $caller_size))
    (call $arg_copy (i32.const 64) (i32.const 0) (call $arg_size))
    (call $append (i32.const 64) (call $arg_size))
    (call $reply))
  (func $trap unreachable)
  (export "canister_update echo" (func $echo))
  (export "canister_query peek" (func $echo))
  (export "canister_update trap" (func $trap))
  (@custom "icp:public candid:service" "service : {}")
  (@custom "padding" "%s"))
"""


def module(padding: int = 0, letter: str = "x") -> bytes:
    return bytes(wasmtime.wat2wasm(ECHO % (letter * padding)))


@pytest.fixture(scope="module")
def node() -> Iterator[CanisterNetwork]:
    with open_network() as network:
        yield network


@pytest.fixture
def agent(node: CanisterNetwork) -> Iterator[Agent]:
    with Agent(node.url, Identity.generate(), node.root_key) as opened:
        yield opened


@pytest.fixture
def echo(agent: Agent) -> Principal:
    management = Management(agent)
    canister = management.create()
    management.install(canister, module())
    return canister


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_calls_and_queries_are_authenticated_and_verified(
    agent: Agent, echo: Principal, algorithm: str
) -> None:
    somebody = agent.with_identity(Identity.generate(algorithm))
    expected = somebody.identity.principal.raw + b"hello"
    assert somebody.update(echo, "echo", b"hello") == expected
    assert somebody.query(echo, "peek", b"hello") == expected


def test_a_megabyte_goes_there_and_back(agent: Agent, echo: Principal) -> None:
    data = bytes(range(256)) * 4096
    assert agent.update(echo, "echo", data).endswith(data)
    assert agent.query(echo, "peek", data).endswith(data)


def test_rejections_are_told(agent: Agent, echo: Principal) -> None:
    with pytest.raises(RejectedError, match="trapped") as trapped:
        agent.update(echo, "trap", b"")
    assert trapped.value.code == 5
    with pytest.raises(RejectedError, match="nothing"):
        agent.query(echo, "nothing", b"")
    with pytest.raises(RejectedError, match="not found"):
        agent.update(Principal(b"\x00\x00\x00\x00\x00\x0f\xff\xff\x01\x01"), "echo", b"")


def test_state_is_read_with_a_certificate(agent: Agent, echo: Principal) -> None:
    assert agent.module_hash(echo) == hashlib.sha256(module()).digest()
    assert agent.metadata(echo, "candid:service") == b"service : {}"
    assert agent.metadata(echo, "nothing") is None


def test_many_threads_share_an_agent(agent: Agent, echo: Principal) -> None:
    def call(number: int) -> bytes:
        return agent.update(echo, "echo", b"%d" % number)

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(call, range(40)))
    assert replies == [agent.identity.principal.raw + b"%d" % number for number in range(40)]


def test_a_large_module_travels_in_chunks(agent: Agent) -> None:
    management = Management(agent)
    canister = management.create()
    large = module(MAX_INSTALL_BYTES)
    assert len(large) > MAX_INSTALL_BYTES
    seen: list[tuple[int, int]] = []
    management.install(canister, large, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(large), len(large))
    assert management.status(canister).module_hash == hashlib.sha256(large).digest()
    assert agent.query(canister, "peek", b"").startswith(agent.identity.principal.raw)


def test_deploying_again_upgrades_only_what_differs(node: CanisterNetwork, tmp_path: Path) -> None:
    identity = Identity.generate()
    network = Network(node.url, {}, node.root_key, folder=tmp_path)
    modules = {name: module(10, name[0]) for name in ("ledger", "vault", "marketplace")}

    network, first = deploy(network, identity, modules)
    assert [entry.action for entry in first] == ["installed"] * 3
    assert json.loads((tmp_path / "canisters.json").read_text())["local"] == dict(network.canisters)

    _, second = deploy(Network.load(node.url, tmp_path, {}), identity, modules)
    assert [entry.action for entry in second] == ["unchanged"] * 3

    modules["vault"] = module(11)
    _, third = deploy(network, identity, modules)
    assert [(entry.name, entry.action) for entry in third if entry.action != "unchanged"] == [
        ("vault", "upgraded")
    ]
    assert [entry.canister_id for entry in third] == [entry.canister_id for entry in first]
    with network.agent(identity) as agent:
        assert Management(agent).status(first[1].canister_id).status == "running"


def test_ids_that_a_fresh_network_does_not_know_are_replaced(node: CanisterNetwork, tmp_path: Path) -> None:
    stale = str(Principal(b"\x00\x00\x00\x00\x00\x0f\xff\xff\x01\x01"))
    network = Network(node.url, dict.fromkeys(("ledger", "vault", "marketplace"), stale), folder=tmp_path)
    modules = dict.fromkeys(("ledger", "vault", "marketplace"), module())
    network, deployed = deploy(network, Identity.generate(), modules)
    assert {entry.action for entry in deployed} == {"installed"}
    assert stale not in network.canisters.values()


def test_another_deployer_does_not_replace_the_canisters(node: CanisterNetwork, tmp_path: Path) -> None:
    modules = dict.fromkeys(("ledger", "vault", "marketplace"), module())
    network, _ = deploy(Network(node.url, {}, node.root_key, folder=tmp_path), Identity.generate(), modules)
    with pytest.raises(ConfigurationError, match=r"does not control canister .* --identity"):
        deploy(network, Identity.generate(), modules)


def test_a_missing_module_is_named(node: CanisterNetwork, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no module of vault, marketplace"):
        deploy(
            Network(node.url, {}, node.root_key, folder=tmp_path), Identity.generate(), {"ledger": module()}
        )
