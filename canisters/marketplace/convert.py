"""Core records to Candid values and back. Amounts become `nat`, principals Kybra's `Principal`."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from kybra import Principal

from canisters.marketplace.core import (
    accounts,
    evidence_parts,
    gate,
    governance_model,
    held_collateral,
    model,
    policies,
    types,
    views,
)
from canisters.marketplace.core.installation import InitArgs, Overview
from canisters.marketplace.core.keys import Item
from canisters.marketplace.core.structure import Structure
from canisters.marketplace.core.types import Tokens

R = TypeVar("R")
_CACHED_PRINCIPALS = 1_024


@lru_cache(maxsize=_CACHED_PRINCIPALS)
def principal(text: str) -> Principal:
    """The Kybra principal of a core one."""
    return Principal.from_str(text)


@lru_cache(maxsize=_CACHED_PRINCIPALS)
def principal_text(value: Principal) -> types.Principal:
    """The core principal of a Kybra one."""
    return types.Principal(value.to_str())


def peer(value: "Principal | None") -> "types.Principal | None":
    """The core principal of another canister, where one is known."""
    return None if value is None else principal_text(value)


_CANDID = Structure(
    {
        bytes: (None, None),
        Tokens: (lambda amount: amount.base_units, Tokens),
        types.Principal: (principal, principal_text),
    }
)


def _writer(record: type[Any]) -> Callable[[Any], Any]:
    write = _CANDID.pair(record)[0]
    if write is None:
        raise TypeError(f"{record!r} is not a dataclass")
    return write


def _reader(record: type[R]) -> Callable[[Any], R]:
    read = _CANDID.pair(record)[1]
    if read is None:
        raise TypeError(f"{record!r} is not a dataclass")
    return read


init_args = _reader(InitArgs)
listing_args = _reader(model.ListingArgs)
dataset_args = _reader(model.DatasetArgs)
offer_args = _reader(model.OfferArgs)
rental_args = _reader(model.RentalArgs)
artifact_args = _reader(model.Artifact)
progress_args = _reader(model.Progress)

listing = _writer(model.Listing)
dataset = _writer(model.Dataset)
offer = _writer(model.Offer)
quote = _writer(views.QuoteView)
rental = _writer(views.RentalView)
job = _writer(views.JobView)
attestation = _writer(model.AttestationRecord)
progress_point = _writer(model.ProgressPoint)
balances = _writer(accounts.Balances)
policy = _writer(policies.PolicyInfo)
challenge = _writer(gate.Challenge)
evidence_upload = _writer(evidence_parts.EvidenceUpload)
progress_of_step = _writer(gate.Progress)
collateral_outcome = _writer(held_collateral.Outcome)
governance = _writer(governance_model.Governance)
governance_event = _writer(governance_model.GovernanceEvent)
_governance_args = _reader(governance_model.Governance)
_event = _writer(model.Event)
_movement = _writer(model.Movement)


def event(value: model.Event) -> Any:
    """The Candid `Event`."""
    plain = _event(value)
    plain["from_"], plain["to"] = plain.pop("source"), plain.pop("target")
    plain["amounts"] = [(line.name, line.amount) for line in value.amounts]
    return plain


def movement(value: model.Movement) -> Any:
    """The Candid `Movement`."""
    plain = _movement(value)
    plain["from_"], plain["to"] = plain.pop("source"), plain.pop("target")
    return plain


def item(value: Any) -> Item:
    """The core's name for a Candid `Item`."""
    ((kind, item_id),) = value.items()
    return Item(kind.lower(), str(item_id))


def status(overview: Overview) -> Any:
    """The Candid `Status`."""
    config = overview.config
    return {
        "ledger": principal(config.ledger),
        "vault": principal(config.vault),
        "treasury": principal(config.treasury),
        "platform_basis_points": config.platform_basis_points,
        "simulated": config.allow_simulated,
        "rentals": overview.rentals,
        "held": overview.held,
        "paused": config.paused,
    }


def collateral_info(row: governance_model.CollateralRow) -> Any:
    """The Candid `CollateralInfo`."""
    return {
        "kind": row.kind,
        "subject": row.subject,
        "sha256": row.sha256,
        "size": row.size,
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "posted_at": row.posted_at,
    }


def collateral_piece(held: held_collateral.HeldPiece) -> Any:
    """The Candid `CollateralPiece`."""
    return {"info": collateral_info(held.row), "content": held.content}


def change_args(value: Any) -> governance_model.Change:
    """The core's change of a Candid `Change`."""
    ((kind, content),) = value.items()
    if isinstance(content, str):
        return governance_model.Change(kind, text=content)
    if "transfer" in content:
        return governance_model.Change(kind, transfer=content["transfer"], block=content["block"])
    return governance_model.Change(kind, governance=_governance_args(content))


def _change(value: governance_model.Change) -> Any:
    if value.governance is not None:
        return {value.kind: governance(value.governance)}
    if value.transfer is not None:
        return {value.kind: {"transfer": value.transfer, "block": value.block}}
    return {value.kind: value.text}


def proposal(value: governance_model.Proposal) -> Any:
    """The Candid `Proposal`."""
    return {
        **value._asdict(),
        "change": _change(value.change),
        "proposer": principal(value.proposer),
        "approvals": [principal(approver) for approver in value.approvals],
    }


def unresolved_transfer(value: model.Transfer, memo: bytes) -> Any:
    """The Candid `UnresolvedTransfer`."""
    return {
        "index": value.index,
        "kind": value.kind,
        "owner": principal(value.owner),
        "amount": value.amount.base_units,
        "fee": value.fee.base_units,
        "created_at_time": value.created_at_time,
        "memo": memo,
        "sent_at": value.sent_at,
    }
