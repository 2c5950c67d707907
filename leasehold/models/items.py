"""What is offered on the marketplace: listings of models, datasets, and offers of machines."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from leasehold.agent.principal import Principal
from leasehold.models.base import BasisPoints, Bytes, Model, Seconds, Sha256, Timestamp, Tokens

SALT_BYTES = 16
REQUEST_ID_BYTES = 16


class Artifact(Model):
    """Where a sealed file lies and who can open it.

    `location` is `vault:<blob id>` or an https URL; `size` and `sha256` are those of the sealed file;
    `sealed_identity` is its age identity, encrypted to the item.
    """

    location: str
    size: int
    sha256: Sha256
    sealed_identity: Bytes


class Payee(Model):
    """Who gets how much of a listing's fee."""

    account: Principal
    basis_points: BasisPoints


class ListingArgs(Model):
    """What a publisher says about a model."""

    id: str
    salt: Bytes
    title: str
    description: str
    base_model: str
    tasks: list[str]
    fee: Tokens
    payees: list[Payee]
    artifact: Artifact


class Listing(Model):
    """A model that can be rented."""

    id: str
    publisher: Principal
    title: str
    description: str
    base_model: str
    tasks: list[str]
    fee: Tokens
    payees: list[Payee]
    artifact: Artifact
    active: bool
    created_at: Timestamp


class DatasetArgs(Model):
    """What an owner says about a dataset. Only its owner can use one that is not `public`."""

    id: str
    salt: Bytes
    title: str
    rows: int
    fee: Tokens
    public: bool
    artifact: Artifact


class Dataset(Model):
    """A dataset that rentals can train on."""

    id: str
    owner: Principal
    title: str
    rows: int
    fee: Tokens
    public: bool
    artifact: Artifact
    active: bool
    created_at: Timestamp


class OfferArgs(Model):
    """What an operator says about a machine."""

    request_id: Bytes
    title: str
    rate_per_second: Tokens
    max_duration_s: Seconds
    bond_basis_points: BasisPoints
    policies: list[str]
    hardware: str
    worker: Principal


class Offer(Model):
    """A machine that runs rentals."""

    id: int
    operator: Principal
    worker: Principal
    title: str
    rate_per_second: Tokens
    max_duration_s: Seconds
    bond_basis_points: BasisPoints
    policies: list[str]
    hardware: str
    active: bool
    created_at: Timestamp


@dataclass(frozen=True)
class Item:
    """Something sealed whose key can be released.

    Args:
        kind: `listing`, `dataset`, `checkpoint` or `result`.
        id: of the listing or dataset, or of the rental.
    """

    kind: str
    id: str | int

    @classmethod
    def listing(cls, id: str) -> "Item":
        return cls("listing", id)

    @classmethod
    def dataset(cls, id: str) -> "Item":
        return cls("dataset", id)

    @classmethod
    def checkpoint(cls, rental: int) -> "Item":
        return cls("checkpoint", rental)

    @classmethod
    def result(cls, rental: int) -> "Item":
        return cls("result", rental)

    @property
    def input(self) -> bytes:
        """The vetKD input and IBE identity, such as `listing/<id>`."""
        return f"{self.kind}/{self.id}".encode("ascii")

    def candid(self) -> dict[str, Any]:
        """The variant as `leasehold.agent` takes it."""
        return {self.kind.capitalize(): self.id}


def new_salt() -> bytes:
    """16 random bytes for `item_id`."""
    return secrets.token_bytes(SALT_BYTES)


def new_request_id() -> bytes:
    """16 random bytes that make a creation idempotent."""
    return secrets.token_bytes(REQUEST_ID_BYTES)


def item_id(kind: str, owner: Principal, salt: bytes) -> str:
    """Id of a listing or dataset, which its owner can make before anything is sent.

    Args:
        kind: `listing` or `dataset`.
        salt: 16 bytes.
    """
    return hashlib.sha256(b"leasehold-item" + kind.encode() + b"\x00" + owner.raw + salt).hexdigest()[:32]
