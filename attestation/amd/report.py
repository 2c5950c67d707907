"""The SEV-SNP attestation report, versions 2 to 5 (AMD 56860, "SEV-SNP Firmware ABI", ATTESTATION_REPORT).

All integers little-endian. Bytes [0, 0x2A0) are signed; after them come r and s, 72 bytes each, and zeros.
"""

from __future__ import annotations

from dataclasses import dataclass

from attestation.errors import MalformedEvidence

REPORT_BYTES = 0x4A0
VERSIONS = (2, 3, 4, 5)

# Offset of each field that is read.
VERSION = 0x000
POLICY = 0x008
VMPL = 0x030
SIGNATURE_ALGORITHM = 0x034
KEY_FLAGS = 0x048
REPORT_DATA = 0x050
MEASUREMENT = 0x090
REPORTED_TCB = 0x180
CPUID_FAMILY = 0x188
CHIP_ID = 0x1A0
LAUNCH_MITIGATIONS = 0x1F8
CURRENT_MITIGATIONS = 0x200
SIGNED_END = 0x2A0
SIGNATURE_R = 0x2A0
SIGNATURE_S = 0x2E8
SIGNATURE_END = 0x330

REPORT_DATA_BYTES = 64
MEASUREMENT_BYTES = 48
CHIP_ID_BYTES = 64
TCB_BYTES = 8
SIGNATURE_NUMBER_BYTES = 72

ECDSA_P384_SHA384 = 1
SIGNING_KEY_SHIFT = 2
SIGNING_KEY_MASK = 0b111
SIGNING_KEYS = {0: "VCEK", 1: "VLEK", 7: "none"}

POLICY_MIGRATION_AGENT = 1 << 18
POLICY_DEBUG = 1 << 19
FAMILY_FROM_VERSION = 3
MITIGATIONS_FROM_VERSION = 5


@dataclass(frozen=True)
class SnpReport:
    """Fields of a report. `r` and `s` are the signature, over `signed`; `family` is None before version 3.

    `mitigations` are the bits of the mitigation vectors that are set both at launch and now (a guest launched
    without a mitigation stays without it); None before version 5, which reports none.
    """

    version: int
    policy: int
    vmpl: int
    signing_key: str
    report_data: bytes
    measurement: bytes
    reported_tcb: bytes
    family: int | None
    mitigations: int | None
    chip_id: bytes
    signed: bytes
    r: int
    s: int

    @property
    def debug(self) -> bool:
        """True when the host may read the guest's memory."""
        return bool(self.policy & POLICY_DEBUG)

    @property
    def migratable(self) -> bool:
        """True when a migration agent may move the guest to another machine."""
        return bool(self.policy & POLICY_MIGRATION_AGENT)


def parse_report(data: bytes) -> SnpReport:
    """Parse a report of exactly 1184 bytes; raises `MalformedEvidence`."""
    if len(data) != REPORT_BYTES:
        raise MalformedEvidence("cpu.report", f"{len(data)} bytes, a SEV-SNP report has {REPORT_BYTES}")
    version = _u32(data, VERSION)
    if version not in VERSIONS:
        raise MalformedEvidence("cpu.report", f"version {version}, known are {VERSIONS}")
    algorithm = _u32(data, SIGNATURE_ALGORITHM)
    if algorithm != ECDSA_P384_SHA384:
        raise MalformedEvidence(
            "cpu.report", f"signature algorithm {algorithm}, expected {ECDSA_P384_SHA384}"
        )
    signing_key = _u32(data, KEY_FLAGS) >> SIGNING_KEY_SHIFT & SIGNING_KEY_MASK
    if signing_key not in SIGNING_KEYS:
        raise MalformedEvidence("cpu.report", f"signing key {signing_key} is reserved")
    if any(data[SIGNATURE_END:]):
        raise MalformedEvidence("cpu.report", "bytes after the signature are not zero")
    return SnpReport(
        version=version,
        policy=int.from_bytes(data[POLICY : POLICY + 8], "little"),
        vmpl=_u32(data, VMPL),
        signing_key=SIGNING_KEYS[signing_key],
        report_data=data[REPORT_DATA : REPORT_DATA + REPORT_DATA_BYTES],
        measurement=data[MEASUREMENT : MEASUREMENT + MEASUREMENT_BYTES],
        reported_tcb=data[REPORTED_TCB : REPORTED_TCB + TCB_BYTES],
        family=data[CPUID_FAMILY] if version >= FAMILY_FROM_VERSION else None,
        mitigations=_u64(data, LAUNCH_MITIGATIONS) & _u64(data, CURRENT_MITIGATIONS)
        if version >= MITIGATIONS_FROM_VERSION
        else None,
        chip_id=data[CHIP_ID : CHIP_ID + CHIP_ID_BYTES],
        signed=data[:SIGNED_END],
        r=int.from_bytes(data[SIGNATURE_R : SIGNATURE_R + SIGNATURE_NUMBER_BYTES], "little"),
        s=int.from_bytes(data[SIGNATURE_S : SIGNATURE_S + SIGNATURE_NUMBER_BYTES], "little"),
    )


def _u64(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 8], "little")


def _u32(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 4], "little")
