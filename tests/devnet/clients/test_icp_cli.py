"""The node before the unmodified `icp` command line, which verifies certificates and query signatures."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from devnet.node import Node
from devnet.principal import principal_text
from tests.devnet import whoami
from tests.devnet.agent import Agent, Identity
from tests.devnet.clients.icp_cli import Icp

# Controls the canister; `alice` is a stranger whose key the command line makes itself.
BOB = ed25519.Ed25519PrivateKey.from_private_bytes(b"bob!" * 8)


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with Node.start() as node:
        yield node


@pytest.fixture(scope="module")
def icp(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Icp:
    """The command line in a project that names the node, with two identities."""
    icp = Icp(tmp_path_factory.mktemp("project"), ("--network", "local"))
    (icp.project / "icp.yaml").write_text(
        "networks:\n  - name: local\n    mode: connected\n"
        f'    url: "{node.url}"\n    root-key: fetch\ncanisters: []\n'
    )
    icp.new_identity("alice")
    icp.import_identity("bob", BOB)
    return icp


@pytest.fixture(scope="module")
def canister(node: Node) -> str:
    with Agent(node.url, node.root_key, Identity.of(BOB)) as agent:
        return principal_text(whoami.deploy(agent))


def test_update_calls_come_from_its_identity(icp: Icp, canister: str) -> None:
    alice = icp.principal("alice")
    assert icp("canister", "call", canister, "caller", "()", identity="alice") == f'(principal "{alice}")'
    assert icp("canister", "call", canister, "who", "()", "--query", identity="alice") == (
        f'(principal "{alice}")'
    )


def test_updates_are_seen_by_queries(icp: Icp, canister: str) -> None:
    first = icp("canister", "call", canister, "bump", "()")
    assert icp("canister", "call", canister, "count", "()", "--query") == first
    assert icp("canister", "call", canister, "bump", "()") != first


def test_a_trap_is_reported_with_its_code(icp: Icp, canister: str) -> None:
    assert "CanisterError" in icp.fails("canister", "call", canister, "fail", "()")


def test_metadata_is_read_from_the_state_tree(icp: Icp, canister: str) -> None:
    assert icp("canister", "metadata", canister, "candid:service") == whoami.INTERFACE


def test_a_stranger_sees_the_public_status(icp: Icp, canister: str) -> None:
    status = icp.json("canister", "status", canister, "--public", identity="alice")
    assert status["module_hash"].removeprefix("0x") == hashlib.sha256(whoami.module()).hexdigest()


def test_a_controller_sees_the_whole_status(icp: Icp, canister: str) -> None:
    """The command line decodes `canister_status` strictly, so every field it wants must be there."""
    status = icp.json("canister", "status", canister, identity="bob")
    assert status["status"].lower() == "running"
    assert "memory_size" in status


def test_a_controller_installs_stops_and_starts(icp: Icp, canister: str, tmp_path: Path) -> None:
    module = tmp_path / "whoami.wasm"
    module.write_bytes(whoami.module())
    icp("canister", "call", canister, "bump", "()")
    install = ("canister", "install", canister, "--mode", "reinstall", "--yes", "--wasm", str(module))
    icp(*install, "--args", "()", identity="bob")
    assert icp("canister", "call", canister, "count", "()", "--query") == "(0 : nat32)"
    icp("canister", "stop", canister, identity="bob")
    assert "is stopped" in icp.fails("canister", "call", canister, "bump", "()")
    icp("canister", "start", canister, identity="bob")
    assert icp("canister", "call", canister, "bump", "()") == "(1 : nat32)"


def test_a_stranger_cannot_install(icp: Icp, canister: str, tmp_path: Path) -> None:
    module = tmp_path / "whoami.wasm"
    module.write_bytes(whoami.module())
    install = ("canister", "install", canister, "--mode", "reinstall", "--yes", "--wasm", str(module))
    assert "controller" in icp.fails(*install, "--args", "()", identity="alice")
