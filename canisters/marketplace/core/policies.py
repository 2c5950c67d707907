"""Which attestation policies renters may choose, and what has been revoked or denied.

A policy never changes under its name: what is adopted is kept for good, and a rental is judged by the policy
it was created under. Retiring one only ends its being chosen; revoking it stops its use at once.
"""

from __future__ import annotations

import hashlib
import json
from typing import NamedTuple

from attestation import (
    BUILTIN_POLICIES,
    AttestationError,
    PolicyExpression,
    policy_from_json,
    policy_to_json,
)
from canisters.marketplace.core import governance_log, limits, validate
from canisters.marketplace.core.errors import NotAuthorized
from canisters.marketplace.core.state import PRESENT, State, found, text_key
from canisters.marketplace.core.types import Message, Timestamp

POLICY, DEVICE, MANIFEST = "policy", "device", "manifest"
OFFERED, RETIRED, REVOKED = "offered", "retired", "revoked"
_RETIRED_FLAG = {False: b"\x00", True: b"\x01"}
_HEADER_BYTES = 9

# Policies that were read before, by their stored JSON: nothing in one depends on when it is read.
_read: dict[bytes, PolicyExpression] = {}


class PolicyInfo(NamedTuple):
    """A policy as shown to renters; `json` is its whole content, `state` offered, retired or revoked."""

    name: str
    json: str
    simulated: bool
    state: str
    adopted_at: Timestamp


class Stored(NamedTuple):
    """A policy as kept: whether it is retired, when it was adopted, its canonical JSON."""

    retired: bool
    adopted_at: Timestamp
    json: bytes


def adopt_builtin(state: State, message: Message) -> None:
    """Keep the policies that this code brings and that are not kept yet."""
    for name, policy in BUILTIN_POLICIES.items():
        if state.policies.get(text_key(name)) is None:
            _put(state, name, Stored(False, message.now, policy_to_json(policy).encode("ascii")))
            state.next_number("policies")


def known(state: State, name: str) -> PolicyExpression:
    """The policy called `name`; raises `InvalidArgument` when it does not exist, is simulated where that is
    not allowed, or was revoked.
    """
    return _policy(_usable(state, name))


def require_offered(state: State, name: str) -> None:
    """Raise `InvalidArgument` unless the policy may be chosen now."""
    if _usable(state, name).retired:
        raise validate.refuse("policy", name, "was retired; choose another")


def offered(state: State) -> list[PolicyInfo]:
    """Every policy that may be chosen now."""
    allow_simulated = state.config.allow_simulated
    shown = [_info(state, key.decode("utf-8"), _parse(data)) for key, data in _rows(state)]
    return [info for info in shown if info.state == OFFERED and (allow_simulated or not info.simulated)]


def info(state: State, name: str) -> PolicyInfo:
    """Any policy that was ever adopted, or `NotFound`."""
    return _info(state, name, found(_stored(state, name), POLICY, name))


def check_new(state: State, text: str) -> PolicyExpression:
    """The policy in this JSON, if it could be adopted now; raises `InvalidArgument`."""
    if len(text) > limits.MAX_POLICY_BYTES:
        raise validate.refuse("policy", text, f"is longer than {limits.MAX_POLICY_BYTES} characters")
    try:
        policy = policy_from_json(text)
    except AttestationError as error:
        raise validate.refuse("policy", text, f"cannot be adopted: {error}") from error
    if policy.simulated and not state.config.allow_simulated:
        problem = "accepts development roots, which this marketplace never does"
        raise validate.refuse("policy", policy.name, problem)
    if _stored(state, policy.name) is not None:
        problem = "exists, and no policy changes; give the new one another name, such as one with a version"
        raise validate.refuse("policy", policy.name, problem)
    kept, offered_now = state.count("policies"), len(offered(state))
    if kept >= limits.MAX_POLICIES_KEPT or offered_now >= limits.MAX_POLICIES_OFFERED:
        most = f"at most {limits.MAX_POLICIES_OFFERED} are offered, {limits.MAX_POLICIES_KEPT} kept in all"
        raise validate.refuse("policy", policy.name, f"is one too many: {most}; retire others first")
    return policy


def name_in(text: str) -> str:
    """The name in a policy's JSON, which was read before."""
    return str(json.loads(text).get("name"))


def adopt(state: State, message: Message, text: str) -> None:
    """Offer a policy from now on, for good under its name."""
    policy = check_new(state, text)
    _put(state, policy.name, Stored(False, message.now, policy_to_json(policy).encode("ascii")))
    state.next_number("policies")


def check_offered(state: State, name: str) -> None:
    """Raise `InvalidArgument` unless there is such a policy that is not retired."""
    stored = _stored(state, name)
    if stored is None or stored.retired:
        raise validate.refuse("policy", name, "is not a policy that is offered; nothing to retire")


