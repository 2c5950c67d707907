"""What is admitted as collateral, by genuine pieces at their time: vendors' own names, depths, purposes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from attestation import (
    AttestationError,
    CertificateRevoked,
    ChainInvalid,
    Collateral,
    CollateralUnavailable,
    Evidence,
    VerifiedLinks,
    collateral_needs,
    with_issuers,
)
from attestation.authorities import Authorities, pinned_roots
from attestation.bundle import GpuEvidence
from attestation.certificate_chain import Unfinished
from attestation.collateral import KINDS
from attestation.collateral_check import Checker, Piece
from attestation.collateral_subjects import certificate_subject
from attestation.intel.pccs import collateral_from_json
from attestation.x509 import parse_certificate

if TYPE_CHECKING:
    from tests.attestation.conftest import Samples

NANOSECONDS = 1_000_000_000
DEVICE_AT = 1_755_762_428
MANIFEST_AT = 1_761_309_142
INTEL_AT = 1_750_329_147


class Desk:
    """Admits pieces at one time, as a marketplace does that holds nothing yet."""

    def __init__(self, at: int, simulated: bool = False, revoked: frozenset[str] = frozenset()) -> None:
        self.held: dict[str, bytes] = {}
        links = VerifiedLinks()
        authorities = Authorities(
            pinned_roots(simulated), self._find, revoked.__contains__, at * NANOSECONDS, links
        )
        self.checker = Checker(authorities, at * NANOSECONDS, links)

    def _find(self, prefix: str) -> list[bytes]:
        return [data for subject, data in self.held.items() if subject.startswith(prefix)]

    def admit(self, collateral: Collateral) -> list[Piece]:
        """All pieces, certificates from the root down."""
        waiting = list(collateral.certificates)
        pieces = []
        while waiting:
            admitted = [piece for piece in map(self._certificate, waiting) if piece is not None]
            assert admitted, "no issuer for any of the certificates"
            pieces += admitted
            self.held.update({piece.subject: piece.content for piece in admitted})
            waiting = [data for data in waiting if data not in self.held.values()]
        for kind in (kind.field for kind in KINDS if kind.field != "certificates"):
            pieces += [self.checker.check(kind, data, kind) for data in getattr(collateral, kind)]
        return pieces

    def _certificate(self, data: bytes) -> Piece | None:
        try:
            return self.checker.check("certificates", data, "certificates")
        except CollateralUnavailable:
            return None


def covered(evidence: Evidence, rims: tuple[bytes, ...], pieces: list[Piece], but: str = "") -> bool:
    """Whether the pieces are all that the evidence needs, `but` for one kind."""
    have = {(piece.kind, piece.subject) for piece in pieces}
    return all(
        any(
            kind == need.kind and (subject == need.subject or not need.exact)
            for kind, subject in have
            if subject.startswith(need.subject)
        )
        for need in collateral_needs(evidence, rims)
        if need.kind != but
    )


def h100(samples: Samples) -> GpuEvidence:
    return samples.gpus()["single H100"]


def genuine_gpu(samples: Samples) -> Evidence:
    """The genuine H100, on a genuine processor, of whose vendor's list there is no sample."""
    report, chain = samples.amd("amd/milan_v2_report.bin", "amd/milan_v2_vcek.der", "amd/ask_ark_milan.pem")
    return Evidence("sev-snp", report, chain, (h100(samples),), b"", b"", b"")


def test_genuine_statements_of_intel_are_admitted(samples: Samples) -> None:
    quote = samples.read("intel/tdx_quote")
    evidence = Evidence("tdx", quote, (), (), b"", b"", b"")
    given = collateral_from_json(samples.read("intel/tdx_quote_collateral.json").decode())
    pieces = Desk(INTEL_AT).admit(with_issuers(given, evidence))
    assert covered(evidence, (), pieces)
    kinds = [piece.kind for piece in pieces]
    assert (kinds.count("certificates"), kinds.count("crls"), kinds.count("tcb_infos")) == (3, 2, 1)
    for piece in pieces:
        assert piece.valid_from <= INTEL_AT <= piece.valid_until


def test_genuine_answers_and_manifests_of_nvidia_are_admitted(samples: Samples) -> None:
    folder = "nvidia/spt_gh100_complete"
    rims = tuple(
        samples.read(f"{folder}/{name}.xml")
        for name in ("NV_GPU_DRIVER_GH100_550.90.07", "NV_GPU_VBIOS_1010_0200_882_96009F0001")
    )
    chains = with_issuers(Collateral(rims=rims), genuine_gpu(samples))
    answers = samples.ocsp()
    about_devices = tuple(data for name, data in answers.items() if "certificate" in name)
    about_manifests = tuple(data for name, data in answers.items() if "rim" in name or "vbios" in name)
    assert len(about_devices) + len(about_manifests) == len(answers) == 7
    devices = Desk(DEVICE_AT).admit(dataclasses.replace(chains, ocsp=about_devices, rims=()))
    manifests = Desk(MANIFEST_AT).admit(dataclasses.replace(chains, ocsp=about_manifests))
    assert covered(genuine_gpu(samples), rims, devices + manifests, but="crls")


def test_a_genuine_devices_certificates_vouch_for_nothing(samples: Samples) -> None:
    chain = h100(samples).chain
    desk = Desk(DEVICE_AT)
    desk.admit(Collateral(certificates=chain[2:]))
    for data in chain[:2]:
        with pytest.raises((ChainInvalid, CollateralUnavailable)):
            desk.checker.check("certificates", data, "certificates")


def test_a_chain_below_a_revoked_certificate_is_not_admitted(samples: Samples) -> None:
    chain = h100(samples).chain[2:]
    identity = parse_certificate(chain[1], "identity")
    subject = certificate_subject(identity, parse_certificate(chain[2], "root"))
    desk = Desk(DEVICE_AT, revoked=frozenset((subject,)))
    for data in chain[:2]:
        with pytest.raises((CertificateRevoked, CollateralUnavailable)):
            desk.checker.check("certificates", data, "certificates")
    with pytest.raises(CertificateRevoked):
        desk.admit(Collateral(certificates=chain))


def test_a_budget_that_is_used_up_is_no_refusal() -> None:
    assert not issubclass(Unfinished, AttestationError)
    assert issubclass(CertificateRevoked, AttestationError)
