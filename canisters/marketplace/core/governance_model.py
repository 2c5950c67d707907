"""The records of what is accepted and who decides: collateral that is held, rules, proposals, their log."""

from __future__ import annotations

from typing import NamedTuple

from canisters.marketplace.core.types import Principal, Seconds, Timestamp

# --- Collateral ---


class CollateralRow(NamedTuple):
    """What is known of a held piece; see `attestation.collateral_check.Piece`. `size` is in bytes."""

    kind: str
    subject: str
    sha256: bytes
    size: int
    version: tuple[int, ...]
    valid_from: Timestamp
    valid_until: Timestamp
    posted_at: Timestamp
    number: int


# --- Governance ---


class Governance(NamedTuple):
    """Who stops things (`governors`), who proposes, who approves; how many approvals, and the delay."""

    governors: tuple[Principal, ...]
    proposers: tuple[Principal, ...]
    approvers: tuple[Principal, ...]
    threshold: int
    delay_s: Seconds


class Change(NamedTuple):
    """A proposed change. `text` is a policy's JSON or name, a device or a manifest's digest, by `kind`."""

    kind: str
    text: str = ""
    governance: Governance | None = None
    transfer: int | None = None
    block: int | None = None


class Proposal(NamedTuple):
    """A change on its way; states and who moves it on are in `proposals`."""

    id: int
    change: Change
    reason: str
    proposer: Principal
    approvals: tuple[Principal, ...]
    state: str
    delay_s: Seconds
    created_at: Timestamp
    approved_at: Timestamp | None
    executable_at: Timestamp | None
    expires_at: Timestamp
    finished_at: Timestamp | None
    outcome: str | None


class GovernanceEvent(NamedTuple):
    """One entry of the log of what governors, proposers and approvers did."""

    index: int  # type: ignore[assignment]
    at: Timestamp
    kind: str
    actor: Principal
    proposal: int | None
    subject: str
