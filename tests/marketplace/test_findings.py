"""One test per finding of the adversarial review: each failed before its fix."""

from dataclasses import replace
from typing import Any

import pytest

from attestation.claims import SwitchSummary
from canisters.marketplace.core import jobs, keys, ledger_journal, limits, policies, rentals
from canisters.marketplace.core.errors import EvidenceRefused, InvalidArgument, NotAuthorized, Unavailable
from canisters.marketplace.core.keys import Item
from canisters.marketplace.core.ledger_journal import (
    DEPOSIT,
    PENDING,
    WITHDRAW,
    Accepted,
    Refused,
    Unanswered,
)
from canisters.marketplace.core.model import Transfer
from canisters.marketplace.core.records import Codec
from canisters.marketplace.core.types import Principal, Timestamp, Tokens
from tests.marketplace.world import GOVERNOR, RENTER, STRANGER, WORKER, World, artifact, believing, person

OWN_KEY = bytes((0xA0,)) + bytes(47)


def begin(world: World, kind: str, amount: int) -> Transfer:
    begun = world.do(ledger_journal.begin, RENTER, kind, Tokens(amount), Timestamp(world.now))
    transfer: Transfer = begun.transfer
    return transfer


def finish(world: World, call: Transfer, outcome: ledger_journal.Outcome) -> Transfer:
    after: Transfer = world.do(ledger_journal.finish, RENTER, call.index, outcome, call.sent)
    return after


def send_again(world: World) -> Transfer:
    world.later(limits.RESUME_AFTER_S)
    (again,) = world.do(ledger_journal.resumable, RENTER)
    call: Transfer = again
    return call


# --- Money ---


def test_a_refusal_of_an_earlier_call_does_not_end_a_deposit_whose_later_call_succeeds(world: World) -> None:
    """Found: tokens were pulled by the second call after the first one's late refusal had ended the entry,
    and nobody was credited.
    """
    first = begin(world, DEPOSIT, 500)
    second = send_again(world)
    assert finish(world, first, Refused("InsufficientAllowance", "approve first")).state == PENDING
    finish(world, second, Accepted(3))
    assert world.available(RENTER) == 100_500


def test_a_refusal_of_an_earlier_call_does_not_return_a_withdrawal_that_a_later_call_pays(
    world: World,
) -> None:
    """Found: the money was returned to the book and paid by the ledger as well."""
    first = begin(world, WITHDRAW, 400)
    second = send_again(world)
    finish(world, first, Refused("InsufficientFunds", "not now"))
    assert world.available(RENTER) == 99_600
    finish(world, second, Accepted(3))
    assert (world.available(RENTER), world.book()["external"]) == (99_600, -149_600)


def test_the_refusal_of_the_last_call_still_returns_the_money(world: World) -> None:
    finish(world, begin(world, WITHDRAW, 400), Unanswered("lost"))
    finish(world, send_again(world), Refused("InsufficientFunds", "no"))
    assert world.available(RENTER) == 100_000


@pytest.mark.parametrize(
    "outcome",
    [
        Accepted(10**5_000),
        Refused("BadFee", "", 10**5_000),
        Refused("GenericError", "x" * 2_000_000),
        Unanswered("x" * 2_000_000),
    ],
)
def test_a_ledger_that_answers_monstrous_values_keeps_no_entry_from_ending(
    world: World, outcome: ledger_journal.Outcome
) -> None:
    """Found: such values could not be stored, so the callback trapped each time the entry was sent."""
    after = finish(world, begin(world, DEPOSIT, 500), outcome)
    assert world.state.config.ledger_fee == Tokens(10)
    assert len(after.problem or "") <= limits.MAX_REASON_CHARACTERS


# --- Atomicity ---


