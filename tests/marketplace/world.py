"""A marketplace in memory with its people, a clock that only moves when told, and evidence on demand."""

import copy
import hashlib
import itertools
from typing import Any

from attestation import (
    Attestation,
    Binding,
    Claim,
    CpuSummary,
    Evidence,
    GpuSummary,
    PolicyExpression,
    decode_bundle,
    encode_bundle,
    report_data,
)
from attestation.bundle import ED25519_SPKI_PREFIX
from canisters.marketplace.core import (
    accounts,
    catalog,
    gate,
    installation,
    jobs,
    keys,
    ledger_journal,
    rentals,
)
from canisters.marketplace.core import model as m
from canisters.marketplace.core.errors import EvidenceRefused
from canisters.marketplace.core.reaper import Reaper
from canisters.marketplace.core.state import State
from canisters.marketplace.core.storage import MemoryMap
from canisters.marketplace.core.types import (
    BasisPoints,
    Message,
    Principal,
    Seconds,
    Timestamp,
    Tokens,
    principal_bytes,
    self_authenticating,
)

SECOND = 1_000_000_000
START = 1_763_700_000 * SECOND
REVIEW_S = 3_600
PLATFORM_BPS = 500
LEDGER_FEE = 10


def person(name: str) -> Principal:
    """A principal by name."""
    return self_authenticating(name.encode())


def session_key(number: int) -> bytes:
    """A guest's public session key (DER)."""
    return ED25519_SPKI_PREFIX + hashlib.sha256(b"session%d" % number).digest()


GOVERNOR, ARBITER, TREASURY = person("governor"), person("arbiter"), person("treasury")
PUBLISHER, CO_AUTHOR, OWNER = person("publisher"), person("co-author"), person("data owner")
OPERATOR, WORKER, RENTER, STRANGER = (person(name) for name in ("operator", "worker", "renter", "stranger"))
TRANSPORT_KEY = bytes((0x80,)) + bytes(46) + b"\x01"
SELF = person("the marketplace")


def artifact(name: str = "blob", location: str | None = None) -> m.Artifact:
    digest = hashlib.sha256(name.encode())
    return m.Artifact(location or f"vault:{digest.hexdigest()}", 1_000, digest.digest(), b"sealed")


def hyperparameters(**changes: Any) -> m.Hyperparameters:
    values: dict[str, Any] = {
        "task": "text-classification",
        "epochs": 3,
        "learning_rate": 2e-4,
        "batch_size": 16,
        "max_length": 128,
        "lora_rank": 8,
        "lora_alpha": 16,
        "lora_dropout": 0.05,
        "seed": 7,
    }
    return m.Hyperparameters(**{**values, **changes})


def bundle_for(nonce: bytes, operator: Principal, number: int) -> bytes:
    """Evidence bound to its nonce, operator and session, with nothing genuine inside: for a verifier that is
    told what to think of it.
    """
    session, guest_claims = session_key(number), b"{}"
    bound = report_data(nonce, session, TRANSPORT_KEY, principal_bytes(operator), (), guest_claims)
    report = bytes(0x50) + bound + bytes(32)
    return encode_bundle(Evidence("sev-snp", report, (b"c",), (), guest_claims, session, TRANSPORT_KEY))


def believing(
    bundle: bytes, binding: Binding, policy: PolicyExpression, now_ns: int, *_: object
) -> Attestation:
    """A verifier that accepts everything."""
    evidence = decode_bundle(bundle)
    return Attestation(
        policy=policy.name,
        simulated=True,
        cpu=CpuSummary("sev-snp", "Genoa", "aa" * 48, "c0ffee", "1", "root"),
        gpus=(GpuSummary("41ab", "GH100", "550", "96", "root"),),
        claims=(Claim("cpu.signature", "valid", "valid", "valid"),),
        session_public_key=evidence.session_public_key,
        transport_public_key=evidence.transport_public_key,
        worker_version="0.1.0",
        bundle_sha256=hashlib.sha256(bundle).digest(),
        verified_at_ns=now_ns,
    )


