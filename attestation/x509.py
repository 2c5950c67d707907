"""X.509 certificates (RFC 5280), as far as TEE vendors use them: strict, bounded, three kinds of keys.

Keys are P-384, P-256 (uncompressed) or RSA; signatures ecdsa-with-SHA384 or -SHA256, or RSASSA-PSS with
SHA-384. Algorithm identifiers are compared as whole encodings, so there is no parameter to get wrong.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass

from attestation.crypto import der
from attestation.crypto.der import DerReader
from attestation.errors import MalformedEvidence
from attestation.public_keys import EcKey, P256Key, RsaKey, read_public_key

MAX_CERTIFICATE_BYTES = 4096
MAX_NAME_ATTRIBUTES = 16
MAX_EXTENSIONS = 32
MAX_SERIAL_BYTES = 21
MAX_EXTENDED_USAGES = 16
VERSION_3 = 2

# AlgorithmIdentifier { ecdsa-with-SHA384 } and { ecdsa-with-SHA256 } (RFC 5758, section 3.2).
ECDSA_SHA384 = bytes.fromhex("300a06082a8648ce3d040303")
ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
# AlgorithmIdentifier { id-RSASSA-PSS, SHA-384, MGF1-SHA-384, salt 48 } (RFC 4055, section 3.1). AMD's older
# certificates also spell out the default trailer field, which DER would leave out.
_PSS = (
    "06092a864886f70d01010a{}a00f300d06096086480165030402020500"
    "a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130"
)
RSA_PSS_SHA384 = (
    bytes.fromhex("3041" + _PSS.format("3034")),
    bytes.fromhex("3046" + _PSS.format("3039") + "a303020101"),
)
OID_COMMON_NAME = "2.5.4.3"
OID_SERIAL_NUMBER = "2.5.4.5"
OID_KEY_USAGE = "2.5.29.15"
OID_BASIC_CONSTRAINTS = "2.5.29.19"
OID_EXTENDED_KEY_USAGE = "2.5.29.37"
UNDERSTOOD_CRITICAL = frozenset((OID_KEY_USAGE, OID_BASIC_CONSTRAINTS))

KEY_USAGE_DIGITAL_SIGNATURE = 0x80
KEY_USAGE_CERTIFICATE_SIGN = 0x04
KEY_USAGE_CRL_SIGN = 0x02

MAX_KEPT_NAMES = 128
MAX_KEPT_CERTIFICATES = 128
NAME_STRINGS = (der.UTF8_STRING, der.PRINTABLE_STRING, der.IA5_STRING)


@dataclass(frozen=True)
class Name:
    """A distinguished name: its raw DER, which chaining compares, and its attributes as (OID, text)."""

    der: bytes
    attributes: tuple[tuple[str, str], ...]

    def get(self, oid: str) -> str:
        """The only attribute with `oid`; empty when there is none or more than one."""
        values = [value for attribute, value in self.attributes if attribute == oid]
        return values[0] if len(values) == 1 else ""

    @property
    def common_name(self) -> str:
        """The common name, empty when there is none."""
        return self.get(OID_COMMON_NAME)


@dataclass(frozen=True)
class Certificate:
    """A parsed certificate. Times are seconds since 1970; `extensions` maps OID to its value's content."""

    der: bytes
    tbs: bytes
    serial: int
    signature_algorithm: bytes
    signature: bytes
    issuer: Name
    subject: Name
    not_before: int
    not_after: int
    public_key: EcKey | P256Key | RsaKey
    extensions: dict[str, bytes]
    is_ca: bool
    path_length: int | None
    key_usage: int | None

    @functools.cached_property
    def fingerprint(self) -> bytes:
        """SHA-256 of the whole certificate."""
        return hashlib.sha256(self.der).digest()

    @property
    def sha256(self) -> str:
        """The same, hex."""
        return self.fingerprint.hex()


_names: dict[bytes, Name] = {}
_certificates: dict[tuple[bytes, frozenset[str]], Certificate] = {}


