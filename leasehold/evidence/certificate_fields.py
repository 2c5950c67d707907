"""What a certificate says, in words."""

from datetime import UTC, datetime

from attestation.policy import (
    AMD_ROOTS,
    DEVELOPMENT_ROOTS,
    INTEL_ROOTS,
    NVIDIA_MANIFEST_ROOTS,
    NVIDIA_ROOTS,
)
from attestation.public_keys import EcKey, P256Key
from attestation.x509 import Certificate, parse_certificate
from leasehold.evidence.fields import Fields

ATTRIBUTE_NAMES = {
    "2.5.4.3": "CN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
}
# RFC 5280, section 4.2.1.3, from the highest bit of the first octet.
KEY_USAGES = (
    "digital signature",
    "non-repudiation",
    "key encipherment",
    "data encipherment",
    "key agreement",
    "certificate signing",
    "CRL signing",
    "encipher only",
)
PINNED = {
    **dict.fromkeys(DEVELOPMENT_ROOTS, "a development root: SIMULATED"),
    **dict.fromkeys(AMD_ROOTS, "the root that AMD publishes"),
    **dict.fromkeys(INTEL_ROOTS, "the root that Intel publishes"),
    **dict.fromkeys((*NVIDIA_ROOTS, *NVIDIA_MANIFEST_ROOTS), "the root that NVIDIA publishes"),
}


def certificate_fields(der: bytes, claim: str) -> Fields:
    """Fields of a DER certificate; raises `MalformedEvidence`, naming `claim`."""
    found = parse_certificate(der, claim)
    fields: Fields = [
        ("subject", _name(found.subject.attributes)),
        ("issuer", _name(found.issuer.attributes)),
        ("serial", f"{found.serial:x}"),
        ("valid", f"{_date(found.not_before)} to {_date(found.not_after)}"),
        ("key", _key(found)),
        ("authority", _authority(found)),
        ("key usage", _usages(found.key_usage)),
        ("extensions", ", ".join(found.extensions) or "none"),
        ("sha256", found.sha256),
    ]
    if found.sha256 in PINNED:
        fields.append(("same bytes as", PINNED[found.sha256]))
    return fields


def _name(attributes: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{ATTRIBUTE_NAMES.get(oid, oid)}={text}" for oid, text in attributes)


def _date(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError):
        # The calendar knows no year 0, but a certificate may say it.
        return f"{seconds} s since 1970"


def _key(certificate: Certificate) -> str:
    key = certificate.public_key
    if isinstance(key, EcKey):
        return f"P-384 {key.point.hex()}"
    if isinstance(key, P256Key):
        return f"P-256 {key.point.hex()}"
    return f"RSA-{key.modulus.bit_length()}, exponent {key.exponent}, modulus {key.modulus:x}"


def _authority(certificate: Certificate) -> str:
    if not certificate.is_ca:
        return "no"
    length = certificate.path_length
    return "yes" if length is None else f"yes, over {length} further authorities"


def _usages(usage: int | None) -> str:
    if usage is None:
        return "not stated"
    return ", ".join(name for place, name in enumerate(KEY_USAGES) if usage >> (7 - place) & 1) or "none"
