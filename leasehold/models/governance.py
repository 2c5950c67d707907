"""Changes that the marketplace's governors decide together, and what was decided."""

from typing import Any

from pydantic import model_validator

from leasehold.agent.principal import Principal
from leasehold.models.base import Bytes, Model, Seconds, SignedTokens, Timestamp


class Governance(Model):
    """Who decides: `threshold` of the approvers, and then `delay_s` seconds until it can be executed."""

    governors: list[Principal]
    proposers: list[Principal]
    approvers: list[Principal]
    threshold: int
    delay_s: Seconds


class Change(Model):
    """What a proposal would do: `kind` is the variant's name (`AdoptPolicy`), `content` what it holds."""

    kind: str
    content: Any

    @model_validator(mode="before")
    @classmethod
    def _of_variant(cls, value: Any) -> Any:
        if isinstance(value, dict) and len(value) == 1:
            ((kind, content),) = value.items()
            return {"kind": kind, "content": content}
        return value

    def candid(self) -> dict[str, Any]:
        """The variant as `leasehold.agent` takes it."""
        return {self.kind: self.content}

    def text(self) -> str:
        """The change in a line."""
        if not isinstance(self.content, dict):
            return f"{self.kind} {self.content}"
        fields = ", ".join(f"{name} {_shown(value)}" for name, value in self.content.items())
        return f"{self.kind} {fields}"

    def json_object(self) -> dict[str, Any]:
        """As the command line prints it."""
        content = self.content
        if isinstance(content, dict):
            content = {name: _plain(value) for name, value in content.items()}
        return {self.kind: content}


class Proposal(Model):
    """A proposed change. `state`: proposed, approved, executed, failed, cancelled or expired."""

    id: int
    change: Change
    reason: str
    proposer: Principal
    approvals: list[Principal]
    state: str
    delay_s: Seconds
    created_at: Timestamp
    approved_at: Timestamp | None
    executable_at: Timestamp | None
    expires_at: Timestamp
    finished_at: Timestamp | None
    outcome: str | None

    def json_object(self) -> dict[str, Any]:
        """The record as the command line prints it."""
        fields = self.model_dump(mode="json", exclude={"change"})
        return {**fields, "change": self.change.json_object()}


class GovernanceEvent(Model):
    """An entry of the log of decisions."""

    index: int
    at: Timestamp
    kind: str
    actor: Principal
    proposal: int | None
    subject: str


class UnresolvedTransfer(Model):
    """A transfer without an answer of the ledger."""

    index: int
    kind: str
    owner: Principal
    amount: SignedTokens
    fee: SignedTokens
    created_at_time: Timestamp
    memo: Bytes
    sent_at: Timestamp


def _plain(value: Any) -> Any:
    if isinstance(value, Principal):
        return str(value)
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _shown(value: Any) -> str:
    found = _plain(value)
    return ", ".join(map(str, found)) if isinstance(found, list) else str(found)
