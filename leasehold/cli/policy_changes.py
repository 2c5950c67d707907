"""What `leasehold policy propose` can propose, from its options."""

import json
from pathlib import Path
from typing import Any

from attestation import PolicyMalformed, policy_to_json
from leasehold.agent import Principal, PrincipalError
from leasehold.errors import PolicyMismatchError, UsageError
from leasehold.evidence import read_policy
from leasehold.models import Change

MEMBERS = ("governors", "proposers", "approvers")
NUMBERS = ("threshold", "delay_s")


def adoption(file: Path) -> Change:
    """To adopt the policy in a file; raises `PolicyMismatchError` when it is none."""
    try:
        policy = read_policy(str(file.resolve()))
    except PolicyMalformed as error:
        raise PolicyMismatchError(
            f"{file} is no usable policy: {error.message}; see `policy lint`"
        ) from error
    return Change(kind="AdoptPolicy", content=policy_to_json(policy))


def new_rules(file: Path) -> Change:
    """To put other rules in force: a JSON object of `MEMBERS` (principals) and `NUMBERS`."""
    try:
        fields = json.loads(file.read_text("utf-8"))
        if set(fields) != {*MEMBERS, *NUMBERS}:
            raise ValueError(f"its fields must be {', '.join((*MEMBERS, *NUMBERS))}")
        content: dict[str, Any] = {
            name: [Principal.parse(member) for member in fields[name]] for name in MEMBERS
        }
        content |= {name: _number(name, fields[name]) for name in NUMBERS}
    except (ValueError, TypeError, PrincipalError) as error:
        raise UsageError(f"{file} holds no rules of governance: {error}") from error
    return Change(kind="SetGovernance", content=content)


def resolution(transfer: int, block: int | None) -> Change:
    """To say that a transfer was paid in a block of the ledger, or never."""
    return Change(kind="ResolveTransfer", content={"transfer": transfer, "block": block})


def _number(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} must be a whole number, not {value!r}")
    return value
