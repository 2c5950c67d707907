"""Genuine GPU evidence verifies, single devices and whole machines; what was broken on purpose does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from attestation import (
    AttestationError,
    GpuEvidence,
    MalformedEvidence,
    SignatureInvalid,
    VerifiedLinks,
)
from attestation.nvidia import report as layout
from attestation.nvidia import spdm
from attestation.nvidia import verify as nvidia

if TYPE_CHECKING:
    from tests.attestation.conftest import Samples

NOW_NS = 1_790_000_000 * 1_000_000_000


def test_genuine_evidence_of_every_gpu_verifies(samples: Samples) -> None:
    links, devices = VerifiedLinks(), set()
    for name, evidence in samples.gpus().items():
        nonce = evidence.report[spdm.NONCE : spdm.NONCE + 32]
        verified = nvidia.read_evidence(evidence, nonce, NOW_NS, name)
        nvidia.check_signatures(verified, links, name)
        assert verified.root_sha256.startswith("102bf659") and verified.root_sha256.endswith("167b48")
        assert verified.firmware_bound is not verified.report.driver.startswith("535.")
        devices.add(verified.device_id)
    assert len(devices) == len(samples.gpus()) == 20


def test_genuine_reports_are_read_as_the_driver_shows_them(samples: Samples) -> None:
    reports = {name: layout.parse_report(gpu.report, name) for name, gpu in samples.gpus().items()}
    assert reports["single H100"].reference_id == "1010_0200_882_96009F0001"
    assert reports["single H100"].mode == "single-gpu"
    assert reports["mpt_gb100/test_mpt_data 0"].mode == "multi-gpu"
    assert reports["mpt_gb100/test_mpt_data 0"].vbios == "97.00.D9.00.35"
    assert reports["ppcie_hgx_h100/test_ppcie_data 7"].mode == "protected-pcie"
    assert reports["ppcie_hgx_h100/test_ppcie_data 7"].driver == "570.124.06"


def test_the_genuine_report_with_an_invalid_signature_is_refused(samples: Samples) -> None:
    report = bytes.fromhex(
        samples.read("nvidia/hopper/hopperAttestationReportInvalidSignature.txt").decode().strip()
    )
    chain = samples.certificates("nvidia/hopper/hopperCertChain.txt")
    with pytest.raises(AttestationError):
        nvidia.read_evidence(GpuEvidence(report, chain), report[4:36], NOW_NS, "gpu[0]")


def test_a_genuine_report_under_another_gpus_chain_is_refused(samples: Samples) -> None:
    gpus = samples.gpus()
    report = gpus["ppcie_hgx_h100/test_ppcie_data 0"].report
    chain = gpus["ppcie_hgx_h100/test_ppcie_data 1"].chain
    verified = nvidia.read_evidence(GpuEvidence(report, chain), report[4:36], NOW_NS, "gpu[0]")
    with pytest.raises(SignatureInvalid):
        nvidia.check_signatures(verified, VerifiedLinks(), "gpu[0]")


def test_a_genuine_switch_is_not_taken_for_a_gpu(samples: Samples) -> None:
    report = bytes.fromhex(samples.read("nvidia/switch/switchAttestationReport.txt").decode().strip())
    chain = samples.certificates("nvidia/switch/switchCertChain.txt")
    with pytest.raises(MalformedEvidence):
        nvidia.read_evidence(GpuEvidence(report, chain), report[4:36], NOW_NS, "gpu[0]")
