"""The attestation gate: a rental runs only in a machine whose evidence was verified here, for it, now.

A nonce is single use, short-lived and told to the worker alone. Evidence therefore counts against the attempt
only if its CPU report was made for that nonce, operator and keys: whoever does not know the nonce can neither
pass nor burn somebody's attempt with rubbish.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from attestation import (
    Attestation,
    AttestationError,
    Binding,
    Collateral,
    Evidence,
    PolicyExpression,
    Unfinished,
    VerifiedLinks,
    decode_bundle,
    report_data,
    verify_bundle,
)
from canisters.marketplace.core import evidence_parts, held_collateral, limits, policies, validate
from canisters.marketplace.core.errors import (
    ClaimRow,
    DeadlinePassed,
    EvidenceRefused,
    InvalidArgument,
    InvalidState,
    NotAuthorized,
)
from canisters.marketplace.core.lifecycle import change
from canisters.marketplace.core.model import Attempt, AttestationRecord, Rental
from canisters.marketplace.core.settlement import Ending, requeue
from canisters.marketplace.core.state import State
from canisters.marketplace.core.storage import number_key
from canisters.marketplace.core.transitions import Kind, Who, parts_of, permit
from canisters.marketplace.core.types import (
    Message,
    Status,
    Timestamp,
    later,
    principal_bytes,
    self_authenticating,
)

Verify = Callable[[bytes, Binding, PolicyExpression, int, VerifiedLinks, Collateral], Attestation]
NONCE_BYTES = 32
LINKS = VerifiedLinks()
"""Certificate signatures found good earlier: an operator's chains are verified once, its reports every
time.
"""
_BOUND_BYTES = 32


class Progress(NamedTuple):
    """Of a verification in steps: signatures that were verified, and about how many there are."""

    done: int
    total: int


@dataclass(frozen=True)
class Challenge:
    """The nonce evidence must be made for, and when it stops being valid."""

    nonce: bytes
    expires_at: Timestamp


def check_may_begin(state: State, message: Message, rental_id: int) -> None:
    """Whether the caller may ask for a nonce: asked before randomness is fetched."""
    rental = state.rental(rental_id)
    permit(rental, Kind.CHALLENGE, parts_of(state, rental, message), message.now)


def begin(state: State, message: Message, rental_id: int, randomness: bytes) -> Challenge:
    """Issue a nonce for the rental's current attempt; an earlier one of the attempt is void from now on.

    `randomness` is 32 bytes of `raw_rand`. Everything is checked again, since fetching it took an await.
    """
    rental = state.rental(rental_id)
    permit(rental, Kind.CHALLENGE, parts_of(state, rental, message), message.now)
    validate.exact_bytes("randomness", randomness, NONCE_BYTES)
    if rental.attempt is None or rental.deadline is None:
        raise RuntimeError(f"rental {rental.id} is attesting without attempt or deadline")
    expires_at = min(later(message.now, limits.NONCE_LIFETIME_S), rental.deadline)
    attempt = replace(rental.attempt, nonce=randomness, nonce_expires_at=expires_at)
    change(state, message, rental, Kind.CHALLENGE, Status.ATTESTING, attempt=attempt)
    return Challenge(randomness, expires_at)


def submit(
    state: State, message: Message, rental_id: int, bundle: bytes, verify: Verify = verify_bundle
) -> AttestationRecord | EvidenceRefused:
    """Verify evidence and let the rental run, or end the attempt.

    Returns the record of accepted evidence, or the `EvidenceRefused` that ended the attempt: the rental is
    then queued or failed, which is a lasting change. *Raises* (nothing changes) when the call itself is
    wrong: no such rental, not attesting, no valid nonce, a bundle that cannot be read, another session's
    bundle, or one that was not made for this nonce.
    """
    rental = state.rental(rental_id)
    return _judge(state, message, rental, bundle, verify, LINKS)


def upload(
    state: State, message: Message, rental_id: int, index: int, count: int, part: bytes
) -> evidence_parts.EvidenceUpload:
    """Keep one part of the evidence for the open nonce; only the worker that claimed the rental may."""
    rental = state.rental(rental_id)
    permit(rental, Kind.CHALLENGE, parts_of(state, rental, message), message.now)
    _, nonce = _open_challenge(rental, message.now)
    return evidence_parts.store(state, rental_id, nonce, index, count, part)


def proceed(
    state: State, message: Message, rental_id: int, verify: Verify = verify_bundle
) -> AttestationRecord | EvidenceRefused | Progress:
    """One step of verifying the uploaded evidence: what `submit` answers, or how far it got.

    A step runs the whole verification anew, with the collateral and the policy of now, but verifies only so
    many signatures: those that earlier steps found good it skips. So an unfinished one has judged nothing.
    """
    rental = state.rental(rental_id)
    _, nonce = _open_challenge(rental, message.now)
    bundle = evidence_parts.assemble(state, rental_id, nonce)
    before = evidence_parts.verified(state, rental_id)
    links = VerifiedLinks((*LINKS.digests, *before), limits.SIGNATURES_PER_STEP)
    try:
        return _judge(state, message, rental, bundle, verify, links)
    except Unfinished:
        evidence_parts.remember(state, rental_id, before + links.fresh)
        return Progress(links.passed, max(links.passed + 1, _signatures(state, bundle, message.now)))


def _judge(
    state: State, message: Message, rental: Rental, bundle: bytes, verify: Verify, links: VerifiedLinks
) -> AttestationRecord | EvidenceRefused:
    attempt, nonce = _open_challenge(rental, message.now)
    binding = Binding(nonce, principal_bytes(attempt.operator))
    evidence = _readable(bundle)
    session = self_authenticating(evidence.session_public_key)
    if message.caller != session:
        raise NotAuthorized(f"the session key of the evidence, {session}")
    _require_bound(evidence, binding)
    try:
        policy = policies.known(state, rental.policy)
        held = held_collateral.gather(state, evidence, message.now)
        accepted = verify(bundle, binding, policy, message.now, links, held)
        _require_not_denied(state, accepted)
    except AttestationError as problem:
        refusal = _refusal(problem)
    except InvalidArgument as problem:
        refusal = EvidenceRefused("PolicyRevoked", str(problem), ())
    except EvidenceRefused as problem:
        refusal = problem
    else:
        return _start(state, message, rental, attempt, accepted)
    _end_attempt(state, message, rental, refusal)
    return refusal


def _open_challenge(rental: Rental, now: Timestamp) -> tuple[Attempt, bytes]:
    permit(rental, Kind.EVIDENCE_ACCEPTED, {Who.CANISTER}, now)
    attempt = rental.attempt
    if attempt is None or attempt.nonce is None or attempt.nonce_expires_at is None:
        raise InvalidState("attesting without nonce", ["attesting after begin_attestation"])
    if now >= attempt.nonce_expires_at:
        raise DeadlinePassed(attempt.nonce_expires_at, now)
    return attempt, attempt.nonce


def _readable(bundle: bytes) -> Evidence:
    try:
        return decode_bundle(bundle)
    except AttestationError as problem:
        raise _refusal(problem) from problem


def _require_bound(evidence: Evidence, binding: Binding) -> None:
    expected = report_data(
        binding.nonce,
        evidence.session_public_key,
        evidence.transport_public_key,
        binding.operator,
        evidence.gpus,
        evidence.guest_claims,
        evidence.switches,
    )
    if expected[:_BOUND_BYTES] not in evidence.cpu_report:
        message = (
            "cpu.report_data: the CPU report was not made for this rental's nonce, operator, keys, GPU "
            "evidence and guest claims; collect evidence for the latest nonce"
        )
        raise EvidenceRefused("BindingMismatch", message, ())


def _require_not_denied(state: State, accepted: Attestation) -> None:
    gpus = (gpu.device_id for gpu in accepted.gpus)
    switches = (switch.device_id for switch in accepted.switches)
    devices = (accepted.cpu.chip_id, *gpus, *switches)
    denied = policies.denied_device(state, devices)
    if denied is not None:
        raise EvidenceRefused("DeviceDenied", f"device {denied} is on the deny list", _rows(accepted))
    if state.count("revoked") and any(
        held_collateral.is_revoked(state, name) for name in accepted.certificates
    ):
        text = "a certificate of the machine was revoked, says an answer or list of its issuer"
        raise EvidenceRefused("CertificateRevoked", text, _rows(accepted))


def _start(
    state: State, message: Message, rental: Rental, attempt: Attempt, accepted: Attestation
) -> AttestationRecord:
    record = _record(message, accepted)
    state.attestations.put(number_key(rental.id), record)
    held_collateral.rely_upon(state, rental.id, accepted.certificates)
    ends_at = later(message.now, rental.max_duration_s - rental.billed_s)
    running = replace(
        attempt,
        nonce=None,
        nonce_expires_at=None,
        session=message.caller,
        transport_public_key=accepted.transport_public_key,
        started_at=message.now,
        ends_at=ends_at,
    )
    change(
        state,
        message,
        rental,
        Kind.EVIDENCE_ACCEPTED,
        Status.RUNNING,
        attempt=running,
        started_at=rental.started_at if rental.started_at is not None else message.now,
        deadline=min(later(message.now, limits.HEARTBEAT_WINDOW_S), ends_at),
    )
    return record


def _end_attempt(state: State, message: Message, rental: Rental, refusal: EvidenceRefused) -> None:
    reason = f"evidence refused: {refusal.kind}: {refusal.message}"[: limits.MAX_REASON_CHARACTERS]
    requeue(state, message, rental, Kind.EVIDENCE_REFUSED, reason, Ending(), failed=True)


def _record(message: Message, accepted: Attestation) -> AttestationRecord:
    return AttestationRecord(
        policy=accepted.policy,
        simulated=accepted.simulated,
        cpu_kind=accepted.cpu.kind,
        measurement=accepted.cpu.measurement,
        chip_id=accepted.cpu.chip_id,
        gpus=tuple(gpu.device_id for gpu in accepted.gpus),
        switches=tuple(switch.device_id for switch in accepted.switches),
        session=message.caller,
        bundle_sha256=accepted.bundle_sha256,
        verified_at=message.now,
        expires_at=later(message.now, limits.ATTESTATION_VALIDITY_S),
        claims=_rows(accepted),
    )


def _signatures(state: State, bundle: bytes, now: Timestamp) -> int:
    """About how many signatures the whole verification checks, counting shared ones each time."""
    evidence = decode_bundle(bundle)
    held = held_collateral.gather(state, evidence, now)
    devices = len(evidence.gpus) + len(evidence.switches)
    answers = 6 if held.ocsp else 0
    manifests = (2 * len(evidence.gpus) + len(evidence.switches)) if held.rims else 0
    return 4 + len(held.crls) + 2 * len(held.tcb_infos) + devices * (5 + answers) + manifests * (4 + answers)


def _refusal(problem: AttestationError) -> EvidenceRefused:
    return EvidenceRefused(type(problem).__name__, str(problem), _rows(problem))


def _rows(source: Attestation | AttestationError) -> tuple[ClaimRow, ...]:
    return tuple(ClaimRow(c.name, c.verdict, c.expected, c.found) for c in source.claims)
