"""Reference manifests: genuine ones verify and match the genuine GPU; forged or changed ones do not."""

from __future__ import annotations

import dataclasses
import os
import re
from typing import TYPE_CHECKING

import pytest

from attestation import (
    AttestationError,
    CertificateExpired,
    MalformedEvidence,
    ManifestInvalid,
    MeasurementMismatch,
    SignatureInvalid,
    VerifiedLinks,
)
from attestation.nvidia import reference_values as reference
from attestation.nvidia import rim
from attestation.nvidia.report import parse_report
from attestation.nvidia.switch_report import parse_switch_report
from attestation.policy import DEVELOPMENT_NVIDIA_MANIFEST_ROOTS, NVIDIA_MANIFEST_ROOTS
from attestation.simulator.collateral import MANIFEST, manifest, sign_manifest

if TYPE_CHECKING:
    from tests.attestation.conftest import Samples

EXHAUSTIVE = os.environ.get("LEASEHOLD_EXHAUSTIVE") == "1"
NOW_NS = 1_790_000_000 * 1_000_000_000
IN_2024, IN_2025, IN_2026 = (
    seconds * 1_000_000_000 for seconds in (1_704_067_200, 1_748_736_000, 1_785_542_400)
)

DRIVER = "nvidia/spt_gh100_complete/NV_GPU_DRIVER_GH100_550.90.07.xml"
VBIOS = "nvidia/spt_gh100_complete/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml"
SWITCH = "nvidia/rim/switchVBIOSRim_NV_SWITCH_BIOS_5612_0002_890_9610550001.xml"
GENUINE = {
    DRIVER: (IN_2025, "GPU", "GH100", "550.90.07", 21),
    VBIOS: (IN_2025, "GPU", "GH100", "96.00.9F.00.01", 12),
    "nvidia/rim/NV_GPU_DRIVER_GH100_550.144.03.xml": (IN_2025, "GPU", "GH100", "550.144.03", 21),
    "nvidia/rim/1010_0200_882_96005E0001_PROD.swidtag": (IN_2024, "GPU", "GH100", "96.00.5E.00.01", 12),
    SWITCH: (IN_2026, "SWITCH", "LS10", "96.10.55.00.01", 31),
}


def verified(data: bytes, now_ns: int = NOW_NS, links: VerifiedLinks | None = None) -> rim.Manifest:
    found = rim.parse_manifest(data, "rim")
    rim.verify_manifest(found, now_ns, links or VerifiedLinks(), "rim")
    return found


@pytest.mark.parametrize("name", GENUINE)
def test_genuine_manifests_verify(samples: Samples, name: str) -> None:
    now_ns, *expected = GENUINE[name]
    found = verified(samples.read(name), now_ns)
    assert [found.edition, found.product, found.version, len(found.goldens)] == expected
    assert (found.root_sha256,) == NVIDIA_MANIFEST_ROOTS


def test_the_genuine_manifest_with_an_incorrect_signature_is_refused(samples: Samples) -> None:
    with pytest.raises(SignatureInvalid, match=r"rim\.signature"):
        verified(samples.read("nvidia/rim/incorrect_signature_driver_rim.xml"), IN_2025)


def test_a_genuine_manifest_is_refused_outside_its_signers_dates(samples: Samples) -> None:
    for now_ns in (IN_2024 - 10**18, NOW_NS):
        with pytest.raises(CertificateExpired):
            verified(samples.read(DRIVER), now_ns)


def test_the_genuine_gpu_equals_all_33_published_values(samples: Samples) -> None:
    report = parse_report(samples.gpus()["single H100"].report, "report")
    manifests = [verified(samples.read(name), IN_2025) for name in (DRIVER, VBIOS)]
    for found in manifests:
        reference.check_measurements(report.measurements, found, "gpu")
    assert reference.check_no_conflict(manifests, "gpu") == 33


def test_the_genuine_gpu_is_refused_by_the_manifests_of_other_versions(samples: Samples) -> None:
    report = parse_report(samples.gpus()["single H100"].report, "report")
    for name in (
        "nvidia/rim/NV_GPU_DRIVER_GH100_550.144.03.xml",
        "nvidia/rim/1010_0200_882_96005E0001_PROD.swidtag",
    ):
        with pytest.raises(MeasurementMismatch, match="measurements"):
            reference.check_measurements(
                report.measurements, verified(samples.read(name), GENUINE[name][0]), "gpu"
            )


def test_the_genuine_switch_equals_all_31_published_values(samples: Samples) -> None:
    report = parse_switch_report(samples.switch().report, "report")
    reference.check_measurements(report.measurements, verified(samples.read(SWITCH), IN_2026), "switch")


