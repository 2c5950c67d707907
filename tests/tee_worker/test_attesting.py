"""A worker proves its machine to the marketplace's own code, and keeps its bond while nobody looks at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from attestation import Collateral, Evidence
from attestation.policy import PRODUCTION, SIMULATED, AllOf, AnyOf, Policy
from attestation.policy_json import policy_to_json
from leasehold.agent import Agent
from leasehold.models import AttestationRecord, Change, Rental
from leasehold.models.money import Balances
from leasehold.roles.operator import post_offer
from tee_worker.attempt import RunningAttempt
from tee_worker.attesting import MAX_NONCES, asks_for_collateral
from tee_worker.evidence import SimulatedProvider
from tee_worker.supervisor import Supervisor
from tee_worker.vendors import CollateralFetchFailed
from tests.leasehold.story import Story
from tests.leasehold.world import World

NONCE_LIFETIME_S = 300


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    world = World(tmp_path)
    # What vendors say is of the marketplace's present.
    marketplace = world.canisters["marketplace"]
    monkeypatch.setattr(Agent, "now_ns", lambda agent: marketplace.system.now)
    return Story.open(world)


class Provider(SimulatedProvider):
    """Simulated evidence; `before` may do something each time, and answers the nonce to use."""

    def __init__(
        self,
        before: Callable[[int, bytes], bytes] = lambda count, nonce: nonce,
        gpus: int = 1,
        switches: int = 0,
        cpu: str = "sev-snp",
    ) -> None:
        super().__init__("test machine", gpus, switches, cpu)
        self.before, self.collected = before, 0

    def collect(
        self, *, nonce: bytes, operator: bytes, session_public_key: bytes, transport_public_key: bytes
    ) -> bytes:
        self.collected += 1
        return super().collect(
            nonce=self.before(self.collected, nonce),
            operator=operator,
            session_public_key=session_public_key,
            transport_public_key=transport_public_key,
        )


def attest(
    story: Story,
    provider: Provider,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    policy: str = "simulated",
) -> tuple[Rental, list[str], AttestationRecord | None]:
    """Serve one rental up to its attestation; answers it, what the worker told, and the record."""
    rental, said, records = story.rent(policy), list[str](), list[AttestationRecord]()
    monkeypatch.setattr(RunningAttempt, "run", lambda self: records.append(self.attest()))
    supervisor = Supervisor(
        story.operator, story.offer.id, provider, folder, tell=said.append, should_stop=lambda: False
    )
    supervisor.serve(once=True)
    return story.renter.marketplace.get_rental(rental.id), said, records[0] if records else None


def bonds(story: Story) -> Balances:
    return story.operator.marketplace.balances()


def test_a_nonce_that_ran_out_while_evidence_was_collected_is_replaced(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by reading: a slow machine's first evidence came too late, and the rental was handed back."""

    def slow_once(count: int, nonce: bytes) -> bytes:
        story.world.advance(NONCE_LIFETIME_S + 1 if count == 1 else 0)
        return nonce

    provider = Provider(slow_once)
    rental, said, record = attest(story, provider, tmp_path / "work", monkeypatch)
    assert (rental.status, rental.attempts, provider.collected) == ("running", 0, 2)
    assert record is not None and record.simulated
    assert any("fresh nonce" in line for line in said)


