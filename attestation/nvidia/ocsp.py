"""OCSP answers (RFC 6960): whether a certificate's issuer has withdrawn it.

A device's certificates never expire, so this is the only way to learn of a stolen key. An answer lives for a
day, carries its responder's certificate and no nonce, so that it can be fetched once and shown to anybody.

OCSPResponse: SEQUENCE { status ENUMERATED, [0] { SEQUENCE { id-pkix-ocsp-basic, OCTET STRING Basic } } }
Basic: SEQUENCE { ResponseData, AlgorithmIdentifier, BIT STRING, [0] { SEQUENCE OF Certificate } }
ResponseData: SEQUENCE { [1] Name or [2] key hash, producedAt, SEQUENCE OF SingleResponse }
SingleResponse: SEQUENCE { CertID, status, thisUpdate, [0] { nextUpdate } }

Accepted are answers about one certificate, named by SHA-384, with a next update, without extensions.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from attestation.certificate_chain import NANOSECONDS, VerifiedLinks, check_validity, ecdsa_signature
from attestation.crypto import der
from attestation.crypto.der import DerReader
from attestation.errors import CollateralExpired, MalformedEvidence, RevocationInvalid
from attestation.public_keys import EcKey
from attestation.x509 import (
    ECDSA_SHA384,
    KEY_USAGE_DIGITAL_SIGNATURE,
    OID_EXTENDED_KEY_USAGE,
    UNDERSTOOD_CRITICAL,
    Certificate,
    extended_key_usages,
    parse_certificate,
    read_time,
)

MAX_ANSWER_BYTES = 4096
# How far a responder's clock may be ahead of ours.
MAX_CLOCK_SKEW_S = 300

ENUMERATED = 0x0A
SUCCESSFUL = b"\x00"
OID_BASIC_RESPONSE = "1.3.6.1.5.5.7.48.1.1"
OID_OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
OID_SUBJECT_KEY_IDENTIFIER = "2.5.29.14"
# AlgorithmIdentifier { id-sha384, NULL } and without the parameter (RFC 5754, section 2).
SHA384_IDENTIFIERS = (
    bytes.fromhex("300d06096086480165030402020500"),
    bytes.fromhex("300b0609608648016503040202"),
)
HASH_BYTES = 48
KEY_HASH_BYTES = 20

RESPONDER_BY_NAME = 0xA1
RESPONDER_BY_KEY = 0xA2
CERTIFICATES = 0xA0
STATUS_GOOD = 0x80
STATUS_REVOKED = 0xA1
STATUS_UNKNOWN = 0x82
NEXT_UPDATE = 0xA0

GOOD = "good"
REVOKED = "revoked"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class CertificateId:
    """Which certificate is meant: SHA-384 of issuer's name (DER) and of issuer's key bits, serial number."""

    issuer_name_sha384: bytes
    issuer_key_sha384: bytes
    serial: int


@dataclass(frozen=True)
class OcspAnswer:
    """A parsed answer, not yet verified. Times are seconds since 1970.

    `responder_key` is the responder's 20-byte key identifier or None, `responder_name` the DER of its name or
    None; `responder` is its certificate, None when the issuer itself is said to have answered.
    """

    certificate: CertificateId
    status: str
    this_update: int
    next_update: int
    responder_key: bytes | None
    responder_name: bytes | None
    responder: Certificate | None
    signed: bytes
    signature: bytes


def certificate_id(certificate: Certificate, issuer: Certificate, claim: str) -> CertificateId:
    """How answers name `certificate`, issued by `issuer`."""
    return CertificateId(
        hashlib.sha384(certificate.issuer.der).digest(),
        hashlib.sha384(_key(issuer, claim).point).digest(),
        certificate.serial,
    )


def parse_answer(data: bytes, claim: str) -> OcspAnswer:
    """Parse one DER answer; raises `MalformedEvidence`, naming `claim`."""
    if len(data) > MAX_ANSWER_BYTES:
        raise MalformedEvidence(claim, f"OCSP answer of {len(data)} bytes, at most {MAX_ANSWER_BYTES}")
    response = der.sole_element(data, der.SEQUENCE, claim)
    status = response.value(ENUMERATED)
    if status != SUCCESSFUL:
        raise response.error(f"the responder answered with error {status.hex()}")
    wrapper = response.enter(der.CONTEXT_0)
    response.finish()
    typed = wrapper.enter(der.SEQUENCE)
    wrapper.finish()
    if typed.object_identifier() != OID_BASIC_RESPONSE:
        raise typed.error("not a basic OCSP response")
    basic = der.sole_element(typed.value(der.OCTET_STRING), der.SEQUENCE, claim)
    typed.finish()

    signed = basic.element(der.SEQUENCE)
    if basic.element(der.SEQUENCE) != ECDSA_SHA384:
        raise basic.error("the answer is not signed by ECDSA with SHA-384")
    signature = basic.bit_string()
    responder = None if basic.at_end() else _responder_certificate(basic.enter(CERTIFICATES), claim)
    basic.finish()

    fields = der.sole_element(signed, der.SEQUENCE, claim)
    by_key, by_name = _responder_id(fields, claim)
    read_time(fields)  # producedAt: says nothing that thisUpdate does not
    answers = fields.enter(der.SEQUENCE)
    fields.finish()
    single = answers.enter(der.SEQUENCE)
    answers.finish()
    identity = _certificate_id(single.enter(der.SEQUENCE))
    verdict = _status(single)
    this_update = read_time(single)
    following = single.enter(NEXT_UPDATE)
    next_update = read_time(following)
    following.finish()
    single.finish()
    return OcspAnswer(
        identity, verdict, this_update, next_update, by_key, by_name, responder, signed, signature
    )


def verify_answer(
    answer: OcspAnswer,
    certificate: Certificate,
    issuer: Certificate,
    now_ns: int,
    links: VerifiedLinks,
    claim: str,
) -> None:
    """Raise unless `answer` is about `certificate`, by someone `issuer` entitled, and in its window.

    `issuer` issued `certificate` and was verified itself. What the answer says is not looked at.
    """
    check_subject(answer, certificate, issuer, claim)
    verify_signed(answer, issuer, now_ns, links, claim)


def verify_signed(
    answer: OcspAnswer, issuer: Certificate, now_ns: int, links: VerifiedLinks, claim: str
) -> None:
    """Raise unless the answer is by someone `issuer` entitled, and in its window."""
    check_window(answer, now_ns, claim)
    signer = check_responder(answer, issuer, now_ns, claim)
    if signer is not issuer:
        links.verify(signer, issuer, f"{claim}.responder.signature")
    r, s = ecdsa_signature(answer.signature, f"{claim}.signature")
    links.verify_ecdsa(_key(signer, claim), answer.signed, r, s, f"{claim}.signature")


def check_subject(answer: OcspAnswer, certificate: Certificate, issuer: Certificate, claim: str) -> None:
    """The answer names this certificate: stops an answer about another, unrevoked device."""
    expected = certificate_id(certificate, issuer, claim)
    if answer.certificate != expected:
        raise RevocationInvalid(
            claim,
            f"the answer is about serial {answer.certificate.serial:x}, the certificate is serial "
            f"{expected.serial:x} of {issuer.subject.common_name!r}",
        )


def check_window(answer: OcspAnswer, now_ns: int, claim: str) -> None:
    """`now_ns` lies between this and next update: stops answers recorded before a revocation."""
    now = now_ns // NANOSECONDS
    if not answer.this_update - MAX_CLOCK_SKEW_S <= now <= answer.next_update:
        raise CollateralExpired(
            claim,
            f"the answer holds from {answer.this_update} to {answer.next_update}, but it is {now} "
            "(seconds since 1970): fetch a new one",
        )


def check_responder(answer: OcspAnswer, issuer: Certificate, now_ns: int, claim: str) -> Certificate:
    """Whoever signed was entitled by `issuer` (RFC 6960, section 4.2.2.2); answers the signer's certificate.

    Stops answers by any other key that the issuer ever certified, a device's own among them.
    """
    responder = answer.responder
    if responder is None:
        _check_identifier(answer, issuer, claim)
        return issuer
    _check_identifier(answer, responder, claim)
    name = repr(responder.subject.common_name)
    if responder.issuer.der != issuer.subject.der:
        raise RevocationInvalid(claim, f"responder {name} is not of {issuer.subject.common_name!r}")
    if responder.is_ca or OID_OCSP_SIGNING not in extended_key_usages(responder, claim):
        raise RevocationInvalid(claim, f"{name} is not for signing OCSP answers")
    if responder.key_usage is None or not responder.key_usage & KEY_USAGE_DIGITAL_SIGNATURE:
        raise RevocationInvalid(claim, f"{name} may not sign")
    check_validity(responder, now_ns, f"{claim}.responder")
    return responder


def _check_identifier(answer: OcspAnswer, signer: Certificate, claim: str) -> None:
    """The answer names its signer. A key is named by the subject key identifier of the certificate."""
    if answer.responder_name is not None:
        named = answer.responder_name == signer.subject.der
    else:
        identifier = signer.extensions.get(OID_SUBJECT_KEY_IDENTIFIER)
        named = identifier == bytes((der.OCTET_STRING, KEY_HASH_BYTES)) + (answer.responder_key or b"")
    if not named:
        raise RevocationInvalid(claim, f"the answer is not by {signer.subject.common_name!r}")


def _responder_certificate(wrapper: DerReader, claim: str) -> Certificate:
    certificates = wrapper.enter(der.SEQUENCE)
    wrapper.finish()
    encoded = certificates.element(der.SEQUENCE)
    certificates.finish()
    understood = UNDERSTOOD_CRITICAL | {OID_EXTENDED_KEY_USAGE}
    return parse_certificate(encoded, f"{claim}.responder", understood)


def _responder_id(fields: DerReader, claim: str) -> tuple[bytes | None, bytes | None]:
    """(key identifier, name) of which one is None."""
    if fields.peek() == RESPONDER_BY_NAME:
        wrapper = fields.enter(RESPONDER_BY_NAME)
        name = wrapper.element(der.SEQUENCE)
        wrapper.finish()
        return None, name
    wrapper = fields.enter(RESPONDER_BY_KEY)
    key = wrapper.value(der.OCTET_STRING)
    wrapper.finish()
    if len(key) != KEY_HASH_BYTES:
        raise MalformedEvidence(claim, f"responder's key identifier of {len(key)} bytes")
    return key, None


def _certificate_id(fields: DerReader) -> CertificateId:
    if fields.element(der.SEQUENCE) not in SHA384_IDENTIFIERS:
        raise fields.error("the certificate is not named by SHA-384")
    name, key = fields.value(der.OCTET_STRING), fields.value(der.OCTET_STRING)
    serial = fields.integer()
    fields.finish()
    if len(name) != HASH_BYTES or len(key) != HASH_BYTES:
        raise fields.error("the issuer's hashes are not 48 bytes")
    return CertificateId(name, key, serial)


def _status(fields: DerReader) -> str:
    tag, content = fields.any_value()
    if tag == STATUS_REVOKED:
        return REVOKED
    if tag in (STATUS_GOOD, STATUS_UNKNOWN) and not content:
        return GOOD if tag == STATUS_GOOD else UNKNOWN
    raise fields.error(f"certificate status with tag {tag:#04x}")


def _key(certificate: Certificate, claim: str) -> EcKey:
    if not isinstance(certificate.public_key, EcKey):
        raise RevocationInvalid(claim, f"the key of {certificate.subject.common_name!r} is not P-384")
    return certificate.public_key
