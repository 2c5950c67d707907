"""SEV-SNP evidence: each check refuses what it is there to refuse."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from attestation import (
    AttestationError,
    ChainInvalid,
    EvidenceInconsistent,
    HardwareIdMismatch,
    MalformedEvidence,
    SecurityVersionMismatch,
    SignatureInvalid,
    VerifiedLinks,
)
from attestation.amd import report as layout
from attestation.amd import verify as amd
from attestation.amd.tcb import (
    OID_HARDWARE_ID,
    OID_PRODUCT_NAME,
    PRODUCTS,
    SPL_EXTENSIONS,
    decode_tcb,
    describe_tcb,
)
from attestation.simulator import Settings
from attestation.simulator.certificates import amd_name, issue, raw_extension
from attestation.simulator.development_pki import load_authority
from attestation.simulator.seeds import derive_key
from attestation.simulator.snp import SimulatedPlatform
from attestation.x509 import parse_certificate

if TYPE_CHECKING:
    from tests.attestation.conftest import Samples

NOW_NS = 1_790_000_000 * 1_000_000_000
DATA = bytes(range(64))


def platform(**settings: object) -> SimulatedPlatform:
    return SimulatedPlatform(b"tests", Settings(**settings))  # type: ignore[arg-type]


GOOD = platform()
REPORT = GOOD.report(DATA)


def verify(report: bytes, chain: tuple[bytes, ...] = GOOD.chain) -> amd.SnpEvidence:
    evidence = amd.read_evidence(report, chain, NOW_NS)
    amd.check_signatures(evidence, VerifiedLinks())
    return evidence


def patched(offset: int, value: bytes) -> bytes:
    return REPORT[:offset] + value + REPORT[offset + len(value) :]


def test_every_field_is_read_from_its_place() -> None:
    evidence = verify(platform(debug=True, migratable=True, vmpl=2, measurement="5a" * 48).report(DATA))
    report = evidence.report
    assert report.report_data == DATA
    assert report.measurement == bytes.fromhex("5a" * 48)
    assert report.chip_id == GOOD.chip_id
    assert (report.debug, report.migratable, report.vmpl, report.family) == (True, True, 2, 0x19)
    assert evidence.tcb == {"bootloader": 10, "tee": 0, "snp": 23, "microcode": 84}
    assert describe_tcb(evidence.tcb) == "bootloader 10, tee 0, snp 23, microcode 84"
    assert evidence.product.name == "Genoa"


@pytest.mark.parametrize("length", [0, 1183, 1185])
def test_a_report_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(MalformedEvidence, match="1184"):
        layout.parse_report((REPORT + b"\0")[:length])


@pytest.mark.parametrize("version", [0, 1, 6, 2**32 - 1])
def test_a_report_of_an_unknown_version_is_refused(version: int) -> None:
    with pytest.raises(MalformedEvidence, match="version"):
        layout.parse_report(patched(layout.VERSION, version.to_bytes(4, "little")))


def test_a_report_of_version_2_has_no_family() -> None:
    assert layout.parse_report(patched(layout.VERSION, b"\x02")).family is None


def test_another_signature_algorithm_is_refused() -> None:
    with pytest.raises(MalformedEvidence, match="algorithm"):
        layout.parse_report(patched(layout.SIGNATURE_ALGORITHM, b"\x02"))


def test_a_reserved_signing_key_is_refused() -> None:
    with pytest.raises(MalformedEvidence, match="signing key"):
        layout.parse_report(patched(layout.KEY_FLAGS, bytes((3 << 2,))))


@pytest.mark.parametrize(("number", "name"), [(1, "VLEK"), (7, "none")])
def test_a_report_not_signed_by_a_vcek_is_refused(number: int, name: str) -> None:
    with pytest.raises(EvidenceInconsistent, match=name):
        amd.read_evidence(patched(layout.KEY_FLAGS, bytes((number << 2,))), GOOD.chain, NOW_NS)


@pytest.mark.parametrize("offset", [layout.SIGNATURE_END, layout.REPORT_BYTES - 1])
def test_bytes_after_the_signature_must_be_zero(offset: int) -> None:
    with pytest.raises(MalformedEvidence, match="not zero"):
        layout.parse_report(patched(offset, b"\x01"))


def test_a_report_of_another_family_is_refused() -> None:
    with pytest.raises(EvidenceInconsistent, match="family"):
        amd.read_evidence(patched(layout.CPUID_FAMILY, b"\x1a"), GOOD.chain, NOW_NS)


def test_a_report_of_another_chip_is_refused() -> None:
    for chip_id in (bytes(64), b"\x01" * 64, GOOD.chip_id[:-1] + b"\0"):
        with pytest.raises(HardwareIdMismatch, match="chip_id"):
            verify(platform(reported_chip_id=chip_id).report(DATA))


@pytest.mark.parametrize("component", ["bootloader", "tee", "snp", "microcode"])
def test_a_report_of_other_firmware_than_the_vceks_is_refused(component: str) -> None:
    tcb = Settings().tcb
    faulty = platform(reported_tcb={**tcb, component: tcb[component] + 1})
    with pytest.raises(SecurityVersionMismatch, match=component):
        verify(faulty.report(DATA), faulty.chain)


def test_a_report_signed_by_another_chip_is_refused() -> None:
    other = SimulatedPlatform(b"another", Settings(reported_chip_id=GOOD.chip_id))
    with pytest.raises(SignatureInvalid, match=r"cpu\.signature"):
        verify(other.report(DATA))


def test_a_changed_byte_anywhere_in_the_report_is_refused() -> None:
    links = VerifiedLinks()
    for offset in range(0, layout.REPORT_BYTES, 5):
        with pytest.raises(AttestationError):
            changed = patched(offset, bytes((REPORT[offset] ^ 0x40,)))
            amd.check_signatures(amd.read_evidence(changed, GOOD.chain, NOW_NS), links)


def test_the_signature_numbers_are_little_endian_and_below_the_order() -> None:
    r = REPORT[layout.SIGNATURE_R : layout.SIGNATURE_S]
    for wrong in (r[::-1], b"\xff" * 72, bytes(72), r[:48] + b"\x01" + bytes(23)):
        with pytest.raises(SignatureInvalid):
            verify(patched(layout.SIGNATURE_R, wrong))


def vcek(
    product: str = "Genoa", drop: str = "", common_name: str = "SEV-VCEK", **values: bytes
) -> tuple[bytes, ...]:
    """The chain with a VCEK whose extensions are changed."""
    extensions = dict(parse_certificate(GOOD.chain[0], "vcek").extensions)
    extensions[OID_PRODUCT_NAME] = bytes((0x16, len(product))) + product.encode()
    extensions.update({SPL_EXTENSIONS.get(name, OID_HARDWARE_ID): value for name, value in values.items()})
    extensions.pop(drop, None)
    ask = load_authority("amd_ask")
    made = issue(
        amd_name(common_name),
        derive_key(b"tests", "vcek"),
        ask.name,
        ask.key,
        1,
        [raw_extension(oid, value) for oid, value in extensions.items()],
    )
    return made.public_bytes(Encoding.DER), *GOOD.chain[1:]


def test_a_vcek_made_by_hand_is_accepted() -> None:
    verify(REPORT, vcek())
    verify(REPORT, vcek("Genoa-B1"))


@pytest.mark.parametrize("drop", [OID_HARDWARE_ID, OID_PRODUCT_NAME, SPL_EXTENSIONS["snp"]])
def test_a_vcek_without_one_of_its_extensions_is_refused(drop: str) -> None:
    with pytest.raises(ChainInvalid, match="no extension"):
        verify(REPORT, vcek(drop=drop))


def test_a_vcek_of_an_unknown_product_or_name_is_refused() -> None:
    with pytest.raises(ChainInvalid, match="product"):
        verify(REPORT, vcek("Rome"))
    with pytest.raises(ChainInvalid, match="SEV-VLEK-Genoa"):
        verify(REPORT, vcek(common_name="SEV-VLEK"))


def test_a_vcek_of_another_product_than_its_issuers_is_refused() -> None:
    with pytest.raises(ChainInvalid, match="SEV-Milan"):
        verify(REPORT, vcek("Milan"))


@pytest.mark.parametrize("hardware_id", [b"", bytes(64), GOOD.chip_id[:8], GOOD.chip_id + b"\0"])
def test_a_vcek_for_other_hardware_is_refused(hardware_id: bytes) -> None:
    with pytest.raises(HardwareIdMismatch, match="chip_id"):
        verify(REPORT, vcek(hardware_id=hardware_id))


@pytest.mark.parametrize("value", [b"\x02\x01\x18", b"\x02\x02\x00\x17", b"\x02\x01\x17\x00", b"\x17", b""])
def test_a_security_version_that_differs_or_is_malformed_is_refused(value: bytes) -> None:
    with pytest.raises((EvidenceInconsistent, MalformedEvidence)):
        verify(REPORT, vcek(snp=value))


def test_an_ask_with_an_elliptic_key_is_refused() -> None:
    ark = load_authority("amd_ark")
    key = ec.derive_private_key(5, ec.SECP384R1())
    constraints = parse_certificate(GOOD.chain[1], "ask").extensions
    made = issue(
        amd_name("SEV-Genoa"),
        key,
        ark.name,
        ark.key,
        9,
        [raw_extension(o, v) for o, v in constraints.items()],
    )
    with pytest.raises(ChainInvalid, match="RSA"):
        verify(REPORT, (GOOD.chain[0], made.public_bytes(Encoding.DER), GOOD.chain[2]))


def test_certificates_in_another_order_are_refused() -> None:
    with pytest.raises(AttestationError):
        verify(REPORT, GOOD.chain[::-1])


def test_turin_has_its_own_layout() -> None:
    turin = PRODUCTS["Turin"]
    tcb = decode_tcb(turin, bytes((1, 2, 3, 4, 0, 0, 0, 5)))
    assert tcb == {"fmc": 1, "bootloader": 2, "tee": 3, "snp": 4, "microcode": 5}


def test_turins_hardware_id_is_8_bytes_followed_by_zeros() -> None:
    report = layout.parse_report(REPORT)
    short = dataclasses.replace(report, chip_id=GOOD.chip_id[:8] + bytes(56))
    certificate = parse_certificate(vcek(hardware_id=GOOD.chip_id[:8])[0], "vcek")
    amd.check_hardware_id(short, certificate, PRODUCTS["Turin"])
    with pytest.raises(HardwareIdMismatch):
        amd.check_hardware_id(report, certificate, PRODUCTS["Turin"])


def test_genuine_evidence_verifies(samples: Samples) -> None:
    for report, leaf, authorities, product in (
        ("milan_v2_report.bin", "milan_v2_vcek.der", "ask_ark_milan.pem", "Milan"),
        ("milan_v2_debug_report.bin", "milan_v2_debug_vcek.der", "ask_ark_milan.pem", "Milan"),
        ("genoa_v3_azure_report.bin", "genoa_v3_azure_vcek.pem", "ask_ark_genoa.pem", "Genoa"),
    ):
        data, chain = samples.amd(f"amd/{report}", f"amd/{leaf}", f"amd/{authorities}")
        evidence = amd.read_evidence(data, chain, 1_763_000_000 * 1_000_000_000)
        amd.check_signatures(evidence, VerifiedLinks())
        assert evidence.product.name == product
        assert evidence.report.debug is ("debug" in report)


def test_genuine_evidence_with_a_changed_byte_is_refused(samples: Samples) -> None:
    data, chain = samples.amd(
        "amd/genoa_v3_azure_report.bin", "amd/genoa_v3_azure_vcek.pem", "amd/ask_ark_genoa.pem"
    )
    links = VerifiedLinks()
    for offset in range(0, len(data), 11):
        changed = data[:offset] + bytes((data[offset] ^ 1,)) + data[offset + 1 :]
        with pytest.raises(AttestationError):
            amd.check_signatures(amd.read_evidence(changed, chain, 1_763_000_000 * 1_000_000_000), links)


def test_genuine_vleks_authorities_are_not_taken_for_vceks(samples: Samples) -> None:
    data, chain = samples.amd(
        "amd/milan_v2_report.bin", "amd/milan_v2_vcek.der", "amd/ask_ark_milan_vlek.pem"
    )
    with pytest.raises(ChainInvalid):
        amd.read_evidence(data, chain, 1_763_000_000 * 1_000_000_000)
