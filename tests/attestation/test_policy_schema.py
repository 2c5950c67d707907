"""The published schema of policies says what the reader says, and the policies we ship keep the claim."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from attestation import (
    BUILTIN_POLICIES,
    PRODUCTION,
    SIMULATED,
    AllOf,
    AnyOf,
    Policy,
    PolicyExpression,
    PolicyMalformed,
    PolicyRefused,
    encode_bundle,
    policy_from_json,
    policy_to_json,
    verify_bundle,
)
from attestation.policy import DEVELOPMENT_ROOTS
from attestation.policy_json import FIELDS
from attestation.simulator import Settings, SimulatedMachine, collateral_of

if TYPE_CHECKING:
    from tests.attestation.conftest import Scene

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "attestation" / "policy.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)
SHIPPED = {path.stem: path.read_text() for path in sorted((ROOT / "examples" / "policies").glob("*.json"))}
FIELD_SCHEMAS = SCHEMA["$defs"]["policy"]["properties"]


def fits_schema(value: Any) -> bool:
    return bool(VALIDATOR.is_valid(value))


def is_read(value: Any) -> bool:
    try:
        policy_from_json(json.dumps(value))
    except PolicyMalformed:
        return False
    return True


def fields(policy: PolicyExpression = PRODUCTION) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(policy_to_json(policy))
    return read


def test_the_schema_is_one_and_has_every_field_with_its_description() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert list(FIELD_SCHEMAS) == list(FIELDS) == SCHEMA["$defs"]["policy"]["required"]
    assert all("description" in entry or "$ref" in entry for entry in FIELD_SCHEMAS.values())


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from((-1, 0, 8, 9, 255, 256, 2**31, 2**63 - 1, 2**63)),
    st.sampled_from(("", "x", "x" * 64, "x" * 65, "x" * 200, "x" * 201, "é", "a\nb", "550.90.07", "1.")),
    st.sampled_from((["x"], ["x"] * 256, ["x"] * 257, [""], [5], ["ab" * 32], ["AB" * 32], ["ab" * 48])),
    st.sampled_from(
        ({}, {"Genoa": {"snp": 255}}, {"Genoa": {"snp": 256}}, {"Genoa": 5}, {"": {}}, {"x": {"": 1}})
    ),
    st.sampled_from(
        ({"GH100": "96.00.9F.00.01"}, {"GH100": "96.00.9f.00.01"}, {"Turin": 2**63 - 1}, {"Turin": -1})
    ),
    st.recursive(
        st.text(max_size=3) | st.integers(-3, 300),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=6,
    ),
)


@given(st.sampled_from(list(FIELDS)), VALUES)
def test_schema_and_reader_agree_on_each_field(name: str, value: Any) -> None:
    changed = {**fields(), name: value}
    if changed["minimum_gpus"] != 1 and is_number(changed["minimum_gpus"]):
        changed["maximum_gpus"] = 8
    if changed["maximum_gpus"] == 0 and is_number(changed["maximum_gpus"]):
        changed["minimum_gpus"] = 0
    if name == "simulated" and value is True:
        changed |= {roots: [] for roots in ("cpu_roots", "gpu_roots", "manifest_roots")}
    assert fits_schema(changed) == is_read(changed)


def is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@given(st.sampled_from(list(FIELDS)), st.sampled_from(("remove", "add")))
def test_schema_and_reader_agree_on_missing_and_unknown_fields(name: str, change: str) -> None:
    changed = fields()
    if change == "remove":
        del changed[name]
    else:
        changed[name + "s"] = changed[name]
    assert not fits_schema(changed) and not is_read(changed)


@pytest.mark.parametrize("kind", ["all_of", "any_of"])
def test_schema_and_reader_agree_on_compositions(kind: str) -> None:
    member = fields()
    for value, sound in (
        ({"name": "x", kind: [member]}, True),
        ({"name": "x", kind: [member] * 8}, True),
        ({"name": "x", kind: [member] * 9}, False),
        ({"name": "x", kind: []}, False),
        ({"name": "x", kind: member}, False),
        ({"name": "", kind: [member]}, False),
        ({kind: [member]}, False),
        ({"name": "x", kind: [member], "other": 1}, False),
        ({"name": "x", kind: [{"name": "y", kind: [member]}]}, True),
        ({"name": "x", kind: [{"name": "y", kind: [{}]}]}, False),
        ([], False),
        ("x", False),
    ):
        assert fits_schema(value) == is_read(value) == sound, value


def test_what_the_schema_cannot_say_is_refused_by_the_reader_alone() -> None:
    root = next(iter(DEVELOPMENT_ROOTS))
    nested: dict[str, Any] = fields()
    for index in range(6):
        nested = {"name": f"level {index}", "all_of": [nested]}
    for changed in (
        {**fields(), "cpu_roots": [root]},
        {**fields(), "minimum_gpus": 5, "maximum_gpus": 4},
        {**fields(), "minimum_gpus": 1.0},
        nested,
    ):
        assert fits_schema(changed) and not is_read(changed)


# --- The files we ship ---


def test_the_shipped_files_are_the_policies_they_are_called_after() -> None:
    assert set(BUILTIN_POLICIES) <= set(SHIPPED)
    for name, text in SHIPPED.items():
        policy = policy_from_json(text)
        assert policy.name == name and fits_schema(json.loads(text))
        assert name not in BUILTIN_POLICIES or policy == BUILTIN_POLICIES[name]


def with_measurement(policy: PolicyExpression) -> PolicyExpression:
    """The policy as it would be once the simulator's guest were a released one, of any version."""
    if isinstance(policy, (AllOf, AnyOf)):
        return type(policy)(policy.name, tuple(map(with_measurement, policy.members)))
    changed = copy.copy(policy)
    for name in ("measurements", "minimum_tcb", "minimum_vbios", "gpu_modes", "gpu_chips", "minimum_gpus"):
        object.__setattr__(changed, name, getattr(SIMULATED, name))
    assert isinstance(changed, Policy)
    return changed


@pytest.mark.parametrize("cpu", ["sev-snp", "tdx"])
@pytest.mark.parametrize("name", sorted(SHIPPED.keys() - {"simulated"}))
def test_every_policy_file_we_ship_refuses_the_development_roots(scene: Scene, name: str, cpu: str) -> None:
    """Also a guest that says it is genuine, and in all other respects what the policy asks for."""
    policy = policy_from_json(SHIPPED[name])
    assert not policy.simulated and not DEVELOPMENT_ROOTS & set(_roots(policy))
    machine = SimulatedMachine("shipped", 1, Settings(claims_simulated=False), cpu=cpu)
    evidence = machine.collect(
        scene.nonce, scene.operator, scene.session_public_key, scene.transport_public_key
    )
    with pytest.raises(PolicyRefused) as refused:
        verify_bundle(
            encode_bundle(evidence),
            scene.binding,
            with_measurement(policy),
            scene.now_ns,
            collateral=collateral_of(machine, scene.now_ns),
        )
    failed = {claim.name.rpartition("/")[2] for claim in refused.value.claims if claim.verdict != "valid"}
    assert {"cpu.root", "gpu[0].root"} <= failed
    assert failed <= {
        "cpu.root",
        "gpu[0].root",
        "gpu[0].driver_manifest.root",
        "gpu[0].vbios_manifest.root",
        "cpu.tee_kind",
    }


def _roots(policy: PolicyExpression) -> list[str]:
    if isinstance(policy, (AllOf, AnyOf)):
        return [root for member in policy.members for root in _roots(member)]
    return [*policy.cpu_roots, *policy.gpu_roots, *policy.manifest_roots]
