"""The node before the unmodified `icp` command line, which verifies certificates and query signatures."""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from devnet.node import Node
from devnet.principal import principal_text
from tests.devnet import whoami
from tests.devnet.agent import Agent, Identity
from tests.devnet.clients.npm_packages import install

RUN_TIMEOUT_S = 60
# Controls the canister; `alice` is a stranger whose key the command line makes itself.
BOB = ed25519.Ed25519PrivateKey.from_private_bytes(b"bob!" * 8)

Icp = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with Node.start() as node:
        yield node


@pytest.fixture(scope="module")
def icp(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Icp:
    """Runs `icp` in a project that names the node, with a home of its own and two identities."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("the pinned icp command line is built for Linux on x86-64")
    program = install("icp") / "node_modules/@icp-sdk/icp-cli-linux-x64/bin/icp"
    project = tmp_path_factory.mktemp("project")
    (project / "icp.yaml").write_text(
        "networks:\n  - name: local\n    mode: connected\n"
        f'    url: "{node.url}"\n    root-key: fetch\ncanisters: []\n'
    )
    environment = {"HOME": str(project / "home"), "PATH": os.environ["PATH"], "DO_NOT_TRACK": "1"}

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(program), *arguments],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )

    (project / "bob.pem").write_bytes(BOB.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for made in (
        run("identity", "new", "alice", "--storage", "plaintext"),
        run("identity", "import", "bob", "--storage", "plaintext", "--from-pem", "bob.pem"),
    ):
        assert made.returncode == 0, made.stderr
    return run


@pytest.fixture(scope="module")
def canister(node: Node) -> str:
    with Agent(node.url, node.root_key, Identity.of(BOB)) as agent:
        return principal_text(whoami.deploy(agent))


def output(icp: Icp, *arguments: str, identity: str = "alice") -> str:
    result = icp(*arguments, "--network", "local", "--identity", identity)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_update_calls_come_from_its_identity(icp: Icp, canister: str) -> None:
    alice = icp("identity", "principal", "--identity", "alice").stdout.strip()
    assert output(icp, "canister", "call", canister, "caller", "()") == f'(principal "{alice}")'
    assert output(icp, "canister", "call", canister, "who", "()", "--query") == f'(principal "{alice}")'


def test_updates_are_seen_by_queries(icp: Icp, canister: str) -> None:
    first = output(icp, "canister", "call", canister, "bump", "()")
    assert output(icp, "canister", "call", canister, "count", "()", "--query") == first
    assert output(icp, "canister", "call", canister, "bump", "()") != first


def test_a_trap_is_reported_with_its_code(icp: Icp, canister: str) -> None:
    result = icp("canister", "call", canister, "fail", "()", "--network", "local")
    assert result.returncode != 0
    assert "CanisterError" in result.stderr


def test_metadata_is_read_from_the_state_tree(icp: Icp, canister: str) -> None:
    assert output(icp, "canister", "metadata", canister, "candid:service") == whoami.INTERFACE


def test_a_stranger_sees_the_public_status(icp: Icp, canister: str) -> None:
    status = json.loads(output(icp, "canister", "status", canister, "--public", "--json"))
    assert status["module_hash"].removeprefix("0x") == hashlib.sha256(whoami.module()).hexdigest()


def test_a_controller_sees_the_whole_status(icp: Icp, canister: str) -> None:
    """The command line decodes `canister_status` strictly, so every field it wants must be there."""
    status = json.loads(output(icp, "canister", "status", canister, "--json", identity="bob"))
    assert status["status"].lower() == "running"
    assert "memory_size" in status


def test_a_controller_installs_stops_and_starts(icp: Icp, canister: str, tmp_path: Path) -> None:
    module = tmp_path / "whoami.wasm"
    module.write_bytes(whoami.module())
    output(icp, "canister", "call", canister, "bump", "()")
    install = ("canister", "install", canister, "--mode", "reinstall", "--yes", "--wasm", str(module))
    output(icp, *install, "--args", "()", identity="bob")
    assert output(icp, "canister", "call", canister, "count", "()", "--query") == "(0 : nat32)"
    output(icp, "canister", "stop", canister, identity="bob")
    assert icp("canister", "call", canister, "bump", "()", "--network", "local").returncode != 0
    output(icp, "canister", "start", canister, identity="bob")
    assert output(icp, "canister", "call", canister, "bump", "()") == "(1 : nat32)"


def test_a_stranger_cannot_install(icp: Icp, canister: str, tmp_path: Path) -> None:
    module = tmp_path / "whoami.wasm"
    module.write_bytes(whoami.module())
    install = ("canister", "install", canister, "--mode", "reinstall", "--yes", "--wasm", str(module))
    result = icp(*install, "--args", "()", "--network", "local", "--identity", "alice")
    assert result.returncode != 0
    assert "controller" in result.stderr
