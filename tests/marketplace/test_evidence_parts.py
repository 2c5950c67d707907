"""Evidence in parts and verification in steps: bounded, resumable over upgrades, never half accepted."""

import dataclasses
from functools import cache
from typing import Any

import pytest

from attestation import SIMULATED, Collateral, encode_bundle, encode_collateral, policy_to_json, with_issuers
from attestation.certificate_chain import VerifiedLinks
from attestation.simulator import Settings, SimulatedMachine, collateral_of
from canisters.marketplace.core import evidence_parts, gate, held_collateral, jobs, limits, policies
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
    START,
    STRANGER,
    TRANSPORT_KEY,
    WORKER,
    World,
    bundle_for,
    market,
    session_key,
)

BOARD = dataclasses.replace(
    SIMULATED,
    name="board",
    gpu_modes=("protected-pcie",),
    minimum_gpus=8,
    require_revocation=True,
    require_reference_values=True,
)
SESSION = self_authenticating(session_key(1))
PART = 20_000


@cache
def board(*changed: int) -> SimulatedMachine:
    settings = Settings(gpu_mode="protected-pcie", changed_measurements=changed)
    return SimulatedMachine("board", 8, settings, switches=4)


@cache
def said() -> Collateral:
    evidence = board().collect(bytes(32), b"\x01", session_key(1), TRANSPORT_KEY)
    return with_issuers(collateral_of(board(), START), evidence)


def evidence_for(nonce: bytes, of: SimulatedMachine | None = None) -> bytes:
    collected = (of or board()).collect(nonce, principal_bytes(OPERATOR), session_key(1), TRANSPORT_KEY)
    return encode_bundle(collected)


def parts_of(bundle: bytes, size: int = PART) -> list[bytes]:
    return [bundle[at : at + size] for at in range(0, len(bundle), size)]


def upload(world: World, rental: int, bundle: bytes, caller: Any = WORKER) -> None:
    parts = parts_of(bundle)
    for index, part in enumerate(parts):
        world.do(gate.upload, caller, rental, index, len(parts), part)


def step(world: World, rental: int, caller: Any = SESSION, **named: Any) -> Any:
    return world.do(gate.proceed, caller, rental, **named)


def unchanged(world: World, kind: type[Exception], *args: Any, **named: Any) -> Any:
    before = world.snapshot()
    with pytest.raises(kind) as caught:
        world.do(*args, **named)
    assert world.snapshot() == before
    return caught.value


def rows(world: World) -> list[tuple[bytes, bytes]]:
    return world.snapshot()["evidence"]


