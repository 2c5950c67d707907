"""Checks of collateral that anybody posts, before it is kept: only what the vendor signed gets in.

Each piece has the vendor's signature, by an authority under a pinned root, and holds now. So a forged piece
that claims to be newer cannot take the place of a genuine one.
"""

from __future__ import annotations

from typing import NamedTuple

from attestation.authorities import AMD, INTEL, MANIFESTS, NVIDIA, Authorities, Authority
from attestation.certificate_chain import VerifiedLinks
from attestation.collateral_subjects import (
    MAX_SUBJECT_CHARACTERS,
    authority_subject,
    manifest_subject,
    ocsp_subject,
    tcb_info_subject,
)
from attestation.crl import check_crl, parse_crl
from attestation.errors import (
    AttestationError,
    ChainInvalid,
    MalformedEvidence,
    RevocationInvalid,
    SignatureInvalid,
)
from attestation.intel.qe_identity import parse_qe_identity
from attestation.intel.statement import Statement, check_window
from attestation.intel.tcb_info import parse_tcb_info
from attestation.nvidia import ocsp
from attestation.nvidia.reference_values import read_manifest
from attestation.nvidia.rim import verify_manifest
from attestation.public_keys import P256Key


class Piece(NamedTuple):
    """A verified piece: `kind` and `subject` as in `collateral_subjects`.

    `version` orders pieces about one subject by the vendor's own time (seconds since 1970), for Intel's
    statements after its evaluation number; it holds from `valid_from` to `valid_until`, both included.
    `revoked` are the certificates it says are revoked.
    """

    kind: str
    subject: str
    version: tuple[int, int]
    valid_from: int
    valid_until: int
    content: bytes
    revoked: tuple[str, ...] = ()


class Checker:
    """Checks pieces at one time, with the authorities that are known then."""

    def __init__(self, authorities: Authorities, now_ns: int, links: VerifiedLinks) -> None:
        self._authorities = authorities
        self._now_ns = now_ns
        self._links = links

    def check(self, kind: str, content: bytes, claim: str) -> Piece:
        """The verified piece; raises a subclass of `AttestationError` that names `claim`."""
        piece = getattr(self, f"_{kind}")(content, claim)
        if len(piece.subject) > MAX_SUBJECT_CHARACTERS or not piece.subject.isascii():
            raise MalformedEvidence(claim, f"what it is about is too long: {len(piece.subject)} characters")
        return piece  # type: ignore[no-any-return]

    def _certificates(self, content: bytes, claim: str) -> Piece:
        authority = self._authorities.admit(content, claim)
        certificate = authority.certificate
        window = certificate.not_before, certificate.not_after
        return Piece("certificates", authority.subject, (0, window[0]), *window, content)

    def _ocsp(self, content: bytes, claim: str) -> Piece:
        answer = ocsp.parse_answer(content, claim)
        subject = ocsp_subject(answer.certificate)
        issuer = self._authorities.exactly(subject.rpartition("/")[0], claim)
        _require_vendor(issuer, (NVIDIA, MANIFESTS), claim)
        ocsp.verify_signed(answer, issuer.certificate, self._now_ns, self._links, claim)
        if answer.status == ocsp.UNKNOWN:
            raise RevocationInvalid(claim, "the responder does not know the certificate: of no use")
        revoked = (subject,) if answer.status == ocsp.REVOKED else ()
        ends = answer.next_update if answer.responder is None else answer.responder.not_after
        window = answer.this_update, min(answer.next_update, ends)
        return Piece("ocsp", subject, (0, window[0]), *window, content, revoked)

    def _rims(self, content: bytes, claim: str) -> Piece:
        manifest = read_manifest(content, claim)
        if self._authorities.vendor_of(manifest.root_sha256) != MANIFESTS:
            raise ChainInvalid(f"{claim}.chain", f"{manifest.root_sha256} is no pinned root of manifests")
        verify_manifest(manifest, self._now_ns, self._links, claim)
        self._authorities.check_not_revoked(manifest.chain, f"{claim}.chain")
        valid_from = max(certificate.not_before for certificate in manifest.chain)
        valid_until = min(certificate.not_after for certificate in manifest.chain)
        return Piece("rims", manifest_subject(manifest), (0, valid_from), valid_from, valid_until, content)

    def _crls(self, content: bytes, claim: str) -> Piece:
        listed = parse_crl(content, claim)
        problem: AttestationError | None = None
        for issuer in self._authorities.named(listed.issuer, claim):
            _require_vendor(issuer, (AMD, INTEL), claim)
            try:
                check_crl(listed, issuer.certificate, self._now_ns, self._links, claim)
            except SignatureInvalid as error:
                problem = error
                continue
            subject = authority_subject(issuer.certificate)
            revoked = tuple(f"{subject}/{serial:x}" for serial in sorted(listed.revoked))
            window = listed.this_update, listed.next_update - 1
            return Piece("crls", subject, (0, window[0]), *window, content, revoked)
        raise problem or SignatureInvalid(claim, "no issuer of the list is held")

    def _tcb_infos(self, content: bytes, claim: str) -> Piece:
        info = parse_tcb_info(content, claim)
        signer = self._signer(info.statement, claim)
        subject = tcb_info_subject(signer.root_sha256, info.fmspc, info.pce_id)
        return _statement("tcb_infos", subject, info.evaluation, info.statement, signer, content)

    def _qe_identities(self, content: bytes, claim: str) -> Piece:
        identity = parse_qe_identity(content, claim)
        signer = self._signer(identity.statement, claim)
        root = signer.root_sha256
        return _statement("qe_identities", root, identity.evaluation, identity.statement, signer, content)

    def _signer(self, statement: Statement, claim: str) -> Authority:
        """The TCB signer that signed the statement, which holds now."""
        check_window(statement, self._now_ns, claim)
        r, s = (int.from_bytes(part, "big") for part in (statement.signature[:32], statement.signature[32:]))
        problem: SignatureInvalid | None = None
        for signer in self._authorities.tcb_signers(claim):
            key = signer.certificate.public_key
            if not isinstance(key, P256Key):
                continue
            try:
                self._links.verify_ecdsa(key, statement.signed, r, s, f"{claim}.signature")
            except SignatureInvalid as error:
                problem = error
            else:
                return signer
        raise problem or SignatureInvalid(claim, "no TCB signer with a P-256 key is held")


def _statement(
    kind: str, subject: str, evaluation: int, statement: Statement, signer: Authority, content: bytes
) -> Piece:
    window = statement.issued, min(statement.next_update, signer.certificate.not_after)
    return Piece(kind, subject, (evaluation, window[0]), *window, content)


def _require_vendor(authority: Authority, vendors: tuple[str, ...], claim: str) -> None:
    if authority.vendor not in vendors:
        raise ChainInvalid(claim, f"signed under a root of {authority.vendor}, not of {' or '.join(vendors)}")
