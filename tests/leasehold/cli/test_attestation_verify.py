import dataclasses
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from attestation import PRODUCTION, SIMULATED, AnyOf, policy_to_json
from attestation.simulator import collateral_of
from tests.leasehold.cli.conftest import Shell
from tests.leasehold.cli.evidence import AT, BINDING, NOW_NS, Files

SIMULATED_POLICY = ("--policy", "simulated")
STRICT = dataclasses.replace(SIMULATED, name="strict", require_reference_values=True, require_revocation=True)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("this command must not touch any network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_sound_evidence_is_accepted_with_a_row_per_claim(shell: Shell, files: Files) -> None:
    result = shell.run("attestation", "verify", files.bundle(), *SIMULATED_POLICY, *BINDING, *AT)
    assert "SIMULATED" in result.stderr
    assert "accepted: SIMULATED evidence" in result.stdout
    rows = [line.split() for line in result.stdout.splitlines()]
    assert {row[1]: row[0] for row in rows[1:-1]}["gpu[0].signature"] == "valid"


def test_json_says_the_same(shell: Shell, files: Files) -> None:
    arguments = (files.bundle(), *SIMULATED_POLICY, *BINDING, *AT, "--json")
    found = json.loads(shell.run("attestation", "verify", *arguments).stdout)
    assert (found["accepted"], found["simulated"], found["bound"]) == (True, True, True)
    assert found["problem"] is None
    assert {claim["verdict"] for claim in found["claims"]} == {"valid"}
    assert set(found["claims"][0]) == {"name", "verdict", "expected", "found"}
    assert shell.run("attestation", "verify", *arguments[:-1], "-q").stdout.strip() == found["bundle_sha256"]


def test_without_a_binding_it_fails_closed(shell: Shell, files: Files) -> None:
    result = shell.run("attestation", "verify", files.bundle(), *SIMULATED_POLICY, *AT, "--json", code=5)
    assert result.stderr.splitlines()[-1].startswith(
        "error: nothing shows that this evidence was made for you"
    )
    found = json.loads(result.stdout)
    open_rows = {claim["name"] for claim in found["claims"] if claim["verdict"] == "unverifiable"}
    guest = {f"guest.{name}" for name in ("environment", "cc_mode", "devtools", "worker", "driver")}
    assert open_rows == {"cpu.report_data", "gpu[0].nonce"} | guest
    assert not found["accepted"]


def test_unbound_evidence_can_be_asked_for_and_is_called_so(shell: Shell, files: Files) -> None:
    text = shell.run("attestation", "verify", files.bundle(), *SIMULATED_POLICY, *AT, "--unbound").stdout
    assert "UNBOUND" in text.splitlines()[-1]


@pytest.mark.parametrize("cpu", ["sev-snp", "tdx"])
@pytest.mark.parametrize(("gpus", "switches"), [(0, 0), (1, 0), (8, 4)])
def test_unbound_checks_every_claim_that_bound_checks(
    shell: Shell, files: Files, cpu: str, gpus: int, switches: int
) -> None:
    mode = "protected-pcie" if switches else "single-gpu"
    machine = files.machine(gpus, switches, cpu, gpu_mode=mode)
    policy = dataclasses.replace(STRICT, minimum_gpus=0, gpu_modes=(mode,))
    common = (
        *(files.bundle(machine), "--policy", files.write("policy.json", policy_to_json(policy))),
        *("--collateral", files.collateral(machine), *AT, "--json"),
    )
    bound = json.loads(shell.run("attestation", "verify", *common, *BINDING).stdout)["claims"]
    unbound = json.loads(shell.run("attestation", "verify", *common, "--unbound").stdout)["claims"]
    assert [claim["name"] for claim in unbound] == [claim["name"] for claim in bound]
    differing = {new["name"] for new, old in zip(unbound, bound, strict=True) if new != old}
    assert all(name == "cpu.report_data" or name.endswith(".nonce") or "guest." in name for name in differing)
    opened = {claim["name"] for claim in unbound if claim["verdict"] == "unverifiable"}
    assert opened == differing


def test_guest_claims_that_nothing_binds_are_never_called_valid(shell: Shell, files: Files) -> None:
    bundle = files.bundle()
    forged = bundle.read_bytes().replace(b'"worker":"0.1.0"', b'"worker":"9.1.0"')
    common = (files.write("forged", forged), "--policy")
    either = files.write("either.json", policy_to_json(AnyOf("either", (PRODUCTION, SIMULATED))))
    for policy in ("simulated", either):
        arguments = (*common, policy, *AT, "--unbound", "--json")
        found = json.loads(shell.run("attestation", "verify", *arguments).stdout)
        guest = [claim["verdict"] for claim in found["claims"] if "guest." in claim["name"]]
        assert len(guest) == 5 and set(guest) == {"unverifiable"}
    shell.run("attestation", "verify", *common, "simulated", *AT, *BINDING, code=5)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"gpu_order": (0, 0)}, 5),
        ({"reported_firmware_id": b"\x01" * 48}, 5),
        ({"reported_chip_id": b"\x01" * 64}, 5),
        ({"debug": True}, 7),
        ({"devtools": "on"}, 7),
        ({"driver": "535.0.1"}, 7),
        ({"omit_firmware_id": True}, 7),
    ],
    ids=str,
)
@pytest.mark.parametrize("mode", [BINDING, ("--unbound",)], ids=["bound", "unbound"])
def test_faults_are_refused_with_their_exit_code(
    shell: Shell, files: Files, fault: dict[str, Any], code: int, mode: tuple[str, ...]
) -> None:
    bundle = files.bundle(files.machine(1, **fault))
    result = shell.run("attestation", "verify", bundle, *SIMULATED_POLICY, *AT, *mode, code=code)
    assert result.stderr.count("error: ") == 1
    assert result.stderr.splitlines()[-1].startswith("error: ")
    assert "accepted" not in result.stdout


