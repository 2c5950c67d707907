"""Unmodified clients on a network whose time is ahead of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devnet.node import Node
from devnet.principal import principal_text
from tests.devnet import whoami
from tests.devnet.agent import Agent
from tests.devnet.clients.icp_cli import Icp
from tests.devnet.clients.test_javascript import runner

HOUR_NS = 3_600 * 10**9


@pytest.fixture
def network() -> Iterator[tuple[Node, str]]:
    """A node and a canister on it."""
    with Node.start() as node, Agent(node.url, node.root_key) as agent:
        yield node, principal_text(whoami.deploy(agent))


@pytest.mark.parametrize("packages", ["js", "js6"], ids=["core-5.4", "core-6.1"])
def test_pages_go_on_and_only_their_sessions_expire(packages: str, network: tuple[Node, str]) -> None:
    node, canister = network
    given = {"url": node.url, "canister": canister, "by": str(48 * HOUR_NS)}
    answer = runner(packages)("moved_time.mjs", given)
    assert answer["before"] == [[1, 1], [2, 2]]
    assert (answer["status"], answer["after"]) == (200, [[3, 3], [4, 4]])
    assert "Invalid delegation expiry" in answer["expired"]


def test_the_icp_command_line_needs_no_clock_of_its_own(network: tuple[Node, str], tmp_path: Path) -> None:
    node, canister = network
    icp = Icp(tmp_path, ("--network", "local"))
    (icp.project / "icp.yaml").write_text(
        "networks:\n  - name: local\n    mode: connected\n"
        f'    url: "{node.url}"\n    root-key: fetch\ncanisters: []\n'
    )
    alice = icp.new_identity("alice")
    node.advance(48 * HOUR_NS)
    assert icp("canister", "call", canister, "caller", "()", identity="alice") == f'(principal "{alice}")'
    assert icp("canister", "call", canister, "count", "()", "--query", identity="alice") == "(0 : nat32)"
    assert icp("canister", "metadata", canister, "candid:service") == whoami.INTERFACE
