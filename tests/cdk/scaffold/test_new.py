"""`cdk new` writes a canister that builds, passes its own test, and that stock Kybra would take too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cdk.__main__ import cli
from cdk.build import build
from cdk.checks import check_canister
from cdk.errors import CdkError
from cdk.scaffold import new_canister

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").touch()
    return tmp_path


def test_a_new_canister_is_complete(project: Path) -> None:
    main, did, test = new_canister("my_notes", project)
    assert [str(path.relative_to(project)) for path in (main, did, test)] == [
        "canisters/my_notes/main.py",
        "canisters/my_notes/my_notes.did",
        "tests/my_notes/test_my_notes.py",
    ]
    assert "leave : (text) -> (LeaveResult)" in did.read_text()
    assert check_canister("my_notes", project) == []
    assert build("my_notes", project).gzip_size < 2 << 20


def test_its_own_test_passes(project: Path) -> None:
    *_, test = new_canister("my_notes", project)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", str(test)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout + done.stderr


def test_it_is_formatted_and_linted(project: Path) -> None:
    main, _, test = new_canister("my_notes", project)
    settings = ["--config", str(ROOT / "pyproject.toml"), str(main), str(test)]
    for step in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *step, "--no-cache", *settings]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["My", "a-b", "1a", "class", "", "a.b", "../a", "ä"])
def test_names_that_cannot_be_modules_are_refused(project: Path, name: str) -> None:
    with pytest.raises(CdkError, match="cannot name a canister"):
        new_canister(name, project)


def test_nothing_is_overwritten(project: Path) -> None:
    (project / "canisters" / "taken").mkdir(parents=True)
    with pytest.raises(CdkError, match="canisters/taken is there already"):
        new_canister("taken", project)


def test_the_command_line_names_the_files(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    result = CliRunner().invoke(cli, ["new", "mine"])
    assert str(project / "canisters" / "mine" / "main.py") in result.output
    assert "python -m cdk build mine" in result.output