@pytest.fixture
def attesting(world: World) -> int:
    """A rental for a whole board, whose collateral was posted, claimed by the worker."""
    world.do(policies.adopt, GOVERNOR, policy_to_json(BOARD))
    world.offer = world.post_offer(policies=("board", "simulated"))
    world.do(held_collateral.post, STRANGER, encode_collateral(said()), VerifiedLinks())
    rental = world.create(policy="board").id
    world.claim(rental)
    return rental


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with a marketplace that has verified no signature yet."""
    monkeypatch.setattr(gate, "LINKS", VerifiedLinks())


def test_a_whole_board_is_verified_in_steps_over_upgrades(world: World, attesting: int) -> None:
    upload(world, attesting, evidence_for(world.challenge(attesting).nonce))
    steps = []
    while isinstance(outcome := step(world, attesting), gate.Progress):
        steps.append(outcome)
        assert world.rental(attesting).status is Status.ATTESTING
        assert world.state.attestations.get(attesting.to_bytes(8, "big")) is None
        world.reopen()
    assert not isinstance(outcome, EvidenceRefused), outcome
    assert world.rental(attesting).status is Status.RUNNING
    assert (len(outcome.gpus), len(outcome.switches)) == (8, 4)
    assert {claim.verdict for claim in outcome.claims} == {"valid"}
    assert 2 <= len(steps) <= 6
    assert [s.done for s in steps] == sorted({s.done for s in steps})
    assert all(s.done < s.total for s in steps)
    assert rows(world) == []


def test_one_step_verifies_a_bounded_number_of_signatures(
    world: World, attesting: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SIGNATURES_PER_STEP", 3)
    upload(world, attesting, evidence_for(world.challenge(attesting).nonce))
    for number in (1, 2, 3):
        assert isinstance(step(world, attesting), gate.Progress)
        assert len(evidence_parts.verified(world.state, attesting)) == 3 * number


def test_a_wrong_signature_at_the_end_is_found_however_many_steps_went_well(
    world: World, attesting: int
) -> None:
    bundle = evidence_for(world.challenge(attesting).nonce, board(3))  # differs from its manifest at the end
    upload(world, attesting, bundle)
    outcomes = [step(world, attesting)]
    while isinstance(outcomes[-1], gate.Progress):
        outcomes.append(step(world, attesting))
    assert isinstance(outcomes[-1], EvidenceRefused) and outcomes[-1].kind == "MeasurementMismatch"
    assert len(outcomes) > 1
    assert world.rental(attesting).status is Status.QUEUED and rows(world) == []


def test_a_revocation_between_two_steps_counts(world: World, attesting: int) -> None:
    upload(world, attesting, evidence_for(world.challenge(attesting).nonce))
    assert isinstance(step(world, attesting), gate.Progress)
    world.later(1)
    revoked = collateral_of(board(), world.now, ["SIMULATED GH100 A01 GSP BROM"])
    news = Collateral(ocsp=revoked.ocsp)
    world.do(held_collateral.post, STRANGER, encode_collateral(news), VerifiedLinks())
    outcome = step(world, attesting)
    while isinstance(outcome, gate.Progress):
        outcome = step(world, attesting)
    assert isinstance(outcome, EvidenceRefused) and outcome.kind == "CertificateRevoked"


def test_a_policy_revoked_between_two_steps_counts(world: World, attesting: int) -> None:
    upload(world, attesting, evidence_for(world.challenge(attesting).nonce))
    assert isinstance(step(world, attesting), gate.Progress)
    world.do(policies.revoke_policy, GOVERNOR, "board")
    outcome = step(world, attesting)
    assert isinstance(outcome, EvidenceRefused) and outcome.kind == "PolicyRevoked"


def test_small_evidence_passes_in_one_step_too(world: World) -> None:
    rental = world.create().id
    world.claim(rental)
    bundle = evidence_for(world.challenge(rental).nonce, SimulatedMachine("small"))
    upload(world, rental, bundle)
    assert not isinstance(step(world, rental), (EvidenceRefused, gate.Progress))


# --- Whose, and for which nonce ---


def test_only_the_worker_uploads_and_only_the_session_proceeds(world: World, attesting: int) -> None:
    bundle = evidence_for(world.challenge(attesting).nonce)
    for other in (STRANGER, SESSION, OPERATOR):
        unchanged(world, NotAuthorized, gate.upload, other, attesting, 0, 1, b"part")
    upload(world, attesting, bundle)
    for other in (STRANGER, WORKER):
        unchanged(world, NotAuthorized, gate.proceed, other, attesting)


def test_without_a_nonce_nothing_is_uploaded(world: World, attesting: int) -> None:
    unchanged(world, InvalidState, gate.upload, WORKER, attesting, 0, 1, b"part")


def test_a_new_nonce_voids_the_parts_and_the_progress(world: World, attesting: int) -> None:
    upload(world, attesting, evidence_for(world.challenge(attesting).nonce))
    assert isinstance(step(world, attesting), gate.Progress)
    nonce = world.challenge(attesting).nonce
    unchanged(world, InvalidState, gate.proceed, SESSION, attesting)
    world.do(gate.upload, WORKER, attesting, 0, 2, b"part")
    assert evidence_parts.verified(world.state, attesting) == []
    assert len(rows(world)) == 2
    old = bundle_for(bytes(32), OPERATOR, 1)
    world.do(gate.upload, WORKER, attesting, 0, 1, old)
    error = unchanged(world, EvidenceRefused, gate.proceed, SESSION, attesting)
    assert error.kind == "BindingMismatch" and nonce


def test_the_nonces_deadline_holds_between_steps(world: World, attesting: int) -> None:
    challenge = world.challenge(attesting)
    upload(world, attesting, evidence_for(challenge.nonce))
    assert isinstance(step(world, attesting), gate.Progress)
    world.now = challenge.expires_at
    unchanged(world, DeadlinePassed, gate.proceed, SESSION, attesting)
    unchanged(world, DeadlinePassed, gate.upload, WORKER, attesting, 0, 1, b"part")


# --- Bounds ---


def test_parts_are_bounded_at_and_one_past_each_limit(world: World, attesting: int) -> None:
    world.challenge(attesting)
    whole, most = b"x" * limits.MAX_EVIDENCE_PART_BYTES, limits.MAX_EVIDENCE_PARTS
    world.do(gate.upload, WORKER, attesting, most - 1, most, whole)
    for index, count, part in (
        (0, 0, b"x"),
        (0, most + 1, b"x"),
        (1, 1, b"x"),
        (0, 1, b""),
        (0, 1, whole + b"x"),
    ):
        unchanged(world, InvalidArgument, gate.upload, WORKER, attesting, index, count, part)


def test_all_parts_together_are_no_larger_than_a_bundle(world: World, attesting: int) -> None:
    world.challenge(attesting)
    whole = b"x" * limits.MAX_EVIDENCE_PART_BYTES
    for index in range(4):
        world.do(gate.upload, WORKER, attesting, index, 16, whole)
    error = unchanged(world, InvalidArgument, gate.upload, WORKER, attesting, 4, 16, b"x")
    assert "262145 bytes in all" in error.problem
    world.do(gate.upload, WORKER, attesting, 3, 16, whole)  # the same part again takes its own place


def test_parts_come_in_any_order_and_again(world: World, attesting: int) -> None:
    parts = parts_of(evidence_for(world.challenge(attesting).nonce), 30_000)
    for index in reversed(range(len(parts))):
        for _ in range(2):
            status = world.do(gate.upload, WORKER, attesting, index, len(parts), parts[index])
        if index:
            unchanged(world, InvalidState, gate.proceed, SESSION, attesting)
    assert status == (len(parts), len(parts))
    assert isinstance(step(world, attesting), gate.Progress)


def test_another_division_starts_anew(world: World, attesting: int) -> None:
    world.challenge(attesting)
    world.do(gate.upload, WORKER, attesting, 0, 3, b"abc")
    assert world.do(gate.upload, WORKER, attesting, 1, 2, b"de") == (1, 2)
    error = unchanged(world, InvalidState, gate.proceed, SESSION, attesting)
    assert "1 of 2" in error.current


@pytest.mark.parametrize("end", ["hand back", "deadline", "accepted"])
def test_an_attempt_that_ends_takes_its_parts_along(end: str) -> None:
    world = market()
    rental = world.create().id
    world.claim(rental)
    nonce = world.challenge(rental).nonce
    upload(world, rental, bundle_for(nonce, OPERATOR, 1))
    assert rows(world)
    if end == "hand back":
        world.do(jobs.hand_back, WORKER, rental, "SIGTERM")
    elif end == "deadline":
        world.later(601)
        world.reap()
    else:
        world.submit(rental, nonce)
    assert rows(world) == []
