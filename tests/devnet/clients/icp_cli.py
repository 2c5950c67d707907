"""Runs the unmodified `icp` command line in a project folder and a home of its own."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.devnet.clients.npm_packages import install

ROOT = Path(__file__).parents[3]
RUN_TIMEOUT_S = 60


class Icp:
    """The command line in one project. Flags of `common` are added to every command but those of `run`."""

    def __init__(self, project: Path, common: tuple[str, ...] = ()) -> None:
        if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
            pytest.skip("the pinned icp command line is built for Linux on x86-64")
        self.program = install("icp") / "node_modules/@icp-sdk/icp-cli-linux-x64/bin/icp"
        self.project = project
        self.common = common
        project.mkdir(parents=True, exist_ok=True)
        self.environment = {
            "HOME": str(project / "home"),
            "PATH": os.environ["PATH"],
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),
            "DO_NOT_TRACK": "1",
            "ICP_CLI_NETWORK_LAUNCHER_PATH": str(_launcher(project)),
        }

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """One command, exactly as given."""
        return subprocess.run(
            [str(self.program), *arguments],
            cwd=self.project,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )

    def __call__(self, *arguments: str, identity: str | None = None) -> str:
        """What a command that must succeed prints."""
        result = self.run(*arguments, *self._flags(identity))
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()

    def json(self, *arguments: str, identity: str | None = None) -> Any:
        """What a command that must succeed prints with `--json`."""
        return json.loads(self(*arguments, "--json", identity=identity))

    def fails(self, *arguments: str, identity: str | None = None) -> str:
        """The error of a command that must fail, without its stack backtrace."""
        result = self.run(*arguments, *self._flags(identity))
        assert result.returncode != 0, result.stdout
        return result.stderr.split("Stack backtrace:")[0]

    def new_identity(self, name: str) -> str:
        """Make an identity; returns its principal."""
        made = self.run("identity", "new", name, "--storage", "plaintext")
        assert made.returncode == 0, made.stderr
        return self.principal(name)

    def import_identity(self, name: str, key: ed25519.Ed25519PrivateKey) -> str:
        """Import a key as an identity; returns its principal."""
        pem = self.project / f"{name}.pem"
        pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        made = self.run("identity", "import", name, "--storage", "plaintext", "--from-pem", str(pem))
        assert made.returncode == 0, made.stderr
        return self.principal(name)

    def principal(self, name: str) -> str:
        shown = self.run("identity", "principal", "--identity", name)
        assert shown.returncode == 0, shown.stderr
        return shown.stdout.strip()

    def _flags(self, identity: str | None) -> list[str]:
        return [*self.common, *(["--identity", identity] if identity else [])]


def _launcher(project: Path) -> Path:
    """What the installed `leasehold-network-launcher` does, with this Python and these sources."""
    path = project / "launcher"
    path.write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -W error -m devnet.launcher "$@"\n'
    )
    path.chmod(0o755)
    return path
