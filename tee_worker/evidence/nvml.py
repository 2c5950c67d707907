"""Reports of this machine's GPUs, and what its driver says about itself, through NVML (`nvidia-ml-py`)."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from attestation import GpuEvidence
from attestation.bundle import MAX_GPUS
from tee_worker.errors import EvidenceUnavailable
from tee_worker.evidence.pem import certificates_of_pem

ON, OFF = "on", "off"


@dataclass(frozen=True)
class DriverState:
    """What only the guest can read: states are ``on`` or ``off``, `driver` is its version.

    `cc_mode` is on as well when all GPUs of the board are protected together (protected PCIe).
    """

    driver: str
    cc_mode: str
    devtools: str
    protected_pcie: bool


@dataclass(frozen=True)
class Gpus:
    """Evidence of every GPU, and the state they were in."""

    state: DriverState
    evidence: tuple[GpuEvidence, ...]


def read_gpus(nonce: bytes) -> Gpus:
    """Every GPU's report over 32 bytes.

    Raises:
        EvidenceUnavailable: no driver, no GPU, or one that is not in confidential-computing mode.
    """
    with _driver() as nvml:
        state = _state(nvml)
        count = nvml.nvmlDeviceGetCount()
        if not 1 <= count <= MAX_GPUS:
            raise EvidenceUnavailable(f"the driver shows {count} GPUs; evidence is of 1 to {MAX_GPUS}")
        if state.cc_mode == OFF:
            raise EvidenceUnavailable(
                "confidential computing is off on this machine's GPUs: set CC mode (or protected PCIe) with "
                "the vendor's tool and pass them through to a confidential guest"
            )
        return Gpus(state, tuple(_gpu(nvml, index, nonce) for index in range(count)))


@contextmanager
def _driver() -> Iterator[Any]:
    try:
        import pynvml as nvml
    except ModuleNotFoundError as error:
        raise EvidenceUnavailable("nvidia-ml-py is not installed: pip install 'leasehold[worker]'") from error
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        raise EvidenceUnavailable(f"no NVIDIA driver answers here ({error}); install and load it") from error
    try:
        yield nvml
    except nvml.NVMLError as error:
        raise EvidenceUnavailable(f"the NVIDIA driver refused: {error}") from error
    finally:
        nvml.nvmlShutdown()


def _state(nvml: Any) -> DriverState:
    settings = nvml.c_nvmlSystemConfComputeSettings_v1_t()
    status = nvml.nvmlSystemGetConfComputeSettings(ctypes.byref(settings))
    if status != nvml.NVML_SUCCESS:
        problem = nvml.NVMLError(status)
        raise EvidenceUnavailable(f"this GPU or driver has no confidential computing: {problem}")
    protected = settings.multiGpuMode == nvml.NVML_CC_SYSTEM_MULTIGPU_PROTECTED_PCIE
    enabled = settings.ccFeature == nvml.NVML_CC_SYSTEM_FEATURE_ENABLED or protected
    devtools = settings.devToolsMode == nvml.NVML_CC_SYSTEM_DEVTOOLS_MODE_ON
    version = nvml.nvmlSystemGetDriverVersion()
    return DriverState(
        driver=version.decode("ascii") if isinstance(version, bytes) else str(version),
        cc_mode=ON if enabled else OFF,
        devtools=ON if devtools else OFF,
        protected_pcie=protected,
    )


def _gpu(nvml: Any, index: int, nonce: bytes) -> GpuEvidence:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    chain = nvml.nvmlDeviceGetConfComputeGpuCertificate(handle)
    report = nvml.nvmlDeviceGetConfComputeGpuAttestationReport(handle, nonce)
    pem = bytes(chain.attestationCertChain[: chain.attestationCertChainSize])
    return GpuEvidence(
        bytes(report.attestationReport[: report.attestationReportSize]),
        certificates_of_pem(pem, f"GPU {index}"),
    )
