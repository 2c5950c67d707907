"""Policies as JSON: a round trip, and strictness about every field."""

from __future__ import annotations

import json

import pytest

from attestation import (
    BUILTIN_POLICIES,
    PRODUCTION,
    SIMULATED,
    AllOf,
    AnyOf,
    PolicyExpression,
    PolicyMalformed,
    policy_from_json,
    policy_to_json,
)
from attestation.policy import AMD_ROOTS, DEVELOPMENT_AMD_ROOTS


@pytest.mark.parametrize(
    "policy",
    [
        *BUILTIN_POLICIES.values(),
        AllOf("both", (SIMULATED, SIMULATED)),
        AnyOf("either", (SIMULATED, AllOf("inner", (PRODUCTION, PRODUCTION)))),
    ],
)
def test_policies_survive_a_round_trip(policy: PolicyExpression) -> None:
    text = policy_to_json(policy)
    assert policy_from_json(text) == policy
    assert policy_to_json(policy_from_json(text)) == text


def changed(**fields: object) -> str:
    return json.dumps({**json.loads(policy_to_json(SIMULATED)), **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"unknown": 1},
        {"name": ""},
        {"name": "x" * 65},
        {"name": "line\nbreak"},
        {"name": 5},
        {"simulated": "yes"},
        {"tee_kinds": "sev-snp"},
        {"tee_kinds": ["x"] * 257},
        {"cpu_roots": ["AB" * 32]},
        {"cpu_roots": ["ab" * 31]},
        {"measurements": ["ab" * 32]},
        {"minimum_tcb": {"Genoa": {"snp": 256}}},
        {"minimum_tcb": {"Genoa": {"snp": True}}},
        {"minimum_tcb": {"Genoa": 5}},
        {"minimum_driver": "five"},
        {"minimum_vbios": {"GH100": "96.0"}},
        {"minimum_gpus": -1},
        {"minimum_gpus": 1.0},
        {"maximum_gpus": 9},
        {"minimum_gpus": 3, "maximum_gpus": 2},
        {"simulated": False},
        {"cpu_roots": list(AMD_ROOTS)},
    ],
)
def test_a_field_out_of_its_domain_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(PolicyMalformed):
        policy_from_json(changed(**fields))


@pytest.mark.parametrize("field", sorted(json.loads(policy_to_json(SIMULATED))))
def test_a_missing_field_is_refused_and_never_a_default(field: str) -> None:
    fields = json.loads(policy_to_json(SIMULATED))
    del fields[field]
    with pytest.raises(PolicyMalformed, match=field):
        policy_from_json(json.dumps(fields))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "[]",
        "{}",
        "[" * 5000,
        '{"name":"a","name":"a"}',
        '{"name":"a","all_of":[]}',
        '{"name":"a","any_of":{}}',
        '{"name":"a","any_of":[5]}',
        '{"name":"a","all_of":[],"any_of":[]}',
        " " * 65537,
    ],
)
def test_text_that_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(PolicyMalformed):
        policy_from_json(text)


def test_a_policy_that_is_not_simulated_cannot_name_a_development_root() -> None:
    fields = json.loads(policy_to_json(PRODUCTION))
    fields["cpu_roots"] = [*fields["cpu_roots"], *DEVELOPMENT_AMD_ROOTS]
    with pytest.raises(PolicyMalformed, match="development root"):
        policy_from_json(json.dumps(fields))


def test_compositions_are_bounded_in_members_and_depth() -> None:
    AllOf("eight", (SIMULATED,) * 8)
    with pytest.raises(PolicyMalformed, match="members"):
        AllOf("nine", (SIMULATED,) * 9)
    nested: PolicyExpression = SIMULATED
    for _ in range(4):
        nested = AnyOf("deeper", (nested,))
    with pytest.raises(PolicyMalformed, match="nested"):
        AnyOf("too deep", (nested,))
    assert policy_from_json(policy_to_json(nested)) == nested
