"""The attestation report of an NVIDIA GPU: the opaque fields of its signed exchange (see `spdm`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from attestation.errors import EvidenceInconsistent, MalformedEvidence
from attestation.nvidia.spdm import label, parse_exchange, required, text

GPU_RECORDS = 64
DIGEST_BYTES = 48
PDI_BYTES = 8
MAX_LINKS = 32

# Types of opaque fields.
DRIVER_VERSION = 3
VBIOS_VERSION = 6
CHIP_SKU = 15
PROJECT = 17
PROJECT_SKU = 18
FIRMWARE_ID = 20
PROTECTED_PCIE = 21
SWITCH_DEVICES = 22
CHIP = 35
FEATURE_FLAG = 36

PROTECTED_PCIE_STATES = {0x55: False, 0xAA: True}
FEATURE_MODES = {0: "single-gpu", 1: "multi-gpu", 2: "protected-pcie"}

DRIVER_PATTERN = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){1,3}", re.ASCII)


@dataclass(frozen=True)
class GpuReport:
    """Fields of a report; `measurements[i]` is the value that the reference manifest calls index i.

    `firmware_id` and `chip` are None when the report does not carry them. `reference_id` is
    ``PROJECT_PROJECTSKU_CHIPSKU_VBIOS``, the name under which NVIDIA publishes the VBIOS's manifest.
    `switches` are the 8-byte ids of the devices at the other end of the GPU's links, each once.
    """

    nonce: bytes
    measurements: tuple[bytes, ...]
    driver: str
    vbios: str
    reference_id: str
    mode: str
    chip: str | None
    firmware_id: bytes | None
    switches: frozenset[bytes]
    signed: bytes
    r: int
    s: int


def parse_report(data: bytes, claim: str) -> GpuReport:
    """Parse a GPU's report; raises `MalformedEvidence`, naming `claim`."""
    exchange = parse_exchange(data, GPU_RECORDS, claim)
    fields = exchange.fields
    vbios = _vbios(required(fields, VBIOS_VERSION, claim), claim)
    return GpuReport(
        nonce=exchange.nonce,
        measurements=exchange.measurements,
        driver=_driver(required(fields, DRIVER_VERSION, claim), claim),
        vbios=vbios,
        reference_id=_reference_id(fields, vbios, claim),
        mode=_mode(fields, claim),
        chip=label(fields[CHIP], claim) if CHIP in fields else None,
        firmware_id=_firmware_id(fields, claim),
        switches=_switches(fields, claim),
        signed=exchange.signed,
        r=exchange.r,
        s=exchange.s,
    )


def _switches(fields: dict[int, bytes], claim: str) -> frozenset[bytes]:
    """A GPU writes the ids of switches last byte first, unlike a switch the ids of GPUs."""
    reversed_ids = device_ids(fields.get(SWITCH_DEVICES, b""), claim)
    return frozenset(device[::-1] for device in reversed_ids)


def device_ids(value: bytes, claim: str) -> frozenset[bytes]:
    """The devices in a list of 8-byte ids, one per link."""
    if len(value) % PDI_BYTES or len(value) > MAX_LINKS * PDI_BYTES:
        raise MalformedEvidence(claim, f"list of device ids of {len(value)} bytes")
    return frozenset(value[at : at + PDI_BYTES] for at in range(0, len(value), PDI_BYTES))


def _driver(value: bytes, claim: str) -> str:
    version = text(value, claim)
    if not DRIVER_PATTERN.fullmatch(version):
        raise MalformedEvidence(claim, f"driver version {version!r}")
    return version


def _vbios(value: bytes, claim: str) -> str:
    """``96.00.9F.00.01`` from two little-endian words, 96009F00 and 01."""
    if len(value) != 8 or any(value[5:]):
        raise MalformedEvidence(claim, f"VBIOS version {value.hex()}")
    return ".".join(f"{octet:02X}" for octet in (*reversed(value[:4]), value[4]))


def _reference_id(fields: dict[int, bytes], vbios: str, claim: str) -> str:
    parts = [label(required(fields, kind, claim), claim) for kind in (PROJECT, PROJECT_SKU, CHIP_SKU)]
    return "_".join((*parts, vbios.replace(".", "")))


def _mode(fields: dict[int, bytes], claim: str) -> str:
    """How the GPU is attached; older drivers carry only the protected PCIe state, or not even that."""
    protected = None
    if PROTECTED_PCIE in fields:
        state = fields[PROTECTED_PCIE]
        if len(state) != 1 or state[0] not in PROTECTED_PCIE_STATES:
            raise MalformedEvidence(claim, f"protected PCIe state {state.hex()}")
        protected = PROTECTED_PCIE_STATES[state[0]]
    if FEATURE_FLAG not in fields:
        return FEATURE_MODES[2 if protected else 0]
    flag = fields[FEATURE_FLAG]
    mode = FEATURE_MODES.get(int.from_bytes(flag, "little"))
    if len(flag) != 2 or mode is None:
        raise MalformedEvidence(claim, f"feature flag {flag.hex()}")
    if protected is not None and protected != (mode == "protected-pcie"):
        raise EvidenceInconsistent(claim, f"mode {mode} contradicts the protected PCIe state")
    return mode


def _firmware_id(fields: dict[int, bytes], claim: str) -> bytes | None:
    value = fields.get(FIRMWARE_ID)
    if value is not None and len(value) != DIGEST_BYTES:
        raise MalformedEvidence(claim, f"firmware id of {len(value)} bytes, expected {DIGEST_BYTES}")
    return value
