"""Certificates that may vouch for collateral: each leads to a pinned root, every link signed.

Only what vendors use is an authority: a pinned root, a CA at most two steps below one, and Intel's TCB
signing certificate. So nobody's device, whose key is certified by the same roots, can vouch for anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from attestation import policy
from attestation.certificate_chain import VerifiedLinks, check_authority, check_validity
from attestation.collateral_subjects import (
    authority_subject,
    certificate_subject,
    name_part,
    tcb_signer_prefix,
    tcb_signer_subject,
)
from attestation.errors import (
    AttestationError,
    CertificateRevoked,
    ChainInvalid,
    CollateralUnavailable,
    SignatureInvalid,
)
from attestation.intel.pck import TCB_SIGNER, check_may_sign
from attestation.x509 import Certificate, parse_certificate

MAX_DEPTH = 2
MAX_CANDIDATES = 4
AMD, INTEL, NVIDIA, MANIFESTS = "AMD", "Intel", "NVIDIA", "NVIDIA manifests"

Find = Callable[[str], Iterable[bytes]]
IsRevoked = Callable[[str], bool]


class Authority(NamedTuple):
    """`chain` is the certificate, its issuers, the root; `vendor` whose root that is."""

    certificate: Certificate
    chain: tuple[Certificate, ...]
    vendor: str

    @property
    def root_sha256(self) -> str:
        """Fingerprint of the root, hex."""
        return self.chain[-1].sha256

    @property
    def subject(self) -> str:
        """Under which it is kept."""
        if self.certificate.is_ca:
            return authority_subject(self.certificate)
        return tcb_signer_subject(self.certificate, self.root_sha256)


def pinned_roots(simulated: bool) -> dict[str, str]:
    """Vendors by SHA-256 of their roots; the development roots too where evidence may be `simulated`."""
    groups = [
        (AMD, policy.AMD_ROOTS),
        (INTEL, policy.INTEL_ROOTS),
        (NVIDIA, policy.NVIDIA_ROOTS),
        (MANIFESTS, policy.NVIDIA_MANIFEST_ROOTS),
    ]
    if simulated:
        groups += [
            (AMD, policy.DEVELOPMENT_AMD_ROOTS),
            (INTEL, policy.DEVELOPMENT_INTEL_ROOTS),
            (NVIDIA, policy.DEVELOPMENT_NVIDIA_ROOTS),
            (MANIFESTS, policy.DEVELOPMENT_NVIDIA_MANIFEST_ROOTS),
        ]
    return {root: vendor for vendor, roots in groups for root in roots}


class Authorities:
    """Finds who may have signed a piece of collateral.

    Arguments: `roots` as `pinned_roots` gives them; `find` the certificates (DER) held under subjects with a
    prefix, which were admitted before; `is_revoked` whether a certificate's subject is known to be revoked.
    """

    def __init__(
        self, roots: dict[str, str], find: Find, is_revoked: IsRevoked, now_ns: int, links: VerifiedLinks
    ) -> None:
        self._roots = roots
        self._find = find
        self._is_revoked = is_revoked
        self._now_ns = now_ns
        self._links = links
        self._admitted: dict[str, Authority] = {}

    def admit(self, data: bytes, claim: str) -> Authority:
        """The authority that a certificate is; raises `ChainInvalid` and others.

        Its issuer must be held or have been admitted before, else `CollateralUnavailable`.
        """
        authority = self._verified(parse_certificate(data, claim), claim, MAX_DEPTH)
        self._check_purpose(authority, claim)
        self._admitted[authority.subject] = authority
        return authority

    def named(self, name_der: bytes, claim: str) -> list[Authority]:
        """Authorities with this name; raises `CollateralUnavailable` when there are none."""
        return self._having(name_part(name_der) + "/", "the issuer's certificate", claim)

    def exactly(self, subject: str, claim: str) -> Authority:
        """The authority with this subject."""
        return self._having(subject, "the issuer's certificate", claim)[0]

    def tcb_signers(self, claim: str) -> list[Authority]:
        """Intel's TCB signing certificates, under each Intel root."""
        roots = [root for root, vendor in self._roots.items() if vendor == INTEL]
        found = [signer for root in roots for signer in self._search(tcb_signer_prefix(root), claim)]
        if not found:
            raise _missing("a TCB signing certificate", claim)
        return found

    def check_not_revoked(self, chain: Sequence[Certificate], claim: str) -> None:
        """Refuse a chain of which a certificate is known to be revoked."""
        for certificate, issuer in pairwise(chain):
            if self._is_revoked(certificate_subject(certificate, issuer)):
                raise CertificateRevoked(claim, f"{certificate.subject.common_name!r} was revoked")

    def vendor_of(self, root_sha256: str) -> str | None:
        """Whose root this is, None when it is not pinned."""
        return self._roots.get(root_sha256)

    def _having(self, subject: str, what: str, claim: str) -> list[Authority]:
        found = self._search(subject, claim)
        if not found:
            raise _missing(what, claim)
        return found

    def _search(self, prefix: str, claim: str) -> list[Authority]:
        found = [entry for subject, entry in self._admitted.items() if subject.startswith(prefix)]
        known = {entry.certificate.der for entry in found}
        problem: AttestationError | None = None
        for data in self._find(prefix):
            if data in known:
                continue
            try:
                found.append(self._verified(parse_certificate(data, claim), claim, MAX_DEPTH))
            except AttestationError as error:  # held, but expired or revoked since: others may serve
                problem = error
        if problem is not None and not found:
            raise problem
        return found[:MAX_CANDIDATES]

    def _verified(self, certificate: Certificate, claim: str, steps: int) -> Authority:
        check_validity(certificate, self._now_ns, claim)
        vendor = self._roots.get(certificate.sha256)
        if vendor is not None:
            return Authority(certificate, (certificate,), vendor)
        if steps == 0:
            raise ChainInvalid(claim, f"more than {MAX_DEPTH} steps below a pinned root")
        issuer = self._issuer(certificate, claim, steps - 1)
        chain = (certificate, *issuer.chain)
        self.check_not_revoked(chain, claim)
        for below, entry in enumerate(issuer.chain):
            check_authority(entry, below + int(certificate.is_ca), claim)
        return Authority(certificate, chain, issuer.vendor)

    def _issuer(self, certificate: Certificate, claim: str, steps: int) -> Authority:
        problem: AttestationError = _missing(f"the certificate of {certificate.issuer.common_name!r}", claim)
        prefix = name_part(certificate.issuer.der) + "/"
        candidates = [e.certificate for s, e in self._admitted.items() if s.startswith(prefix)]
        held = [parse_certificate(data, claim) for data in self._find(prefix)]
        for candidate in (candidates + held)[:MAX_CANDIDATES]:
            try:
                self._links.verify(certificate, candidate, f"{claim}.signature")
                return self._verified(candidate, claim, steps)
            except (SignatureInvalid, CollateralUnavailable) as error:
                problem = error
        raise problem

    def _check_purpose(self, authority: Authority, claim: str) -> None:
        certificate = authority.certificate
        if certificate.is_ca:
            check_authority(certificate, 0, claim)
        elif authority.vendor == INTEL and TCB_SIGNER.fullmatch(certificate.subject.common_name):
            check_may_sign(certificate, claim)
        else:
            name = certificate.subject.common_name
            raise ChainInvalid(claim, f"{name!r} signs no collateral: no authority, nor Intel's TCB signer")


def _missing(what: str, claim: str) -> CollateralUnavailable:
    return CollateralUnavailable(claim, f"{what} is not held; post it before this, or together with it")
