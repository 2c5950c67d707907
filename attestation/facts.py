"""What sound evidence says: the plain values that policies look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from attestation.guest import GuestClaims


@dataclass(frozen=True)
class CpuFacts:
    """Of the CPU quote; `measurement` and `chip_id` are hex, `tcb` maps component to security version."""

    kind: str
    product: str
    root_sha256: str
    measurement: str
    chip_id: str
    tcb: Mapping[str, int]
    debug: bool
    migratable: bool
    vmpl: int


@dataclass(frozen=True)
class GpuFacts:
    """Of one GPU's evidence; `device_id` is hex."""

    root_sha256: str
    device_id: str
    chip: str
    mode: str
    driver: str
    vbios: str
    firmware_bound: bool


@dataclass(frozen=True)
class EvidenceFacts:
    """Of the whole evidence."""

    cpu: CpuFacts
    gpus: tuple[GpuFacts, ...]
    guest: GuestClaims
