"""`icp.yaml` and `dfx.json` build every canister through cdk."""

import hashlib
import json
import os
import platform
import subprocess
from pathlib import Path

import pytest

from cdk.build import build
from tests.devnet.clients.npm_packages import install

ROOT = Path(__file__).parents[2]
CANISTERS = sorted(path.parent.name for path in ROOT.glob("canisters/*/main.py"))


def test_dfx_builds_every_canister() -> None:
    described = json.loads((ROOT / "dfx.json").read_text())["canisters"]
    assert sorted(described) == CANISTERS
    for name, canister in described.items():
        assert canister["type"] == "custom"
        assert (ROOT / canister["candid"]).is_file()
        assert canister["build"] == f".venv/bin/python -m cdk build {name} --output {canister['wasm']}"


def test_the_icp_command_line_builds_what_cdk_builds(tmp_path: Path) -> None:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("the pinned icp command line is built for Linux on x86-64")
    if not (ROOT / ".venv" / "bin" / "python").exists():
        pytest.skip("icp.yaml builds with .venv, which `make setup` makes")
    program = install("icp") / "node_modules/@icp-sdk/icp-cli-linux-x64/bin/icp"
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": cache, "DO_NOT_TRACK": "1"}
    shown = subprocess.run(
        [program, "build"], cwd=ROOT, env=os.environ | home, capture_output=True, text=True
    )
    assert shown.returncode == 0, shown.stderr
    for name in CANISTERS:
        artifact = (ROOT / ".icp" / "cache" / "artifacts" / name).read_bytes()
        assert hashlib.sha256(artifact).hexdigest() == build(name).sha256
