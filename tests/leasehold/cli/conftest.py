"""The command line against our canisters' own code, without a network."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from leasehold.agent import Agent, Identity
from leasehold.cli import main
from leasehold.identities import IdentityStore
from leasehold.network import Network
from tests.leasehold.world import World


@dataclass
class Shell:
    """Runs commands as a person would type them.

    Args:
        folder: the current project's `.leasehold`.
    """

    folder: Path

    def run(self, *arguments: str | Path, code: int = 0, answer: str | None = None) -> Result:
        """Run a command and check its exit code."""
        result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=answer)
        assert result.exit_code == code, f"{arguments}: {result.output}"
        assert "Traceback" not in result.output
        return result

    def json(self, *arguments: str | Path, identity: str | None = None) -> Any:
        """The JSON object that a command prints."""
        who = ("--identity", identity) if identity else ()
        return json.loads(self.run(*arguments, "--json", "-y", *who).stdout)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell without any network, identity or setting of the person who runs the tests."""
    folder = tmp_path / "project"
    for name in ("LEASEHOLD_IDENTITY", "LEASEHOLD_NETWORK", "LEASEHOLD_ROOT_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LEASEHOLD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LEASEHOLD_FOLDER", str(folder))
    monkeypatch.setenv("COLUMNS", "200")
    return Shell(folder)


@pytest.fixture
def world(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> World:
    """Canisters that the shell reaches; the deployer's identity is `deployer`."""
    world = World(tmp_path / "world")
    world.folder.mkdir()
    IdentityStore().save("deployer", world.deployer)
    monkeypatch.setenv("LEASEHOLD_NETWORK", world.network.url)
    Network(world.network.url, {}, folder=shell.folder).with_canisters(world.network.canisters)

    def agent(network: Network, identity: Identity = Identity.ANONYMOUS) -> Agent:
        return world.node.agent(identity)

    monkeypatch.setattr(Network, "agent", agent)
    # The marketplace takes only deposits of its own present.
    monkeypatch.setattr("time.time_ns", lambda: world.canisters["marketplace"].system.now)
    return world


@pytest.fixture
def person(world: World, shell: Shell) -> Callable[[str, int], str]:
    """Makes somebody with tokens on the ledger; answers the principal."""

    def make(name: str, tokens: int) -> str:
        principal = shell.run("identity", "new", name, "-q").stdout.strip()
        if tokens:
            shell.run("token", "mint", str(tokens), "--to", principal, "--identity", "deployer", "-y")
        return principal

    return make