def parse_certificate(
    data: bytes, claim: str, understood: frozenset[str] = UNDERSTOOD_CRITICAL
) -> Certificate:
    """Parse one DER certificate; `claim` names it in errors. Raises `MalformedEvidence`.

    `understood` are the extensions that may be critical, because the caller looks at them. Authorities come
    back in every chain: what was parsed lately is kept, since nothing in it depends on who asks, or when.
    """
    kept = _certificates.get((data, understood))
    if kept is None:
        kept = _parse(data, claim, understood)
        if len(_certificates) >= MAX_KEPT_CERTIFICATES:
            _certificates.clear()
        _certificates[data, understood] = kept
    return kept


def _parse(data: bytes, claim: str, understood: frozenset[str]) -> Certificate:
    if len(data) > MAX_CERTIFICATE_BYTES:
        raise MalformedEvidence(claim, f"certificate of {len(data)} bytes, at most {MAX_CERTIFICATE_BYTES}")
    outer = der.sole_element(data, der.SEQUENCE, claim)
    tbs = outer.element(der.SEQUENCE)
    algorithm = outer.element(der.SEQUENCE)
    signature = outer.bit_string()
    outer.finish()

    fields = der.sole_element(tbs, der.SEQUENCE, claim)
    version = fields.enter(der.CONTEXT_0)
    if version.integer() != VERSION_3:
        raise fields.error("certificate is not X.509 version 3")
    version.finish()
    serial = fields.integer()
    if serial.bit_length() > 8 * MAX_SERIAL_BYTES:
        raise fields.error("serial number is too long")
    if fields.element(der.SEQUENCE) != algorithm:
        raise fields.error("signature algorithm inside and outside the signed part differ")
    issuer = _name(fields, claim)
    not_before, not_after = _validity(fields.enter(der.SEQUENCE))
    subject = _name(fields, claim)
    public_key = read_public_key(fields.enter(der.SEQUENCE), claim)
    extensions = _extensions(fields.enter(der.CONTEXT_3), understood)
    fields.finish()
    is_ca, path_length = _basic_constraints(extensions.get(OID_BASIC_CONSTRAINTS), claim)
    return Certificate(
        der=data,
        tbs=tbs,
        serial=serial,
        signature_algorithm=algorithm,
        signature=signature,
        issuer=issuer,
        subject=subject,
        not_before=not_before,
        not_after=not_after,
        public_key=public_key,
        extensions=extensions,
        is_ca=is_ca,
        path_length=path_length,
        key_usage=_key_usage(extensions.get(OID_KEY_USAGE), claim),
    )


def _name(fields: DerReader, claim: str) -> Name:
    """The next element as a name. There are few, most of them in several certificates: they are kept."""
    raw = fields.element(der.SEQUENCE)
    name = _names.get(raw)
    if name is None:
        name = Name(raw, _attributes(raw, claim))
        if len(_names) >= MAX_KEPT_NAMES:
            _names.clear()
        _names[raw] = name
    return name


def _attributes(raw: bytes, claim: str) -> tuple[tuple[str, str], ...]:
    sequence = der.sole_element(raw, der.SEQUENCE, claim)
    attributes: list[tuple[str, str]] = []
    while not sequence.at_end():
        if len(attributes) == MAX_NAME_ATTRIBUTES:
            raise sequence.error(f"more than {MAX_NAME_ATTRIBUTES} name attributes")
        relative = sequence.enter(der.SET)
        pair = relative.enter(der.SEQUENCE)
        relative.finish()
        oid = pair.object_identifier()
        tag, content = pair.any_value()
        pair.finish()
        if tag not in NAME_STRINGS:
            raise sequence.error(f"name attribute with string tag {tag:#04x}")
        try:
            attributes.append((oid, content.decode("utf-8")))
        except UnicodeDecodeError as error:
            raise sequence.error("name attribute is not UTF-8") from error
    return tuple(attributes)


def _validity(fields: DerReader) -> tuple[int, int]:
    not_before = read_time(fields)
    not_after = read_time(fields)
    fields.finish()
    return not_before, not_after


