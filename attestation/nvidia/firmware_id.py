"""The firmware id (FWID) that the device's boot ROM certified together with the attestation key.

TCG DICE Attestation Architecture: Hopper's leaf carries a CompositeDeviceID (2.23.133.5.4.1), Blackwell's a
DiceTcbInfo (2.23.133.5.4.1.1) whose first FWID is the one reported.
"""

from __future__ import annotations

from attestation.crypto import der
from attestation.crypto.der import DerReader
from attestation.errors import MalformedEvidence
from attestation.x509 import Certificate

OID_COMPOSITE_DEVICE_ID = "2.23.133.5.4.1"
OID_DICE_TCB_INFO = "2.23.133.5.4.1.1"
OID_SHA384 = "2.16.840.1.101.3.4.2.2"
DICE_FWIDS = 0xA6
FIRMWARE_ID_BYTES = 48
MAX_TCB_INFO_FIELDS = 16


def certified_firmware_id(leaf: Certificate, claim: str) -> bytes | None:
    """The 48-byte firmware id in the leaf certificate, None when it carries none."""
    composite = leaf.extensions.get(OID_COMPOSITE_DEVICE_ID)
    tcb_info = leaf.extensions.get(OID_DICE_TCB_INFO)
    if composite is not None and tcb_info is not None:
        raise MalformedEvidence(claim, "the leaf carries two kinds of firmware id")
    if composite is not None:
        return _from_composite(composite, claim)
    if tcb_info is not None:
        return _from_tcb_info(tcb_info, claim)
    return None


def _from_composite(value: bytes, claim: str) -> bytes:
    """SEQUENCE { version INTEGER, deviceID SubjectPublicKeyInfo, fwid FWID }."""
    fields = der.sole_element(value, der.SEQUENCE, claim)
    fields.integer()
    fields.value(der.SEQUENCE)
    firmware_id = _fwid(fields)
    fields.finish()
    return firmware_id


def _from_tcb_info(value: bytes, claim: str) -> bytes:
    """SEQUENCE of optional tagged fields, of which [6] is a SEQUENCE OF FWID."""
    fields = der.sole_element(value, der.SEQUENCE, claim)
    for _ in range(MAX_TCB_INFO_FIELDS):
        if fields.peek() == DICE_FWIDS:
            return _fwid(fields.enter(DICE_FWIDS))
        fields.any_value()
    raise fields.error("no firmware id among the first fields")


def _fwid(fields: DerReader) -> bytes:
    """SEQUENCE { hashAlg OBJECT IDENTIFIER, digest OCTET STRING }."""
    pair = fields.enter(der.SEQUENCE)
    algorithm = pair.object_identifier()
    digest = pair.value(der.OCTET_STRING)
    pair.finish()
    if algorithm != OID_SHA384 or len(digest) != FIRMWARE_ID_BYTES:
        raise fields.error(f"firmware id of {len(digest)} bytes by algorithm {algorithm}")
    return digest
