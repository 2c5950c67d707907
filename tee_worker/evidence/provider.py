"""What a provider of evidence is, and which of them this machine can use."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from attestation import Collateral, Evidence
from tee_worker.errors import EvidenceUnavailable

WORKER_VERSION = "0.1.0"
HOPPER = "GH100"
GPU_CHIPS = (HOPPER, "GB100")
"""Of simulated machines: Hopper and Blackwell."""
DRIVER_FILE = Path("/proc/driver/nvidia/version")


class EvidenceProvider(Protocol):
    """Makes an evidence bundle on this machine, and finds what vendors say about it."""

    name: str
    simulated: bool

    def collect(
        self, *, nonce: bytes, operator: bytes, session_public_key: bytes, transport_public_key: bytes
    ) -> bytes:
        """An encoded bundle; arguments as in `attestation.report_data`.

        Raises:
            EvidenceUnavailable: this machine cannot make it, and what is missing.
        """
        ...

    def collateral(self, evidence: Evidence, now_ns: int) -> Collateral:
        """What vendors say about the devices in `evidence`, as far as it can be had.

        Raises:
            CollateralFetchFailed: a vendor's service could not be asked.
        """
        ...


def provider(
    name: str,
    *,
    seed: str = "leasehold-demo",
    gpus: int = 1,
    switches: int = 0,
    cpu: str = "sev-snp",
    gpu_chip: str = HOPPER,
) -> EvidenceProvider:
    """The provider called `name`, ``hardware`` or ``simulated``; the other arguments are of the latter.

    Raises:
        EvidenceUnavailable: what this machine lacks.
    """
    if name == "simulated":
        from tee_worker.evidence.simulated import SimulatedProvider

        return SimulatedProvider(seed, gpus, switches, cpu, gpu_chip)
    # Before anything is promised to anybody: a rental that was claimed in vain costs a bond.
    missing = [problem for present, problem in hardware_findings() if not present]
    if missing:
        raise EvidenceUnavailable(
            f"no {name!r} evidence here: {'; '.join(missing)}. For development: "
            "`worker run --evidence simulated`, `attestation collect --simulated`"
        )
    from tee_worker.evidence.hardware import HardwareProvider

    return HardwareProvider()


def hardware_findings() -> list[tuple[bool, str]]:
    """What this machine has of the things genuine evidence needs: (present, one line)."""
    from tee_worker.evidence.configfs_tsm import FOLDER

    tsm, gpu = FOLDER.is_dir(), DRIVER_FILE.is_file()
    return [
        (tsm, "configfs-tsm reports" if tsm else f"{FOLDER} is absent: not a confidential VM guest"),
        (gpu, "NVIDIA driver" if gpu else "no NVIDIA driver is loaded"),
    ]