def extended_key_usages(certificate: Certificate, claim: str) -> tuple[str, ...]:
    """OIDs of the purposes a certificate is for, none when it does not say (RFC 5280, section 4.2.1.12)."""
    value = certificate.extensions.get(OID_EXTENDED_KEY_USAGE)
    if value is None:
        return ()
    fields = der.sole_element(value, der.SEQUENCE, claim)
    usages: list[str] = []
    while not fields.at_end():
        if len(usages) == MAX_EXTENDED_USAGES:
            raise fields.error(f"more than {MAX_EXTENDED_USAGES} extended key usages")
        usages.append(fields.object_identifier())
    return tuple(usages)


def read_time(fields: DerReader) -> int:
    """Seconds since 1970 of the next element (RFC 5280, section 4.1.2.5).

    It is a UTCTime ``YYMMDDHHMMSSZ`` or a GeneralizedTime ``YYYYMMDDHHMMSSZ``.
    """
    tag, content = fields.any_value()
    digits = content[:-1]
    expected = {der.UTC_TIME: 12, der.GENERALIZED_TIME: 14}.get(tag)
    if expected is None or len(digits) != expected or content[-1:] != b"Z" or not digits.isdigit():
        raise fields.error(f"time {content!r} is not in the form of RFC 5280")
    text = digits.decode("ascii")
    if tag == der.UTC_TIME:
        text = ("20" if int(text[:2]) < 50 else "19") + text
    seconds = seconds_since_1970(text)
    if seconds is None:
        raise fields.error(f"time {content!r} does not exist")
    return seconds


def seconds_since_1970(text: str) -> int | None:
    """Seconds since 1970 of the 14 digits ``YYYYMMDDHHMMSS``; None for a time that does not exist."""
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
    hour, minute, second = int(text[8:10]), int(text[10:12]), int(text[12:14])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not 1 <= month <= 12 or not 1 <= day <= lengths[month - 1] or hour > 23 or minute > 59 or second > 59:
        return None
    years = year - 1
    days = years * 365 + years // 4 - years // 100 + years // 400 + sum(lengths[: month - 1]) + day - 719163
    return days * 86400 + hour * 3600 + minute * 60 + second


def _extensions(wrapper: DerReader, understood: frozenset[str]) -> dict[str, bytes]:
    sequence = wrapper.enter(der.SEQUENCE)
    wrapper.finish()
    found: dict[str, bytes] = {}
    while not sequence.at_end():
        if len(found) == MAX_EXTENSIONS:
            raise sequence.error(f"more than {MAX_EXTENSIONS} extensions")
        extension = sequence.enter(der.SEQUENCE)
        oid = extension.object_identifier()
        critical = extension.boolean() if extension.peek() == der.BOOLEAN else False
        value = extension.value(der.OCTET_STRING)
        extension.finish()
        if oid in found:
            raise sequence.error(f"extension {oid} occurs twice")
        if critical and oid not in understood:
            raise sequence.error(f"critical extension {oid} is not understood")
        found[oid] = value
    return found


def _basic_constraints(value: bytes | None, claim: str) -> tuple[bool, int | None]:
    """(is a CA, path length) from BasicConstraints (RFC 5280, section 4.2.1.9)."""
    if value is None:
        return False, None
    fields = der.sole_element(value, der.SEQUENCE, claim)
    is_ca = fields.boolean() if fields.peek() == der.BOOLEAN else False
    path_length = fields.integer() if fields.peek() == der.INTEGER else None
    fields.finish()
    if path_length is not None and not is_ca:
        raise fields.error("path length constraint in a certificate that is no CA")
    return is_ca, path_length


def _key_usage(value: bytes | None, claim: str) -> int | None:
    """First octet of the KeyUsage bits (RFC 5280, section 4.2.1.3)."""
    if value is None:
        return None
    reader = DerReader(value, claim)
    content = reader.value(der.BIT_STRING)
    reader.finish()
    if not 2 <= len(content) <= 3 or content[0] > 7 or content[-1] & ((1 << content[0]) - 1):
        raise reader.error(f"key usage {content.hex()} is malformed")
    return content[1]
