"""The attestation gate: nonces, whose evidence counts, what refuses it; genuine-format evidence passes."""

from dataclasses import replace
from typing import Any

import pytest

from attestation import MalformedEvidence, SignatureInvalid, decode_bundle, encode_bundle
from attestation.simulator import Settings, SimulatedMachine
from canisters.marketplace.core import gate, jobs, limits, policies
from canisters.marketplace.core.errors import (
    DeadlinePassed,
    EvidenceRefused,
    InvalidArgument,
    InvalidState,
    NotAuthorized,
)
from canisters.marketplace.core.types import Status, principal_bytes, self_authenticating
from tests.marketplace.world import (
    GOVERNOR,
    OPERATOR,
    SECOND,
    STRANGER,
    TRANSPORT_KEY,
    WORKER,
    World,
    believing,
    bundle_for,
    session_key,
)

SESSION_KEY = session_key(1)
SESSION = self_authenticating(SESSION_KEY)


@pytest.fixture
def attesting(world: World) -> int:
    rental = world.create().id
    world.claim(rental)
    return rental


def genuine(nonce: bytes, machine: SimulatedMachine | None = None) -> bytes:
    """Evidence in the genuine formats, of a simulated machine."""
    machine = machine or SimulatedMachine("machine")
    evidence = machine.collect(nonce, principal_bytes(OPERATOR), SESSION_KEY, TRANSPORT_KEY)
    return encode_bundle(evidence)


def submit(world: World, rental: int, bundle: bytes, caller: Any = SESSION, **named: Any) -> Any:
    return world.do(gate.submit, caller, rental, bundle, **named)


def refusing(*_: Any) -> Any:
    raise SignatureInvalid("cpu.signature", "does not verify")


def test_genuine_evidence_lets_the_rental_run(world: World, attesting: int) -> None:
    bundle = genuine(world.challenge(attesting).nonce)
    record = submit(world, attesting, bundle)
    assert record.simulated and record.session == SESSION
    assert record.cpu_kind == "sev-snp" and len(record.gpus) == 1
    assert {claim.verdict for claim in record.claims} == {"valid"}
    rental = world.rental(attesting)
    assert rental.status is Status.RUNNING
    assert rental.attempt is not None and rental.attempt.transport_public_key == TRANSPORT_KEY
    assert rental.started_at == world.now
    assert rental.deadline == world.now + 120 * SECOND


def test_evidence_of_a_machine_in_debug_mode_ends_the_attempt_with_every_claim(
    world: World, attesting: int
) -> None:
    machine = SimulatedMachine("machine", settings=Settings(devtools="on"))
    outcome = submit(world, attesting, genuine(world.challenge(attesting).nonce, machine))
    assert isinstance(outcome, EvidenceRefused)
    assert outcome.kind == "PolicyRefused"
    assert "devtools" in outcome.message
    assert any(claim.verdict == "invalid" for claim in outcome.claims)
    assert len(outcome.claims) > 5
    rental = world.rental(attesting)
    assert (rental.status, rental.failed_attempts) == (Status.QUEUED, 1)
    assert "PolicyRefused" in (rental.reason or "")
    assert world.account(f"bond/{attesting}") == 0
    assert world.available(OPERATOR) == 50_000


def test_a_gpu_that_answers_another_nonce_ends_the_attempt_under_a_name_of_its_own(
    world: World, attesting: int
) -> None:
    # `BindingMismatch` says that the evidence was not looked at: a worker then tries again.
    machine = SimulatedMachine("machine", settings=Settings(gpu_nonce=bytes(32)))
    outcome = submit(world, attesting, genuine(world.challenge(attesting).nonce, machine))
    assert isinstance(outcome, EvidenceRefused)
    assert outcome.kind == "NonceMismatch"
    assert world.rental(attesting).status == Status.QUEUED


def test_a_flipped_signature_bit_ends_the_attempt(world: World, attesting: int) -> None:
    bundle = genuine(world.challenge(attesting).nonce)
    evidence = decode_bundle(bundle)
    report = bytearray(evidence.cpu_report)
    report[0x2A0] ^= 1
    outcome = submit(world, attesting, encode_bundle(replace(evidence, cpu_report=bytes(report))))
    assert isinstance(outcome, EvidenceRefused) and outcome.kind == "SignatureInvalid"
    assert world.rental(attesting).status is Status.QUEUED


def test_three_refusals_fail_the_rental_with_full_refund(world: World, attesting: int) -> None:
    for attempt in range(1, 4):
        if attempt > 1:
            world.later(limits.FRUITLESS_PAUSE_S)
            world.claim(attesting)
        outcome = world.submit(attesting, world.challenge(attesting).nonce, refusing)
        assert isinstance(outcome, EvidenceRefused)
        assert world.rental(attesting).failed_attempts == attempt
    assert world.rental(attesting).status is Status.FAILED
    assert world.available(world.rental(attesting).renter) == 100_000
    assert world.available(OPERATOR) == 50_000


# --- What does not count against the attempt ---


def unchanged(world: World, kind: type[Exception], call: Any, *args: Any, **named: Any) -> Any:
    before = world.snapshot()
    with pytest.raises(kind) as caught:
        call(*args, **named)
    assert world.snapshot() == before
    return caught.value


