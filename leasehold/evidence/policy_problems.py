"""Why a text is no policy: every problem at once, not only the first that a strict reader meets."""

import json
from collections.abc import Iterator
from typing import Any

from attestation import Policy, PolicyMalformed, policy_from_json
from attestation.policy_json import FIELDS
from leasehold.evidence.policy_review import MALFORMED, Finding

COMPOSITIONS = ("all_of", "any_of")
ROOT_LISTS = ("cpu_roots", "gpu_roots", "manifest_roots")


def malformations(text: str) -> list[Finding]:
    """Findings, none for a policy. Those of a composition's members begin with their place in it."""
    try:
        policy_from_json(text)
    except PolicyMalformed as error:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return [_finding("", "", error)]
        return list(_problems(value, "")) or [_finding(_name(value), "", error)]
    return []


def _problems(value: Any, place: str) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield Finding(place, "", MALFORMED, f"expected an object, found {type(value).__name__}")
        return
    kind = next((kind for kind in COMPOSITIONS if kind in value), None)
    known = ["name", kind] if kind else list(FIELDS)
    policy = _name(value) or place
    for field in known:
        if field not in value:
            yield Finding(policy, field, MALFORMED, "is missing")
    for field in value:
        if field not in known:
            yield Finding(policy, field, MALFORMED, "is no field of a policy")
    if kind is None:
        yield from _fields(value, policy)
    elif isinstance(value[kind], list):
        for index, member in enumerate(value[kind]):
            yield from _problems(member, f"{place}{kind}[{index}]")
    else:
        yield Finding(policy, kind, MALFORMED, "must be a list")


def _fields(value: dict[str, Any], policy: str) -> Iterator[Finding]:
    read: dict[str, Any] = {}
    for field, reader in FIELDS.items():
        if field in value:
            try:
                read[field] = reader(field, value[field])
            except PolicyMalformed as error:
                yield _finding(policy, field, error)
    if len(read) == len(FIELDS):
        yield from _contradictions(read, policy)


def _contradictions(fields: dict[str, Any], policy: str) -> Iterator[Finding]:
    """What is wrong between fields that are each well-formed: tried one root at a time."""
    bare = fields | dict.fromkeys(ROOT_LISTS, ())
    try:
        Policy(**bare)
    except PolicyMalformed as error:
        yield _finding(policy, "", error)
        return
    for field in ROOT_LISTS:
        for root in fields[field]:
            try:
                Policy(**bare | {field: (root,)})
            except PolicyMalformed as error:
                yield _finding(policy, field, error)


def _finding(policy: str, field: str, error: PolicyMalformed) -> Finding:
    return Finding(policy, field, MALFORMED, error.message.removeprefix(f"{field}: "))


def _name(value: Any) -> str:
    name = value.get("name", "") if isinstance(value, dict) else ""
    return name if isinstance(name, str) else ""
