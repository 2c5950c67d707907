"""The certificates that a host puts beside a SEV-SNP report: AMD 56421 ("GHCB"), extended guest request.

A table of entries (GUID 16 bytes, offset and length 4 bytes each, little-endian), ended by one of zeros, and
the certificates at their offsets from the table's start. Nothing is verified here.
"""

from __future__ import annotations

from uuid import UUID

from attestation.errors import MalformedEvidence
from attestation.x509 import parse_certificate

ENTRY_BYTES = 24
MAX_ENTRIES = 16
VCEK = UUID("63da758d-e664-4564-adc5-f4b93be8accd")
VLEK = UUID("a8074bc2-a25a-483e-aae6-39c045a0b8a1")
ASK = UUID("4ab7b379-bbac-4fe4-a02f-05aef327c782")
ARK = UUID("c0b406a4-a803-4952-9743-3fb6014cd0ae")
CLAIM = "cpu.certificate_table"


def parse_table(table: bytes) -> dict[UUID, bytes]:
    """Certificates by GUID; empty for an empty table. Raises `MalformedEvidence`."""
    found: dict[UUID, bytes] = {}
    if not table.strip(b"\0"):
        return found
    for index in range(MAX_ENTRIES):
        entry = table[index * ENTRY_BYTES : (index + 1) * ENTRY_BYTES]
        if len(entry) != ENTRY_BYTES:
            break
        if not any(entry):
            return found
        start, length = int.from_bytes(entry[16:20], "little"), int.from_bytes(entry[20:], "little")
        if start + length > len(table):
            raise MalformedEvidence(CLAIM, f"entry {index} ends at {start + length} of {len(table)} bytes")
        found[UUID(bytes=entry[:16])] = table[start : start + length]
    raise MalformedEvidence(CLAIM, f"not ended by an entry of zeros within {MAX_ENTRIES} entries")


def chain_of_table(table: bytes) -> tuple[bytes, ...]:
    """VCEK or VLEK, then ASK and ARK as far as the host gives them; empty without a leaf."""
    found = parse_table(table)
    leaf = found.get(VCEK) or found.get(VLEK)
    if not leaf:
        return ()
    authorities = [found[guid] for guid in (ASK, ARK) if found.get(guid)]
    for place, der in enumerate((leaf, *authorities)):
        parse_certificate(der, f"{CLAIM}[{place}]")
    return (leaf, *authorities)
