"""The main job on real modules: rent, attest, fine-tune, pay; and what happens when something goes wrong."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from canisters.marketplace.core.limits import MAX_HAND_BACKS
from leasehold.agent import Identity
from leasehold.errors import (
    CanisterError,
    EvidenceRefused,
    InsufficientBalance,
    InvalidArgument,
    InvalidState,
    NotAuthorized,
    NotFound,
    PriceAboveMaximum,
)
from leasehold.models import Item, Job, Rental
from leasehold.roles.renter import download_result
from leasehold.vetkeys import TransportKey
from tee_worker.evidence import SimulatedProvider
from tee_worker.supervisor import Supervisor
from tee_worker.trainer.evaluate import compare
from tests.e2e.market import FEE, MAX_DURATION_S, RATE, TOKEN, Market
from tests.network import moves_time


def supervisor(market: Market, folder: Path, **settings: object) -> Supervisor:
    said: list[str] = []
    stop = threading.Event()
    return Supervisor(
        market.clients["worker"],
        market.offer.id,
        SimulatedProvider("test machine"),
        folder,
        tell=said.append,
        should_stop=stop.is_set,
        **settings,  # type: ignore[arg-type]
    )


class Guest:
    """A worker's guest by hand: the steps one at a time, so that a test can get each of them wrong."""

    def __init__(self, market: Market, rental: int) -> None:
        self.market = market
        self.worker = market.clients["worker"].marketplace
        self.rental = rental
        self.identity = Identity.generate()
        self.session = market.clients["worker"].with_identity(self.identity).marketplace
        self.transport = TransportKey.generate()
        self.job: Job = self.worker.claim_rental(market.offer.id, rental)

    def bundle(self, nonce: bytes) -> bytes:
        return SimulatedProvider("test machine").collect(
            nonce=nonce,
            operator=self.job.operator.raw,
            session_public_key=self.identity.public_key_der,
            transport_public_key=self.transport.public_key,
        )

    def attest(self) -> bytes:
        bundle = self.bundle(self.worker.begin_attestation(self.rental).nonce)
        self.session.submit_attestation(self.rental, bundle)
        return bundle


def test_the_whole_story_ends_with_an_adapter_that_works_and_exact_payment(
    market: Market, tmp_path: Path
) -> None:
    renter, publisher, coauthor, operator = (
        market.clients[role].marketplace for role in ("renter", "publisher", "coauthor", "operator")
    )
    before = operator.balances().available
    rental = market.rent()
    assert rental.status == "queued"
    assert rental.escrow == rental.price.total_max == market.clients["renter"].marketplace.balances().escrowed

    assert supervisor(market, tmp_path / "work").serve(once=True) == 1
    rental = renter.get_rental(rental.id)
    assert rental.status == "settling"
    assert rental.attestation is not None
    assert rental.attestation.simulated
    assert {claim.verdict for claim in rental.attestation.claims} == {"valid"}
    assert len(renter.rental_progress(rental.id)) == 30

    rental = renter.accept_result(rental.id)
    assert rental.status == "succeeded"
    charges = rental.charges
    assert charges is not None
    compute = RATE * rental.seconds_used
    platform = (FEE + compute) * 250 // 10_000
    assert (charges.listing_fee, charges.compute, charges.platform) == (FEE, compute, platform)
    assert charges.refund == rental.price.total_max - FEE - compute - platform
    assert publisher.balances().available == FEE * 7_000 // 10_000
    assert coauthor.balances().available == FEE - FEE * 7_000 // 10_000
    assert operator.balances().available == before + compute
    assert operator.balances().bonded == 0
    assert renter.balances().escrowed == 0
    assert renter.balances().available == 50 * TOKEN - FEE - compute - platform
    kinds = [event.to_status for event in renter.rental_events(rental.id)]
    assert [kind for i, kind in enumerate(kinds) if i == 0 or kinds[i - 1] != kind] == [
        "queued",
        "attesting",
        "running",
        "settling",
        "succeeded",
    ]

    adapter = tmp_path / "adapter"
    download_result(market.clients["renter"], rental, adapter, tmp_path / "opened")
    base, tuned = compare(market.model, market.dataset_file, adapter)
    assert tuned.loss < base.loss
    assert not any((tmp_path / "work").glob("rental-*")), "the worker left something in clear"


