"""The same sources make the same module, wherever and by whomever they are built."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cdk.toolchain import ensure_runtime
from cdk.wasm.module import parse
from tests.devnet.replica.harness import make_net

ROOT = Path(__file__).resolve().parents[3]
CANISTER = Path("tests", "cdk", "canisters", "maps")


def copy_of_the_tree(folder: Path) -> Path:
    """A copy of cdk and of one canister, with files made in another order and other dates."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "cdk", folder / "cdk", ignore=ignored, copy_function=shutil.copyfile)
    shutil.copytree(ROOT / CANISTER, folder / CANISTER, ignore=ignored, copy_function=shutil.copyfile)
    (folder / "pyproject.toml").touch()
    return folder


def built(tree: Path, **environment: str) -> tuple[bytes, dict[str, Any]]:
    """The module that the builder of `tree` makes of the canister in it, and what it prints."""
    ensure_runtime()  # so that no test rebuilds it
    command = [sys.executable, "-m", "cdk", "build", str(tree / CANISTER), "--fresh", "--json"]
    command += ["--output", str(tree / "out.wasm.gz")]
    env = {**os.environ, "PYTHONPATH": str(tree), **environment}
    done = subprocess.run(
        command, cwd=tree, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "building the canister runtime" not in done.stderr
    return gzip.decompress((tree / "out.wasm.gz").read_bytes()), json.loads(done.stdout)


def test_two_folders_make_one_module(tmp_path: Path) -> None:
    one, first = built(copy_of_the_tree(tmp_path / "one"), PYTHONHASHSEED="1", TZ="UTC", LC_ALL="C")
    two, second = built(
        copy_of_the_tree(tmp_path / "a" / "much" / "deeper" / "two"), PYTHONHASHSEED="2", TZ="Asia/Tokyo"
    )
    assert hashlib.sha256(one).digest() == hashlib.sha256(two).digest()
    assert {**first, "files": []} == {**second, "files": []}
    assert str(tmp_path).encode() not in one and str(ROOT).encode() not in one


@pytest.mark.parametrize(
    ("file", "changed"), [(CANISTER / "main.py", "sources"), (Path("cdk", "kybra", "stable.py"), "library")]
)
def test_a_changed_source_changes_its_digest_and_no_other(tmp_path: Path, file: Path, changed: str) -> None:
    tree = copy_of_the_tree(tmp_path)
    _, before = built(tree)
    (tree / file).write_text((tree / file).read_text() + "\nadded = 1\n")
    _, after = built(tree)
    assert before["sha256"] != after["sha256"]
    differing = {name for name in before["sources"] if before["sources"][name] != after["sources"][name]}
    assert differing == {changed}


def test_the_module_tells_the_network_what_it_was_made_from(tmp_path: Path) -> None:
    module, facts = built(copy_of_the_tree(tmp_path))
    sections = {section.name: section.content for section in parse(module)}
    assert json.loads(sections["icp:public leasehold:sources"]) == facts["sources"]
    runtime = ensure_runtime()
    assert facts["sources"]["runtime"] == runtime.digest
    assert facts["sources"]["runtime_sha256"] == hashlib.sha256(runtime.wasm.read_bytes()).hexdigest()
    net = make_net()
    canister = net.create()
    net.manage(
        "install_code", mode=("install", None), canister_id=canister, wasm_module=module, arg=b"DIDL\0\0"
    )
    view = net.replica.canister_view(canister)
    assert view is not None
    assert json.loads(view.public_metadata["leasehold:sources"]) == facts["sources"]
    net.replica.close()