def retire(state: State, name: str) -> None:
    """No longer offer a policy; rentals that chose it go on."""
    check_offered(state, name)
    _put(state, name, found(_stored(state, name), POLICY, name)._replace(retired=True))


def is_revoked(state: State, name: str) -> bool:
    return is_denied(state, POLICY, name)


def is_denied(state: State, kind: str, name: str) -> bool:
    """Whether governors put this policy, device or manifest on their list."""
    return state.denials.get(_denial_key(kind, name)) is not None


def denied_device(state: State, devices: tuple[str, ...]) -> str | None:
    """The first of these device ids (hex) that is on the deny list, or None."""
    return next((device for device in devices if is_denied(state, DEVICE, device)), None)


def revoke_policy(state: State, message: Message, name: str) -> None:
    """Stop all use of a policy: new rentals, evidence and key releases at once."""
    require_governor(state, message)
    if _stored(state, name) is None:
        raise validate.refuse("policy", name, "is not a policy; nothing was revoked")
    state.denials.put(_denial_key(POLICY, name), PRESENT)
    governance_log.append(state, message, "policy_revoked", name)


def deny_device(state: State, message: Message, device: str) -> None:
    """Put a GPU's or CPU's id (hex) on the deny list: its evidence is refused, it gets no more keys."""
    _deny(state, message, DEVICE, device)


def deny_manifest(state: State, message: Message, manifest: str) -> None:
    """Put a reference manifest on the deny list: it is as if nobody had posted it.

    `manifest` is the SHA-256 (hex) of its signed content, the last part of its subject.
    """
    _deny(state, message, MANIFEST, manifest)


def check_denied(state: State, kind: str, name: str) -> None:
    """Raise `InvalidArgument` unless the device or manifest is on the deny list."""
    if not is_denied(state, kind, name):
        raise validate.refuse(kind, name, "is not on the deny list; nothing to allow")


def allow(state: State, kind: str, name: str) -> None:
    """Take a device or manifest off the deny list."""
    check_denied(state, kind, name)
    state.denials.remove(_denial_key(kind, name))


def require_governor(state: State, message: Message) -> None:
    if message.caller not in state.config.governors:
        raise NotAuthorized("one of the marketplace's governors")


def _deny(state: State, message: Message, kind: str, name: str) -> None:
    require_governor(state, message)
    validate.hexadecimal(kind, name, limits.MAX_DEVICE_ID_CHARACTERS)
    state.denials.put(_denial_key(kind, name), PRESENT)
    governance_log.append(state, message, f"{kind}_denied", name)


def _usable(state: State, name: str) -> Stored:
    stored = _stored(state, name)
    if stored is None or (_policy(stored).simulated and not state.config.allow_simulated):
        names = ", ".join(info.name for info in offered(state)) or "none"
        raise validate.refuse("policy", name, f"is not a policy of this marketplace; there are: {names}")
    if is_revoked(state, name):
        raise validate.refuse("policy", name, "was revoked by the governors; choose another")
    return stored


def _stored(state: State, name: str) -> Stored | None:
    data = state.policies.get(text_key(name))
    return None if data is None else _parse(data)


def _rows(state: State) -> list[tuple[bytes, bytes]]:
    return state.policies.range(b"", None, limits.MAX_POLICIES_KEPT + len(BUILTIN_POLICIES))


def _parse(data: bytes) -> Stored:
    return Stored(
        data[:1] == _RETIRED_FLAG[True],
        Timestamp(int.from_bytes(data[1:_HEADER_BYTES], "big")),
        data[_HEADER_BYTES:],
    )


def _put(state: State, name: str, stored: Stored) -> None:
    header = _RETIRED_FLAG[stored.retired] + stored.adopted_at.to_bytes(_HEADER_BYTES - 1, "big")
    state.policies.put(text_key(name), header + stored.json)


def _policy(stored: Stored) -> PolicyExpression:
    policy = _read.get(stored.json)
    if policy is None:
        policy = policy_from_json(stored.json.decode("ascii"))
        if len(_read) >= limits.MAX_POLICIES_KEPT:
            _read.clear()
        _read[stored.json] = policy
    return policy


def _info(state: State, name: str, stored: Stored) -> PolicyInfo:
    word = REVOKED if is_revoked(state, name) else RETIRED if stored.retired else OFFERED
    text = stored.json.decode("ascii")
    return PolicyInfo(name, text, _policy(stored).simulated, word, stored.adopted_at)


def _denial_key(kind: str, name: str) -> bytes:
    return hashlib.sha256(f"{kind}/{name.lower()}".encode()).digest()
