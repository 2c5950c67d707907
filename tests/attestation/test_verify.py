"""A whole bundle: what is accepted, and every way of cheating that must not be."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING

import pytest

from attestation import (
    PRODUCTION,
    SIMULATED,
    AnyOf,
    Attestation,
    AttestationError,
    Binding,
    BindingMismatch,
    CertificateExpired,
    Claim,
    DuplicateDevice,
    Evidence,
    NonceMismatch,
    PolicyExpression,
    PolicyRefused,
    SignatureInvalid,
    VerifiedLinks,
    encode_bundle,
    verify_bundle,
)
from attestation.policy import DEVELOPMENT_AMD_ROOTS, DEVELOPMENT_NVIDIA_ROOTS, SIMULATED_MEASUREMENT

if TYPE_CHECKING:
    from tests.attestation.conftest import Scene


def verify(scene: Scene, bundle: bytes, policy: PolicyExpression = SIMULATED) -> Attestation:
    return verify_bundle(bundle, scene.binding, policy, scene.now_ns)


def failed(refused: pytest.ExceptionInfo[PolicyRefused]) -> dict[str, str]:
    return {claim.name: claim.verdict for claim in refused.value.failed}


def test_sound_evidence_is_accepted_and_summed_up(scene: Scene, bundle: bytes) -> None:
    attestation = verify(scene, bundle)
    assert (attestation.policy, attestation.simulated) == ("simulated", True)
    assert attestation.cpu.kind == "sev-snp" and attestation.cpu.product == "Genoa"
    assert attestation.cpu.measurement == SIMULATED_MEASUREMENT
    assert attestation.cpu.root_sha256 in DEVELOPMENT_AMD_ROOTS
    assert [gpu.root_sha256 for gpu in attestation.gpus] == list(DEVELOPMENT_NVIDIA_ROOTS)
    assert attestation.gpus[0].driver == "550.90.07" and attestation.gpus[0].chip == "GH100"
    assert attestation.session_public_key == scene.session_public_key
    assert attestation.transport_public_key == scene.transport_public_key
    assert attestation.worker_version == "0.1.0"
    assert attestation.bundle_sha256 == hashlib.sha256(bundle).digest()
    assert attestation.verified_at_ns == scene.now_ns


def test_an_attestation_has_one_row_for_every_claim(scene: Scene, bundle: bytes) -> None:
    claims = verify(scene, bundle).claims
    assert {claim.verdict for claim in claims} == {"valid"}
    names = [claim.name for claim in claims]
    assert len(names) == len(set(names))
    assert {
        "cpu.signature",
        "cpu.report_data",
        "cpu.measurement",
        "gpu[0].signature",
        "guest.devtools",
    } <= set(names)


def test_eight_gpus_are_accepted(scene: Scene) -> None:
    attestation = verify(scene, scene.bundle(gpus=8))
    assert len({gpu.device_id for gpu in attestation.gpus}) == 8
    names = [claim.name for claim in attestation.claims]
    assert len(names) == len(set(names))


def test_no_gpu_is_refused_by_the_policy(scene: Scene) -> None:
    with pytest.raises(PolicyRefused) as refused:
        verify(scene, scene.bundle(gpus=0))
    assert failed(refused) == {"gpu.count": "invalid"}


def test_a_gpu_presented_twice_is_refused(scene: Scene) -> None:
    with pytest.raises(DuplicateDevice, match=r"gpu\[1\].device_id"):
        verify(scene, scene.bundle(gpus=2, gpu_order=(0, 0)))


def test_evidence_for_another_nonce_is_refused(scene: Scene, bundle: bytes) -> None:
    with pytest.raises(BindingMismatch, match="report_data"):
        verify_bundle(bundle, Binding(bytes(32), scene.operator), SIMULATED, scene.now_ns)


def test_a_gpu_report_for_another_nonce_is_refused(scene: Scene) -> None:
    with pytest.raises(NonceMismatch, match=r"gpu\[0\].nonce"):
        verify(scene, scene.bundle(gpu_nonce=bytes(32)))


def test_evidence_for_another_operator_is_refused(scene: Scene, bundle: bytes) -> None:
    with pytest.raises(BindingMismatch, match="operator"):
        verify_bundle(bundle, Binding(scene.nonce, b"\x01"), SIMULATED, scene.now_ns)


def swapped(evidence: Evidence, **fields: object) -> bytes:
    return encode_bundle(dataclasses.replace(evidence, **fields))  # type: ignore[arg-type]


def test_a_swapped_transport_key_is_refused(scene: Scene, evidence: Evidence) -> None:
    other = bytes((scene.transport_public_key[0] ^ 0x20,)) + scene.transport_public_key[1:]
    with pytest.raises(BindingMismatch):
        verify(scene, swapped(evidence, transport_public_key=other))


def test_a_swapped_session_key_is_refused(scene: Scene, evidence: Evidence) -> None:
    other = scene.session_public_key[:-1] + b"\0"
    with pytest.raises(BindingMismatch):
        verify(scene, swapped(evidence, session_public_key=other))


def test_swapped_guest_claims_are_refused(scene: Scene, evidence: Evidence) -> None:
    lie = evidence.guest_claims.replace(b'"worker":"0.1.0"', b'"worker":"0.2.0"')
    with pytest.raises(BindingMismatch):
        verify(scene, swapped(evidence, guest_claims=lie))


def test_swapped_gpus_are_refused(scene: Scene) -> None:
    two = scene.collect(gpus=2)
    for gpus in (two.gpus[::-1], two.gpus[:1], ()):
        with pytest.raises(BindingMismatch):
            verify(scene, swapped(two, gpus=gpus))


def test_another_signature_by_the_same_gpu_is_refused(scene: Scene, evidence: Evidence) -> None:
    # The raw bytes are bound, not just what they say: the same machine asked twice gives other signatures.
    with pytest.raises(BindingMismatch):
        verify(scene, swapped(evidence, gpus=scene.collect().gpus))


@pytest.mark.parametrize(
    ("settings", "claim"),
    [
        ({"debug": True}, "cpu.debug"),
        ({"migratable": True}, "cpu.migration"),
        ({"vmpl": 1}, "cpu.vmpl"),
        ({"measurement": "00" * 48}, "cpu.measurement"),
        ({"tcb": {"bootloader": 10, "tee": 0, "snp": 22, "microcode": 84}}, "cpu.tcb"),
        ({"cc_mode": "off"}, "guest.cc_mode"),
        ({"devtools": "on"}, "guest.devtools"),
        ({"claimed_driver": "551.0"}, "guest.driver"),
        ({"claims_simulated": False}, "guest.environment"),
        ({"driver": "535.86.09"}, "gpu[0].driver"),
        ({"vbios": "96.00.5E.00.01"}, "gpu[0].vbios"),
    ],
)
def test_sound_evidence_of_a_state_the_policy_forbids_is_refused(
    scene: Scene, settings: dict[str, object], claim: str
) -> None:
    with pytest.raises(PolicyRefused) as refused:
        verify(scene, scene.bundle(**settings))  # type: ignore[arg-type]
    assert failed(refused) == {claim: "invalid"}


def test_a_mode_that_the_policy_does_not_name_is_refused(scene: Scene) -> None:
    alone = dataclasses.replace(SIMULATED, gpu_modes=("single-gpu",))
    with pytest.raises(PolicyRefused) as refused:
        verify(scene, scene.bundle(gpu_mode="multi-gpu"), alone)
    assert failed(refused) == {"gpu[0].mode": "invalid"}


def test_a_report_without_firmware_id_is_unverifiable_and_so_refused(scene: Scene) -> None:
    with pytest.raises(PolicyRefused) as refused:
        verify(scene, scene.bundle(omit_firmware_id=True))
    assert failed(refused) == {"gpu[0].firmware_id": "unverifiable"}


def test_every_failed_row_is_listed_with_what_was_expected_and_found(scene: Scene) -> None:
    with pytest.raises(PolicyRefused) as refused:
        verify(scene, scene.bundle(debug=True, devtools="on", driver="535.86.09", vmpl=3))
    assert set(failed(refused)) == {"cpu.debug", "cpu.vmpl", "guest.devtools", "gpu[0].driver"}
    assert Claim("cpu.vmpl", "invalid", "0", "3") in refused.value.claims
    assert "cpu.vmpl is invalid: expected 0, found 3" in str(refused.value)
    assert len(refused.value.claims) > len(refused.value.failed)


def test_an_old_worker_is_refused(scene: Scene) -> None:
    with pytest.raises(PolicyRefused) as refused:
        verify(scene, encode_bundle(scene.collect(worker="0.0.9")))
    assert failed(refused) == {"guest.worker": "invalid"}


def test_the_production_policy_refuses_the_development_roots(scene: Scene, bundle: bytes) -> None:
    with pytest.raises(PolicyRefused) as refused:
        verify(scene, bundle, PRODUCTION)
    rows = failed(refused)
    assert rows["cpu.root"] == rows["gpu[0].root"] == rows["guest.environment"] == "invalid"


def test_the_production_policy_calls_unverifiable_what_it_has_no_collateral_for(
    scene: Scene, bundle: bytes
) -> None:
    with pytest.raises(PolicyRefused) as refused:
        verify(scene, bundle, PRODUCTION)
    unchecked = {name for name, verdict in failed(refused).items() if verdict == "unverifiable"}
    assert unchecked == {
        "cpu.revocation",
        "gpu[0].driver_manifest",
        "gpu[0].vbios_manifest",
        "gpu[0].reference_values",
        "gpu[0].revocation.boot_rom",
        "gpu[0].revocation.provisioner",
        "gpu[0].revocation.identity",
    }


def test_a_denied_gpu_and_a_denied_chip_are_refused(scene: Scene, bundle: bytes) -> None:
    attestation = verify(scene, bundle)
    for device, row in (
        (attestation.gpus[0].device_id, "gpu[0].device"),
        (attestation.cpu.chip_id, "cpu.device"),
    ):
        for spelling in (device.lower(), device.upper()):
            with pytest.raises(PolicyRefused) as refused:
                verify(scene, bundle, dataclasses.replace(SIMULATED, denied_devices=(spelling,)))
            assert failed(refused) == {row: "invalid"}


def test_a_composed_policy_is_named_and_marked_in_the_attestation(scene: Scene, bundle: bytes) -> None:
    attestation = verify(scene, bundle, AnyOf("either", (PRODUCTION, SIMULATED)))
    assert (attestation.policy, attestation.simulated) == ("either", True)
    assert any(claim.name == "simulated/cpu.root" for claim in attestation.claims)


def test_evidence_signed_by_another_machines_key_is_refused(scene: Scene, evidence: Evidence) -> None:
    report = bytearray(evidence.cpu_report)
    report[0x2A0] ^= 1
    with pytest.raises(SignatureInvalid, match=r"cpu\.signature"):
        verify(scene, swapped(evidence, cpu_report=bytes(report)))


def test_certificates_are_checked_against_the_time_given(scene: Scene, bundle: bytes) -> None:
    for now_s in (1_600_000_000, 2_400_000_000):
        with pytest.raises(CertificateExpired):
            verify_bundle(bundle, scene.binding, SIMULATED, now_s * 1_000_000_000)


def test_evidence_for_somebody_else_costs_no_signature_verification(
    scene: Scene, bundle: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unexpected(*arguments: object) -> None:
        raise AssertionError("a signature was verified")

    monkeypatch.setattr("attestation.crypto.ecdsa_p384.verify", unexpected)
    monkeypatch.setattr("attestation.crypto.rsa_pss.verify", unexpected)
    with pytest.raises(BindingMismatch):
        verify_bundle(bundle, Binding(bytes(32), scene.operator), SIMULATED, scene.now_ns)


def test_links_are_shared_between_the_gpus_of_a_bundle_and_between_bundles(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = scene.bundle(gpus=4)
    verified: list[str] = []
    monkeypatch.setattr(
        "attestation.certificate_chain.verify_certificate_signature",
        lambda *arguments: verified.append(arguments[2]),
    )
    links = VerifiedLinks()
    verify_bundle(bundle, scene.binding, SIMULATED, scene.now_ns, links)
    # Two links of the CPU; leaf and BROM of each GPU, and the two they have in common.
    assert len(verified) == 2 + 2 * 4 + 2
    verify_bundle(bundle, scene.binding, SIMULATED, scene.now_ns, links)
    assert len(verified) == 12


def test_every_error_names_its_claim(scene: Scene, evidence: Evidence) -> None:
    for bundle, claim in (
        (b"", "bundle.magic"),
        (swapped(evidence, guest_claims=b"{}"), "guest.cc_mode"),
        (swapped(evidence, cpu_report=b"x"), "cpu.report"),
    ):
        with pytest.raises(AttestationError) as refused:
            verify(scene, bundle)
        assert refused.value.claim == claim and refused.value.claims == ()
