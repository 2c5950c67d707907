"""The simulator: the same seed is the same machine, and everything it signs says what it is."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography import x509 as openssl
from cryptography.hazmat.primitives.serialization import Encoding

from attestation import Evidence
from attestation.policy import (
    DEVELOPMENT_AMD_ROOTS,
    DEVELOPMENT_INTEL_ROOTS,
    DEVELOPMENT_NVIDIA_ROOTS,
    DEVELOPMENT_ROOTS,
    SIMULATED_MEASUREMENT,
)
from attestation.simulator import SimulatedMachine
from attestation.simulator.development_pki import FOLDER, load_certificate
from attestation.x509 import parse_certificate

if TYPE_CHECKING:
    from tests.attestation.conftest import Scene


def test_the_same_seed_is_the_same_machine() -> None:
    one, two, other = SimulatedMachine("a", 2), SimulatedMachine(b"a", 2), SimulatedMachine("b", 2)
    assert one.platform.chip_id == two.platform.chip_id != other.platform.chip_id
    ids = [gpu.device_id for machine in (one, two, other) for gpu in machine.gpus]
    assert ids[:2] == ids[2:4] and len(set(ids)) == 4


def test_only_signatures_differ_between_two_collections(scene: Scene) -> None:
    one, two = scene.collect(), scene.collect()
    assert one.cpu_report != two.cpu_report
    assert one.gpus[0].report[:-96] == two.gpus[0].report[:-96]
    for first, second in zip(one.gpus[0].chain, two.gpus[0].chain, strict=True):
        assert parse_certificate(first, "x").tbs == parse_certificate(second, "x").tbs


def test_every_certificate_says_simulated(evidence: Evidence) -> None:
    for der in (*evidence.cpu_chain, *evidence.gpus[0].chain):
        certificate = openssl.load_der_x509_certificate(der)
        assert "SIMULATED" in certificate.subject.rfc4514_string()
        assert "SIMULATED" in certificate.issuer.rfc4514_string()


def test_the_simulated_policy_names_the_published_roots() -> None:
    for names, roots in (
        (("amd_ark", "amd_ark_milan", "amd_ark_turin"), DEVELOPMENT_AMD_ROOTS),
        (("intel_root",), DEVELOPMENT_INTEL_ROOTS),
        (("nvidia_root",), DEVELOPMENT_NVIDIA_ROOTS),
    ):
        ders = [load_certificate(name).public_bytes(Encoding.DER) for name in names]
        assert tuple(parse_certificate(der, "root").sha256 for der in ders) == roots
        assert set(roots) <= DEVELOPMENT_ROOTS


def test_the_published_keys_are_labelled_not_secret() -> None:
    keys = sorted(FOLDER.glob("*.key.pem"))
    assert len(keys) >= 5
    for key in keys:
        assert key.read_bytes().startswith(b"NOT SECRET")


def test_the_simulated_measurement_is_what_the_comment_says() -> None:
    expected = hashlib.sha384(b"leasehold simulated worker, not a real guest").hexdigest()
    assert expected == SIMULATED_MEASUREMENT


@pytest.mark.parametrize("module", ["attestation", "attestation.verify"])
def test_the_core_imports_only_itself_and_the_standard_library(module: str) -> None:
    program = (
        f"import sys; import {module}; "
        "names = {name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names); "
        "print(sorted(name for name in names if not name.startswith('_')), "
        "'attestation.simulator' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, timeout=60,
                          cwd=FOLDER.parents[2], check=True)  # fmt: skip
    assert done.stdout.strip() == "['attestation'] False"
