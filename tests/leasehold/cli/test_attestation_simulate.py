import json
from pathlib import Path

import pytest

from tests.leasehold.cli.conftest import Shell
from tests.leasehold.cli.evidence import BINDING


@pytest.mark.parametrize("options", [(), ("--gpus", "2"), ("--cpu", "tdx")], ids=" ".join)
def test_what_it_writes_verifies(shell: Shell, tmp_path: Path, options: tuple[str, ...]) -> None:
    bundle, collateral = tmp_path / "bundle", tmp_path / "collateral"
    where = (bundle, "--collateral-out", collateral)
    result = shell.run("attestation", "simulate", *where, *BINDING, *options)
    assert "SIMULATED" in result.stderr and "SIMULATED" in result.stdout
    common = (bundle, "--policy", "simulated", "--collateral", collateral, *BINDING, "--json")
    assert json.loads(shell.run("attestation", "verify", *common).stdout)["accepted"]


def test_a_whole_board_hangs_together(shell: Shell, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    board = ("--gpus", "8", "--switches", "4")
    made = json.loads(shell.run("attestation", "simulate", bundle, *board, *BINDING, "--json").stdout)
    assert made["simulated"] and made["collateral"] is None
    common = (bundle, "--policy", "simulated", *BINDING, "--json")
    found = json.loads(shell.run("attestation", "verify", *common, code=7).stdout)
    assert found["bundle_sha256"] == made["bundle_sha256"]
    # Only the mode is not what that policy wants.
    refused = {claim["name"].split(".")[-1] for claim in found["claims"] if claim["verdict"] != "valid"}
    assert refused == {"mode"}
    assert "topology" in {claim["name"] for claim in found["claims"]}


def test_no_file_is_overwritten(shell: Shell, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.write_text("mine")
    assert "exists already" in shell.run("attestation", "simulate", bundle, *BINDING, code=2).stderr
    assert bundle.read_text() == "mine"


@pytest.mark.parametrize("options", [("--gpus", "9"), ("--switches", "5"), ("--cpu", "sgx")], ids=" ".join)
def test_what_does_not_exist_is_a_usage_error(shell: Shell, tmp_path: Path, options: tuple[str, ...]) -> None:
    shell.run("attestation", "simulate", tmp_path / "bundle", *BINDING, *options, code=2)
    shell.run("attestation", "simulate", tmp_path / "bundle", code=2)
    assert not (tmp_path / "bundle").exists()