class World:
    """The state, the time, and one method per thing people do. Every method is one atomic message."""

    def __init__(self, **changes: Any) -> None:
        self.maps: dict[str, MemoryMap] = {}
        self.now = START
        self.reported: list[tuple[int, Exception]] = []
        self.reaper = Reaper(lambda rental, problem: self.reported.append((rental, problem)))
        self._fresh = itertools.count(1)
        self._sessions: dict[int, int] = {}
        self.reopen()
        values: dict[str, Any] = {
            "ledger": person("ledger"),
            "vault": person("vault"),
            "governors": (GOVERNOR,),
            "arbiter": ARBITER,
            "treasury": TREASURY,
            "platform_basis_points": BasisPoints(PLATFORM_BPS),
            "vetkd_key_name": "test_key_1",
            "allow_simulated": True,
            "review_window_s": Seconds(REVIEW_S),
        }
        with self.state.atomically():
            args = installation.InitArgs(**{**values, **changes})
            installation.install(self.state, self.message(GOVERNOR), SELF, args)
            ledger_journal.remember_fee(self.state, Tokens(LEDGER_FEE))

    def reopen(self) -> None:
        """What an upgrade does: everything but the stored maps is made anew."""
        self.state = State(lambda name: self.maps.setdefault(name, MemoryMap()))

    def message(self, caller: Principal) -> Message:
        return Message(caller, Timestamp(self.now))

    def do(self, function: Any, caller: Principal, *args: Any, **named: Any) -> Any:
        """Call a function of the core as one message."""
        with self.state.atomically():
            return function(self.state, self.message(caller), *args, **named)

    def later(self, seconds: float) -> None:
        self.now += round(seconds * SECOND)

    def fresh(self) -> int:
        return next(self._fresh)

    def snapshot(self) -> dict[str, list[tuple[bytes, bytes]]]:
        """Everything stored, for comparing before and after."""
        return {name: rows.range(b"", None, 10**9) for name, rows in self.maps.items()}

    # --- Money ---

    def fund(self, owner: Principal, amount: int) -> None:
        """A deposit that the ledger accepted."""
        created = Timestamp(self.now - self.fresh())
        begun = self.do(ledger_journal.begin, owner, ledger_journal.DEPOSIT, Tokens(amount), created)
        self.do(ledger_journal.finish, owner, begun.transfer.index, ledger_journal.Accepted(1))

    def available(self, owner: Principal) -> int:
        return accounts.balance(self.state, accounts.available_of(owner)).base_units

    def account(self, name: str) -> int:
        return accounts.balance(self.state, name).base_units

    def book(self) -> dict[str, int]:
        """All accounts but derived sums."""
        rows = self.maps["balances"].range(b"", None, 10**9)
        return {key.decode(): int(value) for key, value in rows if not key.startswith(b"total/")}

    # --- Catalog ---

    def listing_args(self, publisher: Principal = PUBLISHER, **changes: Any) -> m.ListingArgs:
        salt = changes.pop("salt", self.fresh().to_bytes(16, "big"))
        values: dict[str, Any] = {
            "id": catalog.item_id("listing", publisher, salt),
            "salt": salt,
            "title": "MiniLM",
            "description": "A small encoder.",
            "base_model": "all-MiniLM-L6-v2",
            "tasks": ("text-classification",),
            "fee": Tokens(1_000),
            "payees": (m.Payee(publisher, BasisPoints(7_000)), m.Payee(CO_AUTHOR, BasisPoints(3_000))),
            "artifact": artifact("model"),
        }
        return m.ListingArgs(**{**values, **changes})

    def publish_listing(self, publisher: Principal = PUBLISHER, **changes: Any) -> m.Listing:
        args = self.listing_args(publisher, **changes)
        listing: m.Listing = self.do(catalog.publish_listing, publisher, args)
        return listing

    def dataset_args(self, owner: Principal = OWNER, **changes: Any) -> m.DatasetArgs:
        salt = changes.pop("salt", self.fresh().to_bytes(16, "big"))
        values: dict[str, Any] = {
            "id": catalog.item_id("dataset", owner, salt),
            "salt": salt,
            "title": "Reviews",
            "rows": 300,
            "fee": Tokens(200),
            "public": True,
            "artifact": artifact("data"),
        }
        return m.DatasetArgs(**{**values, **changes})

    def publish_dataset(self, owner: Principal = OWNER, **changes: Any) -> m.Dataset:
        dataset: m.Dataset = self.do(catalog.publish_dataset, owner, self.dataset_args(owner, **changes))
        return dataset

    def offer_args(self, **changes: Any) -> m.OfferArgs:
        values: dict[str, Any] = {
            "request_id": self.fresh().to_bytes(16, "big"),
            "title": "H200",
            "rate_per_second": Tokens(10),
            "max_duration_s": Seconds(10_000),
            "bond_basis_points": BasisPoints(3_000),
            "policies": ("simulated",),
            "hardware": "1 x H200",
            "worker": WORKER,
        }
        return m.OfferArgs(**{**values, **changes})

    def post_offer(self, operator: Principal = OPERATOR, **changes: Any) -> m.Offer:
        offer: m.Offer = self.do(catalog.post_offer, operator, self.offer_args(**changes))
        return offer

    # --- A rental ---

    def rental_args(self, listing: str, datasets: tuple[str, ...], **changes: Any) -> m.RentalArgs:
        values: dict[str, Any] = {
            "request_id": self.fresh().to_bytes(16, "big"),
            "listing": listing,
            "datasets": datasets,
            "hyperparameters": hyperparameters(),
            "policy": "simulated",
            "max_rate_per_second": Tokens(12),
            "max_duration_s": Seconds(1_000),
            "max_price": Tokens(10**9),
            "queue_timeout_s": Seconds(7_200),
        }
        return m.RentalArgs(**{**values, **changes})

    def open_market(self) -> None:
        """A listing, a dataset, an offer, and money for renter and operator."""
        self.listing = self.publish_listing()
        self.dataset = self.publish_dataset()
        self.offer = self.post_offer()
        self.fund(RENTER, 100_000)
        self.fund(OPERATOR, 50_000)

    def create(self, **changes: Any) -> m.Rental:
        args = self.rental_args(self.listing.id, (self.dataset.id,), **changes)
        rental: m.Rental = self.do(rentals.create, RENTER, args)
        return rental

    def rental(self, rental: int) -> m.Rental:
        return self.state.rental(rental)

    def next_job(self, offer: int) -> int | None:
        return jobs.next_job(self.state, offer, Timestamp(self.now))

    def claim(self, rental: int) -> jobs.Job:
        job: jobs.Job = self.do(jobs.claim, WORKER, self.offer.id, rental)
        return job

    def challenge(self, rental: int) -> gate.Challenge:
        randomness = hashlib.sha256(b"nonce%d" % self.fresh()).digest()
        challenge: gate.Challenge = self.do(gate.begin, WORKER, rental, randomness)
        return challenge

    def session(self, rental: int) -> Principal:
        """The principal of the rental's latest session."""
        return self_authenticating(session_key(self._sessions[rental]))

    def submit(self, rental: int, nonce: bytes, verify: gate.Verify = believing) -> Any:
        """Submit evidence for `nonce` from a new session."""
        self._sessions[rental] = number = self.fresh()
        bundle = bundle_for(nonce, OPERATOR, number)
        return self.do(gate.submit, self.session(rental), rental, bundle, verify)

    def attest(self, rental: int) -> None:
        outcome = self.submit(rental, self.challenge(rental).nonce)
        assert not isinstance(outcome, EvidenceRefused), outcome

    def release(self, rental: int, *items: keys.Item, caller: Principal | None = None) -> None:
        """Release keys to the session (all that training needs, unless named)."""
        asked_by = caller or self.session(rental)
        needed = items or (keys.Item("listing", self.listing.id), keys.Item("dataset", self.dataset.id))
        for item in needed:
            authorisation = self.do(keys.authorise, asked_by, item, rental, None)
            self.do(keys.record, asked_by, authorisation)

    def heartbeat(self, rental: int, *points: m.Progress) -> m.Rental:
        beaten: m.Rental = self.do(jobs.post_progress, self.session(rental), rental, points)
        return beaten

    def work(self, rental: int, seconds: int) -> None:
        """Let time pass with a heartbeat a minute."""
        while seconds > 60:
            self.later(60)
            seconds -= 60
            self.heartbeat(rental)
        self.later(seconds)

    def checkpoint(self, rental: int) -> m.Rental:
        name = f"checkpoint {self.fresh()}"
        after: m.Rental = self.do(jobs.submit_checkpoint, self.session(rental), rental, artifact(name))
        return after

    def finish(self, rental: int) -> m.Rental:
        after: m.Rental = self.do(
            jobs.submit_result, self.session(rental), rental, artifact("adapter"), '{"loss": 0.1}'
        )
        return after

    def running(self, **changes: Any) -> int:
        """A rental whose session is attested and has its keys."""
        rental = self.create(**changes).id
        self.claim(rental)
        self.attest(rental)
        self.release(rental)
        return rental

    def settling(self, seconds: int = 100, **changes: Any) -> int:
        rental = self.running(**changes)
        self.work(rental, seconds)
        self.finish(rental)
        return rental

    def disputed(self) -> int:
        rental = self.settling()
        self.do(rentals.dispute, RENTER, rental, "the adapter is empty")
        return rental

    def reap(self) -> list[int]:
        return self.reaper.run(self.state, self.message(STRANGER))


def market() -> World:
    """A world with an open market."""
    world = World()
    world.open_market()
    return world


def fork(world: World) -> World:
    """An independent copy."""
    copied = copy.copy(world)
    copied.maps = copy.deepcopy(world.maps)
    copied._sessions = dict(world._sessions)
    copied.reopen()
    return copied
