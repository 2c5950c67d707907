"""The provisioning certification key's chain: PEM in the quote, roles, and the extension about the platform.

Source: Intel "SGX PCK Certificate and Certificate Revocation List Profile Specification", sections 1.3 and 2.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import NamedTuple

from attestation.crypto import der
from attestation.crypto.der import DerReader
from attestation.errors import ChainInvalid, MalformedEvidence
from attestation.public_keys import P256Key
from attestation.x509 import KEY_USAGE_DIGITAL_SIGNATURE, MAX_CERTIFICATE_BYTES, Certificate

CHAIN_LENGTH = 3
# What the common name of PCK certificate, its authority and the root must look like.
ROLES = (
    re.compile(r"(?:SIMULATED )?Intel SGX PCK Certificate", re.ASCII),
    re.compile(r"(?:SIMULATED )?Intel SGX PCK (?:Platform|Processor) CA", re.ASCII),
    re.compile(r"(?:SIMULATED )?Intel SGX Root CA", re.ASCII),
)
TCB_SIGNER = re.compile(r"(?:SIMULATED )?Intel SGX TCB Signing", re.ASCII)

PEM_CERTIFICATE = re.compile(
    rb"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]{1,8192}?)\n-----END CERTIFICATE-----\n?"
)

OID_SGX = "1.2.840.113741.1.13.1"
OID_PPID = OID_SGX + ".1"
OID_TCB = OID_SGX + ".2"
OID_PCE_ID = OID_SGX + ".3"
OID_FMSPC = OID_SGX + ".4"
OID_PCE_SVN = OID_TCB + ".17"
MAX_ENTRIES = 32
COMPONENTS = 16


class Platform(NamedTuple):
    """What the PCK certificate says: `ppid` names the processor, `fmspc` its family, model and stepping."""

    ppid: bytes
    fmspc: bytes
    pce_id: bytes
    pce_svn: int
    components: tuple[int, ...]


def certificates_of_pem(text: bytes, claim: str) -> tuple[bytes, ...]:
    """DER certificates of the strict PEM in a quote; zeros may follow. Raises `MalformedEvidence`."""
    certificates: list[bytes] = []
    at = 0
    end = len(text.rstrip(b"\x00"))
    while at < end:
        match = PEM_CERTIFICATE.match(text, at, end)
        if match is None or len(certificates) == CHAIN_LENGTH:
            raise MalformedEvidence(claim, f"no PEM certificate, or more than {CHAIN_LENGTH}, at offset {at}")
        certificates.append(_decode_base64(match.group(1), claim))
        at = match.end()
    return tuple(certificates)


def check_roles(chain: Sequence[Certificate], claim: str) -> None:
    """PCK certificate, platform or processor CA, root: stops another of Intel's keys from posing as a PCK."""
    for depth, certificate in enumerate(chain):
        name = certificate.subject.common_name
        if not ROLES[depth].fullmatch(name) or not isinstance(certificate.public_key, P256Key):
            raise ChainInvalid(
                f"{claim}[{depth}]", f"{name!r} is not the name of the certificate at this place"
            )
    check_may_sign(chain[0], f"{claim}[0]")


def check_may_sign(certificate: Certificate, claim: str) -> None:
    """A leaf that signs data says so in its key usage."""
    if certificate.key_usage is None or not certificate.key_usage & KEY_USAGE_DIGITAL_SIGNATURE:
        raise ChainInvalid(claim, f"{certificate.subject.common_name!r} may not sign data")


def read_platform(certificate: Certificate, claim: str) -> Platform:
    """The SGX extension of a PCK certificate; raises `MalformedEvidence`."""
    value = certificate.extensions.get(OID_SGX)
    if value is None:
        raise ChainInvalid(claim, f"the PCK certificate has no extension {OID_SGX}")
    entries = _entries(der.sole_element(value, der.SEQUENCE, claim))
    tcb = _entries(DerReader(_content(entries, OID_TCB, der.SEQUENCE, claim), claim))
    return Platform(
        ppid=_octets(entries, OID_PPID, 16, claim),
        fmspc=_octets(entries, OID_FMSPC, 6, claim),
        pce_id=_octets(entries, OID_PCE_ID, 2, claim),
        pce_svn=_number(tcb, OID_PCE_SVN, 0xFFFF, claim),
        components=tuple(
            _number(tcb, f"{OID_TCB}.{index}", 0xFF, claim) for index in range(1, COMPONENTS + 1)
        ),
    )


def _entries(sequence: DerReader) -> dict[str, tuple[int, bytes]]:
    """SEQUENCE OF { OID, value } as OID to (tag, content)."""
    found: dict[str, tuple[int, bytes]] = {}
    while not sequence.at_end():
        entry = sequence.enter(der.SEQUENCE)
        oid = entry.object_identifier()
        if oid in found or len(found) == MAX_ENTRIES:
            raise entry.error(f"{oid} occurs twice, or there are more than {MAX_ENTRIES} entries")
        found[oid] = entry.any_value()
        entry.finish()
    return found


def _content(entries: dict[str, tuple[int, bytes]], oid: str, tag: int, claim: str) -> bytes:
    found = entries.get(oid)
    if found is None or found[0] != tag:
        raise MalformedEvidence(claim, f"the SGX extension has no {oid}, or of the wrong type")
    return found[1]


def _octets(entries: dict[str, tuple[int, bytes]], oid: str, length: int, claim: str) -> bytes:
    content = _content(entries, oid, der.OCTET_STRING, claim)
    if len(content) != length:
        raise MalformedEvidence(claim, f"{oid} has {len(content)} bytes, must have {length}")
    return content


def _number(entries: dict[str, tuple[int, bytes]], oid: str, maximum: int, claim: str) -> int:
    content = _content(entries, oid, der.INTEGER, claim)
    # A further leading zero, or a sign, makes the number longer than the maximum allows.
    number = int.from_bytes(content, "big")
    minimal = max(1, (number.bit_length() + 8) // 8)
    if len(content) != minimal or number > maximum:
        raise MalformedEvidence(claim, f"{oid} is {content.hex()}, not a number up to {maximum}")
    return number


def _decode_base64(text: bytes, claim: str) -> bytes:
    """Strict: what is decoded must encode to the same text but for line ends."""
    joined = text.replace(b"\n", b"")
    try:
        decoded = base64.b64decode(joined)
    except ValueError as error:
        raise MalformedEvidence(claim, f"PEM is not base64: {error}") from error
    if base64.b64encode(decoded) != joined or len(decoded) > MAX_CERTIFICATE_BYTES:
        raise MalformedEvidence(claim, "PEM is not the canonical base64 of a certificate")
    return decoded
