"""A whole simulated machine: one AMD or Intel platform, some GPUs, and the guest that collects evidence."""

from __future__ import annotations

from attestation.binding import gpu_nonce, report_data
from attestation.bundle import Evidence
from attestation.guest import GuestClaims, encode_guest_claims
from attestation.simulator.gpu import SimulatedGpu
from attestation.simulator.seeds import derive
from attestation.simulator.settings import Settings
from attestation.simulator.snp import SimulatedPlatform
from attestation.simulator.switch import SimulatedSwitch, switch_device, switch_provisioner
from attestation.simulator.tdx import SimulatedTdxPlatform

PLATFORMS: dict[str, type[SimulatedPlatform] | type[SimulatedTdxPlatform]] = {
    platform.kind: platform for platform in (SimulatedPlatform, SimulatedTdxPlatform)
}


class SimulatedMachine:
    """Makes evidence in the genuine formats.

    The same `seed` gives the same chip id, device ids and keys; only signatures differ between calls. `gpus`
    is the number of GPUs (0 to 8), `switches` that of NVSwitches (0 to 4), `cpu` ``sev-snp`` or ``tdx``.
    `settings` says what the machine claims, and how to make it wrong.
    """

    def __init__(
        self,
        seed: bytes | str,
        gpus: int = 1,
        settings: Settings | None = None,
        switches: int = 0,
        cpu: str = "sev-snp",
    ) -> None:
        raw = seed.encode("utf-8") if isinstance(seed, str) else seed
        self.settings = Settings() if settings is None else settings
        self.platform = PLATFORMS[cpu](raw, self.settings)
        strangers = [derive(raw, f"stranger {index}", 8) for index in range(8)]
        linked = [switch_device(raw, index) for index in range(switches)][: self.settings.linked_switches]
        linked += strangers[: switches - len(linked)]
        self.gpus = tuple(SimulatedGpu(raw, index, self.settings, linked) for index in range(gpus))
        connected = [bytes.fromhex(gpu.device_id[2:]) for gpu in self.gpus][: self.settings.linked_gpus]
        connected += strangers[: 8 - len(connected)]
        provisioner = switch_provisioner()
        self.switches = tuple(
            SimulatedSwitch(raw, index, self.settings, provisioner, connected) for index in range(switches)
        )

    def collect(
        self,
        nonce: bytes,
        operator: bytes,
        session_public_key: bytes,
        transport_public_key: bytes,
        worker_version: str = "0.1.0",
    ) -> Evidence:
        """Evidence for one attestation; arguments as in `attestation.binding.report_data`."""
        settings = self.settings
        asked = settings.gpu_nonce or gpu_nonce(nonce)
        order = range(len(self.gpus)) if settings.gpu_order is None else settings.gpu_order
        gpus = tuple(self.gpus[index].evidence(asked) for index in order)
        switch_order = range(len(self.switches)) if settings.switch_order is None else settings.switch_order
        switches = tuple(self.switches[index].evidence(asked) for index in switch_order)
        claims = encode_guest_claims(
            GuestClaims(
                cc_mode=settings.cc_mode,
                devtools=settings.devtools,
                driver=settings.claimed_driver or settings.driver,
                worker=worker_version,
                simulated=settings.claims_simulated,
            )
        )
        bound = report_data(
            settings.nonce or nonce,
            settings.bound_session_public_key or session_public_key,
            settings.bound_transport_public_key or transport_public_key,
            settings.operator or operator,
            gpus,
            claims,
            switches,
        )
        return Evidence(
            cpu_kind=self.platform.kind,
            cpu_report=self.platform.report(bound),
            cpu_chain=self.platform.chain,
            gpus=gpus,
            guest_claims=claims,
            session_public_key=session_public_key,
            transport_public_key=transport_public_key,
            switches=switches,
        )
