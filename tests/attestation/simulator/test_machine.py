"""The simulator: the same seed is the same machine, and everything it signs says what it is."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography import x509 as openssl
from cryptography.hazmat.primitives.serialization import Encoding

from attestation import (
    SIMULATED,
    Evidence,
    FirmwareMismatch,
    PolicyRefused,
    encode_bundle,
    verify_bundle,
)
from attestation.policy import (
    DEVELOPMENT_AMD_ROOTS,
    DEVELOPMENT_INTEL_ROOTS,
    DEVELOPMENT_NVIDIA_ROOTS,
    DEVELOPMENT_ROOTS,
    SIMULATED_MEASUREMENT,
)
from attestation.simulator import BLACKWELL, SimulatedMachine, collateral_of
from attestation.simulator.development_pki import FOLDER, load_certificate
from attestation.x509 import parse_certificate

if TYPE_CHECKING:
    from tests.attestation.conftest import Samples, Scene


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


COMPLETE = dataclasses.replace(SIMULATED, require_revocation=True, require_reference_values=True)


@pytest.mark.parametrize(("gpus", "mode"), [(1, "single-gpu"), (8, "multi-gpu")])
def test_a_blackwell_machine_satisfies_a_policy_that_asks_for_everything(
    scene: Scene, gpus: int, mode: str
) -> None:
    settings = dataclasses.replace(BLACKWELL, gpu_mode=mode)
    machine = SimulatedMachine("blackwell", gpus, settings)
    evidence = machine.collect(
        scene.nonce, scene.operator, scene.session_public_key, scene.transport_public_key
    )
    collateral = collateral_of(machine, scene.now_ns)
    bundle = encode_bundle(evidence)
    found = verify_bundle(bundle, scene.binding, COMPLETE, scene.now_ns, collateral=collateral)
    assert {gpu.chip for gpu in found.gpus} == {"GB100"}
    with pytest.raises(PolicyRefused, match=r"gpu\[0\]\.chip is invalid"):
        hopper = dataclasses.replace(COMPLETE, gpu_chips=("GH100",))
        verify_bundle(bundle, scene.binding, hopper, scene.now_ns, collateral=collateral)


def test_blackwells_firmware_must_be_the_certified_one(scene: Scene) -> None:
    settings = dataclasses.replace(BLACKWELL, reported_firmware_id=bytes(48))
    machine = SimulatedMachine("blackwell", 1, settings)
    evidence = machine.collect(
        scene.nonce, scene.operator, scene.session_public_key, scene.transport_public_key
    )
    with pytest.raises(FirmwareMismatch, match="firmware"):
        verify_bundle(encode_bundle(evidence), scene.binding, COMPLETE, scene.now_ns)


def test_blackwells_certificates_are_laid_out_as_the_genuine_ones(samples: Samples) -> None:
    simulated, genuine = (
        SimulatedMachine("blackwell", 1, BLACKWELL).gpus[0].chain,
        samples.gpus()["blackwell"].chain,
    )
    for ours, theirs in zip(simulated, genuine, strict=True):
        names = [parse_certificate(der, "certificate").subject.common_name for der in (ours, theirs)]
        assert names[0].removeprefix("SIMULATED ").split()[:2] == names[1].split()[:2]
    leaves = [set(parse_certificate(chain[0], "leaf").extensions) for chain in (simulated, genuine)]
    assert "2.23.133.5.4.1.1" in leaves[0] & leaves[1]
