"""The outcome of a verification: one row per claim, and the attestation that all of them together make."""

from __future__ import annotations

from dataclasses import dataclass

VALID = "valid"
INVALID = "invalid"
UNVERIFIABLE = "unverifiable"


@dataclass(frozen=True)
class Claim:
    """One property of the evidence.

    `verdict` is ``valid``, ``invalid`` or ``unverifiable``. Only ``valid`` lets evidence pass: what cannot
    be checked counts as failed.
    """

    name: str
    verdict: str
    expected: str
    found: str


@dataclass(frozen=True)
class CpuSummary:
    """What the CPU quote says: `kind` of TEE, `product`, and hex strings of measurement and chip id."""

    kind: str
    product: str
    measurement: str
    chip_id: str
    tcb: str
    root_sha256: str


@dataclass(frozen=True)
class GpuSummary:
    """What one GPU's evidence says: hex `device_id` of the certified device and its versions."""

    device_id: str
    chip: str
    driver: str
    vbios: str
    root_sha256: str


@dataclass(frozen=True)
class SwitchSummary:
    """What one NVSwitch's evidence says."""

    device_id: str
    chip: str
    vbios: str
    root_sha256: str


@dataclass(frozen=True)
class Attestation:
    """Evidence that was verified and accepted by a policy.

    `session_public_key` is 44 bytes (DER Ed25519), `transport_public_key` 48 bytes (compressed G1),
    `bundle_sha256` the SHA-256 of the whole bundle, `verified_at_ns` nanoseconds since 1970. `certificates`
    are those whose revocation would have refused it (`collateral_subjects.certificate_subject`), each once.
    """

    policy: str
    simulated: bool
    cpu: CpuSummary
    gpus: tuple[GpuSummary, ...]
    claims: tuple[Claim, ...]
    session_public_key: bytes
    transport_public_key: bytes
    worker_version: str
    bundle_sha256: bytes
    verified_at_ns: int
    switches: tuple[SwitchSummary, ...] = ()
    certificates: tuple[str, ...] = ()


def compare(name: str, expected: str, found: str) -> Claim:
    """Row that is valid when `found` is exactly `expected`."""
    return Claim(name, VALID if found == expected else INVALID, expected, found)


def row(name: str, holds: bool, expected: str, found: str) -> Claim:
    """Row that is valid when `holds`."""
    return Claim(name, VALID if holds else INVALID, expected, found)


def unverifiable(name: str, expected: str, found: str) -> Claim:
    """Row for a property that nothing in the evidence can establish."""
    return Claim(name, UNVERIFIABLE, expected, found)
