"""Genuine evidence from registries' packages gets the stated verdict, on the desk and in the canister."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest

from attestation import (
    PRODUCTION,
    AttestationError,
    Collateral,
    GpuEvidence,
    VerifiedLinks,
)
from attestation.bundle import Evidence
from attestation.cpu import check_cpu, read_cpu
from attestation.intel import verify as intel
from attestation.intel.pccs import collateral_from_json
from attestation.nvidia import rim, spdm
from attestation.nvidia import verify as nvidia
from attestation.policy import INTEL_ROOTS, NVIDIA_MANIFEST_ROOTS, NVIDIA_ROOTS
from attestation.x509 import parse_certificate
from tests import genuine_packages as genuine
from tests.attestation.genuine_canister import GenuineCanister
from tests.attestation.meanings import GPU, MANIFEST, SEV_SNP, TDX

NANOSECONDS = 1_000_000_000
NOW_NS = 1_763_000_000 * NANOSECONDS
MANIFESTS_NS = 1_704_067_200 * NANOSECONDS
IN_JUNE_2023_NS = 1_687_255_200 * NANOSECONDS
H100 = "41431D480FE5E87274"
STRIDE = 1 if os.environ.get("LEASEHOLD_EXHAUSTIVE") == "1" else 13


def needs(package: genuine.Package) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Skip where the package was not fetched."""
    reason = genuine.missing(package)
    return pytest.mark.skipif(bool(reason), reason=reason)


def gpu(evidence: GpuEvidence, links: VerifiedLinks | None = None) -> nvidia.VerifiedGpu:
    nonce = evidence.report[spdm.NONCE : spdm.NONCE + spdm.NONCE_BYTES]
    found = nvidia.read_evidence(evidence, nonce, NOW_NS, "gpu[0]")
    nvidia.check_signatures(found, links or VerifiedLinks(), "gpu[0]")
    return found


def cpu(kind: str, report: bytes, chain: tuple[bytes, ...], collateral: Collateral, now_ns: int) -> str:
    evidence = Evidence(kind, report, chain, (), b"", b"", b"")
    try:
        facts = check_cpu(read_cpu(evidence, collateral, now_ns), now_ns, VerifiedLinks())
    except AttestationError as error:
        return f"{type(error).__name__} {error.claim}"
    return f"{facts.kind} {facts.product} {facts.root_sha256} {'debug' if facts.debug else 'shielded'}"


@needs(genuine.NVIDIA)
def test_the_h100_verifies_to_the_root_that_nvidia_ships() -> None:
    found = gpu(genuine.hopper())
    assert parse_certificate(genuine.nvidia_root("device"), "root").sha256 == found.root_sha256
    assert (found.root_sha256,) == NVIDIA_ROOTS
    assert found.device_id == H100
    assert found.firmware_bound
    assert (found.report.driver, found.report.vbios) == ("550.90.07", "96.00.9F.00.01")
    assert found.report.reference_id == "1010_0200_882_96009F0001"


@needs(genuine.NVIDIA)
def test_a_changed_byte_or_a_truncation_of_the_h100_is_refused() -> None:
    evidence = genuine.hopper()
    report, chain = evidence.report, evidence.chain
    links = VerifiedLinks()
    gpu(evidence, links)
    for at in range(0, len(report), STRIDE):
        changed = report[:at] + bytes((report[at] ^ 1 << at % 8,)) + report[at + 1 :]
        for wrong in (changed, report[:at]):
            with pytest.raises(AttestationError):
                gpu(GpuEvidence(wrong, chain), links)
    for place, der in enumerate(chain[:-1]):
        for at in range(place, len(der), STRIDE):
            changed = der[:at] + bytes((der[at] ^ 1 << at % 8,)) + der[at + 1 :]
            with pytest.raises(AttestationError):
                gpu(GpuEvidence(report, (*chain[:place], changed, *chain[place + 1 :])), VerifiedLinks())


@needs(genuine.NVIDIA)
def test_every_manifest_verifies_to_the_root_that_nvidia_ships() -> None:
    links = VerifiedLinks()
    manifests = genuine.manifests()
    for name, data in manifests.items():
        found = rim.parse_manifest(data, name)
        rim.verify_manifest(found, MANIFESTS_NS, links, name)
        assert (found.root_sha256,) == NVIDIA_MANIFEST_ROOTS
        assert len(found.goldens) == (21 if name.startswith("Driver") else 12)
        with pytest.raises(AttestationError):
            changed = data.replace(b'index="0"', b'index="9"', 1)
            rim.verify_manifest(rim.parse_manifest(changed, name), MANIFESTS_NS, links, name)
    root = parse_certificate(genuine.nvidia_root("RIM"), "root").sha256
    assert len(manifests) == 26 and (root,) == NVIDIA_MANIFEST_ROOTS


@needs(genuine.AMD)
def test_the_milan_verifies_and_says_that_it_can_be_debugged() -> None:
    report, chain = genuine.milan()
    verdict = cpu("sev-snp", report, chain, Collateral(), NOW_NS).split()
    assert verdict[:2] == ["sev-snp", "Milan"] and verdict[3] == "debug"
    assert verdict[2] in PRODUCTION.cpu_roots


