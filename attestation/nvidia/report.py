"""The attestation report of an NVIDIA GPU: an SPDM GET_MEASUREMENTS exchange (DMTF DSP0274) of fixed shape.

| part | bytes |
|---|---|
| request: ``11 e0 01 ff``, nonce, slot | 4 + 32 + 1 |
| response: ``11 60``, two parameters, number of blocks, length of records (LE) | 2 + 2 + 1 + 3 |
| 64 measurement records | 64 * 55 |
| responder's nonce | 32 |
| length of opaque data (LE), opaque data as TLVs (type u16 LE, length u16 LE) | 2 + n |
| signature r ‖ s, over everything before it | 96 |

The only field a caller controls is the request's nonce.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from attestation.errors import EvidenceInconsistent, MalformedEvidence

REQUEST_HEADER = bytes.fromhex("11e001ff")
RESPONSE_HEADER = bytes.fromhex("1160")
NONCE_BYTES = 32

# Offsets from the start of the report.
NONCE = 4
RESPONSE = 37
BLOCK_COUNT = RESPONSE + 4
RECORDS_LENGTH = RESPONSE + 5
RECORDS = RESPONSE + 8

# A measurement record: index, specification 1, size u16 LE, type 1, value size u16 LE, SHA-384.
GPU_RECORDS = 64
RECORD_BYTES = 55
RECORD_TAIL = bytes.fromhex("01 3300 01 3000")
DIGEST_BYTES = 48
RECORDS_BYTES = GPU_RECORDS * RECORD_BYTES

SIGNATURE_BYTES = 96
MAX_OPAQUE_FIELDS = 64

# Types of opaque fields.
DRIVER_VERSION = 3
VBIOS_VERSION = 6
CHIP_SKU = 15
PROJECT = 17
PROJECT_SKU = 18
FIRMWARE_ID = 20
PROTECTED_PCIE = 21
CHIP = 35
FEATURE_FLAG = 36

PROTECTED_PCIE_STATES = {0x55: False, 0xAA: True}
FEATURE_MODES = {0: "single-gpu", 1: "multi-gpu", 2: "protected-pcie"}

DRIVER_PATTERN = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){1,3}", re.ASCII)
LABEL_PATTERN = re.compile(r"[0-9A-Z_]{1,16}", re.ASCII)


@dataclass(frozen=True)
class GpuReport:
    """Fields of a report; `measurements[i]` is the value that the reference manifest calls index i.

    `firmware_id` and `chip` are None when the report does not carry them. `reference_id` is
    ``PROJECT_PROJECTSKU_CHIPSKU_VBIOS``, the name under which NVIDIA publishes the VBIOS's manifest.
    """

    nonce: bytes
    measurements: tuple[bytes, ...]
    driver: str
    vbios: str
    reference_id: str
    mode: str
    chip: str | None
    firmware_id: bytes | None
    signed: bytes
    r: int
    s: int


def parse_report(data: bytes, claim: str) -> GpuReport:
    """Parse a GPU's report; raises `MalformedEvidence`, naming `claim`."""
    records_end = RECORDS + RECORDS_BYTES
    opaque_start = records_end + NONCE_BYTES + 2
    if len(data) < opaque_start + SIGNATURE_BYTES:
        raise MalformedEvidence(claim, f"{len(data)} bytes are too few for a GPU report")
    if data[: len(REQUEST_HEADER)] != REQUEST_HEADER or data[RESPONSE : RESPONSE + 2] != RESPONSE_HEADER:
        raise MalformedEvidence(claim, "not a request and response for all measurements, signed")
    blocks = data[BLOCK_COUNT]
    length = int.from_bytes(data[RECORDS_LENGTH:RECORDS], "little")
    if blocks != GPU_RECORDS or length != RECORDS_BYTES:
        raise MalformedEvidence(
            claim, f"{blocks} records of {length} bytes in all, a GPU has {GPU_RECORDS} of {RECORDS_BYTES}"
        )
    opaque_length = int.from_bytes(data[opaque_start - 2 : opaque_start], "little")
    signature_start = opaque_start + opaque_length
    if signature_start + SIGNATURE_BYTES != len(data):
        raise MalformedEvidence(
            claim, f"{opaque_length} opaque bytes do not fit a report of {len(data)} bytes exactly"
        )
    fields = _opaque_fields(data[opaque_start:signature_start], claim)
    signature = data[signature_start:]
    vbios = _vbios(_required(fields, VBIOS_VERSION, claim), claim)
    return GpuReport(
        nonce=data[NONCE : NONCE + NONCE_BYTES],
        measurements=_measurements(data[RECORDS:records_end], claim),
        driver=_driver(_required(fields, DRIVER_VERSION, claim), claim),
        vbios=vbios,
        reference_id=_reference_id(fields, vbios, claim),
        mode=_mode(fields, claim),
        chip=_label(fields[CHIP], claim) if CHIP in fields else None,
        firmware_id=_firmware_id(fields, claim),
        signed=data[:signature_start],
        r=int.from_bytes(signature[:48], "big"),
        s=int.from_bytes(signature[48:], "big"),
    )