def test_evidence_for_a_nonce_that_was_replaced_is_collected_again(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by reading: whoever else asked for a nonce made the worker's evidence void, and it gave up."""
    provider = Provider(lambda count, nonce: bytes(32) if count == 1 else nonce)
    rental, _, record = attest(story, provider, tmp_path / "work", monkeypatch)
    assert (rental.status, provider.collected, record is not None) == ("running", 2, True)


def test_evidence_that_is_never_looked_at_costs_the_operator_nothing(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by reading: the worker took `BindingMismatch` for the end of the attempt. It left the rental
    alone, and its operator was slashed at the deadline.
    """
    before = bonds(story)
    provider = Provider(lambda count, nonce: bytes(32))
    rental, said, record = attest(story, provider, tmp_path / "work", monkeypatch)
    assert provider.collected == MAX_NONCES and record is None
    assert rental.status == "queued"
    assert rental.reason is not None and "BindingMismatch" in rental.reason
    assert bonds(story) == before
    assert any("handed back" in line for line in said)


def test_evidence_that_was_refused_is_not_handed_back_as_well(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Provider(cpu="tdx")
    monkeypatch.setattr(provider, "collateral", lambda evidence, now_ns: Collateral())
    rental, said, record = attest(story, provider, tmp_path / "work", monkeypatch)
    assert (rental.status, rental.attempts, record) == ("queued", 1, None)
    assert any("CollateralUnavailable" in line for line in said)
    assert not any("handed back" in line for line in said)


def test_a_tdx_guest_posts_what_intel_says_and_is_accepted(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rental, said, record = attest(story, Provider(cpu="tdx"), tmp_path / "work", monkeypatch)
    assert record is not None and (record.cpu_kind, rental.status) == ("tdx", "running")
    assert any("statements posted" in line for line in said)
    kinds = {piece.kind for piece in story.renter.marketplace.collateral()}
    assert {"tcb_infos", "qe_identities", "crls", "certificates"} <= kinds


def test_a_whole_board_is_verified_in_steps(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Provider(gpus=8, switches=4)
    rental, said, record = attest(story, provider, tmp_path / "work", monkeypatch)
    assert rental.status == "running"
    assert record is not None and (len(record.gpus), len(record.switches)) == (8, 4)
    assert any("uploaded in" in line for line in said)
    assert any("verified" in line and "signatures" in line for line in said)


def adopt(story: Story, policy: Policy) -> None:
    """Have the governors adopt a policy, and the operator offer it."""
    governor = story.world.client(story.world.deployer).marketplace
    proposal = governor.propose(Change(kind="AdoptPolicy", content=policy_to_json(policy)), "stricter")
    governor.approve_proposal(proposal.id)
    story.world.advance(86_401)
    assert governor.get_proposal(proposal.id).state == "executed"
    story.offer = post_offer(
        story.operator,
        title="box",
        rate_per_second=1_000,
        max_duration_s=3600,
        hardware="simulated",
        policies=[policy.name],
    )


@pytest.mark.parametrize(("gpus", "switches", "cpu"), [(1, 0, "sev-snp"), (8, 4, "tdx")])
def test_a_policy_that_asks_for_everything_is_satisfied_by_what_the_worker_posts(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gpus: int, switches: int, cpu: str
) -> None:
    strict = replace(SIMULATED, name="strict", require_revocation=True, require_reference_values=True)
    adopt(story, strict)
    provider = Provider(gpus=gpus, switches=switches, cpu=cpu)
    rental, said, record = attest(story, provider, tmp_path / "work", monkeypatch, "strict")
    assert record is not None and rental.status == "running", said
    rows = {claim.name for claim in record.claims if claim.verdict == "valid"}
    for index in range(gpus):
        assert {f"gpu[{index}].reference_values", f"gpu[{index}].revocation.boot_rom"} <= rows
    assert any(name.startswith("cpu.revocation") for name in rows)


def test_vendors_who_do_not_answer_end_no_attempt(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Alone(Provider):
        def collateral(self, evidence: Evidence, now_ns: int) -> Collateral:
            raise CollateralFetchFailed("https://vendor.example cannot be reached")

    # Somebody else has posted it already.
    monkeypatch.setattr("tee_worker.attesting.asks_for_collateral", lambda policy: True)
    rental, said, record = attest(story, Alone(), tmp_path / "work", monkeypatch)
    assert rental.status == "running" and record is not None
    assert any("vendor.example cannot be reached" in line for line in said)


def test_only_policies_that_ask_for_statements_want_them() -> None:
    assert asks_for_collateral(PRODUCTION)
    assert asks_for_collateral(AllOf("both", (SIMULATED, PRODUCTION)))
    assert asks_for_collateral(SIMULATED) is asks_for_collateral(AnyOf("one", (SIMULATED,)))