def test_a_change_that_cannot_be_stored_is_not_stored_in_part(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found: tables were written one after the other while later ones were still to be encoded; the reaper,
    which goes on after a failure, would have kept the first half.
    """
    rental = world.create(queue_timeout_s=10)
    world.later(10)
    before = world.snapshot()
    encode = Codec.encode

    def failing(self: Any, value: Any) -> bytes:
        if type(value).__name__ == "Movement":
            raise ValueError("cannot be stored")
        return encode(self, value)

    monkeypatch.setattr(Codec, "encode", failing)
    assert world.reap() == [] and len(world.reported) == 1
    assert world.snapshot() == before
    monkeypatch.undo()
    assert world.reap() == [rental.id]


# --- Keys and blobs ---


def test_a_listing_that_names_another_s_blob_gives_its_publisher_no_access_to_it(world: World) -> None:
    """Found: publishing any record that names a blob and asking for its key made the marketplace grant its
    publisher read access to that blob, which the vault otherwise keeps from those who only know its hashes.
    """
    victim = world.listing.artifact
    mine = world.publish_listing(STRANGER, artifact=artifact("mine", victim.location))
    found = world.do(keys.authorise, STRANGER, Item("listing", mine.id), None, OWN_KEY)
    assert found.blob_id is None
    data = world.publish_dataset(STRANGER, artifact=artifact("mine", victim.location))
    assert world.do(keys.authorise, STRANGER, Item("dataset", data.id), None, OWN_KEY).blob_id is None


def test_owners_without_number_cannot_spend_the_marketplace_s_cycles(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found: each new principal could publish a record for nothing and have 50 keys of 26 G cycles a day."""
    monkeypatch.setattr(limits, "MAX_ALL_OWNERS_KEYS_PER_DAY", 3)
    succeeded = world.settling()
    world.do(rentals.accept, RENTER, succeeded)
    for number in range(4):
        owner = person(f"owner {number}")
        item = Item("dataset", world.publish_dataset(owner).id)
        if number == 3:
            with pytest.raises(Unavailable, match="for all owners today"):
                world.do(keys.authorise, owner, item, None, OWN_KEY)
        else:
            world.do(keys.record, owner, world.do(keys.authorise, owner, item, None, OWN_KEY))
    paid_for = Item("result", str(succeeded))
    world.do(keys.record, RENTER, world.do(keys.authorise, RENTER, paid_for, None, OWN_KEY))


def test_a_session_gets_no_key_once_its_rental_succeeded_even_if_it_is_the_renter(world: World) -> None:
    """Found: the renter's right to the result's key was counted as the session's right to the others."""
    rental = world.settling()
    session = world.session(rental)
    record = world.rental(rental)
    world.do(rentals.accept, RENTER, rental)
    record = world.rental(rental)
    with world.state.atomically():
        changed = type(record)(**{**vars(record), "renter": session})
        world.state.rentals.put(rental.to_bytes(8, "big"), changed)
    with pytest.raises(NotAuthorized):
        world.do(keys.authorise, session, Item("listing", world.listing.id), rental, None)


# --- Records ---


@pytest.mark.parametrize("metrics", ['{"loss": NaN}', '{"loss": -Infinity}'])
def test_metrics_that_no_json_reader_accepts_are_refused(world: World, metrics: str) -> None:
    rental = world.running()
    with pytest.raises(InvalidArgument, match="no JSON number"):
        world.do(jobs.submit_result, world.session(rental), rental, artifact("adapter"), metrics)


def test_a_stranger_s_request_id_is_not_the_renter_s(world: World) -> None:
    """Held: the same 16 bytes by another caller are another request."""
    args = world.rental_args(world.listing.id, (world.dataset.id,))
    mine = world.do(rentals.create, RENTER, args)
    other = person("another renter")
    world.fund(Principal(other), 100_000)
    assert world.do(rentals.create, other, args).id != mine.id


# --- Bonds ---


def test_an_offer_for_nothing_locks_a_bond_all_the_same(world: World) -> None:
    """Found: the bond followed the offer's own rate, so anybody could claim every rental with an offer of
    rate 0, let three attempts pass without evidence, and have it fail, for nothing.
    """
    rental = world.create()
    free = world.post_offer(rate_per_second=Tokens(0), bond_basis_points=10_000)
    world.do(jobs.claim, WORKER, free.id, rental.id)
    assert world.account(f"bond/{rental.id}") == rental.terms.quote.compute_max.base_units == 12_000
    world.later(limits.ATTESTATION_TIMEOUT_S)
    world.reap()
    assert world.account("treasury") == 12_000 * 5 // 100


# --- Evidence ---


def test_evidence_with_a_denied_switch_is_refused(world: World) -> None:
    """Found: the deny list was compared with CPUs and GPUs, not with the switches between them."""
    rental = world.create().id
    world.claim(rental)
    world.do(policies.deny_device, GOVERNOR, "50ab")
    switch = SwitchSummary(device_id="50AB", chip="LS10", vbios="96", root_sha256="root")

    def with_switch(*args: Any) -> Any:
        return replace(believing(*args), switches=(switch,))

    refused = world.submit(rental, world.challenge(rental).nonce, with_switch)
    assert isinstance(refused, EvidenceRefused) and refused.kind == "DeviceDenied"
