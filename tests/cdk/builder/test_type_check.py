"""Our canisters type-check against the package that PyPI has, but for what docs/cdk.md calls an extension."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.devnet.clients.npm_packages import install

ROOT = Path(__file__).resolve().parents[3]
EXTENSIONS = ('"kybra.extensions" could not be resolved', '"range"')


def errors(folder: Path) -> list[dict[str, Any]]:
    """What pyright says of a copy of our canisters, where only the package of PyPI is `kybra`."""
    program = install("pyright") / "node_modules" / "pyright" / "index.js"
    for name in ("canisters", "attestation"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    settings = {"include": ["canisters"], "pythonVersion": "3.11", "typeCheckingMode": "basic"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = ["node", str(program), "--outputjson", "--pythonpath", sys.executable, "-p", str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["summary"]["filesAnalyzed"] > 10
    return [entry for entry in answer["generalDiagnostics"] if entry["severity"] == "error"]


def test_stock_kybra_type_checks_our_canisters_but_for_extensions(tmp_path: Path) -> None:
    pytest.importorskip("kybra", reason="the package kybra from PyPI is a development dependency")
    found = [entry for entry in errors(tmp_path) if "kybra" in Path(entry["file"]).read_text()]
    others = [entry for entry in found if not any(known in entry["message"] for known in EXTENSIONS)]
    assert [f"{Path(entry['file']).name}: {entry['message']}" for entry in others] == []
    for known in EXTENSIONS:
        assert any(known in entry["message"] for entry in found)
