"""Revocation of a chain: what the given OCSP answers say about each certificate that has an issuer to ask.

A root is pinned by policy and a device's leaf is made by the device itself: neither has an answer. The others
each need one, because their dates never end.
"""

from __future__ import annotations

from collections.abc import Sequence

from attestation.certificate_chain import NANOSECONDS, VerifiedLinks
from attestation.collateral_subjects import certificate_subject
from attestation.errors import CertificateRevoked
from attestation.facts import RevocationFact
from attestation.nvidia import ocsp
from attestation.nvidia.ocsp import CertificateId, OcspAnswer
from attestation.x509 import Certificate

MISSING = "missing"


class OcspAnswers:
    """Answers by the certificate they are about; parsed once, verified when asked for."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._by_certificate: dict[CertificateId, list[OcspAnswer]] = {}
        for index, data in enumerate(answers):
            answer = ocsp.parse_answer(data, f"collateral.ocsp[{index}]")
            self._by_certificate.setdefault(answer.certificate, []).append(answer)

    def find(self, certificate: Certificate, issuer: Certificate, claim: str) -> list[OcspAnswer]:
        """All answers about `certificate`, newest first."""
        found = self._by_certificate.get(ocsp.certificate_id(certificate, issuer, claim), [])
        return sorted(found, key=lambda answer: answer.this_update, reverse=True)


def check_chain_revocation(
    chain: Sequence[Certificate],
    first: int,
    answers: OcspAnswers,
    now_ns: int,
    links: VerifiedLinks,
    claim: str,
) -> tuple[RevocationFact, ...]:
    """What is known about each certificate from `first` up to, not including, the root.

    Stops a device or signer whose key leaked: its certificates stay valid for ever. Raises
    `CertificateRevoked`, or what `verify_answer` raises; a missing answer is a fact for the policy.
    """
    return tuple(
        check_revocation(chain[depth], chain[depth + 1], answers, now_ns, links, f"{claim}[{depth}]")
        for depth in range(first, len(chain) - 1)
    )


def check_revocation(
    certificate: Certificate,
    issuer: Certificate,
    answers: OcspAnswers,
    now_ns: int,
    links: VerifiedLinks,
    claim: str,
) -> RevocationFact:
    """What is known of one certificate by the newest verified answer; if any says revoked, it is revoked."""
    name, subject = certificate.subject.common_name, certificate_subject(certificate, issuer)
    usable = _in_window(answers.find(certificate, issuer, claim), now_ns)
    for answer in usable:
        ocsp.verify_answer(answer, certificate, issuer, now_ns, links, f"{claim}.ocsp")
        if answer.status == ocsp.REVOKED:
            raise CertificateRevoked(claim, f"{name!r}, serial {certificate.serial:x}, was revoked")
    if not usable:
        return RevocationFact(name, MISSING, 0, subject)
    # Only of what was verified: an outdated answer was passed over, and could be anybody's.
    age_s = max(0, now_ns // NANOSECONDS - usable[0].this_update)
    return RevocationFact(name, usable[0].status, age_s, subject)


def _in_window(answers: list[OcspAnswer], now_ns: int) -> list[OcspAnswer]:
    """Without outdated answers, unless there are no others: then what is wrong with them is said."""
    now = now_ns // NANOSECONDS
    return [answer for answer in answers if now <= answer.next_update] or answers