def test_evidence_for_somebody_else_is_invalid(shell: Shell, files: Files) -> None:
    other = ("--nonce", "00" * 32, *BINDING[2:])
    result = shell.run("attestation", "verify", files.bundle(), *SIMULATED_POLICY, *other, *AT, code=5)
    assert "BindingMismatch" in result.stderr
    assert "invalid" in result.stdout
    anyone = (*BINDING[:2], "--operator", "2vxsx-fae")
    shell.run("attestation", "verify", files.bundle(), *SIMULATED_POLICY, *anyone, *AT, code=5)


def test_the_default_policy_refuses_simulated_evidence(shell: Shell, files: Files) -> None:
    result = shell.run("attestation", "verify", files.bundle(), *BINDING, *AT, code=7)
    assert "SIMULATED" in result.stderr
    assert "policy 'production' refuses the evidence: cpu.root" in result.stderr


def test_missing_collateral_is_told_apart_from_a_refusal(shell: Shell, files: Files) -> None:
    machine = files.machine()
    policy = files.write("strict.json", policy_to_json(STRICT))
    common = (files.bundle(machine), "--policy", policy, *BINDING, *AT)
    text = shell.run("attestation", "verify", *common, code=6).stderr
    assert "--collateral" in text
    shell.run("attestation", "verify", *common, "--collateral", files.collateral(machine))
    wrong = files.bundle(files.machine(1, debug=True), "wrong")
    shell.run("attestation", "verify", wrong, *common[1:], code=7)


def test_collateral_may_be_bare_files_of_the_vendors(shell: Shell, files: Files) -> None:
    machine = files.machine()
    made = collateral_of(machine, NOW_NS)
    pieces = [*made.ocsp, *made.rims, *made.crls]
    given = [files.write(f"piece{index}", piece) for index, piece in enumerate(pieces)]
    options = [word for path in given for word in ("--collateral", path)]
    policy = files.write("strict.json", policy_to_json(STRICT))
    # Given twice, a piece counts once.
    twice = (*options, "--collateral", files.collateral(machine))
    shell.run("attestation", "verify", files.bundle(machine), "--policy", policy, *BINDING, *AT, *twice)


def test_tdx_cannot_be_judged_without_collateral(shell: Shell, files: Files) -> None:
    machine = files.machine(cpu="tdx")
    common = (files.bundle(machine), *SIMULATED_POLICY, *BINDING, *AT)
    assert "TCB info" in shell.run("attestation", "verify", *common, code=6).stderr
    shell.run("attestation", "verify", *common, "--collateral", files.collateral(machine))


def test_the_time_decides(shell: Shell, files: Files) -> None:
    common = ("attestation", "verify", files.bundle(), *SIMULATED_POLICY, *BINDING)
    found = json.loads(shell.run(*common, "--at", "2026-11-21T10:00:00+01:00", "--json").stdout)
    assert found["at"] == 1_795_251_600 * 10**9
    assert "CertificateExpired" in shell.run(*common, "--at", "2001-01-01T00:00:00Z", code=5).stderr


@pytest.mark.parametrize(
    "arguments",
    [
        BINDING[:2],
        BINDING[2:],
        (*BINDING, "--unbound"),
        ("--nonce", "ab", *BINDING[2:]),
        (*BINDING[:2], "--operator", "nobody"),
        (*BINDING[:2], "--operator", "aaaaa-aa"),
        ("--at", "yesterday"),
        ("--at", "2026-11-21T09:00:00"),
        ("--at", "1763690000"),
        ("--at", "99999999999999999999"),
        ("--policy", "nonsense"),
        ("--collateral", "nowhere"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_a_usage_error(
    shell: Shell, files: Files, arguments: tuple[str, ...]
) -> None:
    result = shell.run("attestation", "verify", files.bundle(), *arguments, code=2)
    assert result.stdout == ""


@pytest.mark.parametrize("content", [b"", b"LHCO", b"LHCO\x01\x01", b"{}", b"\x30\x00", b"x" * (1 << 20 | 1)])
def test_what_is_no_collateral_is_a_usage_error(shell: Shell, files: Files, content: bytes) -> None:
    path = files.write("rubbish", content)
    text = shell.run("attestation", "verify", files.bundle(), "--collateral", path, code=2).stderr
    assert text.startswith("error: ") and text.count("\n") == 1


@pytest.mark.parametrize("content", ["{}", "[]", "x", '{"name": 1}', "x" * 70_000, b"\xff"])
def test_what_is_no_policy_is_a_usage_error(shell: Shell, files: Files, content: str | bytes) -> None:
    path = files.write("policy.json", content)
    text = shell.run("attestation", "verify", files.bundle(), "--policy", path, code=2).stderr
    assert text.startswith("error: ") and "policy lint" in text


@pytest.mark.parametrize("content", [b"", b"LHEV", b"x" * 300_000])
def test_what_is_no_bundle_is_invalid(shell: Shell, files: Files, content: bytes) -> None:
    shell.run("attestation", "verify", files.write("rubbish", content), *BINDING, code=5)
    shell.run("attestation", "verify", files.write("rubbish", content), code=5)
