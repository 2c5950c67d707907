"""Where a worker's TEE evidence comes from.

A provider is asked once per attempt, with everything the evidence binds; it answers one encoded bundle.
`simulated` makes genuine formats under the development root; only a policy that says `simulated` accepts it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from attestation import encode_bundle
from tee_worker.errors import EvidenceUnavailable

WORKER_VERSION = "0.1.0"
TSM_REPORTS = Path("/sys/kernel/config/tsm/report")
"""configfs-tsm, Linux's way to an SEV-SNP or TDX quote (Documentation/ABI/testing/configfs-tsm)."""


class EvidenceProvider(Protocol):
    """Makes an evidence bundle on this machine."""

    name: str
    simulated: bool

    def collect(
        self, *, nonce: bytes, operator: bytes, session_public_key: bytes, transport_public_key: bytes
    ) -> bytes: ...


class SimulatedProvider:
    """SIMULATED evidence: genuine formats, development keys, no protection at all."""

    name = "simulated"
    simulated = True

    def __init__(self, seed: str = "leasehold-demo", gpus: int = 1) -> None:
        from attestation.simulator import SimulatedMachine

        self._machine = SimulatedMachine(seed, gpus=gpus)

    def collect(
        self, *, nonce: bytes, operator: bytes, session_public_key: bytes, transport_public_key: bytes
    ) -> bytes:
        evidence = self._machine.collect(
            nonce=nonce,
            operator=operator,
            session_public_key=session_public_key,
            transport_public_key=transport_public_key,
            worker_version=WORKER_VERSION,
        )
        return encode_bundle(evidence)


def provider(name: str, *, seed: str = "leasehold-demo", gpus: int = 1) -> EvidenceProvider:
    """The provider called `name`; raises `EvidenceUnavailable` with what is missing on this machine."""
    if name == "simulated":
        return SimulatedProvider(seed, gpus)
    missing = [problem for ok, problem in hardware_findings() if not ok]
    raise EvidenceUnavailable(
        f"no {name!r} evidence here ({'; '.join(missing) or 'this version cannot collect it yet'}); "
        "use --evidence simulated for development"
    )


def hardware_findings() -> list[tuple[bool, str]]:
    """What this machine has of the things genuine evidence needs: (present, one line)."""
    tsm = TSM_REPORTS.is_dir()
    gpu = Path("/proc/driver/nvidia/version").is_file()
    return [
        (tsm, "configfs-tsm reports" if tsm else f"{TSM_REPORTS} is absent: not a confidential VM guest"),
        (gpu, "NVIDIA driver" if gpu else "no NVIDIA driver is loaded"),
    ]
