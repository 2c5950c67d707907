import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from attestation import PRODUCTION, SIMULATED, AllOf, AnyOf, Policy, PolicyExpression, policy_to_json
from tests.leasehold.cli.conftest import Shell

SOUND = dataclasses.replace(PRODUCTION, name="sound", measurements=("ab" * 48,))


def lint(shell: Shell, folder: Path, policy: PolicyExpression, code: int = 0) -> dict[str, Any]:
    path = folder / "policy.json"
    path.write_text(policy_to_json(policy))
    found: dict[str, Any] = json.loads(shell.run("policy", "lint", path, "--json", code=code).stdout)
    return found


def changed(**fields: Any) -> Policy:
    return dataclasses.replace(SOUND, **fields)


def test_a_sound_policy_has_no_findings(shell: Shell, tmp_path: Path) -> None:
    found = lint(shell, tmp_path, SOUND)
    assert found == {"policy": "sound", "simulated": False, "usable": True, "findings": []}
    assert "nothing to remark" in shell.run("policy", "lint", tmp_path / "policy.json").stdout


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (SIMULATED, "simulated"),
        (changed(require_revocation=False), "require_revocation"),
        (changed(maximum_revocation_age_s=7 * 86_400), "maximum_revocation_age_s"),
        (changed(require_reference_values=False), "require_reference_values"),
        (changed(require_firmware_id=False), "require_firmware_id"),
        (changed(minimum_gpus=0), "minimum_gpus"),
        (changed(minimum_tcb={"Genoa": {}}), "minimum_tcb"),
        (changed(minimum_tcb={"Genoa": {"snp": 0}}), "minimum_tcb"),
        (changed(cpu_roots=("ab" * 32,)), "cpu_roots"),
        (changed(manifest_roots=("ab" * 32,)), "manifest_roots"),
        (changed(snp_signing_keys=("VCEK", "VLEK")), "snp_signing_keys"),
        (changed(tdx_tcb_statuses=("UpToDate", "OutOfDate")), "tdx_tcb_statuses"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_makes_it_weaker_is_said(shell: Shell, tmp_path: Path, policy: Policy, field: str) -> None:
    found = lint(shell, tmp_path, policy)
    assert found["usable"]
    assert field in {entry["field"] for entry in found["findings"] if entry["severity"] == "weaker"}
    assert field in shell.run("policy", "lint", tmp_path / "policy.json").stdout


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (PRODUCTION, "measurements"),
        (changed(tee_kinds=()), "tee_kinds"),
        (changed(tee_kinds=("sgx",)), "tee_kinds"),
        (changed(tee_kinds=("tdx",), tdx_tcb_statuses=()), "tdx_tcb_statuses"),
        (changed(tee_kinds=("sev-snp",), snp_signing_keys=()), "snp_signing_keys"),
        (changed(cpu_roots=()), "cpu_roots"),
        (changed(gpu_modes=()), "gpu_modes"),
        (changed(manifest_roots=()), "manifest_roots"),
        (changed(maximum_revocation_age_s=0), "maximum_revocation_age_s"),
        (AllOf("both", (SOUND, SIMULATED)), "simulated"),
        (AllOf("both", (SOUND, PRODUCTION)), "measurements"),
        (AnyOf("either", (PRODUCTION, PRODUCTION)), "measurements"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_refuses_everything_is_unusable(
    shell: Shell, tmp_path: Path, policy: PolicyExpression, field: str
) -> None:
    found = lint(shell, tmp_path, policy, code=7)
    assert not found["usable"]
    assert found["findings"][0]["severity"] == "unusable"
    assert field in {entry["field"] for entry in found["findings"]}


def test_compositions_are_as_weak_as_they_are(shell: Shell, tmp_path: Path) -> None:
    weak = changed(name="weak", require_revocation=False)
    assert lint(shell, tmp_path, AllOf("both", (SOUND, weak)))["findings"] == []
    fields = {entry["field"] for entry in lint(shell, tmp_path, AnyOf("either", (SOUND, weak)))["findings"]}
    assert fields == {"require_revocation"}
    assert lint(shell, tmp_path, AnyOf("either", (SOUND, PRODUCTION)))["usable"]


def test_the_member_that_refuses_everything_is_named(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_text(policy_to_json(AllOf("both", (SOUND, PRODUCTION, PRODUCTION))))
    error = shell.run("policy", "lint", path, code=7).stderr
    assert error == "error: policy 'both' refuses everything: see measurements of 'production'\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "null",
        policy_to_json(SOUND)[:-1] + ',"extra":1}',
        policy_to_json(SOUND)[:-1] + ',"name":"twice"}',
        policy_to_json(SOUND).replace('"minimum_gpus":1', '"minimum_gpus":"1"'),
        policy_to_json(SOUND).replace('"simulated":false', '"simulated":true'),
    ],
)
def test_what_is_no_policy_is_unusable(shell: Shell, tmp_path: Path, text: str) -> None:
    path = tmp_path / "policy.json"
    path.write_text(text)
    error = shell.run("policy", "lint", path, code=7).stderr
    assert error.startswith("error: ") and error.count("\n") == 1


def test_every_problem_of_a_file_is_named_at_once(shell: Shell, tmp_path: Path) -> None:
    fields: dict[str, Any] = json.loads(policy_to_json(SOUND))
    wrong = fields | {"minimum_gpus": "1", "cpu_roots": ["XY"], "minimum_driver": "new", "more": 1}
    del wrong["tee_kinds"]
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"name": "either", "any_of": [fields, wrong], "or": 2}))
    result = shell.run("policy", "lint", path, "--json", code=7)
    found = json.loads(result.stdout)
    assert (found["policy"], found["usable"]) == (None, False)
    assert {entry["severity"] for entry in found["findings"]} == {"malformed"}
    assert [entry["field"] for entry in found["findings"]] == [
        "or",
        "tee_kinds",
        "more",
        "cpu_roots",
        "minimum_driver",
        "minimum_gpus",
    ]
    text = shell.run("policy", "lint", path, code=7)
    assert "is no field of a policy" in text.stdout and "64 lower-case hex digits" in text.stdout
    assert "tee_kinds" in text.stderr


def test_every_root_that_contradicts_a_policy_is_named(shell: Shell, tmp_path: Path) -> None:
    fields = json.loads(policy_to_json(SOUND)) | {"simulated": True}
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(fields))
    findings = json.loads(shell.run("policy", "lint", path, "--json", code=7).stdout)["findings"]
    count = len(SOUND.cpu_roots) + len(SOUND.gpu_roots) + len(SOUND.manifest_roots)
    assert len(findings) == count
    assert {entry["field"] for entry in findings} == {"cpu_roots", "gpu_roots", "manifest_roots"}
    path.write_text(json.dumps(fields | {"simulated": False, "minimum_gpus": 5, "maximum_gpus": 4}))
    assert "5 to 4 GPUs" in shell.run("policy", "lint", path, code=7).stdout


def test_the_schema_is_printed(shell: Shell) -> None:
    shown = json.loads(shell.run("policy", "schema").stdout)
    assert shown == json.loads(shell.run("policy", "schema", "--json").stdout)
    assert set(json.loads(policy_to_json(SOUND))) == set(shown["$defs"]["policy"]["properties"])


def test_a_file_is_meant_even_when_it_is_called_like_a_policy(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("simulated").write_text(policy_to_json(SOUND))
    assert json.loads(shell.run("policy", "lint", "simulated", "--json").stdout)["policy"] == "sound"
