"""The node before ic-py, unmodified, in an environment of its own: version 2 of everything, and polling."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from devnet.node import Node
from devnet.principal import principal_text
from tests.devnet import agent as own
from tests.devnet import whoami
from tests.devnet.clients.python_packages import HERE, install

TIMEOUT_S = 60
HOUR_NS = 3_600 * 10**9


@pytest.fixture(scope="module")
def packages() -> Path:
    return install("ic_py")


@pytest.fixture
def network() -> Iterator[tuple[Node, bytes]]:
    """A node and a canister on it."""
    with Node.start() as node, own.Agent(node.url, node.root_key) as agent:
        yield node, whoami.deploy(agent)


def answers(packages: Path, node: Node, canister: bytes, identity: Any) -> dict[str, Any]:
    """What `ic_py/calls.py` got."""
    asked = {
        "url": node.url,
        "canister": principal_text(canister),
        "interface": whoami.INTERFACE,
        "subnet": principal_text(node.keys.subnet_id),
        "identity": identity,
    }
    result = subprocess.run(
        [sys.executable, "-s", str(HERE / "ic_py" / "calls.py")],
        input=json.dumps(asked),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(packages), "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    decoded: dict[str, Any] = json.loads(result.stdout)
    return decoded


def delegated(now: int) -> tuple[list[str], bytes]:
    """The texts of a delegated identity, as web pages store them, and its principal."""
    root, session = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    expiration = now + HOUR_NS
    link = own.delegate(root, own.der(session), expiration)
    delegation = {"expiration": f"{expiration:x}", "pubkey": own.der(session).hex()}
    chain = {
        "delegations": [{"delegation": delegation, "signature": link["signature"].hex()}],
        "publicKey": own.der(root).hex(),
    }
    texts = [json.dumps([own.der(session).hex(), session.private_bytes_raw().hex()]), json.dumps(chain)]
    return texts, own.Identity.of(root).principal


@pytest.mark.parametrize("kind", ["anonymous", "ed25519", "secp256k1"])
def test_it_does_what_its_agent_can(packages: Path, network: tuple[Node, bytes], kind: str) -> None:
    node, canister = network
    found = answers(packages, node, canister, kind)
    assert found["query"] == found["update"] == found["sender"]
    assert (found["sender"] == "2vxsx-fae") == (kind == "anonymous")
    assert found["bumps"] == [1, 2]
    assert found["rejected"].startswith("Rejected: ")
    assert "nothing" in found["missing"]
    assert found["created"] != principal_text(canister) and found["created"].endswith("-cai")
    assert abs(found["time"] - time.time_ns()) < HOUR_NS
    assert found["module_hash"] == hashlib.sha256(whoami.module()).hexdigest()
    assert found["controllers"] == ["2vxsx-fae"]
    assert bytes.fromhex(found["subnet_key"]) == node.root_key
    assert found["ranges"] == 1


def test_it_calls_by_a_delegation(packages: Path, network: tuple[Node, bytes]) -> None:
    texts, principal = delegated(time.time_ns())
    found = answers(packages, *network, texts)
    assert found["query"] == found["update"] == found["sender"] == principal_text(principal)


def test_it_gets_through_to_a_network_whose_time_was_set_forward(
    packages: Path, network: tuple[Node, bytes]
) -> None:
    node, canister = network
    node.advance(48 * HOUR_NS)
    assert answers(packages, node, canister, "ed25519")["bumps"] == [1, 2]