@pytest.mark.parametrize("name", [DRIVER, SWITCH])
@pytest.mark.usefixtures("remembered_signatures")
def test_every_changed_byte_and_truncation_of_a_genuine_manifest_is_refused(
    samples: Samples, name: str
) -> None:
    """But for line feeds after the root element, which are outside what is signed and mean nothing."""
    data, now_ns, links = samples.read(name), GENUINE[name][0], VerifiedLinks()
    accepted = []

    def is_accepted(changed: bytes) -> bool:
        try:
            return verified(changed, now_ns, links).root_sha256 in NVIDIA_MANIFEST_ROOTS
        except AttestationError:
            return False

    assert is_accepted(data)
    for offset in range(0, len(data), 1 if EXHAUSTIVE else 23):
        for bit in range(8) if EXHAUSTIVE else [offset % 8]:
            if is_accepted(data[:offset] + bytes((data[offset] ^ 1 << bit,)) + data[offset + 1 :]):
                accepted.append((offset, bit))
    assert accepted == []
    end = len(data.rstrip(b"\n"))
    assert not any(is_accepted(data[:length]) for length in range(0, end, 1 if EXHAUSTIVE else 199))
    assert not is_accepted(data[: end - 1]) and is_accepted(data[:end])
    assert is_accepted(data + b"\n") and not is_accepted(data + b" ")


SIMULATED = manifest("GPU", "GH100", "550.90.07", range(21, 41), 64)
TEMPLATE = MANIFEST.replace("{signature}", "{{signature}}")
RESOURCE = (
    '<ns0:Resource type="Measurement" index="{index}" active="{active}" alternatives="{count}" '
    'ns2:Hash0="{value}" name="m" size="48"/>'
)


def written(*resources: str, edition: str = "GPU", version: str = "550.90.07", **more: str) -> bytes:
    fields = {"product": "GH100", "edition": edition, "version": version, "resources": "".join(resources)}
    return sign_manifest(TEMPLATE.format(**{**fields, **more}))


def resource(index: object = 0, active: str = "True", count: object = 1, value: str = "ab" * 48) -> str:
    return RESOURCE.format(index=index, active=active, count=count, value=value)


def test_a_simulated_manifest_verifies_under_the_development_root() -> None:
    found = verified(SIMULATED)
    assert (found.root_sha256,) == DEVELOPMENT_NVIDIA_MANIFEST_ROOTS
    assert sorted(found.goldens) == list(range(21, 41))


def test_a_changed_value_is_refused_by_the_digest() -> None:
    value = re.search(rb'index="21".*?Hash0="(.)', SIMULATED)
    assert value is not None
    at = value.start(1)
    changed = SIMULATED[:at] + (b"1" if SIMULATED[at : at + 1] == b"0" else b"0") + SIMULATED[at + 1 :]
    with pytest.raises(ManifestInvalid, match=r"rim\.digest"):
        verified(changed)


def test_a_signature_over_another_manifest_is_refused() -> None:
    """Its SignedInfo is soundly signed, but states the digest of the other one."""
    other = manifest("GPU", "GH100", "550.90.07", range(21, 40), 64)
    start = SIMULATED.index(b"<ds:Signature ")
    moved = SIMULATED[:start] + other[other.index(b"<ds:Signature ") :]
    with pytest.raises(ManifestInvalid, match=r"rim\.digest"):
        verified(moved)


def test_a_second_signature_or_payload_is_refused() -> None:
    signature = SIMULATED[SIMULATED.index(b"<ds:Signature ") : SIMULATED.index(b"</SoftwareIdentity>")]
    payload = SIMULATED[SIMULATED.index(b"<ns0:Payload>") : SIMULATED.index(b"<ds:Signature ")]
    for extra in (signature, payload):
        with pytest.raises((MalformedEvidence, ManifestInvalid)):
            rim.parse_manifest(
                SIMULATED.replace(b"</SoftwareIdentity>", extra + b"</SoftwareIdentity>"), "rim"
            )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'URI=""', b'URI="#x"'),
        (b'URI=""', b'URI="" Id="x"'),
        (b"2006/12/xml-c14n11", b"2001/10/xml-exc-c14n#"),
        (b"#ecdsa-sha384", b"#ecdsa-sha1"),
        (b"xmldsig-more#sha384", b"xmldsig-more#sha1"),
        (b"#enveloped-signature", b"#base64"),
        (b"<ds:Transforms><ds:Transform ", b'<ds:Transforms><ds:Transform Algorithm="x"/><ds:Transform '),
        (b"<ds:SignedInfo>", b"<ds:SignedInfo>text"),
        (b"</ds:SignatureValue>", b"\n</ds:SignatureValue>"),
        (b"<ds:X509Data>", b"<ds:X509Data><ds:X509SKI>AA==</ds:X509SKI>"),
    ],
)
def test_any_other_shape_of_signature_is_refused(old: bytes, new: bytes) -> None:
    assert old in SIMULATED
    with pytest.raises(MalformedEvidence):
        rim.parse_manifest(SIMULATED.replace(old, new, 1), "rim")


