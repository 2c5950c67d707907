"""Balances and movements in the marketplace's book."""

from pydantic import Field

from leasehold.agent.principal import Principal
from leasehold.models.base import BasisPoints, Model, Timestamp, Tokens


class Balances(Model):
    """What a person has on the marketplace: free, in the escrow of rentals, and as bonds."""

    available: Tokens
    escrowed: Tokens
    bonded: Tokens


class Movement(Model):
    """An entry of the book: an amount from one account to another."""

    index: int
    at: Timestamp
    from_account: str = Field(alias="from")
    to_account: str = Field(alias="to")
    amount: Tokens
    rental: int | None
    kind: str


class MarketplaceStatus(Model):
    """The marketplace at a glance. `held` is what it holds of all people's tokens together."""

    ledger: Principal
    vault: Principal
    treasury: Principal
    platform_basis_points: BasisPoints
    simulated: bool
    rentals: int
    held: Tokens
    paused: bool