@pytest.mark.parametrize("damage", ["truncated", "longer", "empty", "other magic", "oversize"])
def test_bundles_that_cannot_be_read_change_nothing(world: World, attesting: int, damage: str) -> None:
    bundle = bundle_for(world.challenge(attesting).nonce, OPERATOR, 1)
    damaged = {
        "truncated": bundle[:-1],
        "longer": bundle + b"\x00",
        "empty": b"",
        "other magic": b"X" + bundle[1:],
        "oversize": bundle + bytes(256 * 1024),
    }[damage]
    error = unchanged(world, EvidenceRefused, submit, world, attesting, damaged)
    assert error.kind == MalformedEvidence.__name__


def test_only_the_session_itself_submits_its_evidence(world: World, attesting: int) -> None:
    bundle = bundle_for(world.challenge(attesting).nonce, OPERATOR, 1)
    error = unchanged(world, NotAuthorized, submit, world, attesting, bundle, WORKER, verify=believing)
    assert str(SESSION) in error.required


def test_whoever_does_not_know_the_nonce_cannot_burn_an_attempt(world: World, attesting: int) -> None:
    world.challenge(attesting)
    rubbish = bundle_for(bytes(32), OPERATOR, 1)
    error = unchanged(world, EvidenceRefused, submit, world, attesting, rubbish, verify=refusing)
    assert error.kind == "BindingMismatch"


def test_evidence_for_another_operator_is_not_for_this_rental(world: World, attesting: int) -> None:
    nonce = world.challenge(attesting).nonce
    bundle = bundle_for(nonce, STRANGER, 1)
    unchanged(world, EvidenceRefused, submit, world, attesting, bundle, verify=believing)


def test_a_nonce_asked_for_again_voids_the_former(world: World, attesting: int) -> None:
    old = bundle_for(world.challenge(attesting).nonce, OPERATOR, 1)
    new = bundle_for(world.challenge(attesting).nonce, OPERATOR, 1)
    unchanged(world, EvidenceRefused, submit, world, attesting, old, verify=believing)
    submit(world, attesting, new, verify=believing)


def test_a_replayed_nonce_is_refused_in_this_attempt_and_the_next(world: World, attesting: int) -> None:
    bundle = bundle_for(world.challenge(attesting).nonce, OPERATOR, 1)
    submit(world, attesting, bundle, verify=believing)
    unchanged(world, InvalidState, submit, world, attesting, bundle, verify=believing)
    world.do(jobs.hand_back, WORKER, attesting, "SIGTERM")
    world.claim(attesting)
    unchanged(world, InvalidState, submit, world, attesting, bundle, verify=believing)
    world.challenge(attesting)
    unchanged(world, EvidenceRefused, submit, world, attesting, bundle, verify=believing)


def test_evidence_without_a_nonce_is_refused(world: World, attesting: int) -> None:
    error = unchanged(world, InvalidState, submit, world, attesting, b"anything")
    assert error.allowed == ["attesting after begin_attestation"]


def test_a_nonce_lives_five_minutes_half_open(world: World, attesting: int) -> None:
    challenge = world.challenge(attesting)
    assert challenge.expires_at == world.now + 300 * SECOND
    bundle = bundle_for(challenge.nonce, OPERATOR, 1)
    world.now = challenge.expires_at
    unchanged(world, DeadlinePassed, submit, world, attesting, bundle, verify=believing)
    world.now -= 1
    submit(world, attesting, bundle, verify=believing)


def test_a_nonce_does_not_outlive_the_attestation_deadline(world: World, attesting: int) -> None:
    world.later(400)
    assert world.challenge(attesting).expires_at == world.rental(attesting).deadline


def test_randomness_of_another_length_is_refused(world: World, attesting: int) -> None:
    unchanged(world, InvalidArgument, world.do, gate.begin, WORKER, attesting, bytes(31))


# --- Revocation ---


def test_a_denied_device_ends_the_attempt(world: World, attesting: int) -> None:
    world.do(policies.deny_device, GOVERNOR, "41AB")
    outcome = world.submit(attesting, world.challenge(attesting).nonce)
    assert isinstance(outcome, EvidenceRefused) and outcome.kind == "DeviceDenied"
    assert world.rental(attesting).status is Status.QUEUED


def test_a_revoked_policy_ends_the_attempt_and_is_no_longer_offered(world: World, attesting: int) -> None:
    world.do(policies.revoke_policy, GOVERNOR, "simulated")
    outcome = world.submit(attesting, world.challenge(attesting).nonce)
    assert isinstance(outcome, EvidenceRefused) and outcome.kind == "PolicyRevoked"
    assert [info.name for info in policies.offered(world.state)] == ["production"]
    assert world.next_job(world.offer.id) is None
    with pytest.raises(InvalidArgument, match="revoked"):
        world.create()


def test_only_governors_revoke(world: World) -> None:
    for call in (policies.revoke_policy, policies.deny_device):
        unchanged(world, NotAuthorized, world.do, call, STRANGER, "simulated")
    unchanged(world, InvalidArgument, world.do, policies.revoke_policy, GOVERNOR, "unknown")
    for device in ("", "41a", "0x41ab", "GPU 3"):
        unchanged(world, InvalidArgument, world.do, policies.deny_device, GOVERNOR, device)
