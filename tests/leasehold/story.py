"""A rental played by hand: everything the worker does, with a SIMULATED machine and an adapter made up."""

import json
from dataclasses import dataclass
from pathlib import Path

from attestation import encode_bundle
from attestation.simulator import SimulatedMachine
from leasehold.agent import Identity
from leasehold.artifacts import fetch_and_open, seal_and_upload
from leasehold.models import Dataset, Hyperparameters, Item, Listing, Offer, Payee, Progress, Rental
from leasehold.network import Client
from leasehold.roles import account, operator, publisher, renter
from leasehold.sealing import pack_folder, unpack_archive
from leasehold.vetkeys import TransportKey
from tests.leasehold.fake_node import NOW
from tests.leasehold.world import TOKEN, World

ROWS = [{"text": f"text {number}", "label": "ab"[number % 2]} for number in range(8)]
ADAPTER = {"adapter_config.json": b"{}", "adapter_model.safetensors": b"adapter", "training.json": b"{}"}


def write_model(folder: Path) -> Path:
    """A folder that has a model's files, if not its weights."""
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def write_dataset(path: Path) -> Path:
    """A small, valid dataset file."""
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


@dataclass
class Story:
    """Who takes part, and what was published."""

    world: World
    publisher: Client
    renter: Client
    operator: Client
    listing: Listing
    dataset: Dataset
    offer: Offer

    @classmethod
    def open(cls, world: World) -> "Story":
        """Publish a model and a dataset, post an offer, fund everybody."""
        seller, buyer, machine = world.person(2), world.person(3, 100 * TOKEN), world.person(4, 100 * TOKEN)
        folder = world.folder
        listing = publisher.publish_listing(
            seller,
            write_model(folder / "model"),
            title="tiny",
            fee=TOKEN,
            payees=[
                Payee(account=seller.principal, basis_points=7_000),
                Payee(account=world.deployer.principal, basis_points=3_000),
            ],
            drafts=folder / "drafts",
        )
        dataset = publisher.publish_dataset(
            buyer,
            write_dataset(folder / "data.jsonl"),
            title="letters",
            task="text-classification",
            drafts=folder / "drafts",
        )
        account.deposit(buyer, 50 * TOKEN, now=NOW)
        account.deposit(machine, 50 * TOKEN, now=NOW)
        offer = operator.post_offer(
            machine,
            title="box",
            rate_per_second=1_000,
            max_duration_s=3600,
            hardware="simulated",
            policies=["simulated"],
        )
        return cls(world, seller, buyer, machine, listing, dataset, offer)

    def rent(self, policy: str = "simulated") -> Rental:
        """Create the rental."""
        arguments = renter.rental_args(
            listing=self.listing.id,
            datasets=[self.dataset.id],
            hyperparameters=Hyperparameters(),
            policy=policy,
            max_rate_per_second=1_000,
            max_duration_s=600,
        )
        price = self.renter.marketplace.quote_rental(arguments)
        return self.renter.marketplace.create_rental(
            arguments.model_copy(update={"max_price": price.total_max})
        )

    def work(self, rental: int) -> Rental:
        """Claim, attest, unseal, pretend to train, and submit the adapter."""
        job = self.operator.marketplace.claim_rental(self.offer.id, rental)
        challenge = self.operator.marketplace.begin_attestation(rental)
        session, transport = Identity.generate(), TransportKey.generate()
        evidence = SimulatedMachine(b"test machine").collect(
            challenge.nonce, job.operator.raw, session.public_key_der, transport.public_key
        )
        attested = self.world.client(session)
        attested.marketplace.submit_attestation(rental, encode_bundle(evidence))
        self.world.advance(5)

        work = self.world.folder / "worker"
        datasets = [(Item.dataset(dataset.id), dataset.artifact) for dataset in job.datasets]
        inputs = [(Item.listing(job.listing.id), job.listing.artifact), *datasets]
        for item, artifact in inputs:
            target = work / f"{item.kind}.clear"
            fetch_and_open(attested, artifact, item, target, work, rental=rental, transport=transport)
        unpack_archive(work / "listing.clear", work / "model")
        attested.marketplace.post_progress(rental, [Progress(step=1, total_steps=1, epoch=1.0, loss=0.5)])

        adapter = work / "adapter"
        adapter.mkdir()
        for name, content in ADAPTER.items():
            (adapter / name).write_bytes(content)
        pack_folder(adapter, work / "adapter.tar", "adapter")
        artifact = seal_and_upload(attested, work / "adapter.tar", Item.result(rental), work)
        return attested.marketplace.submit_result(rental, artifact, json.dumps({"loss": 0.5}))
