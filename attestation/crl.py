"""Certificate revocation lists (RFC 5280, section 5): parse, verify by the issuer's key, look a serial up.

Lists come as collateral from anybody. Stops a platform whose key leaked, or an authority that was withdrawn:
their certificates stay valid for years. Only complete lists of one issuer's own certificates are read; delta
and indirect lists announce themselves by critical extensions, which are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from attestation.certificate_chain import NANOSECONDS, VerifiedLinks
from attestation.collateral_subjects import certificate_subject
from attestation.crypto import der
from attestation.crypto.der import DerReader
from attestation.errors import (
    CertificateRevoked,
    ChainInvalid,
    CollateralExpired,
    MalformedEvidence,
    RevocationInvalid,
)
from attestation.facts import RevocationFact
from attestation.x509 import KEY_USAGE_CRL_SIGN, MAX_EXTENSIONS, MAX_SERIAL_BYTES, Certificate, read_time

MAX_CRL_BYTES = 64 * 1024
MAX_REVOKED = 2048
VERSION_2 = 1
MISSING = "missing"
GOOD = "good"


class RevocationList(NamedTuple):
    """A parsed list. Times are seconds since 1970, `revoked` serial numbers, `issuer` a Name's DER."""

    signed: bytes
    algorithm: bytes
    signature: bytes
    issuer: bytes
    this_update: int
    next_update: int
    revoked: frozenset[int]


def parse_crl(data: bytes, claim: str) -> RevocationList:
    """Parse one DER CertificateList of version 2; raises `MalformedEvidence`."""
    if len(data) > MAX_CRL_BYTES:
        raise MalformedEvidence(claim, f"revocation list of {len(data)} bytes, at most {MAX_CRL_BYTES}")
    outer = der.sole_element(data, der.SEQUENCE, claim)
    signed = outer.element(der.SEQUENCE)
    algorithm = outer.element(der.SEQUENCE)
    signature = outer.bit_string()
    outer.finish()

    fields = der.sole_element(signed, der.SEQUENCE, claim)
    if fields.integer() != VERSION_2:
        raise fields.error("revocation list is not of version 2")
    if fields.element(der.SEQUENCE) != algorithm:
        raise fields.error("signature algorithm inside and outside the signed part differ")
    issuer = fields.element(der.SEQUENCE)
    this_update, next_update = read_time(fields), read_time(fields)
    revoked = _revoked(fields.enter(der.SEQUENCE)) if fields.peek() == der.SEQUENCE else frozenset()
    if not fields.at_end():
        wrapper = fields.enter(der.CONTEXT_0)
        _refuse_critical(wrapper.enter(der.SEQUENCE))
        wrapper.finish()
    fields.finish()
    return RevocationList(signed, algorithm, signature, issuer, this_update, next_update, revoked)


def check_crl(
    revocations: RevocationList, issuer: Certificate, now_ns: int, links: VerifiedLinks, claim: str
) -> None:
    """Refuse a list that is not `issuer`'s, is outdated or from the future, or is wrongly signed."""
    if revocations.issuer != issuer.subject.der:
        raise RevocationInvalid(claim, f"the list is not of {issuer.subject.common_name!r}")
    if issuer.key_usage is None or not issuer.key_usage & KEY_USAGE_CRL_SIGN:
        raise ChainInvalid(claim, f"{issuer.subject.common_name!r} may not sign revocation lists")
    now = now_ns // NANOSECONDS
    if not revocations.this_update <= now < revocations.next_update:
        raise CollateralExpired(
            claim,
            f"the list of {issuer.subject.common_name!r} holds from {revocations.this_update} until "
            f"{revocations.next_update}, but it is {now} (seconds since 1970); supply a newer one",
        )
    links.verify_structure(
        revocations.signed, revocations.algorithm, revocations.signature, issuer, f"{claim}.signature"
    )


class RevocationLists:
    """Lists of the collateral by issuer; parsed once, verified when asked for."""

    def __init__(self, lists: Sequence[bytes]) -> None:
        self._lists = [parse_crl(data, f"collateral.crls[{index}]") for index, data in enumerate(lists)]

    def check(
        self, certificate: Certificate, issuer: Certificate, now_ns: int, links: VerifiedLinks, claim: str
    ) -> RevocationFact:
        """What the newest of `issuer`'s lists says of `certificate`; raises `CertificateRevoked`.

        A list by the issuer that is outdated or wrong is refused; none at all is a fact for the policy.
        """
        name, subject = certificate.subject.common_name, certificate_subject(certificate, issuer)
        found = [entry for entry in self._lists if entry.issuer == issuer.subject.der]
        if not found:
            return RevocationFact(name, MISSING, 0, subject)
        newest = max(found, key=_this_update)
        check_crl(newest, issuer, now_ns, links, f"{claim}.crl")
        if certificate.serial in newest.revoked:
            raise CertificateRevoked(claim, f"{name!r}, serial {certificate.serial:x}, was revoked")
        return RevocationFact(name, GOOD, now_ns // NANOSECONDS - newest.this_update, subject)


def _this_update(revocations: RevocationList) -> int:
    return revocations.this_update


def _revoked(entries: DerReader) -> frozenset[int]:
    serials: set[int] = set()
    count = 0
    while not entries.at_end():
        count += 1
        if count > MAX_REVOKED:
            raise entries.error(f"more than {MAX_REVOKED} revoked certificates")
        entry = entries.enter(der.SEQUENCE)
        serial = entry.integer()
        if serial.bit_length() > 8 * MAX_SERIAL_BYTES:
            raise entry.error("serial number is too long")
        read_time(entry)
        if not entry.at_end():
            _refuse_critical(entry.enter(der.SEQUENCE))
        entry.finish()
        serials.add(serial)
    return frozenset(serials)


def _refuse_critical(extensions: DerReader) -> None:
    """Whatever is critical changes what the list means, and nothing of the kind is understood here."""
    count = 0
    while not extensions.at_end():
        count += 1
        if count > MAX_EXTENSIONS:
            raise extensions.error(f"more than {MAX_EXTENSIONS} extensions")
        extension = extensions.enter(der.SEQUENCE)
        oid = extension.object_identifier()
        if extension.peek() == der.BOOLEAN and extension.boolean():
            raise extension.error(f"critical extension {oid} is not understood")
        extension.value(der.OCTET_STRING)
        extension.finish()
