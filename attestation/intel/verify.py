"""Verification of TDX evidence, one function per check.

 1. the quote's format, exact lengths, reserved bits (`quote`);
 2. the PCK chain has the right names, constraints, key types and dates (`pck`);
 3. the collateral is for this platform, and holds now (`statement`);
 4. the TCB signing certificate is issued by the same root as the PCK chain;
 5. the quoting enclave vouches for the key that signed the quote (`qe_identity`);
 6. it is Intel's TD quoting enclave; its status (`qe_identity`);
 7. the TDX module is Intel's; its status (`tcb_info`);
 8. the platform's firmware versions are on a level of the TCB info; its status (`tcb_info`);
 9. PCK certificate, PCK authority and TCB signing certificate are not revoked (`crl`);
10. each certificate is signed by the next, both statements by the TCB signing key, the quoting enclave's
    report by the PCK, and the quote by the attestation key.

Whether the root, the statuses, the measurement and a debugged guest are acceptable is policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from attestation.certificate_chain import (
    VerifiedLinks,
    check_chain_signatures,
    check_chain_structure,
    check_validity,
    parse_chain,
)
from attestation.collateral import Collateral
from attestation.crl import GOOD, RevocationLists
from attestation.errors import ChainInvalid, CollateralUnavailable, PlatformUnrecognized, SignatureInvalid
from attestation.facts import RevocationFact
from attestation.intel.pck import (
    CHAIN_LENGTH,
    TCB_SIGNER,
    Platform,
    certificates_of_pem,
    check_may_sign,
    check_roles,
    read_platform,
)
from attestation.intel.qe_identity import QeIdentity, check_attestation_key, parse_qe_identity, qe_status
from attestation.intel.quote import TdReport, TdxQuote, parse_quote
from attestation.intel.statement import Statement, check_window
from attestation.intel.tcb_info import TcbInfo, module_status, parse_tcb_info, platform_status
from attestation.intel.tcb_status import REVOKED, combine
from attestation.public_keys import P256Key
from attestation.x509 import Certificate, parse_certificate

MAX_TCB_SIGNERS = 4
PCK, PCK_AUTHORITY, ROOT = range(CHAIN_LENGTH)

Newest = TypeVar("Newest", TcbInfo, QeIdentity)


class TdxEvidence(NamedTuple):
    """Parsed TDX evidence whose parts agree; its signatures are checked by `check_signatures`.

    `chain` is PCK certificate, its authority, root; `signers` are the TCB signing certificates supplied;
    `status` is that of platform, module and quoting enclave together.
    """

    quote: TdxQuote
    chain: tuple[Certificate, ...]
    platform: Platform
    tcb_info: TcbInfo
    identity: QeIdentity
    signers: tuple[Certificate, ...]
    revocations: RevocationLists
    status: str

    @property
    def report(self) -> TdReport:
        """What the TDX module reported about the guest."""
        return self.quote.report

    @property
    def root_sha256(self) -> str:
        """Fingerprint of the root, hex."""
        return self.chain[ROOT].sha256

    @property
    def tcb(self) -> dict[str, int]:
        """Number of Intel's evaluation that judged the platform, and version of its certification enclave."""
        evaluation = min(self.tcb_info.evaluation, self.identity.evaluation)
        return {"evaluation": evaluation, "pce": self.platform.pce_svn}


def read_evidence(quote: bytes, collateral: Collateral, now_ns: int) -> TdxEvidence:
    """Parse quote and collateral and run checks 1 to 8."""
    parsed = parse_quote(quote)
    chain = parse_chain(certificates_of_pem(parsed.pck_chain, "cpu.chain"), CHAIN_LENGTH, "cpu.chain")
    check_chain_structure(chain, now_ns, "cpu.chain")
    check_roles(chain, "cpu.chain")
    platform = read_platform(chain[PCK], "cpu.chain[0]")
    check_attestation_key(parsed)

    tcb_info = _tcb_info_for(platform, collateral.tcb_infos)
    check_window(tcb_info.statement, now_ns, "collateral.tcb_info")
    identity = _newest(
        [parse_qe_identity(data, "collateral.qe_identity") for data in collateral.qe_identities],
        "collateral.qe_identity",
        "no identity of the TD quoting enclave was supplied",
    )
    check_window(identity.statement, now_ns, "collateral.qe_identity")
    signers = _tcb_signers(collateral.certificates, chain[ROOT], now_ns)

    status = platform_status(tcb_info, platform, parsed.report.tee_tcb_svn, "collateral.tcb_info")
    module = module_status(tcb_info, parsed.report, "collateral.tcb_info")
    status = status if module is None else combine(status, module)
    status = combine(status, qe_status(identity, parsed.qe_report, "collateral.qe_identity"))
    if status == REVOKED:
        # Never a matter of policy: keys of such a platform are known to have leaked.
        raise PlatformUnrecognized("cpu.tcb_status", "Intel has revoked this platform's firmware versions")
    revocations = RevocationLists(collateral.crls)
    return TdxEvidence(parsed, chain, platform, tcb_info, identity, signers, revocations, status)


