"""GPUs through NVML and switches through NSCQ, of libraries that stand in for the vendor's."""

from __future__ import annotations

from pathlib import Path

import pytest

from attestation import gpu_nonce
from tee_worker.errors import EvidenceUnavailable
from tee_worker.evidence import nscq, nvml
from tests.tee_worker.evidence.conftest import CC_OFF, DEVTOOLS_ON, NONCE, PROTECTED_PCIE, Load

ASKED = gpu_nonce(NONCE)


def test_every_gpu_answers_the_nonce(load: Load) -> None:
    evidence = load(gpus=8)
    found = nvml.read_gpus(ASKED)
    assert found.evidence == evidence.gpus
    assert found.state == nvml.DriverState("550.90.07", "on", "off", protected_pcie=False)


def test_protected_pcie_is_a_confidential_mode_and_developer_tools_are_told(load: Load) -> None:
    load(state=PROTECTED_PCIE)
    assert nvml.read_gpus(ASKED).state.cc_mode == "on"
    assert nvml.read_gpus(ASKED).state.protected_pcie
    load(state=DEVTOOLS_ON)
    assert nvml.read_gpus(ASKED).state.devtools == "on"


def test_what_is_missing_is_said(load: Load, driver: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EvidenceUnavailable, match="shows 0 GPUs"):
        nvml.read_gpus(ASKED)
    load(state=CC_OFF)
    with pytest.raises(EvidenceUnavailable, match="confidential computing is off"):
        nvml.read_gpus(ASKED)
    load()
    with pytest.raises(EvidenceUnavailable, match="driver refused: Not Supported"):
        nvml.read_gpus(bytes(32))
    (driver / "gpu0.pem").write_bytes(b"nothing")
    with pytest.raises(EvidenceUnavailable, match="GPU 0: no certificate"):
        nvml.read_gpus(ASKED)
    (driver / "state").unlink()
    with pytest.raises(EvidenceUnavailable, match="has no confidential computing"):
        nvml.read_gpus(ASKED)
    monkeypatch.delenv("LEASEHOLD_SHIM")
    with pytest.raises(EvidenceUnavailable, match="no NVIDIA driver answers"):
        nvml.read_gpus(ASKED)


def test_every_switch_answers_the_nonce(load: Load, library: Path) -> None:
    evidence = load(gpus=8, switches=4)
    assert nscq.read_switches(ASKED, str(library)) == evidence.switches


def test_what_is_missing_of_switches_is_said(
    load: Load, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EvidenceUnavailable, match="0 reports"):
        nscq.read_switches(ASKED, str(library))
    load(gpus=8, switches=4)
    with pytest.raises(EvidenceUnavailable, match="attestation_report"):
        nscq.read_switches(bytes(32), str(library))
    with pytest.raises(EvidenceUnavailable, match="needs NVIDIA's NSCQ"):
        nscq.read_switches(ASKED, "libnothing-of-the-kind.so")
    monkeypatch.delenv("LEASEHOLD_SHIM")
    with pytest.raises(EvidenceUnavailable, match="a session"):
        nscq.read_switches(ASKED, str(library))