def test_an_upgrade_in_the_middle_of_a_rental_loses_nothing(
    market: Market, modules: dict[str, bytes]
) -> None:
    from leasehold.management import Management

    rental = market.rent()
    guest = Guest(market, rental.id)
    guest.attest()
    renter = market.clients["renter"].marketplace
    was, balances = renter.get_rental(rental.id), renter.balances()
    events = renter.rental_events(rental.id)

    deployer = market.clients["deployer"]
    Management(deployer.agent).upgrade(deployer.marketplace.id, modules["marketplace"])

    now = renter.get_rental(rental.id)
    assert now.model_copy(update={"seconds_used": was.seconds_used}) == was
    assert renter.rental_events(rental.id) == events
    assert renter.balances() == balances
    released = guest.session.release_key(Item.listing(market.listing.id), rental.id)
    assert guest.transport.decrypt(
        released.encrypted_key, renter.sealing_key().public_key, Item.listing(market.listing.id).input
    )


@moves_time
def test_a_worker_that_vanishes_is_slashed_and_the_rental_returns_to_the_queue(market: Market) -> None:
    rental = market.rent()
    Guest(market, rental.id).attest()
    market.host.advance(121)
    stranger = market.clients["stranger"].marketplace
    stranger.reap(rental.id)
    now = market.clients["renter"].marketplace.get_rental(rental.id)
    assert (now.status, now.attempts) == ("queued", 1)
    assert now.operator is None
    assert market.clients["operator"].marketplace.balances().bonded == 0


@moves_time
def test_a_rental_nobody_serves_expires_with_a_full_refund(market: Market) -> None:
    renter = market.clients["renter"].marketplace
    funds = renter.balances().available
    rental = market.rent(queue_timeout_s=60)
    market.host.advance(61)
    market.clients["stranger"].marketplace.reap(rental.id)
    assert renter.get_rental(rental.id).status == "expired"
    assert renter.balances().available == funds


def test_a_rental_whose_attempts_run_out_fails_with_a_refund(market: Market) -> None:
    renter = market.clients["renter"].marketplace
    funds = renter.balances().available
    rental = market.rent()
    for _ in range(MAX_HAND_BACKS):
        guest = Guest(market, rental.id)
        guest.attest()
        guest.worker.return_rental(rental.id, "dataset_refused: line 3")
    now = renter.get_rental(rental.id)
    assert now.status == "failed"
    assert now.reason is not None
    assert "dataset_refused" in now.reason
    assert renter.balances().available == funds


def test_a_queued_rental_is_cancelled_with_a_full_refund(market: Market) -> None:
    renter = market.clients["renter"].marketplace
    funds = renter.balances().available
    rental = market.rent()
    assert renter.cancel_rental(rental.id).status == "cancelled"
    assert renter.balances().available == funds
    with pytest.raises(InvalidState):
        renter.cancel_rental(rental.id)


def assert_unchanged(market: Market, rental: Rental) -> None:
    assert market.clients["renter"].marketplace.get_rental(rental.id) == rental


