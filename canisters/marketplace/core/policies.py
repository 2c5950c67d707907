"""Which attestation policies renters may choose, and what has been revoked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from attestation import BUILTIN_POLICIES, PolicyExpression, policy_to_json
from canisters.marketplace.core import limits, validate
from canisters.marketplace.core.errors import NotAuthorized
from canisters.marketplace.core.state import PRESENT, State
from canisters.marketplace.core.types import Message


@dataclass(frozen=True)
class PolicyInfo:
    """A policy as shown to renters; `json` is its whole content."""

    name: str
    json: str
    simulated: bool


def known(state: State, name: str) -> PolicyExpression:
    """The policy called `name`; raises `InvalidArgument` when it does not exist, is simulated where that is
    not allowed, or was revoked.
    """
    policy = BUILTIN_POLICIES.get(name)
    if policy is None or (policy.simulated and not state.config.allow_simulated):
        names = ", ".join(info.name for info in offered(state)) or "none"
        raise validate.refuse("policy", name, f"is not a policy of this marketplace; there are: {names}")
    if is_revoked(state, name):
        raise validate.refuse("policy", name, "was revoked by the governors; choose another")
    return policy


def offered(state: State) -> list[PolicyInfo]:
    """Every policy that may be chosen now."""
    allow_simulated = state.config.allow_simulated
    return [
        PolicyInfo(name, policy_to_json(policy), policy.simulated)
        for name, policy in BUILTIN_POLICIES.items()
        if (allow_simulated or not policy.simulated) and not is_revoked(state, name)
    ]


def is_revoked(state: State, name: str) -> bool:
    return state.denials.get(_denial_key("policy", name)) is not None


def denied_device(state: State, devices: tuple[str, ...]) -> str | None:
    """The first of these device ids (hex) that is on the deny list, or None."""
    denied = (device for device in devices if state.denials.get(_denial_key("device", device)) is not None)
    return next(denied, None)


def revoke_policy(state: State, message: Message, name: str) -> None:
    """Stop all use of a policy: new rentals, evidence and key releases at once."""
    require_governor(state, message)
    if name not in BUILTIN_POLICIES:
        raise validate.refuse("policy", name, "is not a policy; nothing was revoked")
    state.denials.put(_denial_key("policy", name), PRESENT)


def deny_device(state: State, message: Message, device: str) -> None:
    """Put a GPU's or CPU's id (hex) on the deny list: its evidence is refused, it gets no more keys."""
    require_governor(state, message)
    validate.text("device", device, limits.MAX_DEVICE_ID_CHARACTERS)
    state.denials.put(_denial_key("device", device), PRESENT)


def require_governor(state: State, message: Message) -> None:
    if message.caller not in state.config.governors:
        raise NotAuthorized("one of the marketplace's governors")


def _denial_key(kind: str, name: str) -> bytes:
    return hashlib.sha256(f"{kind}/{name.lower()}".encode()).digest()
