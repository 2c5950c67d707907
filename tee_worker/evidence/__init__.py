"""Where a worker's TEE evidence comes from: a confidential guest's own interfaces, or a simulator.

`provider` answers one of them. `hardware` asks the kernel (configfs-tsm) for a SEV-SNP or TDX quote, the
driver (NVML) for the GPUs' reports, and NSCQ for those of NVSwitches; `simulated` makes the genuine formats
under the development root, which only policies that say `simulated` accept.
"""

from tee_worker.evidence.provider import (
    WORKER_VERSION,
    EvidenceProvider,
    hardware_findings,
    provider,
)
from tee_worker.evidence.simulated import SimulatedProvider

__all__ = [
    "WORKER_VERSION",
    "EvidenceProvider",
    "SimulatedProvider",
    "hardware_findings",
    "provider",
]
