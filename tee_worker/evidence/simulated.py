"""SIMULATED evidence: genuine formats, development keys, no protection at all."""

from __future__ import annotations

from dataclasses import replace

from attestation import Collateral, Evidence, encode_bundle
from tee_worker.evidence.provider import HOPPER, WORKER_VERSION


class SimulatedProvider:
    """A machine made from `seed`: `gpus` of a chip, `switches` (with protected PCIe), a CPU of kind `cpu`."""

    name = "simulated"
    simulated = True

    def __init__(
        self,
        seed: str = "leasehold-demo",
        gpus: int = 1,
        switches: int = 0,
        cpu: str = "sev-snp",
        gpu_chip: str = HOPPER,
    ) -> None:
        # The simulator signs, and only who simulates needs it.
        from attestation.simulator import BLACKWELL, Settings, SimulatedMachine

        settings = Settings() if gpu_chip == HOPPER else BLACKWELL
        if switches:
            settings = replace(settings, gpu_mode="protected-pcie")
        self._machine = SimulatedMachine(seed, gpus, settings, switches, cpu)

    def collect(
        self, *, nonce: bytes, operator: bytes, session_public_key: bytes, transport_public_key: bytes
    ) -> bytes:
        """An encoded bundle; arguments as in `attestation.report_data`."""
        evidence = self._machine.collect(
            nonce, operator, session_public_key, transport_public_key, WORKER_VERSION
        )
        return encode_bundle(evidence)

    def collateral(self, evidence: Evidence, now_ns: int) -> Collateral:
        """What the simulated vendors say about this machine."""
        from attestation.simulator import collateral_of

        return collateral_of(self._machine, now_ns)
