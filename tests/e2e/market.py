"""A whole market on a local network, and everybody in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from leasehold.models import Dataset, Hyperparameters, Listing, Offer, Payee, Rental
from leasehold.network import Client, Network
from leasehold.roles.account import deposit
from leasehold.roles.operator import post_offer
from leasehold.roles.publisher import publish_dataset, publish_listing
from leasehold.roles.renter import rental_args
from tests.network import CanisterNetwork

TOKEN = 100_000_000
FEE = TOKEN + 1
RATE = 1_000_000
MAX_DURATION_S = 300
ROLES = ("deployer", "publisher", "coauthor", "operator", "worker", "renter", "stranger")
HYPERPARAMETERS = Hyperparameters(
    epochs=6,
    learning_rate=0.02,
    batch_size=4,
    max_length=16,
    lora_rank=4,
    lora_alpha=8,
    lora_dropout=0.0,
    seed=3,
)


@dataclass
class Market:
    """The network, everybody's client, and what was published."""

    host: CanisterNetwork
    network: Network
    clients: dict[str, Client]
    model: Path
    dataset_file: Path
    folder: Path
    listing: Listing = field(init=False)
    dataset: Dataset = field(init=False)
    offer: Offer = field(init=False)

    def open(self) -> None:
        """Publish the model and the dataset, post the offer, fund everybody."""
        publisher, coauthor, renter = (self.clients[role] for role in ("publisher", "coauthor", "renter"))
        payees = [
            Payee(account=publisher.principal, basis_points=7_000),
            Payee(account=coauthor.principal, basis_points=3_000),
        ]
        self.listing = publish_listing(
            publisher, self.model, title="tiny", fee=FEE, payees=payees, drafts=self.folder / "drafts"
        )
        self.dataset = publish_dataset(
            renter,
            self.dataset_file,
            title="reviews",
            task="text-classification",
            drafts=self.folder / "drafts",
        )
        deposit(renter, 50 * TOKEN)
        deposit(self.clients["operator"], 20 * TOKEN)
        self.offer = post_offer(
            self.clients["operator"],
            title="SIMULATED",
            rate_per_second=RATE,
            max_duration_s=MAX_DURATION_S,
            hardware="SIMULATED",
            policies=["simulated"],
            worker=self.clients["worker"].principal,
        )

    def rent(self, **changes: object) -> Rental:
        """Create a rental as the renter."""
        settings: dict[str, object] = {
            "listing": self.listing.id,
            "datasets": [self.dataset.id],
            "hyperparameters": HYPERPARAMETERS,
            "policy": "simulated",
            "max_rate_per_second": RATE,
            "max_duration_s": MAX_DURATION_S,
        }
        arguments = rental_args(**{**settings, **changes})  # type: ignore[arg-type]
        return self.clients["renter"].marketplace.create_rental(arguments)

    def check_the_book(self) -> None:
        """What the marketplace says it holds is what the ledger says it has."""
        deployer = self.clients["deployer"]
        assert deployer.marketplace.status().held == deployer.ledger.balance(deployer.marketplace.id)