def test_evidence_with_one_bit_flipped_is_refused(market: Market) -> None:
    rental = market.rent()
    guest = Guest(market, rental.id)
    bundle = bytearray(guest.bundle(guest.worker.begin_attestation(rental.id).nonce))
    bundle[len(bundle) // 2] ^= 1
    with pytest.raises(EvidenceRefused):
        guest.session.submit_attestation(rental.id, bytes(bundle))
    now = market.clients["renter"].marketplace.get_rental(rental.id)
    assert now.status in ("attesting", "queued")
    with pytest.raises(CanisterError):
        guest.session.release_key(Item.listing(market.listing.id), rental.id)


@pytest.mark.parametrize("cut", [1, 100, 5_000])
def test_truncated_evidence_is_refused_and_changes_nothing(market: Market, cut: int) -> None:
    rental = market.rent()
    guest = Guest(market, rental.id)
    bundle = guest.bundle(guest.worker.begin_attestation(rental.id).nonce)
    before = market.clients["renter"].marketplace.get_rental(rental.id)
    with pytest.raises(EvidenceRefused, match="Malformed"):
        guest.session.submit_attestation(rental.id, bundle[:-cut])
    assert_unchanged(market, before)
    guest.session.submit_attestation(rental.id, bundle)


def test_oversize_evidence_is_refused_and_changes_nothing(market: Market) -> None:
    rental = market.rent()
    guest = Guest(market, rental.id)
    guest.worker.begin_attestation(rental.id)
    before = market.clients["renter"].marketplace.get_rental(rental.id)
    with pytest.raises((EvidenceRefused, InvalidArgument)):
        guest.session.submit_attestation(rental.id, bytes(1_500_000))
    assert_unchanged(market, before)


def test_evidence_for_an_earlier_nonce_is_refused(market: Market) -> None:
    rental = market.rent()
    guest = Guest(market, rental.id)
    stale = guest.bundle(guest.worker.begin_attestation(rental.id).nonce)
    guest.worker.begin_attestation(rental.id)
    with pytest.raises(EvidenceRefused):
        guest.session.submit_attestation(rental.id, stale)


def test_accepted_evidence_cannot_be_replayed_for_another_rental(market: Market) -> None:
    first = Guest(market, market.rent().id)
    bundle = first.attest()
    with pytest.raises(InvalidState):
        first.session.submit_attestation(first.rental, bundle)
    second = Guest(market, market.rent().id)
    second.worker.begin_attestation(second.rental)
    with pytest.raises(CanisterError):
        first.session.submit_attestation(second.rental, bundle)


def test_somebody_else_cannot_use_a_machine_s_evidence(market: Market) -> None:
    rental = market.rent()
    guest = Guest(market, rental.id)
    bundle = guest.bundle(guest.worker.begin_attestation(rental.id).nonce)
    with pytest.raises((NotAuthorized, EvidenceRefused)):
        market.clients["stranger"].marketplace.submit_attestation(rental.id, bundle)


def test_keys_go_only_to_the_attested_session_and_their_owners(market: Market) -> None:
    rental = market.rent()
    guest = Guest(market, rental.id)
    listing = Item.listing(market.listing.id)
    key = TransportKey.generate()
    with pytest.raises(CanisterError):
        guest.session.release_key(listing, rental.id)
    guest.attest()
    for role in ("stranger", "worker", "operator", "renter"):
        with pytest.raises(CanisterError):
            market.clients[role].marketplace.release_key(listing, None, key.public_key)
    with pytest.raises(CanisterError):
        guest.session.release_key(listing, rental.id, key.public_key)
    with pytest.raises(CanisterError):
        market.clients["renter"].marketplace.release_key(Item.result(rental.id), None, key.public_key)
    owned = market.clients["publisher"].marketplace.release_key(listing, None, key.public_key)
    assert key.decrypt(owned.encrypted_key, guest.session.sealing_key().public_key, listing.input), (
        "an owner always gets their own key back"
    )
    assert guest.session.release_key(listing, rental.id).encrypted_key


def test_wrong_input_is_named_and_moves_no_money(market: Market) -> None:
    renter, stranger = market.clients["renter"], market.clients["stranger"]
    rental = market.rent()
    balances = renter.marketplace.balances()
    with pytest.raises(NotFound):
        renter.marketplace.get_rental(999)
    with pytest.raises(NotFound):
        market.rent(listing="0" * 32)
    with pytest.raises(NotAuthorized):
        stranger.marketplace.get_rental(rental.id)
    with pytest.raises(NotAuthorized):
        stranger.marketplace.cancel_rental(rental.id)
    with pytest.raises(PriceAboveMaximum):
        market.rent(max_price=1)
    with pytest.raises(InsufficientBalance):
        market.rent(max_rate_per_second=10**12, max_duration_s=MAX_DURATION_S)
    with pytest.raises(InvalidState):
        renter.marketplace.accept_result(rental.id)
    with pytest.raises(CanisterError):
        renter.marketplace.withdraw(10**15, market.host.now_ns())
    assert renter.marketplace.balances() == balances
    assert_unchanged(market, rental)
