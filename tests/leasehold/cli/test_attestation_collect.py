import hashlib
import json
from pathlib import Path

import pytest

from attestation import Collateral, Evidence
from tee_worker.evidence import SimulatedProvider
from tee_worker.vendors import CollateralFetchFailed
from tests.leasehold.cli.conftest import Shell
from tests.leasehold.cli.evidence import BINDING

OF_EACH_KIND: list[tuple[str, ...]] = [
    (),
    ("--gpus", "2"),
    ("--cpu", "tdx"),
    ("--gpu-chip", "GB100"),
    ("--gpu-chip", "GB100", "--gpus", "8", "--switches", "4", "--cpu", "tdx"),
]


@pytest.mark.parametrize("options", OF_EACH_KIND, ids=" ".join)
def test_what_it_writes_verifies(shell: Shell, tmp_path: Path, options: tuple[str, ...]) -> None:
    bundle, collateral = tmp_path / "bundle", tmp_path / "collateral"
    where = (bundle, "--collateral-out", collateral)
    result = shell.run("attestation", "collect", *where, *BINDING, "--simulated", *options)
    assert "SIMULATED" in result.stderr and "SIMULATED" in result.stdout
    common = (bundle, "--policy", "simulated", "--collateral", collateral, *BINDING)
    assert json.loads(shell.run("attestation", "verify", *common, "--json").stdout)["accepted"]


def test_the_bare_digest_comes_with_a_warning_too(shell: Shell, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    made = shell.run("attestation", "collect", bundle, *BINDING, "--simulated", "-q")
    shown = shell.run("attestation", "show", bundle, "-q")
    found = shell.run("attestation", "verify", bundle, "--policy", "simulated", *BINDING, "-q")
    digest = hashlib.sha256(bundle.read_bytes()).hexdigest()
    assert made.stdout == shown.stdout == found.stdout == f"{digest}\n"
    for result in (made, shown, found):
        assert result.stderr.startswith("SIMULATED: ")


def test_a_whole_board_hangs_together(shell: Shell, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    board = ("--gpus", "8", "--switches", "4")
    options = (*board, *BINDING, "--simulated", "--machine", "a board", "--json")
    made = json.loads(shell.run("attestation", "collect", bundle, *options).stdout)
    assert made["simulated"] and made["collateral"] is None
    assert (made["cpu"], made["gpus"], made["switches"]) == ("sev-snp", 8, 4)
    common = (bundle, "--policy", "simulated", *BINDING, "--json")
    found = json.loads(shell.run("attestation", "verify", *common).stdout)
    assert found["bundle_sha256"] == made["bundle_sha256"]
    assert "topology" in {claim["name"] for claim in found["claims"]}


def test_no_file_is_overwritten(shell: Shell, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.write_text("mine")
    assert (
        "exists already"
        in shell.run("attestation", "collect", bundle, *BINDING, "--simulated", code=2).stderr
    )
    assert bundle.read_text() == "mine"


@pytest.mark.parametrize("options", [("--gpus", "9"), ("--switches", "5"), ("--cpu", "sgx")], ids=" ".join)
def test_what_does_not_exist_is_a_usage_error(shell: Shell, tmp_path: Path, options: tuple[str, ...]) -> None:
    shell.run("attestation", "collect", tmp_path / "bundle", *BINDING, "--simulated", *options, code=2)
    shell.run("attestation", "collect", tmp_path / "bundle", code=2)
    assert not (tmp_path / "bundle").exists()


def test_a_machine_without_the_hardware_is_told_what_is_missing(shell: Shell, tmp_path: Path) -> None:
    text = shell.run("attestation", "collect", tmp_path / "bundle", *BINDING, code=1).stderr
    assert text.startswith("error: no 'hardware' evidence here: ")
    assert "--simulated" in text
    assert not (tmp_path / "bundle").exists()


def test_a_machine_to_simulate_is_not_described_for_hardware(shell: Shell, tmp_path: Path) -> None:
    options = (tmp_path / "bundle", *BINDING, "--gpus", "2", "--gpu-chip", "GB100")
    text = shell.run("attestation", "collect", *options, code=2).stderr
    assert "take --gpus, --gpu-chip: add --simulated" in text


def test_a_vendor_that_does_not_answer_is_a_code_of_its_own(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unreachable(SimulatedProvider):
        def collateral(self, evidence: Evidence, now_ns: int) -> Collateral:
            raise CollateralFetchFailed("https://vendor.example cannot be reached")

    monkeypatch.setattr("tee_worker.collect.provider", lambda *names, **machine: Unreachable())
    bundle, collateral = tmp_path / "bundle", tmp_path / "collateral"
    options = (bundle, *BINDING, "--collateral-out", collateral)
    assert "cannot be reached" in shell.run("attestation", "collect", *options, code=6).stderr
    assert bundle.exists() and not collateral.exists()
