"""Verification of a whole bundle: parts, binding, signatures, and only then the policy."""

from __future__ import annotations

import hashlib

from attestation.amd import verify as amd
from attestation.amd.tcb import describe_tcb
from attestation.binding import Binding, check_report_data, gpu_nonce
from attestation.bundle import Evidence, decode_bundle
from attestation.certificate_chain import VerifiedLinks
from attestation.claims import Attestation, Claim, CpuSummary, GpuSummary, row
from attestation.errors import EvidenceInconsistent, PolicyRefused
from attestation.facts import CpuFacts, EvidenceFacts, GpuFacts
from attestation.guest import GuestClaims, decode_guest_claims
from attestation.nvidia import verify as nvidia
from attestation.policy import PolicyExpression
from attestation.policy_evaluation import evaluate


def verify_bundle(
    bundle: bytes,
    binding: Binding,
    policy: PolicyExpression,
    now_ns: int,
    links: VerifiedLinks | None = None,
) -> Attestation:
    """Verify an evidence bundle and apply a policy to it.

    Arguments: `bundle` as `encode_bundle` makes it; `binding` the nonce this verifier issued (single use is
    the caller's duty) and the operator's principal; `now_ns` nanoseconds since 1970, for certificates' dates;
    `links` certificate signatures found good before (none by default).

    Raises a subclass of `AttestationError` that says what failed; `PolicyRefused` lists every row. The cheap
    checks come first, so that evidence made for somebody else costs no signature verification.
    """
    evidence = decode_bundle(bundle)
    guest = decode_guest_claims(evidence.guest_claims)
    cpu, gpus = _read(evidence, binding, now_ns)
    check_distinct_devices(gpus)

    links = VerifiedLinks() if links is None else links
    amd.check_signatures(cpu, links)
    for index, gpu in enumerate(gpus):
        nvidia.check_signatures(gpu, links, f"gpu[{index}]")

    facts = gather_facts(cpu, gpus, guest)
    outcome = evaluate(policy, facts)
    claims = _established(evidence, binding) + outcome.claims
    if not outcome.accepted:
        raise PolicyRefused(policy.name, claims)
    return Attestation(
        policy=policy.name,
        simulated=outcome.simulated,
        cpu=_cpu_summary(facts.cpu),
        gpus=tuple(_gpu_summary(gpu) for gpu in facts.gpus),
        claims=claims,
        session_public_key=evidence.session_public_key,
        transport_public_key=evidence.transport_public_key,
        worker_version=guest.worker,
        bundle_sha256=hashlib.sha256(bundle).digest(),
        verified_at_ns=now_ns,
    )


def gather_facts(
    cpu: amd.SnpEvidence, gpus: tuple[nvidia.VerifiedGpu, ...], guest: GuestClaims
) -> EvidenceFacts:
    """The plain values that policies look at."""
    return EvidenceFacts(_cpu_facts(cpu), tuple(_gpu_facts(gpu) for gpu in gpus), guest)


def check_distinct_devices(gpus: tuple[nvidia.VerifiedGpu, ...]) -> None:
    """No GPU is presented twice."""
    seen: dict[str, int] = {}
    for index, gpu in enumerate(gpus):
        if gpu.device_id in seen:
            raise EvidenceInconsistent(
                f"gpu[{index}].device_id", f"{gpu.device_id} is also gpu[{seen[gpu.device_id]}]"
            )
        seen[gpu.device_id] = index


def _read(
    evidence: Evidence, binding: Binding, now_ns: int
) -> tuple[amd.SnpEvidence, tuple[nvidia.VerifiedGpu, ...]]:
    """Parse all parts and check that they belong to each other and to `binding`."""
    cpu = amd.read_evidence(evidence.cpu_report, evidence.cpu_chain, now_ns)
    check_report_data(evidence, cpu.report.report_data, binding)
    nonce = gpu_nonce(binding.nonce)
    gpus = tuple(
        nvidia.read_evidence(gpu, nonce, now_ns, f"gpu[{index}]") for index, gpu in enumerate(evidence.gpus)
    )
    return cpu, gpus


def _established(evidence: Evidence, binding: Binding) -> tuple[Claim, ...]:
    """Rows for what was checked before the policy; had one failed, an error would have been raised."""
    rows = [
        row("cpu.chain", True, "VCEK, ASK and ARK, each signed by the next", "verified"),
        row("cpu.signature", True, "the report is signed by the chip's VCEK", "verified"),
        row("cpu.report_data", True, f"bound to nonce {binding.nonce.hex()}", "verified"),
    ]
    for index in range(len(evidence.gpus)):
        name = f"gpu[{index}]"
        rows.append(row(f"{name}.chain", True, "five certificates, each signed by the next", "verified"))
        rows.append(row(f"{name}.signature", True, "the report is signed by the device's key", "verified"))
        rows.append(row(f"{name}.nonce", True, gpu_nonce(binding.nonce).hex(), "verified"))
    return tuple(rows)


def _cpu_facts(cpu: amd.SnpEvidence) -> CpuFacts:
    return CpuFacts(
        kind="sev-snp",
        product=cpu.product.name,
        root_sha256=cpu.root_sha256,
        measurement=cpu.report.measurement.hex(),
        chip_id=cpu.report.chip_id.hex(),
        tcb=cpu.tcb,
        debug=cpu.report.debug,
        migratable=cpu.report.migratable,
        vmpl=cpu.report.vmpl,
    )


def _gpu_facts(gpu: nvidia.VerifiedGpu) -> GpuFacts:
    return GpuFacts(
        root_sha256=gpu.root_sha256,
        device_id=gpu.device_id,
        chip=gpu.chip,
        mode=gpu.report.mode,
        driver=gpu.report.driver,
        vbios=gpu.report.vbios,
        firmware_bound=gpu.firmware_bound,
    )


def _cpu_summary(cpu: CpuFacts) -> CpuSummary:
    return CpuSummary(
        kind=cpu.kind,
        product=cpu.product,
        measurement=cpu.measurement,
        chip_id=cpu.chip_id,
        tcb=describe_tcb(cpu.tcb),
        root_sha256=cpu.root_sha256,
    )


def _gpu_summary(gpu: GpuFacts) -> GpuSummary:
    return GpuSummary(
        device_id=gpu.device_id,
        chip=gpu.chip,
        driver=gpu.driver,
        vbios=gpu.vbios,
        root_sha256=gpu.root_sha256,
    )
