"""CPU evidence inside a canister: the same verdict as outside, within the limits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from attestation import AttestationError, Collateral, VerifiedLinks
from attestation.bundle import Evidence
from attestation.cpu import check_cpu, read_cpu
from benchmarks.attestation_instructions import NOW_NS
from benchmarks.cpu_attestation_instructions import (
    SNP_LIMIT_MILLIONS,
    TDX_LIMIT_MILLIONS,
    CpuVerifier,
    platforms,
)
from tests.network import skipped_when_given
from tests.network_canister import open_host


@pytest.fixture(scope="module")
def verifier() -> Iterator[CpuVerifier]:
    with open_host() as host:
        yield CpuVerifier(host)


def outside(kind: str, report: bytes, chain: tuple[bytes, ...], collateral: Collateral, now_ns: int) -> str:
    evidence = Evidence(kind, report, chain, (), b"", b"", b"")
    try:
        facts = check_cpu(read_cpu(evidence, collateral, now_ns), now_ns, VerifiedLinks())
    except AttestationError as error:
        return f"{type(error).__name__} {error.claim}"
    return f"{facts.kind} {facts.measurement}"


@skipped_when_given("counts instructions")
def test_simulated_evidence_stays_below_the_instruction_limits(verifier: CpuVerifier) -> None:
    for platform, limit in zip(platforms(), (SNP_LIMIT_MILLIONS, TDX_LIMIT_MILLIONS), strict=True):
        collateral = platform.collateral(NOW_NS) if platform.kind == "tdx" else Collateral()
        case = (platform.kind, platform.report(bytes(64)), platform.chain, collateral, NOW_NS)
        run = verifier.verify(*case)
        assert run.verdict == outside(*case)
        assert run.verdict.startswith(platform.kind)
        assert run.instructions < limit * 1_000_000
