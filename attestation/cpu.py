"""The CPU's evidence, whichever vendor's: the one place that knows the kinds.

`read_cpu` parses and runs every check that costs no signature, `check_cpu` verifies signatures and revocation
and answers the plain facts that policies look at. A kind registers here and in `bundle.CPU_KINDS`.
"""

from __future__ import annotations

from typing import Union

from attestation.amd import verify as amd
from attestation.bundle import Evidence
from attestation.certificate_chain import VerifiedLinks
from attestation.claims import Claim, row
from attestation.collateral import Collateral
from attestation.facts import CpuFacts
from attestation.intel import verify as intel

SEV_SNP = "sev-snp"
TDX = "tdx"

VerifiedCpu = Union[amd.SnpEvidence, intel.TdxEvidence]  # noqa: UP007 (evaluated at run time by Python 3.10)


def read_cpu(evidence: Evidence, collateral: Collateral, now_ns: int) -> VerifiedCpu:
    """Parse the CPU's part of the evidence, with what the collateral says about it."""
    if evidence.cpu_kind == TDX:
        return intel.read_evidence(evidence.cpu_report, collateral, now_ns)
    return amd.read_evidence(evidence.cpu_report, evidence.cpu_chain, now_ns, collateral.crls)


def check_cpu(cpu: VerifiedCpu, now_ns: int, links: VerifiedLinks) -> CpuFacts:
    """Verify signatures and revocation; raises a subclass of `AttestationError`."""
    if isinstance(cpu, intel.TdxEvidence):
        return _tdx_facts(cpu, now_ns, links)
    return _snp_facts(cpu, now_ns, links)


def established_by(cpu: CpuFacts) -> list[Claim]:
    """Rows for what `check_cpu` verified; had one check failed, it would have raised."""
    if cpu.kind == TDX:
        return [
            row("cpu.chain", True, "PCK certificate, PCK CA and root, each signed by the next", "verified"),
            row("cpu.collateral", True, "TCB info and quoting enclave identity signed by Intel", "verified"),
            row("cpu.quoting_enclave", True, "Intel's, its report signed by the PCK", "verified"),
            row("cpu.signature", True, "the quote is signed by the enclave's attestation key", "verified"),
        ]
    leaf = cpu.signing_key
    authority = "ASK" if leaf == "VCEK" else "ASVK"
    owner = "the chip's VCEK" if leaf == "VCEK" else "the provider's VLEK"
    return [
        row("cpu.chain", True, f"{leaf}, {authority} and ARK, each signed by the next", "verified"),
        row("cpu.signature", True, f"the report is signed by {owner}", "verified"),
    ]


def _snp_facts(cpu: amd.SnpEvidence, now_ns: int, links: VerifiedLinks) -> CpuFacts:
    amd.check_signatures(cpu, links)
    return CpuFacts(
        kind=SEV_SNP,
        product=cpu.product.name,
        root_sha256=cpu.root_sha256,
        measurement=cpu.report.measurement.hex(),
        chip_id=cpu.report.chip_id.hex(),
        tcb=cpu.tcb,
        debug=cpu.report.debug,
        migratable=cpu.report.migratable,
        vmpl=cpu.report.vmpl,
        signing_key=cpu.signing_key,
        mitigations=cpu.report.mitigations,
        revocation=amd.check_revocation(cpu, now_ns, links),
    )


def _tdx_facts(cpu: intel.TdxEvidence, now_ns: int, links: VerifiedLinks) -> CpuFacts:
    report = cpu.report
    return CpuFacts(
        kind=TDX,
        product="TDX",
        root_sha256=cpu.root_sha256,
        measurement=report.measurement,
        chip_id=cpu.platform.ppid.hex(),
        tcb=cpu.tcb,
        debug=report.debug,
        migratable=report.migratable,
        vmpl=0,
        tcb_status=cpu.status,
        exceptions_disabled=report.memory_exceptions_disabled,
        revocation=intel.check_signatures(cpu, now_ns, links),
    )