@needs(genuine.AMD)
@pytest.mark.parametrize("authorities", ["genoa", "milan_vlek", "turin_vcek"])
def test_the_milan_is_refused_under_other_genuine_authorities(authorities: str) -> None:
    report, chain = genuine.milan(authorities)
    assert cpu("sev-snp", report, chain, Collateral(), NOW_NS).startswith(("ChainInvalid ", "Signature"))


@needs(genuine.AMD)
def test_a_changed_byte_or_a_truncation_of_the_milan_is_refused() -> None:
    report, chain = genuine.milan()
    for at in range(0, len(report), STRIDE):
        changed = report[:at] + bytes((report[at] ^ 1 << at % 8,)) + report[at + 1 :]
        for wrong in (changed, report[:at]):
            assert not cpu("sev-snp", wrong, chain, Collateral(), NOW_NS).startswith("sev-snp")


@needs(genuine.INTEL)
def test_the_quote_is_refused_for_firmware_that_intel_lists_nowhere() -> None:
    quote, rest, form = genuine.tdx()
    collateral = collateral_from_json(json.dumps(form))
    assert cpu("tdx", quote, (), collateral, IN_JUNE_2023_NS) == "PlatformUnrecognized collateral.tcb_info"
    later = IN_JUNE_2023_NS + 30 * 86_400 * NANOSECONDS
    assert cpu("tdx", quote, (), collateral, later).startswith("CollateralExpired ")
    assert rest and cpu("tdx", quote + rest, (), collateral, IN_JUNE_2023_NS).startswith("MalformedEvidence")


@needs(genuine.INTEL)
def test_the_quote_and_all_of_intels_statements_are_soundly_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    quote, _, form = genuine.tdx()
    collateral = collateral_from_json(json.dumps(form))
    monkeypatch.setattr(intel, "platform_status", lambda *arguments: "UpToDate")
    found = intel.read_evidence(quote, collateral, IN_JUNE_2023_NS)
    facts = intel.check_signatures(found, IN_JUNE_2023_NS, VerifiedLinks())
    assert (found.root_sha256,) == INTEL_ROOTS
    assert {fact.status for fact in facts} == {"good"}
    for at in range(0, len(quote), STRIDE):
        changed = quote[:at] + bytes((quote[at] ^ 1 << at % 8,)) + quote[at + 1 :]
        try:
            evidence = intel.read_evidence(changed, collateral, IN_JUNE_2023_NS)
            intel.check_signatures(evidence, IN_JUNE_2023_NS, VerifiedLinks())
        except AttestationError:
            continue
        # Only the root's own signature is checked by nobody: the digest of the whole certificate is pinned.
        assert evidence.root_sha256 not in INTEL_ROOTS


@needs(genuine.INTEL)
def test_dcap_qvl_refuses_the_quote_for_the_same_reason() -> None:
    dcap = pytest.importorskip("dcap_qvl")
    quote, _, form = genuine.tdx()
    given = dcap.QuoteCollateralV3.from_json(json.dumps(form))
    with pytest.raises(ValueError, match="TCB"):
        dcap.verify(quote, given, IN_JUNE_2023_NS // NANOSECONDS)


@needs(genuine.NVIDIA)
def test_the_h100_gets_the_same_verdict_inside_the_canister(canister: GenuineCanister) -> None:
    evidence, manifest = genuine.hopper(), genuine.manifests()["1010_0200_882_960074001A_PROD.swidtag"]
    nonce = evidence.report[spdm.NONCE : spdm.NONCE + spdm.NONCE_BYTES]
    found = canister.meaning(GPU, (evidence.report, *evidence.chain, nonce), NOW_NS)
    assert found.startswith(f"('{H100}', 'GH100', ") and "96.00.9F.00.01" in found
    changed = evidence.report[:-1] + bytes((evidence.report[-1] ^ 1,))
    refused = canister.meaning(GPU, (changed, *evidence.chain, nonce), NOW_NS)
    assert refused == "SignatureInvalid gpu[0].signature"
    found = canister.meaning(MANIFEST, (manifest,), MANIFESTS_NS)
    assert found.startswith("('GPU', 'GH100', '96.00.74.00.1A', ")
    changed = manifest.replace(b'index="0"', b'index="9"', 1)
    refused = canister.meaning(MANIFEST, (changed,), MANIFESTS_NS)
    assert refused.startswith(("ManifestInvalid rim", "MalformedEvidence rim"))


@needs(genuine.AMD)
@needs(genuine.INTEL)
def test_the_cpus_get_the_same_verdicts_inside_the_canister(canister: GenuineCanister) -> None:
    report, chain = genuine.milan()
    assert report[0x90:0xC0].hex() in canister.meaning(SEV_SNP, (report, *chain), NOW_NS)
    quote, _, form = genuine.tdx()
    given = collateral_from_json(json.dumps(form))
    pieces = (quote, *given.tcb_infos, *given.qe_identities, *given.certificates, *given.crls)
    refused = canister.meaning(TDX, pieces, IN_JUNE_2023_NS)
    assert refused == "PlatformUnrecognized collateral.tcb_info"
