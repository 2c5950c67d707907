"""All tables of the marketplace in one place, and the unit in which they change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from canisters.marketplace.core import governance_model, model
from canisters.marketplace.core.errors import NotFound
from canisters.marketplace.core.records import BytesCodec, Codec, IntegerCodec
from canisters.marketplace.core.storage import OrderedMap, Table, number_key

R = TypeVar("R")

CONFIG_KEY = b"config"
PRESENT = b"\x01"
"""Value of an index row that says nothing but that it is there."""

CODECS: dict[str, Any] = {
    "config": Codec(model.Config),
    "counters": IntegerCodec(),
    "listings": Codec(model.Listing),
    "datasets": Codec(model.Dataset),
    "catalog": BytesCodec(),
    "offers": Codec(model.Offer),
    "requests": Codec(model.Request),
    "rentals": Codec(model.Rental, 2, {1: lambda fields: {**fields, "fruitless": []}}),
    "queue": BytesCodec(),
    "deadlines": BytesCodec(),
    "parties": BytesCodec(),
    "events": Codec(model.Event),
    "progress": Codec(model.ProgressPoint),
    "attestations": Codec(model.AttestationRecord, 2, {1: lambda fields: {**fields, "switches": []}}),
    "balances": IntegerCodec(),
    "movements": Codec(model.Movement),
    "movement_viewers": BytesCodec(),
    "transfers": Codec(model.Transfer),
    "transfer_index": BytesCodec(),
    "denials": BytesCodec(),
    "key_quotas": Codec(model.KeyQuota),
    "policies": BytesCodec(),
    "governance": Codec(governance_model.Governance),
    "proposals": Codec(governance_model.Proposal),
    "open_proposals": BytesCodec(),
    "governance_events": Codec(governance_model.GovernanceEvent),
    "collateral": Codec(governance_model.CollateralRow),
    "collateral_content": BytesCodec(),
    "collateral_index": BytesCodec(),
    "revoked": BytesCodec(),
    "relied_upon": BytesCodec(),
    "evidence": BytesCodec(),
}
"""Tables by name. The order is the order of stable-memory ids: append, never insert."""


class State:
    """The marketplace's whole state.

    Arguments: `open_map` gives the byte map of a table, by its name.
    """

    def __init__(self, open_map: Callable[[str], OrderedMap]) -> None:
        tables = {name: Table(open_map(name), codec) for name, codec in CODECS.items()}
        self._tables = list(tables.values())
        self._config: Table[model.Config] = tables["config"]
        self._counters: Table[int] = tables["counters"]
        self.listings: Table[model.Listing] = tables["listings"]
        self.datasets: Table[model.Dataset] = tables["datasets"]
        self.catalog: Table[bytes] = tables["catalog"]
        self.offers: Table[model.Offer] = tables["offers"]
        self.requests: Table[model.Request] = tables["requests"]
        self.rentals: Table[model.Rental] = tables["rentals"]
        self.queue: Table[bytes] = tables["queue"]
        self.deadlines: Table[bytes] = tables["deadlines"]
        self.parties: Table[bytes] = tables["parties"]
        self.events: Table[model.Event] = tables["events"]
        self.progress: Table[model.ProgressPoint] = tables["progress"]
        self.attestations: Table[model.AttestationRecord] = tables["attestations"]
        self.balances: Table[int] = tables["balances"]
        self.movements: Table[model.Movement] = tables["movements"]
        self.movement_viewers: Table[bytes] = tables["movement_viewers"]
        self.transfers: Table[model.Transfer] = tables["transfers"]
        self.transfer_index: Table[bytes] = tables["transfer_index"]
        self.denials: Table[bytes] = tables["denials"]
        self.key_quotas: Table[model.KeyQuota] = tables["key_quotas"]
        self.policies: Table[bytes] = tables["policies"]
        self.governance: Table[governance_model.Governance] = tables["governance"]
        self.proposals: Table[governance_model.Proposal] = tables["proposals"]
        self.open_proposals: Table[bytes] = tables["open_proposals"]
        self.governance_events: Table[governance_model.GovernanceEvent] = tables["governance_events"]
        self.collateral: Table[governance_model.CollateralRow] = tables["collateral"]
        self.collateral_content: Table[bytes] = tables["collateral_content"]
        self.collateral_index: Table[bytes] = tables["collateral_index"]
        self.revoked: Table[bytes] = tables["revoked"]
        self.relied_upon: Table[bytes] = tables["relied_upon"]
        self.evidence: Table[bytes] = tables["evidence"]

    def require_readable(self) -> None:
        """Read the first record of every table: code that cannot read its state must not replace code that
        can.

        Raises `records.RecordError` naming the version that is stored.
        """
        for table in self._tables:
            table.range(b"", None, 1)

    @property
    def config(self) -> model.Config:
        """The configuration; raises RuntimeError before `install`."""
        config = self._config.get(CONFIG_KEY)
        if config is None:
            raise RuntimeError("the marketplace has no configuration: it was never installed")
        return config

    def configure(self, config: model.Config) -> None:
        """Replace the configuration."""
        self._config.put(CONFIG_KEY, config)

    @contextmanager
    def atomically(self) -> Iterator[None]:
        """Everything changed inside becomes lasting at the end, or nothing does when an exception leaves."""
        try:
            yield
            encoded = [(table, table.encoded()) for table in self._tables if table.changed]
        except BaseException:
            for table in self._tables:
                table.rollback()
            raise
        for table, rows in encoded:
            table.commit(rows)

    def next_number(self, counter: str) -> int:
        """The next unused number (0, 1, 2, …) of `counter`."""
        number = self.count(counter)
        self.set_count(counter, number + 1)
        return number

    def set_count(self, counter: str, number: int) -> None:
        """Note how many of something there are."""
        self._counters.put(counter.encode("ascii"), number)

    def count(self, counter: str) -> int:
        """How many numbers `counter` has given out."""
        return self._counters.get(counter.encode("ascii")) or 0

    def rental(self, rental_id: int) -> model.Rental:
        """The rental, or `NotFound`."""
        return found(self.rentals.get(number_key(rental_id)), "rental", rental_id)

    def offer(self, offer_id: int) -> model.Offer:
        """The offer, or `NotFound`."""
        return found(self.offers.get(number_key(offer_id)), "offer", offer_id)

    def listing(self, listing_id: str) -> model.Listing:
        """The listing, or `NotFound`."""
        return found(self.listings.get(text_key(listing_id)), "listing", listing_id)

    def dataset(self, dataset_id: str) -> model.Dataset:
        """The dataset, or `NotFound`."""
        return found(self.datasets.get(text_key(dataset_id)), "dataset", dataset_id)


def found(record: R | None, kind: str, record_id: object) -> R:
    """`record`, or `NotFound` naming it when there is none."""
    if record is None:
        raise NotFound(kind, str(record_id)[:64])
    return record


def text_key(text: str) -> bytes:
    """A text as key; over-long ones are cut, so that they find nothing rather than exceed the key size."""
    return text.encode("utf-8")[:128]


def owned_key(owner: str, number: int) -> bytes:
    """Key of row `number` among those of `owner`."""
    return owned_prefix(owner) + number_key(number)


def owned_prefix(owner: str) -> bytes:
    """What all keys of `owner`'s rows begin with."""
    return owner.encode("ascii") + b"/"
