"""The signed exchange every NVIDIA device attests with: SPDM GET_MEASUREMENTS (DMTF DSP0274), of fixed shape.

| part | bytes |
|---|---|
| request: ``11 e0 01 ff``, nonce, slot | 4 + 32 + 1 |
| response: ``11 60``, two parameters, number of blocks, length of records (LE) | 2 + 2 + 1 + 3 |
| measurement records (64 of a GPU, 31 of a switch) | n * 55 |
| responder's nonce | 32 |
| length of opaque data (LE), opaque data as TLVs (type u16 LE, length u16 LE) | 2 + n |
| signature r ‖ s, over everything before it | 96 |

The only field a caller controls is the request's nonce.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from attestation.errors import MalformedEvidence

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
RECORD_BYTES = 55
RECORD_TAIL = bytes.fromhex("01 3300 01 3000")

SIGNATURE_BYTES = 96
MAX_OPAQUE_FIELDS = 64

LABEL_PATTERN = re.compile(r"[0-9A-Z_]{1,16}", re.ASCII)


@dataclass(frozen=True)
class Exchange:
    """What any device's report says; `measurements[i]` is what the reference manifest calls index i."""

    nonce: bytes
    measurements: tuple[bytes, ...]
    fields: dict[int, bytes]
    signed: bytes
    r: int
    s: int


def parse_exchange(data: bytes, records: int, claim: str) -> Exchange:
    """Parse the report of a device with so many `records`; raises `MalformedEvidence`, naming `claim`.

    Exact lengths, nothing before, between or after the parts, no index or field twice: stops two readers from
    reading two different things out of the same signed bytes.
    """
    records_end = RECORDS + records * RECORD_BYTES
    opaque_start = records_end + NONCE_BYTES + 2
    if len(data) < opaque_start + SIGNATURE_BYTES:
        raise MalformedEvidence(claim, f"{len(data)} bytes are too few for {records} measurements")
    if data[: len(REQUEST_HEADER)] != REQUEST_HEADER or data[RESPONSE : RESPONSE + 2] != RESPONSE_HEADER:
        raise MalformedEvidence(claim, "not a request and response for all measurements, signed")
    blocks = data[BLOCK_COUNT]
    length = int.from_bytes(data[RECORDS_LENGTH:RECORDS], "little")
    if blocks != records or length != records * RECORD_BYTES:
        raise MalformedEvidence(
            claim, f"{blocks} records of {length} bytes in all, expected {records} of {RECORD_BYTES} each"
        )
    opaque_length = int.from_bytes(data[opaque_start - 2 : opaque_start], "little")
    signature_start = opaque_start + opaque_length
    if signature_start + SIGNATURE_BYTES != len(data):
        raise MalformedEvidence(
            claim, f"{opaque_length} opaque bytes do not fit a report of {len(data)} bytes exactly"
        )
    signature = data[signature_start:]
    return Exchange(
        nonce=data[NONCE : NONCE + NONCE_BYTES],
        measurements=_measurements(data[RECORDS:records_end], records, claim),
        fields=_opaque_fields(data[opaque_start:signature_start], claim),
        signed=data[:signature_start],
        r=int.from_bytes(signature[:48], "big"),
        s=int.from_bytes(signature[48:], "big"),
    )


def required(fields: dict[int, bytes], kind: int, claim: str) -> bytes:
    """The opaque field of a type that must be there."""
    if kind not in fields:
        raise MalformedEvidence(claim, f"opaque field {kind} is missing")
    return fields[kind]


def text(value: bytes, claim: str) -> str:
    """ASCII padded with zeros."""
    stripped = value.rstrip(b"\0")
    if not stripped.isascii():
        raise MalformedEvidence(claim, f"opaque text {value.hex()} is not ASCII")
    return stripped.decode("ascii")


def label(value: bytes, claim: str) -> str:
    """Text of capitals, digits and underscores."""
    found = text(value, claim)
    if not LABEL_PATTERN.fullmatch(found):
        raise MalformedEvidence(claim, f"label {found!r}")
    return found


def _measurements(data: bytes, records: int, claim: str) -> tuple[bytes, ...]:
    values = []
    for index in range(records):
        record = data[index * RECORD_BYTES : (index + 1) * RECORD_BYTES]
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
