"""Quotes through the kernel's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from attestation.simulator import Settings
from attestation.simulator.snp import SimulatedPlatform
from tee_worker.errors import EvidenceUnavailable
from tee_worker.evidence.configfs_tsm import read_quote
from tests.tee_worker.evidence.kernel import Kernel

PLATFORM = SimulatedPlatform(b"tests", Settings())
REPORT_DATA = bytes(range(64))


@pytest.mark.parametrize(("provider", "kind"), [("sev_guest", "sev-snp"), ("tdx_guest", "tdx")])
def test_the_platform_signs_what_was_asked(tmp_path: Path, provider: str, kind: str) -> None:
    kernel = Kernel(tmp_path, PLATFORM.report, provider, auxiliary=b"table")
    quote = kernel.read(REPORT_DATA)
    assert (quote.kind, quote.auxiliary, kernel.asked) == (kind, b"table", [REPORT_DATA])
    assert quote.report[0x50:0x90] == REPORT_DATA
    assert not list(tmp_path.iterdir()), "its folder was left behind"


def test_a_platform_without_auxiliary_data_is_no_error(tmp_path: Path) -> None:
    assert Kernel(tmp_path, PLATFORM.report, auxiliary=None).read(REPORT_DATA).auxiliary == b""


def test_a_quote_that_answers_another_process_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceUnavailable, match="another process"):
        Kernel(tmp_path, PLATFORM.report, disturbed=True).read(REPORT_DATA)
    assert not list(tmp_path.iterdir())


def test_an_unknown_platform_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvidenceUnavailable, match="arm_cca_guest"):
        Kernel(tmp_path, PLATFORM.report, "arm_cca_guest").read(REPORT_DATA)


def test_a_machine_that_is_no_confidential_guest_says_so(tmp_path: Path) -> None:
    with pytest.raises(EvidenceUnavailable, match="no confidential VM guest"):
        read_quote(REPORT_DATA, tmp_path / "absent")


def test_a_refusal_of_the_kernel_comes_with_a_remedy(tmp_path: Path) -> None:
    def refuse(entry: Path) -> None:
        raise OSError(6, "No such device or address", str(entry))

    with pytest.raises(EvidenceUnavailable, match="modprobe sev-guest"):
        read_quote(REPORT_DATA, tmp_path, make=refuse)


def test_only_64_bytes_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        read_quote(bytes(32), tmp_path)
