"""Verification without a network, bound to a nonce or not, and what its outcome means."""

import hashlib
from dataclasses import dataclass

from attestation import (
    AttestationError,
    Binding,
    Claim,
    Collateral,
    Evidence,
    PolicyExpression,
    PolicyRefused,
    VerifiedLinks,
    decode_bundle,
    decode_guest_claims,
    verify_bundle,
)
from attestation.claims import INVALID, UNVERIFIABLE, VALID, row, unverifiable
from attestation.cpu import check_cpu, established_by, read_cpu
from attestation.crypto.openssl import openssl
from attestation.errors import CollateralUnavailable
from attestation.nvidia.machine import Machine, MachineFacts, check_machine_signatures, read_machine
from attestation.nvidia.spdm import NONCE, NONCE_BYTES
from attestation.policy_evaluation import evaluate
from attestation.verify import gather_facts
from leasehold.errors import (
    CollateralUnavailableError,
    EvidenceInvalidError,
    LeaseholdError,
    PolicyMismatchError,
)
from leasehold.evidence.origin import is_simulated

MAX_NAMED_CLAIMS = 6
# Parts of the names of rows that vendors' statements settle, and nothing in the evidence.
COLLATERAL_ROWS = ("revocation", "_manifest", "reference_values")


@dataclass(frozen=True)
class Verification:
    """Outcome of a verification: a row per claim, and why it is not accepted.

    Args:
        bundle_sha256: of the whole bundle.
        policy: its name.
        at: nanoseconds since 1970 for which it holds.
        bound: whether evidence of another nonce or operator would have been refused.
        simulated: no hardware stands behind it; `None` when the bundle cannot be read.
        claims: after an error only the claim that failed.
        problem: `None` when the evidence is accepted.
    """

    bundle_sha256: bytes
    policy: str
    at: int
    bound: bool
    simulated: bool | None
    claims: tuple[Claim, ...]
    problem: LeaseholdError | None

    @property
    def accepted(self) -> bool:
        """True when nothing stands against relying on the evidence."""
        return self.problem is None


@openssl()
def verify_offline(
    bundle: bytes,
    policy: PolicyExpression,
    at: int,
    *,
    binding: Binding | None = None,
    unbound: bool = False,
    collateral: Collateral,
) -> Verification:
    """Verify a bundle as the marketplace does, with OpenSSL for the signatures.

    Args:
        bundle: as the worker submitted it.
        at: nanoseconds since 1970.
        binding: the nonce that was issued and the operator it was issued to. Both are hashed into the
            evidence, so they cannot be read from it: without them, nobody knows whether it was recorded
            earlier or elsewhere, whether GPUs and CPU belong together, and whether the guest's claims and
            keys are the guest's.
        unbound: accept that.
        collateral: what vendors say, as far as it is at hand.
    """
    simulated: bool | None = None
    problem: LeaseholdError | None = None
    try:
        evidence = decode_bundle(bundle)
        simulated = is_simulated(evidence)
        if binding is None:
            claims = _verify_unbound(evidence, policy, at, collateral)
        else:
            claims = verify_bundle(bundle, binding, policy, at, collateral=collateral).claims
        problem = _problem(policy, claims, unbound)
    except PolicyRefused as error:
        claims = error.claims
        problem = _problem(policy, claims, unbound)
    except CollateralUnavailable as error:
        claims = (Claim(error.claim, UNVERIFIABLE, "vendors' statements", error.message),)
        problem = CollateralUnavailableError(f"{error}; supply it with --collateral")
    except AttestationError as error:
        claims = (Claim(error.claim, INVALID, "sound evidence", error.message),)
        problem = EvidenceInvalidError(f"the evidence is invalid ({type(error).__name__}): {error}")
    return Verification(
        bundle_sha256=hashlib.sha256(bundle).digest(),
        policy=policy.name,
        at=at,
        bound=binding is not None,
        simulated=simulated,
        claims=claims,
        problem=problem,
    )


