"""A market with something to rent: a listing, a dataset, an offer, funds. Nothing is uploaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from leasehold.models import Artifact, DatasetArgs, Hyperparameters, ListingArgs, Payee, RentalArgs
from leasehold.models.items import item_id, new_salt
from leasehold.network import Client
from leasehold.roles.account import deposit
from leasehold.roles.operator import post_offer
from leasehold.roles.renter import rental_args

ROLES = ("publisher", "renter", "operator", "worker")
FUNDS = 10**18
"""Of renter and operator on the ledger, in base units."""

RATE, MAX_DURATION_S = 1_000, 600
FEE = 1_000_003
TASK: Final = "text-classification"
POLICY = "simulated"
NOWHERE = Artifact(
    location="https://example.org/sealed.age", size=1, sha256=bytes(32), sealed_identity=bytes(300)
)
"""An artifact that nobody will fetch."""


@dataclass(frozen=True)
class Goods:
    """Ids of what is on offer."""

    listing: str
    dataset: str
    offer: int

    def rental(self) -> RentalArgs:
        """Arguments of another rental of these."""
        return rental_args(
            listing=self.listing,
            datasets=[self.dataset],
            hyperparameters=Hyperparameters(task=TASK),
            policy=POLICY,
            max_rate_per_second=RATE,
            max_duration_s=MAX_DURATION_S,
        )


def stock(clients: Mapping[str, Client]) -> Goods:
    """Publish a listing, a dataset and an offer; deposit half of renter's and operator's funds."""
    listing = clients["publisher"].marketplace.publish_listing(_listing(clients["publisher"]))
    dataset = clients["renter"].marketplace.publish_dataset(_dataset(clients["renter"]))
    for role in ("renter", "operator"):
        deposit(clients[role], FUNDS // 2)
    offer = post_offer(
        clients["operator"],
        title="benchmark",
        rate_per_second=RATE,
        max_duration_s=MAX_DURATION_S,
        hardware="none",
        policies=[POLICY],
        worker=clients["worker"].principal,
    )
    return Goods(listing.id, dataset.id, offer.id)


def _listing(publisher: Client) -> ListingArgs:
    salt = new_salt()
    return ListingArgs(
        id=item_id("listing", publisher.principal, salt),
        salt=salt,
        title="benchmark",
        description="",
        base_model="none",
        tasks=[TASK],
        fee=FEE,
        payees=[Payee(account=publisher.principal, basis_points=10_000)],
        artifact=NOWHERE,
    )


def _dataset(renter: Client) -> DatasetArgs:
    salt = new_salt()
    return DatasetArgs(
        id=item_id("dataset", renter.principal, salt),
        salt=salt,
        title="benchmark",
        rows=1,
        fee=0,
        public=False,
        artifact=NOWHERE,
    )
