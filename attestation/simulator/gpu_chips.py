"""The generations of simulated GPUs: how each names itself, and how its certificates state its firmware."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

from attestation.nvidia import report as layout
from attestation.nvidia.firmware_id import DICE_FWIDS, OID_COMPOSITE_DEVICE_ID, OID_DICE_TCB_INFO
from attestation.simulator.certificates import (
    Extension,
    authority,
    issue,
    nvidia_authority_name,
    raw_extension,
)
from attestation.simulator.development_pki import Authority, load_authority
from attestation.simulator.seeds import derive_key

FIRMWARE_ID = hashlib.sha384(b"leasehold simulated GSP firmware").digest()
SHA384_OID_DER = bytes.fromhex("0609608648016503040202")


@dataclass(frozen=True)
class GpuChip:
    """One generation. `sku`, `project` and `project_sku` name the board that a VBIOS manifest is for.

    `reports_chip` says whether the report has the chip and the feature flag alone, as since Blackwell, or the
    state of protected PCIe as well.
    """

    name: str
    sku: bytes
    project: bytes
    project_sku: bytes
    reports_chip: bool

    @property
    def brom_common_name(self) -> str:
        """Of the boot ROM's certificate."""
        return f"SIMULATED {self.name} A01 GSP BROM"

    @property
    def leaf_common_name(self) -> str:
        """Of the certificate that signs reports."""
        return f"SIMULATED {self.name} A01 GSP FMC LF"

    @property
    def board(self) -> list[tuple[int, bytes]]:
        """Opaque fields that name the board."""
        return [
            (layout.CHIP_SKU, self.sku.ljust(9, b"\0")),
            (layout.PROJECT, self.project + b"\0"),
            (layout.PROJECT_SKU, self.project_sku + b"\0"),
        ]

    def firmware_extension(self, device_key: bytes) -> Extension:
        """What the leaf certificate says about the firmware; `device_key` is a SubjectPublicKeyInfo."""
        if self.reports_chip:
            return raw_extension(OID_DICE_TCB_INFO, self._dice_tcb_info())
        content = b"\x02\x01\x01" + device_key + _fwid(FIRMWARE_ID)
        return raw_extension(OID_COMPOSITE_DEVICE_ID, _tlv(0x30, content))

    def _dice_tcb_info(self) -> bytes:
        """Vendor, model, version, SVN, layer, index, FWIDs, flags, as Blackwell's are filled."""
        fields = (
            (0x80, b"SIMULATED NVIDIA"),
            (0x81, f"{self.name} A01 GSP".encode("ascii")),
            (0x82, b"01"),
            (0x83, b"\x01"),
            (0x84, b"\x00"),
            (0x85, b"\x00"),
            (DICE_FWIDS, _fwid(FIRMWARE_ID) + _fwid(bytes(48))),
            (0x87, bytes.fromhex("0080000000")),
        )
        return _tlv(0x30, b"".join(_tlv(tag, value) for tag, value in fields))


GPU_CHIPS = {
    chip.name: chip
    for chip in (
        GpuChip("GH100", b"882", b"1010", b"0200", reports_chip=False),
        GpuChip("GB100", b"886", b"G525", b"0220", reports_chip=True),
    )
}


@cache
def gpu_authorities(chip: str) -> tuple[Authority, Authority]:
    """Provisioner of a chip's boot ROMs, and the identity authority above it; Hopper's are published."""
    if chip == "GH100":
        return load_authority("nvidia_provisioner"), load_authority("nvidia_identity")
    root = load_authority("nvidia_root")
    identity = _authority(chip, "Identity", root, 5)
    return _authority(chip, "Provisioner ICA 1", identity, 6), identity


def _authority(chip: str, role: str, issuer: Authority, serial: int) -> Authority:
    key = derive_key(b"authorities", f"{chip} {role}")
    name = nvidia_authority_name(f"SIMULATED NVIDIA {chip} {role}")
    return Authority(issue(name, key, issuer.name, issuer.key, serial, authority(None)), key)


def _fwid(digest: bytes) -> bytes:
    return _tlv(0x30, SHA384_OID_DER + _tlv(0x04, digest))


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    return bytes((tag, size) if size < 0x80 else (tag, 0x81, size)) + content