def _verify_unbound(
    evidence: Evidence, policy: PolicyExpression, at: int, collateral: Collateral
) -> tuple[Claim, ...]:
    """All that `verify_bundle` checks, except what needs the nonce and the operator: those rows say so."""
    guest = decode_guest_claims(evidence.guest_claims)
    cpu = read_cpu(evidence, collateral, at)
    nonce = _answered_nonce(evidence)
    machine = read_machine(evidence, nonce, at)
    links = VerifiedLinks()
    cpu_facts = check_cpu(cpu, at, links)
    check_machine_signatures(machine, links)
    facts = gather_facts(cpu_facts, machine, guest, MachineFacts(collateral, at, links))
    bound_to = unverifiable("cpu.report_data", "bound to your nonce and operator", "neither was given")
    rows = [*established_by(cpu_facts), bound_to, *_device_rows(machine, nonce)]
    return (*rows, *(_without_binding(claim) for claim in evaluate(policy, facts).claims))


def _without_binding(claim: Claim) -> Claim:
    """What the guest says holds only because the CPU signed its hash, which nobody could recompute here."""
    if claim.verdict == VALID and _is_of_guest(claim):
        return unverifiable(claim.name, claim.expected, f"{claim.found}, says whoever made the bundle")
    return claim


def _answered_nonce(evidence: Evidence) -> bytes:
    """The nonce of the first device's report: all others must answer the same one."""
    reports = [gpu.report for gpu in evidence.gpus] + [switch.report for switch in evidence.switches]
    first = reports[0] if reports else b""
    # A report that is too short is refused when it is parsed.
    return first[NONCE : NONCE + NONCE_BYTES].ljust(NONCE_BYTES, b"\0")


def _device_rows(machine: Machine, nonce: bytes) -> list[Claim]:
    names = [f"gpu[{index}]" for index in range(len(machine.gpus))]
    names += [f"switch[{index}]" for index in range(len(machine.switches))]
    rows = []
    for name in names:
        rows.append(row(f"{name}.chain", True, "five certificates, each signed by the next", "verified"))
        rows.append(row(f"{name}.signature", True, "the report is signed by the device's key", "verified"))
        rows.append(unverifiable(f"{name}.nonce", "derived from your nonce", nonce.hex()))
    if machine.switches:
        rows.append(row("topology", True, "GPUs and switches name each other, and no others", "verified"))
    return rows


def _problem(policy: PolicyExpression, claims: tuple[Claim, ...], unbound: bool) -> LeaseholdError | None:
    """Why rows refuse the evidence, the gravest reason first; None when they do not."""
    failed = [claim for claim in claims if claim.verdict != VALID]
    binding = [claim for claim in failed if is_binding(claim)]
    others = [claim for claim in failed if not is_binding(claim)]
    if binding and not unbound:
        return EvidenceInvalidError(
            "nothing shows that this evidence was made for you: give the nonce and the operator (--nonce, "
            "--operator), or accept evidence of anybody, recorded at any time (--unbound)"
        )
    if not others:
        return None
    names = ", ".join(claim.name for claim in others[:MAX_NAMED_CLAIMS])
    more = len(others) - MAX_NAMED_CLAIMS
    names += f" and {more} more" if more > 0 else ""
    if all(_needs_collateral(claim) for claim in others):
        return CollateralUnavailableError(
            f"the evidence is sound, but vendors' statements are missing, too old or do not tell: {names}; "
            "supply them with --collateral"
        )
    return PolicyMismatchError(f"policy {policy.name!r} refuses the evidence: {names}")


def is_binding(claim: Claim) -> bool:
    """Whether a row stays open for want of nonce and operator."""
    open_row = claim.name.endswith((".nonce", "cpu.report_data")) or _is_of_guest(claim)
    return claim.verdict == UNVERIFIABLE and open_row


def _is_of_guest(claim: Claim) -> bool:
    # Rows of a composition begin with the name of the policy's member.
    return claim.name.rpartition("/")[2].startswith("guest.")


def _needs_collateral(claim: Claim) -> bool:
    return claim.verdict == UNVERIFIABLE and any(part in claim.name for part in COLLATERAL_ROWS)
