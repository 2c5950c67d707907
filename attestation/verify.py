"""Verification of a whole bundle: parts, binding, signatures, and only then the policy."""

from __future__ import annotations

import hashlib

from attestation.amd.tcb import describe_tcb
from attestation.binding import Binding, check_report_data, gpu_nonce
from attestation.bundle import Evidence, decode_bundle
from attestation.certificate_chain import VerifiedLinks
from attestation.claims import Attestation, Claim, CpuSummary, GpuSummary, SwitchSummary, row
from attestation.collateral import NO_COLLATERAL, Collateral
from attestation.cpu import VerifiedCpu, check_cpu, established_by, read_cpu
from attestation.errors import PolicyRefused
from attestation.facts import CpuFacts, EvidenceFacts, GpuFacts, SwitchFacts
from attestation.guest import GuestClaims, decode_guest_claims
from attestation.nvidia.machine import Machine, MachineFacts, check_machine_signatures, read_machine
from attestation.policy import PolicyExpression
from attestation.policy_evaluation import evaluate


def verify_bundle(
    bundle: bytes,
    binding: Binding,
    policy: PolicyExpression,
    now_ns: int,
    links: VerifiedLinks | None = None,
    collateral: Collateral = NO_COLLATERAL,
) -> Attestation:
    """Verify an evidence bundle and apply a policy to it.

    Arguments: `bundle` as `encode_bundle` makes it; `binding` the nonce this verifier issued (single use is
    the caller's duty) and the operator's principal; `now_ns` nanoseconds since 1970, for certificates' dates;
    `links` signatures found good before (none by default); `collateral` what the vendors say about the
    devices, where the policy asks for it.

    Raises a subclass of `AttestationError` that says what failed; `PolicyRefused` lists every row. The cheap
    checks come first, so that evidence made for somebody else costs no signature verification.
    """
    evidence = decode_bundle(bundle)
    guest = decode_guest_claims(evidence.guest_claims)
    cpu, machine = _read(evidence, binding, now_ns, collateral)

    links = VerifiedLinks() if links is None else links
    cpu_facts = check_cpu(cpu, now_ns, links)
    check_machine_signatures(machine, links)

    facts = gather_facts(cpu_facts, machine, guest, MachineFacts(collateral, now_ns, links))
    outcome = evaluate(policy, facts)
    claims = _established(evidence, facts.cpu, binding) + outcome.claims
    if not outcome.accepted:
        raise PolicyRefused(policy.name, claims)
    return Attestation(
        policy=policy.name,
        simulated=outcome.simulated,
        cpu=_cpu_summary(facts.cpu),
        gpus=tuple(_gpu_summary(gpu) for gpu in facts.gpus),
        switches=tuple(_switch_summary(switch) for switch in facts.switches),
        claims=claims,
        session_public_key=evidence.session_public_key,
        transport_public_key=evidence.transport_public_key,
        worker_version=guest.worker,
        bundle_sha256=hashlib.sha256(bundle).digest(),
        verified_at_ns=now_ns,
        certificates=_relied_upon(facts),
    )


def gather_facts(cpu: CpuFacts, machine: Machine, guest: GuestClaims, devices: MachineFacts) -> EvidenceFacts:
    """The plain values that policies look at."""
    return EvidenceFacts(
        cpu,
        tuple(devices.of_gpu(gpu, f"gpu[{i}]") for i, gpu in enumerate(machine.gpus)),
        guest,
        tuple(devices.of_switch(switch, f"switch[{i}]") for i, switch in enumerate(machine.switches)),
    )


def _read(
    evidence: Evidence, binding: Binding, now_ns: int, collateral: Collateral
) -> tuple[VerifiedCpu, Machine]:
    """Parse all parts and check that they belong to each other and to `binding`."""
    cpu = read_cpu(evidence, collateral, now_ns)
    check_report_data(evidence, cpu.report.report_data, binding)
    return cpu, read_machine(evidence, gpu_nonce(binding.nonce), now_ns)


def _established(evidence: Evidence, cpu: CpuFacts, binding: Binding) -> tuple[Claim, ...]:
    """Rows for what was checked before the policy; had one failed, an error would have been raised."""
    rows = established_by(cpu)
    rows.append(row("cpu.report_data", True, f"bound to nonce {binding.nonce.hex()}", "verified"))
    names = [f"gpu[{index}]" for index in range(len(evidence.gpus))]
    names += [f"switch[{index}]" for index in range(len(evidence.switches))]
    for name in names:
        rows.append(row(f"{name}.chain", True, "five certificates, each signed by the next", "verified"))
        rows.append(row(f"{name}.signature", True, "the report is signed by the device's key", "verified"))
        rows.append(row(f"{name}.nonce", True, gpu_nonce(binding.nonce).hex(), "verified"))
    if evidence.switches:
        rows.append(row("topology", True, "GPUs and switches name each other, and no others", "verified"))
    return tuple(rows)


def _relied_upon(facts: EvidenceFacts) -> tuple[str, ...]:
    """Every certificate that an issuer can revoke and that something accepted rests on."""
    found = [fact.certificate for fact in facts.cpu.revocation]
    devices: tuple[GpuFacts | SwitchFacts, ...] = (*facts.gpus, *facts.switches)
    for device in devices:
        found += [fact.certificate for fact in device.revocation]
        found += [fact.certificate for manifest in device.manifests for fact in manifest.revocation]
    return tuple(dict.fromkeys(found))


def _cpu_summary(cpu: CpuFacts) -> CpuSummary:
    return CpuSummary(
        kind=cpu.kind,
        product=cpu.product,
        measurement=cpu.measurement,
        chip_id=cpu.chip_id,
        tcb=", ".join(part for part in (cpu.tcb_status, describe_tcb(cpu.tcb)) if part),
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


def _switch_summary(switch: SwitchFacts) -> SwitchSummary:
    return SwitchSummary(switch.device_id, switch.chip, switch.vbios, switch.root_sha256)