def _measurements(records: bytes, claim: str) -> tuple[bytes, ...]:
    values = []
    for index in range(GPU_RECORDS):
        record = records[index * RECORD_BYTES : (index + 1) * RECORD_BYTES]
        if record[0] != index + 1 or record[1:7] != RECORD_TAIL:
            raise MalformedEvidence(claim, f"measurement record {index + 1} begins {record[:7].hex()}")
        values.append(record[7:])
    return tuple(values)


def _opaque_fields(data: bytes, claim: str) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        if len(fields) == MAX_OPAQUE_FIELDS:
            raise MalformedEvidence(claim, f"more than {MAX_OPAQUE_FIELDS} opaque fields")
        kind = int.from_bytes(data[at : at + 2], "little")
        length = int.from_bytes(data[at + 2 : at + 4], "little")
        start = at + 4
        at = start + length
        if at > len(data):
            raise MalformedEvidence(claim, f"opaque field {kind} of {length} bytes is cut short")
        if kind in fields:
            raise MalformedEvidence(claim, f"opaque field {kind} occurs twice")
        fields[kind] = data[start:at]
    return fields


def _required(fields: dict[int, bytes], kind: int, claim: str) -> bytes:
    if kind not in fields:
        raise MalformedEvidence(claim, f"opaque field {kind} is missing")
    return fields[kind]


def _text(value: bytes, claim: str) -> str:
    """ASCII padded with zeros."""
    text = value.rstrip(b"\0")
    if not text.isascii():
        raise MalformedEvidence(claim, f"opaque text {value.hex()} is not ASCII")
    return text.decode("ascii")


def _driver(value: bytes, claim: str) -> str:
    version = _text(value, claim)
    if not DRIVER_PATTERN.fullmatch(version):
        raise MalformedEvidence(claim, f"driver version {version!r}")
    return version


def _label(value: bytes, claim: str) -> str:
    label = _text(value, claim)
    if not LABEL_PATTERN.fullmatch(label):
        raise MalformedEvidence(claim, f"label {label!r}")
    return label


def _vbios(value: bytes, claim: str) -> str:
    """``96.00.9F.00.01`` from two little-endian words, 96009F00 and 01."""
    if len(value) != 8 or any(value[5:]):
        raise MalformedEvidence(claim, f"VBIOS version {value.hex()}")
    return ".".join(f"{octet:02X}" for octet in (*reversed(value[:4]), value[4]))


def _reference_id(fields: dict[int, bytes], vbios: str, claim: str) -> str:
    parts = [_label(_required(fields, kind, claim), claim) for kind in (PROJECT, PROJECT_SKU, CHIP_SKU)]
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
