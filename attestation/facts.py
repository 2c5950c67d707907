"""What sound evidence says: the plain values that policies look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from attestation.guest import GuestClaims


@dataclass(frozen=True)
class RevocationFact:
    """Of one certificate: `status` is ``good``, ``unknown`` or ``missing``, `age_s` that of the answer.

    `certificate` is what its issuer calls it (`collateral_subjects.certificate_subject`).
    """

    name: str
    status: str
    age_s: int
    certificate: str = ""


@dataclass(frozen=True)
class CpuFacts:
    """Of the CPU quote; `measurement` and `chip_id` are hex, `tcb` maps component to security version.

    Of SEV-SNP only: `vmpl`, `signing_key` (``VCEK`` or ``VLEK``), `mitigations` (bits; None when the report
    has none). Of TDX only: `tcb_status` in Intel's words, `exceptions_disabled` (SEPT_VE_DISABLE).
    """

    kind: str
    product: str
    root_sha256: str
    measurement: str
    chip_id: str
    tcb: Mapping[str, int]
    debug: bool
    migratable: bool
    vmpl: int
    signing_key: str = ""
    mitigations: int | None = None
    tcb_status: str = ""
    exceptions_disabled: bool = False
    revocation: tuple[RevocationFact, ...] = ()


@dataclass(frozen=True)
class ManifestFacts:
    """Of a soundly signed manifest that a device agrees with; `kind` is ``driver`` or ``vbios``."""

    kind: str
    sha256: str
    root_sha256: str
    revocation: tuple[RevocationFact, ...]


@dataclass(frozen=True)
class GpuFacts:
    """Of one GPU's evidence; `device_id` is hex. `revocation` is of boot ROM, provisioner and identity.

    `manifests` are those of driver and VBIOS that were given, which `compared_measurements` values equal.
    """

    root_sha256: str
    device_id: str
    chip: str
    mode: str
    driver: str
    vbios: str
    firmware_bound: bool
    revocation: tuple[RevocationFact, ...] = ()
    manifests: tuple[ManifestFacts, ...] = ()
    compared_measurements: int = 0


@dataclass(frozen=True)
class SwitchFacts:
    """Of one NVSwitch's evidence, as of a GPU's."""

    root_sha256: str
    device_id: str
    chip: str
    vbios: str
    revocation: tuple[RevocationFact, ...] = ()
    manifests: tuple[ManifestFacts, ...] = ()
    compared_measurements: int = 0


@dataclass(frozen=True)
class EvidenceFacts:
    """Of the whole evidence."""

    cpu: CpuFacts
    gpus: tuple[GpuFacts, ...]
    guest: GuestClaims
    switches: tuple[SwitchFacts, ...] = ()
