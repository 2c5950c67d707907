"""Genuine reports out of public packages, put into one bundle: the commands read and verify them anywhere."""

import json
from pathlib import Path

import pytest

from attestation import encode_bundle
from attestation.bundle import Evidence
from attestation.guest import GuestClaims, encode_guest_claims
from tests import genuine_packages as genuine
from tests.leasehold.cli.conftest import Shell
from tests.leasehold.cli.evidence import SESSION_PUBLIC_KEY, TRANSPORT_PUBLIC_KEY, Files

REASON = genuine.missing(genuine.NVIDIA) or genuine.missing(genuine.AMD)
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

GUEST = encode_guest_claims(GuestClaims(cc_mode="on", devtools="off", driver="550.90.07", worker="0.1.0"))
# Within the validity of the chip's certificate.
AT = ("--at", "2025-11-13T02:13:20Z")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    report, chain = genuine.milan()
    keys = (SESSION_PUBLIC_KEY, TRANSPORT_PUBLIC_KEY)
    evidence = Evidence("sev-snp", report, chain, (genuine.hopper(),), GUEST, *keys)
    return Files(tmp_path).write("bundle", encode_bundle(evidence))


def test_every_field_of_genuine_evidence_is_shown(shell: Shell, bundle: Path) -> None:
    found = json.loads(shell.run("attestation", "show", bundle, "--json").stdout)
    assert (found["simulated"], found["problems"]) == (False, {})
    assert "debug allowed" in found["sections"]["cpu"]["guest policy"]
    assert found["sections"]["gpu[0]"]["vbios manifest"] == "1010_0200_882_96009F0001"
    assert found["sections"]["gpu[0].chain[4]"]["same bytes as"] == "the root that NVIDIA publishes"
    assert found["sections"]["cpu.chain[2]"]["same bytes as"] == "the root that AMD publishes"


def test_genuine_evidence_is_sound_and_what_production_refuses_is_named(shell: Shell, bundle: Path) -> None:
    arguments = ("attestation", "verify", bundle, "--unbound", *AT, "--json")
    rows = {
        claim["name"]: claim["verdict"]
        for claim in json.loads(shell.run(*arguments, code=7).stdout)["claims"]
    }
    sound = ("cpu.chain", "cpu.signature", "cpu.root", "gpu[0].chain", "gpu[0].signature", "gpu[0].root")
    assert {rows[name] for name in sound} == {"valid"}
    assert rows["cpu.debug"] == rows["cpu.measurement"] == "invalid"
    assert rows["gpu[0].driver_manifest"] == "unverifiable"
