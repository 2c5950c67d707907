"""The worker's commands, as an operator meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from leasehold.cli import main


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEASEHOLD_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def test_a_machine_without_hardware_evidence_is_told_so_in_one_line(home: Path) -> None:
    """Found by hand: the error was no error of the command line and came with a traceback."""
    done = run("worker", "run", "--offer", "0")
    assert done.exit_code == 1
    assert done.stderr.startswith("error: no 'hardware' evidence here")
    assert "--evidence simulated" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_without_an_identity_is_told_how_to_make_one(home: Path) -> None:
    (home / ".leasehold").mkdir()
    done = run("--network", "http://127.0.0.1:9", "worker", "run", "--offer", "0", "--evidence", "simulated")
    assert done.exit_code == 1
    assert "leasehold identity new" in done.stderr


def test_the_doctor_names_what_is_missing_and_fails(home: Path) -> None:
    done = run("--json", "worker", "doctor")
    findings = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert findings["library torch"]["ok"]
    missing = [finding for finding in findings.values() if not finding["ok"]]
    assert done.exit_code == (1 if missing else 0)
    assert all(finding["found"] for finding in findings.values())
