"""Vendors' statements, posted and listed."""

import json
from pathlib import Path

import pytest

from tests.leasehold.cli.conftest import Shell
from tests.leasehold.cli.evidence import BINDING
from tests.leasehold.world import World

OUTCOMES = {"added", "replaced", "unchanged", "older"}


@pytest.fixture
def container(shell: Shell, world: World, tmp_path: Path) -> Path:
    """What the simulated vendors say about a machine, in the marketplace's present."""
    path = tmp_path / "collateral"
    where = (tmp_path / "bundle", "--collateral-out", path)
    shell.run("attestation", "collect", *where, *BINDING, "--simulated", "--cpu", "tdx")
    return path


def test_anybody_posts_and_again_changes_nothing(shell: Shell, container: Path) -> None:
    first = shell.json("collateral", "post", container)["outcomes"]
    assert {entry["outcome"] for entry in first} == {"added"}
    assert {entry["outcome"] for entry in shell.json("collateral", "post", container)["outcomes"]} == {
        "unchanged"
    }
    listed = shell.json("collateral", "list")["collateral"]
    assert {entry["sha256"] for entry in listed} == {entry["sha256"] for entry in first}
    assert {"ocsp", "rims", "crls", "tcb_infos", "qe_identities"} <= {entry["kind"] for entry in listed}


def test_they_are_listed_with_their_dates(shell: Shell, container: Path) -> None:
    assert "no collateral" in shell.run("collateral", "list").stderr
    assert "added" in shell.run("collateral", "post", container).stdout
    shown = shell.run("collateral", "list", "--kind", "tcb_infos").stdout
    shell.run("collateral", "list", "--kind", "tcb_info", code=2)
    assert "UTC" in shown and "rims" not in shown
    bare = shell.run("collateral", "list", "--kind", "rims", "-q").stdout.split()
    assert bare and all(len(sha256) == 64 for sha256 in bare)


def test_a_changed_statement_is_refused(shell: Shell, container: Path, tmp_path: Path) -> None:
    wrong = bytearray(container.read_bytes())
    at = wrong.index(b'"tcbStatus":"UpToDate"')
    wrong[at + 13] = ord("u")
    (tmp_path / "wrong").write_bytes(wrong)
    refused = shell.run("collateral", "post", tmp_path / "wrong", code=5).stderr
    assert "collateral.tcb_infos[0]" in refused and "refused" in refused
    assert shell.run("collateral", "post", tmp_path / "bundle", code=2).stderr.startswith("error: ")


def test_a_list_alone_needs_its_issuers(shell: Shell, container: Path, tmp_path: Path) -> None:
    from attestation import decode_collateral

    (tmp_path / "list.der").write_bytes(decode_collateral(container.read_bytes()).crls[0])
    refused = shell.run("collateral", "post", tmp_path / "list.der", code=6).stderr
    assert "is not held" in refused
    posted = shell.run(
        "collateral", "post", tmp_path / "list.der", "--evidence", tmp_path / "bundle", "--json"
    )
    assert "crls" in {entry["kind"] for entry in json.loads(posted.stdout)["outcomes"]}