def test_a_chain_that_is_not_for_reference_values_is_refused() -> None:
    found = rim.parse_manifest(SIMULATED, "rim")
    with pytest.raises(ManifestInvalid, match="no authority over reference values"):
        rim.check_signer((found.chain[0], found.chain[3], *found.chain[2:]), "rim")
    with pytest.raises(ManifestInvalid, match="may not sign"):
        rim.check_signer(found.chain[1:] + found.chain[:1], "rim")


@pytest.mark.parametrize(
    "resources",
    [
        [resource(), resource()],
        [resource(index=64)],
        [resource(index="01")],
        [resource(index="-1")],
        [resource(active="true")],
        [resource(count=0)],
        [resource(count=2)],
        [resource(value="AB" * 48)],
        [resource(value="ab" * 32)],
        [resource().replace('"Measurement"', '"Other"')],
        [resource().replace('"48"', '"32"')],
        [resource().replace(' size="48"', "")],
        [resource().replace("/>", ">x</ns0:Resource>")],
        [resource().replace("ns0:Resource", "ns0:File")],
        ["text"],
    ],
)
def test_a_payload_in_another_form_is_refused(resources: list[str]) -> None:
    with pytest.raises(MalformedEvidence):
        rim.parse_manifest(written(*resources), "rim")


def test_alternatives_are_all_accepted_and_counted() -> None:
    two = resource(count=2).replace(" name=", f' ns2:Hash1="{"cd" * 48}" name=')
    found = verified(written(two))
    assert found.goldens == {0: (bytes.fromhex("ab" * 48), bytes.fromhex("cd" * 48))}
    for value in ("ab", "cd"):
        reference.check_measurements([bytes.fromhex(value * 48)], found, "gpu")
    with pytest.raises(MeasurementMismatch, match="measurements 0 "):
        reference.check_measurements([bytes(48)], found, "gpu")
    with pytest.raises(MalformedEvidence):
        rim.parse_manifest(written(two.replace('alternatives="2"', 'alternatives="1"')), "rim")


def test_a_value_the_device_does_not_report_is_a_failure() -> None:
    found = verified(written(resource(index=5)))
    with pytest.raises(MeasurementMismatch, match="measurements 5 "):
        reference.check_measurements([bytes.fromhex("ab" * 48)] * 5, found, "gpu")


def test_a_manifest_without_active_values_matches_nothing() -> None:
    with pytest.raises(MeasurementMismatch, match="no values"):
        reference.check_measurements([bytes(48)] * 64, verified(written(resource(active="False"))), "gpu")


def test_two_manifests_may_not_claim_one_index() -> None:
    found = verified(written(resource()))
    with pytest.raises(ManifestInvalid, match="both have a value"):
        reference.check_no_conflict([found, dataclasses.replace(found)], "gpu")


def test_of_two_sound_manifests_for_one_version_the_one_that_fits_counts() -> None:
    wrong, right = written(resource(value="00" * 48)), written(resource())
    measurements = [bytes.fromhex("ab" * 48)] * 64
    for rims in ((wrong, right), (right, wrong)):
        candidates = reference.Manifests(rims).find("GPU", "GH100", "550.90.07")
        assert len(candidates) == 2
        found = reference.matching_manifest(candidates, measurements, NOW_NS, VerifiedLinks(), "gpu")
        assert found is not None and found.goldens[0] == (measurements[0],)
    candidates = reference.Manifests([wrong]).find("GPU", "GH100", "550.90.07")
    with pytest.raises(MeasurementMismatch):
        reference.matching_manifest(candidates, measurements, NOW_NS, VerifiedLinks(), "gpu")


def test_manifests_are_found_by_what_the_device_states_only() -> None:
    manifests = reference.Manifests([SIMULATED, written(resource(), version="96.00.9f.00.01")])
    assert len(manifests.find("GPU", "GH100", "550.90.07")) == 1
    assert len(manifests.find("GPU", "GH100", "96.00.9F.00.01")) == 1
    for edition, chip, version in (
        ("SWITCH", "GH100", "550.90.07"),
        ("GPU", "GB100", "550.90.07"),
        ("GPU", "GH100", "550.90.7"),
    ):
        assert manifests.find(edition, chip, version) == []
