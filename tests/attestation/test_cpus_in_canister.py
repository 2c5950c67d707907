"""CPU evidence inside a canister: genuine samples get the same verdicts as outside, within the limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from attestation import AttestationError, Collateral, VerifiedLinks
from attestation.bundle import Evidence
from attestation.cpu import check_cpu, read_cpu
from attestation.intel.pccs import collateral_from_json
from benchmarks.attestation_instructions import NOW_NS
from benchmarks.cpu_attestation_instructions import (
    SNP_LIMIT_MILLIONS,
    TDX_LIMIT_MILLIONS,
    CpuVerifier,
    platforms,
)

if TYPE_CHECKING:
    from tests.attestation.conftest import Samples

NANOSECONDS = 1_000_000_000
AMD_NOW_NS = 1_763_000_000 * NANOSECONDS


@pytest.fixture(scope="module")
def verifier() -> CpuVerifier:
    return CpuVerifier()


def outside(kind: str, report: bytes, chain: tuple[bytes, ...], collateral: Collateral, now_ns: int) -> str:
    evidence = Evidence(kind, report, chain, (), b"", b"", b"")
    try:
        facts = check_cpu(read_cpu(evidence, collateral, now_ns), now_ns, VerifiedLinks())
    except AttestationError as error:
        return f"{type(error).__name__} {error.claim}"
    return f"{facts.kind} {facts.measurement}"


def test_simulated_evidence_stays_below_the_instruction_limits(verifier: CpuVerifier) -> None:
    for platform, limit in zip(platforms(), (SNP_LIMIT_MILLIONS, TDX_LIMIT_MILLIONS), strict=True):
        collateral = platform.collateral(NOW_NS) if platform.kind == "tdx" else Collateral()
        case = (platform.kind, platform.report(bytes(64)), platform.chain, collateral, NOW_NS)
        run = verifier.verify(*case)
        assert run.verdict == outside(*case)
        assert run.verdict.startswith(platform.kind)
        assert run.instructions < limit * 1_000_000


def test_genuine_evidence_of_amd_gets_the_same_verdict_inside(
    samples: Samples, verifier: CpuVerifier
) -> None:
    for report, leaf, authorities in (
        ("milan_v2_report.bin", "milan_v2_vcek.der", "ask_ark_milan.pem"),
        ("milan_v2_debug_report.bin", "milan_v2_debug_vcek.der", "ask_ark_milan.pem"),
        ("genoa_v3_azure_report.bin", "genoa_v3_azure_vcek.pem", "ask_ark_genoa.pem"),
        ("genoa_v3_azure_report.bin", "genoa_v3_azure_vcek.pem", "ask_ark_milan.pem"),
    ):
        data, chain = samples.amd(f"amd/{report}", f"amd/{leaf}", f"amd/{authorities}")
        case = ("sev-snp", data, chain, Collateral(), AMD_NOW_NS)
        run = verifier.verify(*case)
        assert run.verdict == outside(*case)
        assert run.verdict.startswith("sev-snp") is (report.split("_")[0] in authorities)


@pytest.mark.parametrize(
    ("name", "now_s", "verdict"),
    [
        ("tdx_quote", 1_750_329_147, "tdx "),
        ("tdx_quote", 1_752_919_235, "RevocationInvalid cpu.chain[0].crl"),
        ("tdx_quote_outdated", 1_771_500_000, "PlatformUnrecognized collateral.tcb_info"),
    ],
)
def test_genuine_evidence_of_intel_gets_the_same_verdict_inside(
    samples: Samples, verifier: CpuVerifier, name: str, now_s: int, verdict: str
) -> None:
    collateral = collateral_from_json(samples.read(f"intel/{name}_collateral.json").decode())
    case = ("tdx", samples.read(f"intel/{name}"), (), collateral, now_s * NANOSECONDS)
    run = verifier.verify(*case)
    assert run.verdict == outside(*case)
    assert run.verdict.startswith(verdict)
    assert run.instructions < TDX_LIMIT_MILLIONS * 1_000_000
