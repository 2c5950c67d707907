"""Review of a policy: what makes it weaker than it might look, and what makes it refuse everything."""

from collections.abc import Iterator
from dataclasses import dataclass

from attestation import AllOf, Policy, PolicyExpression
from attestation.policy import AMD_ROOTS, INTEL_ROOTS, NVIDIA_MANIFEST_ROOTS, NVIDIA_ROOTS

MALFORMED = "malformed"
UNUSABLE = "unusable"
WEAKER = "weaker"

VENDOR_ROOTS = frozenset(AMD_ROOTS + INTEL_ROOTS + NVIDIA_ROOTS + NVIDIA_MANIFEST_ROOTS)
# How long NVIDIA's answers hold.
ANSWER_LIFETIME_S = 86_400
SOUND_TDX_STATUS = "UpToDate"


@dataclass(frozen=True)
class Finding:
    """What is noteworthy about `field` of `policy`: `severity` is one of the three words above."""

    policy: str
    field: str
    severity: str
    problem: str


def review(policy: PolicyExpression) -> list[Finding]:
    """Findings, those that make the policy refuse everything first.

    A composition of which all members must accept is weak only where each member is; one of which any member
    may accept is unusable only when all members are.
    """
    findings = _composition(policy) if not isinstance(policy, Policy) else list(_of_policy(policy))
    return sorted(findings, key=lambda finding: finding.severity != UNUSABLE)


def is_unusable(findings: list[Finding]) -> bool:
    """Whether any finding says that nothing is accepted."""
    return any(finding.severity == UNUSABLE for finding in findings)


def _composition(policy: PolicyExpression) -> list[Finding]:
    assert not isinstance(policy, Policy)
    reviews = [review(member) for member in policy.members]
    if not isinstance(policy, AllOf):
        usable = [found for found in reviews if not is_unusable(found)]
        return [finding for found in usable or reviews for finding in found]
    shared = set.intersection(*({finding.field for finding in found} for found in reviews))
    findings = [
        finding
        for found in reviews
        for finding in found
        if finding.severity == UNUSABLE or finding.field in shared
    ]
    if len({member.simulated for member in policy.members}) > 1:
        problem = "no evidence is both genuine and SIMULATED, as its members ask"
        findings.append(Finding(policy.name, "simulated", UNUSABLE, problem))
    return findings


def _of_policy(policy: Policy) -> Iterator[Finding]:
    for field, problem in _refusals(policy):
        yield Finding(policy.name, field, UNUSABLE, f"{problem}: everything is refused")
    for field, problem in (*_weak_cpu(policy), *_weak_devices(policy)):
        yield Finding(policy.name, field, WEAKER, problem)


def _refusals(policy: Policy) -> Iterator[tuple[str, str]]:
    lists = ["tee_kinds", "cpu_roots", "measurements", "minimum_tcb"]
    if policy.minimum_gpus:
        lists += ["gpu_roots", "gpu_chips", "gpu_modes", "minimum_vbios"]
        if policy.require_reference_values:
            lists.append("manifest_roots")
    for field in lists:
        if not getattr(policy, field):
            yield field, "the list is empty"
    kinds = set(policy.tee_kinds)
    if kinds == {"tdx"} and not policy.tdx_tcb_statuses:
        yield "tdx_tcb_statuses", "no status of a TDX platform is accepted"
    if kinds == {"sev-snp"} and not policy.snp_signing_keys:
        yield "snp_signing_keys", "no signing key of SEV-SNP is accepted"
    if policy.tee_kinds and not kinds & {"tdx", "sev-snp"}:
        yield "tee_kinds", f"{', '.join(policy.tee_kinds)} is not known, only sev-snp and tdx are"
    if policy.require_revocation and policy.minimum_gpus and not policy.maximum_revocation_age_s:
        yield "maximum_revocation_age_s", "a revocation answer would have to be of this very second"


def _weak_cpu(policy: Policy) -> Iterator[tuple[str, str]]:
    if policy.simulated:
        yield "simulated", "accepts SIMULATED evidence, which anybody can make: the roots' keys are published"
    else:
        for field in ("cpu_roots", "gpu_roots", "manifest_roots"):
            for root in getattr(policy, field):
                if root not in VENDOR_ROOTS:
                    yield field, f"{root} is not a root of AMD, Intel or NVIDIA that is known here"
    for product, components in policy.minimum_tcb.items():
        if not any(components.values()):
            yield "minimum_tcb", f"any firmware of {product} is accepted, however vulnerable"
    if "VLEK" in policy.snp_signing_keys:
        yield "snp_signing_keys", "a VLEK is a cloud provider's, so the chip is the provider's word"
    for status in policy.tdx_tcb_statuses:
        if status != SOUND_TDX_STATUS:
            yield "tdx_tcb_statuses", f"accepts TDX platforms that Intel calls {status}"


def _weak_devices(policy: Policy) -> Iterator[tuple[str, str]]:
    if not policy.minimum_gpus:
        yield "minimum_gpus", "accepts a machine without any attested GPU"
    if not policy.require_revocation:
        yield "require_revocation", "accepts revoked devices when nobody supplies the answer that says so"
    elif policy.maximum_revocation_age_s > ANSWER_LIFETIME_S:
        age = policy.maximum_revocation_age_s
        yield "maximum_revocation_age_s", f"accepts answers {age} s old; NVIDIA's hold {ANSWER_LIFETIME_S} s"
    if not policy.require_reference_values:
        yield "require_reference_values", "accepts GPU firmware whose measurements nobody compared"
    if not policy.require_firmware_id:
        yield "require_firmware_id", "accepts keys that may have been certified for older GPU firmware"
