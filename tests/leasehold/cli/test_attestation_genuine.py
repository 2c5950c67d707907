"""Genuine reports of several machines, put into one bundle: sound each, bound to nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from attestation import encode_bundle
from attestation.bundle import Evidence, GpuEvidence, SwitchEvidence
from attestation.guest import GuestClaims, encode_guest_claims
from tests.attestation.conftest import SAMPLES, Samples
from tests.leasehold.cli.conftest import Shell
from tests.leasehold.cli.evidence import SESSION_PUBLIC_KEY, TRANSPORT_PUBLIC_KEY, Files

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the genuine samples are not in this checkout")

GENOA = ("amd/genoa_v3_azure_report.bin", "amd/genoa_v3_azure_vcek.pem", "amd/ask_ark_genoa.pem")
GUEST = encode_guest_claims(GuestClaims(cc_mode="on", devtools="off", driver="550.90.07", worker="0.1.0"))
# Within the TDX sample's collateral.
AT = ("--at", "2025-06-20T00:00:00Z")


@pytest.fixture
def samples() -> Samples:
    return Samples(SAMPLES)


def bundle(
    samples: Samples,
    gpus: tuple[GpuEvidence, ...],
    switches: tuple[SwitchEvidence, ...] = (),
    tdx: bool = False,
) -> bytes:
    quote = samples.read("intel/tdx_quote") if tdx else b""
    report, chain = (quote, ()) if tdx else samples.amd(*GENOA)
    kind = "tdx" if tdx else "sev-snp"
    keys = (SESSION_PUBLIC_KEY, TRANSPORT_PUBLIC_KEY)
    return encode_bundle(Evidence(kind, report, chain, gpus, GUEST, *keys, switches))


def verdicts(shell: Shell, path: Path, *options: str, code: int) -> dict[str, str]:
    arguments = ("--unbound", *AT, *options, "--json")
    found: dict[str, Any] = json.loads(shell.run("attestation", "verify", path, *arguments, code=code).stdout)
    assert found["simulated"] is False
    return {claim["name"]: claim["verdict"] for claim in found["claims"]}


def test_a_genuine_board_is_sound_but_not_what_production_asks(
    shell: Shell, samples: Samples, tmp_path: Path
) -> None:
    path = Files(tmp_path).write("bundle", bundle(samples, *samples.board()))
    rows = verdicts(shell, path, code=7)
    for name in (
        "cpu.root",
        "cpu.signature",
        "gpu[7].root",
        "gpu[7].signature",
        "switch[3].root",
        "topology",
    ):
        assert rows[name] == "valid"
    assert rows["cpu.measurement"] == "invalid"
    assert rows["cpu.report_data"] == rows["gpu[0].nonce"] == "unverifiable"


def test_a_genuine_tdx_quote_with_intels_collateral(shell: Shell, samples: Samples, tmp_path: Path) -> None:
    gpus = (samples.gpus()["single H100"],)
    path = Files(tmp_path).write("bundle", bundle(samples, gpus, tdx=True))
    collateral = ("--collateral", str(SAMPLES / "intel/tdx_quote_collateral.json"))
    rows = verdicts(shell, path, *collateral, code=7)
    assert rows["cpu.root"] == rows["cpu.signature"] == rows["cpu.quoting_enclave"] == "valid"
    assert verdicts(shell, path, code=6) == {"collateral.tcb_info": "unverifiable"}


def test_every_genuine_report_can_be_inspected(shell: Shell, samples: Samples, tmp_path: Path) -> None:
    gpus = list(samples.gpus().values())
    for start in range(0, len(gpus), 8):
        content = bundle(samples, tuple(gpus[start : start + 8]), (samples.switch(),), tdx=start > 0)
        path = Files(tmp_path).write("bundle", content)
        found = json.loads(shell.run("attestation", "show", path, "--json").stdout)
        assert (found["simulated"], found["problems"]) == (False, {})
        roots = [fields for fields in found["sections"].values() if "same bytes as" in fields]
        assert all("publishes" in fields["same bytes as"] for fields in roots)
        assert len(roots) == len(gpus[start : start + 8]) + 2
