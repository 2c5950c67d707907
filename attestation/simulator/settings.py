"""What a simulated machine claims about itself, and how its evidence can be made wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

from attestation.policy import SIMULATED_MEASUREMENT
from attestation.simulator.tdx_settings import TdxSettings


@dataclass(frozen=True)
class SnpSettings:
    """Of a SEV-SNP platform: its `product`, `report_version`, and whether a `vlek` signs in place of a VCEK.

    `mitigations` are the vectors at launch and now, which reports of version 5 hold; `revoked` names
    certificates that ARK's list holds (``ask``).
    """

    product: str = "Genoa"
    report_version: int = 3
    vlek: bool = False
    mitigations: tuple[int, int] = (0, 0)
    revoked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """The defaults are a machine that the `simulated` policy accepts; each other value is a fault to test.

    `gpu_nonce`, `operator` and the two `bound_…` keys, when given, replace what would rightly go into the
    reports; the bundle still carries the right values. `gpu_order` says which GPU's evidence is presented at
    each place (``(0, 0)`` presents one GPU twice), `switch_order` the same of switches. `linked_switches` and
    `linked_gpus`, when given, are how many of its own switches or GPUs each device names before strangers.
    `gpu_chip` is ``GH100`` (Hopper) or ``GB100`` (Blackwell, see `BLACKWELL`).
    """

    debug: bool = False
    migratable: bool = False
    vmpl: int = 0
    measurement: str = SIMULATED_MEASUREMENT
    tcb: dict[str, int] = field(
        default_factory=lambda: {"bootloader": 10, "tee": 0, "snp": 23, "microcode": 84}
    )
    reported_tcb: dict[str, int] | None = None
    reported_chip_id: bytes | None = None
    cc_mode: str = "on"
    devtools: str = "off"
    driver: str = "550.90.07"
    claimed_driver: str | None = None
    claims_simulated: bool = True
    gpu_chip: str = "GH100"
    vbios: str = "96.00.9F.00.01"
    gpu_mode: str = "single-gpu"
    reported_firmware_id: bytes | None = None
    omit_firmware_id: bool = False
    gpu_nonce: bytes | None = None
    nonce: bytes | None = None
    operator: bytes | None = None
    bound_session_public_key: bytes | None = None
    bound_transport_public_key: bytes | None = None
    gpu_order: tuple[int, ...] | None = None
    switch_vbios: str = "96.10.55.00.01"
    switch_order: tuple[int, ...] | None = None
    linked_switches: int | None = None
    linked_gpus: int | None = None
    tdx: TdxSettings = field(default_factory=TdxSettings)
    snp: SnpSettings = field(default_factory=SnpSettings)
    changed_measurements: tuple[int, ...] = ()


BLACKWELL = Settings(gpu_chip="GB100", vbios="97.00.D9.00.35", driver="590.48.01")