def check_signatures(evidence: TdxEvidence, now_ns: int, links: VerifiedLinks) -> tuple[RevocationFact, ...]:
    """Checks 9 and 10; answers what is known about revocation. Raises `SignatureInvalid` and others."""
    quote, chain, root = evidence.quote, evidence.chain, evidence.chain[ROOT]
    check_chain_signatures(chain, links, "cpu.chain")
    r, s = _numbers(quote.qe_signature)
    links.verify_report(_key(chain[PCK], "cpu.chain[0]"), quote.qe_report.raw, r, s, "cpu.quoting_enclave")
    r, s = _numbers(quote.signature)
    attestation_key = P256Key(b"\x04" + quote.attestation_key)
    links.verify_report(attestation_key, quote.signed, r, s, "cpu.signature")

    signers = {
        _signer_of(evidence.tcb_info.statement, evidence, links, "collateral.tcb_info"),
        _signer_of(evidence.identity.statement, evidence, links, "collateral.qe_identity"),
    }
    facts = [
        _not_revoked(evidence, chain[PCK], chain[PCK_AUTHORITY], now_ns, links, "cpu.chain[0]"),
        _not_revoked(evidence, chain[PCK_AUTHORITY], root, now_ns, links, "cpu.chain[1]"),
    ]
    for index in sorted(signers):
        claim = f"collateral.certificates[{index}]"
        facts.append(_not_revoked(evidence, evidence.signers[index], root, now_ns, links, claim))
    return tuple(facts)


def _tcb_info_for(platform: Platform, infos: Sequence[bytes]) -> TcbInfo:
    """The newest TCB info for the platform's FMSPC and PCE."""
    parsed = [parse_tcb_info(data, "collateral.tcb_info") for data in infos]
    return _newest(
        [info for info in parsed if (info.fmspc, info.pce_id) == (platform.fmspc, platform.pce_id)],
        "collateral.tcb_info",
        f"no TDX TCB info for FMSPC {platform.fmspc.hex()} was supplied",
    )


def _newest(found: list[Newest], claim: str, missing: str) -> Newest:
    if not found:
        raise CollateralUnavailable(claim, missing)
    return max(found, key=_evaluation_and_date)


def _evaluation_and_date(entry: TcbInfo | QeIdentity) -> tuple[int, int]:
    return entry.evaluation, entry.statement.issued


def _tcb_signers(certificates: Sequence[bytes], root: Certificate, now_ns: int) -> tuple[Certificate, ...]:
    """TCB signing certificates by `root`: stops a PCK, which any platform has, from signing statements."""
    found: list[Certificate] = []
    for index, data in enumerate(certificates):
        claim = f"collateral.certificates[{index}]"
        certificate = parse_certificate(data, claim)
        if not TCB_SIGNER.fullmatch(certificate.subject.common_name):
            continue
        if certificate.issuer.der != root.subject.der or len(found) == MAX_TCB_SIGNERS:
            raise ChainInvalid(claim, f"not issued by the root, or more than {MAX_TCB_SIGNERS} TCB signers")
        if certificate.is_ca:
            raise ChainInvalid(claim, "the TCB signing certificate is a certificate authority")
        check_may_sign(certificate, claim)
        check_validity(certificate, now_ns, claim)
        found.append(certificate)
    if not found:
        raise CollateralUnavailable("collateral.certificates", "no TCB signing certificate was supplied")
    return tuple(found)


def _signer_of(statement: Statement, evidence: TdxEvidence, links: VerifiedLinks, claim: str) -> int:
    """Which TCB signing certificate signed the statement; the certificate is verified first."""
    problem: SignatureInvalid | None = None
    for index, signer in enumerate(evidence.signers):
        links.verify(signer, evidence.chain[ROOT], f"collateral.certificates[{index}].signature")
        r, s = _numbers(statement.signature)
        try:
            links.verify_ecdsa(_key(signer, claim), statement.signed, r, s, f"{claim}.signature")
        except SignatureInvalid as error:
            problem = error
        else:
            return index
    raise problem or CollateralUnavailable(claim, "no TCB signing certificate was supplied")


def _not_revoked(
    evidence: TdxEvidence,
    certificate: Certificate,
    issuer: Certificate,
    now_ns: int,
    links: VerifiedLinks,
    claim: str,
) -> RevocationFact:
    """Unlike AMD, Intel publishes a list for every issuer: without one the evidence cannot be judged."""
    fact = evidence.revocations.check(certificate, issuer, now_ns, links, claim)
    if fact.status != GOOD:
        raise CollateralUnavailable(
            "collateral.crls", f"no revocation list of {issuer.subject.common_name!r} was supplied"
        )
    return fact


def _key(certificate: Certificate, claim: str) -> P256Key:
    if not isinstance(certificate.public_key, P256Key):
        raise ChainInvalid(claim, f"the key of {certificate.subject.common_name!r} is not P-256")
    return certificate.public_key


def _numbers(signature: bytes) -> tuple[int, int]:
    """r and s of a raw signature of 64 bytes."""
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
