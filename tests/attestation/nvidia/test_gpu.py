"""GPU evidence: each check refuses what it is there to refuse."""

from __future__ import annotations

import os

import pytest
from cryptography import x509 as openssl
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding

from attestation import (
    AttestationError,
    ChainInvalid,
    EvidenceInconsistent,
    FirmwareMismatch,
    GpuEvidence,
    MalformedEvidence,
    NonceMismatch,
    SignatureInvalid,
    VerifiedLinks,
)
from attestation.nvidia import report as layout
from attestation.nvidia import spdm
from attestation.nvidia import verify as nvidia
from attestation.nvidia.firmware_id import (
    OID_COMPOSITE_DEVICE_ID,
)
from attestation.simulator import Settings
from attestation.simulator.certificates import (
    Extension,
    authority,
    issue,
    nvidia_authority_name,
    nvidia_device_name,
    raw_extension,
    report_signer,
)
from attestation.simulator.development_pki import load_authority
from attestation.simulator.gpu import SimulatedGpu
from attestation.simulator.gpu_chips import FIRMWARE_ID, GPU_CHIPS
from attestation.simulator.seeds import derive_key
from attestation.x509 import parse_certificate

NOW_NS = 1_790_000_000 * 1_000_000_000
NONCE = bytes(range(32))
SEED = b"tests"
BROM_COMMON_NAME = GPU_CHIPS["GH100"].brom_common_name
LEAF_COMMON_NAME = GPU_CHIPS["GH100"].leaf_common_name
EXHAUSTIVE = os.environ.get("LEASEHOLD_EXHAUSTIVE") == "1"


def gpu(**settings: object) -> SimulatedGpu:
    return SimulatedGpu(SEED, 0, Settings(**settings))  # type: ignore[arg-type]


GOOD = gpu()
REPORT = GOOD.report(NONCE)
OPAQUE = spdm.RECORDS + layout.GPU_RECORDS * spdm.RECORD_BYTES + 32 + 2


def verify(
    report: bytes = REPORT, chain: tuple[bytes, ...] = GOOD.chain, links: VerifiedLinks | None = None
) -> nvidia.VerifiedGpu:
    verified = nvidia.read_evidence(GpuEvidence(report, chain), NONCE, NOW_NS, "gpu[0]")
    nvidia.check_signatures(verified, links or VerifiedLinks(), "gpu[0]")
    return verified


def patched(offset: int, value: bytes) -> bytes:
    return REPORT[:offset] + value + REPORT[offset + len(value) :]


def with_fields(*fields: tuple[int, bytes], drop: tuple[int, ...] = ()) -> bytes:
    """The report with opaque fields dropped and appended, signed anew."""
    kept = [(kind, value) for kind, value in opaque_fields() if kind not in drop]
    opaque = b"".join(
        kind.to_bytes(2, "little") + len(value).to_bytes(2, "little") + value
        for kind, value in (*kept, *fields)
    )
    return signed(REPORT[: OPAQUE - 2] + len(opaque).to_bytes(2, "little") + opaque)


def opaque_fields() -> list[tuple[int, bytes]]:
    data = REPORT[OPAQUE:-96]
    fields = []
    while data:
        kind, length = int.from_bytes(data[:2], "little"), int.from_bytes(data[2:4], "little")
        fields.append((kind, data[4 : 4 + length]))
        data = data[4 + length :]
    return fields


def signed(body: bytes) -> bytes:
    key = derive_key(SEED, "gpu 0 leaf")
    r, s = decode_dss_signature(key.sign(body, ec.ECDSA(SHA384())))
    return body + r.to_bytes(48, "big") + s.to_bytes(48, "big")


def test_every_field_is_read_from_its_place() -> None:
    verified = verify()
    report = verified.report
    assert report.nonce == NONCE
    assert (report.driver, report.vbios, report.mode) == ("550.90.07", "96.00.9F.00.01", "single-gpu")
    assert report.reference_id == "1010_0200_882_96009F0001"
    assert report.firmware_id == FIRMWARE_ID and verified.firmware_bound
    assert len(report.measurements) == 64 and len(set(report.measurements)) == 64
    assert (verified.device_id, verified.chip) == (GOOD.device_id, "GH100")


def test_every_truncation_and_an_extension_are_refused() -> None:
    for length in range(len(REPORT)):
        with pytest.raises(MalformedEvidence):
            layout.parse_report(REPORT[:length], "report")
    with pytest.raises(MalformedEvidence):
        layout.parse_report(REPORT + b"\0", "report")


def test_every_changed_byte_of_the_report_is_refused() -> None:
    links = VerifiedLinks()
    verify(links=links)
    for offset in range(0, len(REPORT), 1 if EXHAUSTIVE else 3):
        with pytest.raises(AttestationError):
            verify(patched(offset, bytes((REPORT[offset] ^ 1 << offset % 8,))), links=links)


def test_every_changed_byte_of_the_chain_is_refused_or_changes_the_roots_fingerprint() -> None:
    links = VerifiedLinks()
    root = verify(links=links).root_sha256
    for depth, der in enumerate(GOOD.chain):
        for offset in range(0, len(der), 1 if EXHAUSTIVE else 3):
            changed = der[:offset] + bytes((der[offset] ^ 1 << offset % 8,)) + der[offset + 1 :]
            chain = (*GOOD.chain[:depth], changed, *GOOD.chain[depth + 1 :])
            try:
                found = verify(chain=chain, links=links).root_sha256
            except AttestationError:
                continue
            assert depth == 4 and found != root


@pytest.mark.parametrize("offset", [0, 1, 2, 3, spdm.RESPONSE, spdm.RESPONSE + 1])
def test_another_request_or_response_code_is_refused(offset: int) -> None:
    with pytest.raises(MalformedEvidence, match="request and response"):
        layout.parse_report(patched(offset, bytes((REPORT[offset] ^ 1,))), "report")


def test_another_number_or_length_of_records_is_refused() -> None:
    for offset, value in ((spdm.BLOCK_COUNT, b"\x3f"), (spdm.RECORDS_LENGTH, b"\x00\x00\x01")):
        with pytest.raises(MalformedEvidence, match="records"):
            layout.parse_report(patched(offset, value), "report")


@pytest.mark.parametrize("place", [0, 1, 2, 3, 4, 5, 6])
def test_a_record_with_another_header_is_refused(place: int) -> None:
    offset = spdm.RECORDS + 5 * spdm.RECORD_BYTES + place
    with pytest.raises(MalformedEvidence, match="record 6"):
        layout.parse_report(patched(offset, bytes((REPORT[offset] ^ 1,))), "report")


def test_two_records_of_one_index_are_refused() -> None:
    with pytest.raises(MalformedEvidence, match="record 2"):
        layout.parse_report(patched(spdm.RECORDS + spdm.RECORD_BYTES, b"\x01"), "report")


def test_an_opaque_field_that_occurs_twice_is_refused() -> None:
    with pytest.raises(MalformedEvidence, match="occurs twice"):
        verify(with_fields((layout.DRIVER_VERSION, b"999.0\0")))


@pytest.mark.parametrize(
    "kind", [layout.DRIVER_VERSION, layout.VBIOS_VERSION, layout.CHIP_SKU, layout.PROJECT, layout.PROJECT_SKU]
)
def test_a_missing_field_is_refused(kind: int) -> None:
    with pytest.raises(MalformedEvidence, match=f"field {kind} is missing"):
        verify(with_fields(drop=(kind,)))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (layout.DRIVER_VERSION, b""),
        (layout.DRIVER_VERSION, b"five\0"),
        (layout.DRIVER_VERSION, b"550\0.1"),
        (layout.DRIVER_VERSION, b"550.90\xff"),
        (layout.VBIOS_VERSION, bytes(7)),
        (layout.VBIOS_VERSION, bytes(7) + b"\x01"),
        (layout.PROJECT, b"../x"),
        (layout.PROJECT, b""),
        (layout.CHIP_SKU, b"882\xff"),
        (layout.FIRMWARE_ID, bytes(47)),
        (layout.PROTECTED_PCIE, b""),
        (layout.PROTECTED_PCIE, b"\x00"),
        (layout.PROTECTED_PCIE, b"\x55\x55"),
        (layout.FEATURE_FLAG, b"\x00"),
        (layout.FEATURE_FLAG, b"\x03\x00"),
        (layout.CHIP, b"gh100\0"),
    ],
)
def test_a_field_with_a_malformed_value_is_refused(kind: int, value: bytes) -> None:
    with pytest.raises(MalformedEvidence):
        verify(with_fields((kind, value), drop=(kind,)))


def test_opaque_fields_are_bounded_at_64() -> None:
    extra = [(1000 + index, b"") for index in range(64 - len(opaque_fields()))]
    verify(with_fields(*extra))
    with pytest.raises(MalformedEvidence, match="more than 64"):
        verify(with_fields(*extra, (2000, b"")))


def test_an_opaque_field_that_reaches_past_the_data_is_refused() -> None:
    with pytest.raises(MalformedEvidence, match="cut short"):
        layout.parse_report(patched(OPAQUE + 2, b"\xff\xff"), "report")


@pytest.mark.parametrize(
    ("fields", "mode"),
    [
        ([], "single-gpu"),
        ([(layout.PROTECTED_PCIE, b"\x55")], "single-gpu"),
        ([(layout.PROTECTED_PCIE, b"\xaa")], "protected-pcie"),
        ([(layout.FEATURE_FLAG, b"\0\0")], "single-gpu"),
        ([(layout.FEATURE_FLAG, b"\1\0")], "multi-gpu"),
        ([(layout.FEATURE_FLAG, b"\2\0"), (layout.PROTECTED_PCIE, b"\xaa")], "protected-pcie"),
    ],
)
def test_the_mode_is_read_from_whichever_field_the_driver_carries(
    fields: list[tuple[int, bytes]], mode: str
) -> None:
    report = with_fields(*fields, drop=(layout.PROTECTED_PCIE, layout.FEATURE_FLAG))
    assert verify(report).report.mode == mode


def test_contradicting_modes_are_refused() -> None:
    both = (layout.PROTECTED_PCIE, layout.FEATURE_FLAG)
    with pytest.raises(EvidenceInconsistent, match="contradicts"):
        verify(with_fields((both[0], b"\xaa"), (both[1], b"\0\0"), drop=both))


def test_a_report_for_another_nonce_is_refused() -> None:
    with pytest.raises(NonceMismatch, match="nonce"):
        verify(GOOD.report(bytes(32)))


def test_a_report_of_other_firmware_than_was_certified_is_refused() -> None:
    with pytest.raises(FirmwareMismatch, match="firmware_id"):
        verify(gpu(reported_firmware_id=bytes(48)).report(NONCE))


def test_a_report_without_firmware_id_is_marked_as_unbound() -> None:
    assert verify(gpu(omit_firmware_id=True).report(NONCE)).firmware_bound is False


def test_a_report_of_another_chip_than_was_certified_is_refused() -> None:
    assert verify(with_fields((layout.CHIP, b"GH100\0"))).report.chip == "GH100"
    with pytest.raises(EvidenceInconsistent, match="chip"):
        verify(with_fields((layout.CHIP, b"GB100\0")))


def test_a_report_signed_by_another_gpu_is_refused() -> None:
    with pytest.raises(SignatureInvalid, match=r"gpu\[0\].signature"):
        verify(SimulatedGpu(SEED, 1, Settings()).report(NONCE))


def made(
    depth: int,
    key: ec.EllipticCurvePrivateKey,
    name: openssl.Name,
    issuer_name: openssl.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    extensions: tuple[Extension, ...],
) -> tuple[bytes, ...]:
    """The chain with one certificate replaced."""
    der = issue(name, key, issuer_name, issuer_key, 5, extensions).public_bytes(Encoding.DER)
    return (*GOOD.chain[:depth], der, *GOOD.chain[depth + 1 :])


def leaf(
    common_name: str = LEAF_COMMON_NAME, extensions: tuple[Extension, ...] | None = None
) -> tuple[bytes, ...]:
    fwid = parse_certificate(GOOD.chain[0], "leaf").extensions[OID_COMPOSITE_DEVICE_ID]
    return made(
        0,
        derive_key(SEED, "gpu 0 leaf"),
        nvidia_device_name("00", common_name),
        nvidia_device_name(GOOD.device_id, BROM_COMMON_NAME),
        derive_key(SEED, "gpu 0 brom"),
        extensions or (report_signer(), raw_extension(OID_COMPOSITE_DEVICE_ID, fwid)),
    )


def brom(device_id: str, common_name: str = BROM_COMMON_NAME) -> tuple[bytes, ...]:
    """The chain of a device with another id or name, rightly signed throughout."""
    provisioner = load_authority("nvidia_provisioner")
    assert isinstance(provisioner.key, ec.EllipticCurvePrivateKey)
    key = derive_key(SEED, "gpu 0 brom")
    name = nvidia_device_name(device_id, common_name)
    chain = made(1, key, name, provisioner.name, provisioner.key, tuple(authority(None)))
    fwid = parse_certificate(GOOD.chain[0], "leaf").extensions[OID_COMPOSITE_DEVICE_ID]
    signer = made(
        0,
        derive_key(SEED, "gpu 0 leaf"),
        nvidia_device_name("00", LEAF_COMMON_NAME),
        name,
        key,
        (report_signer(), raw_extension(OID_COMPOSITE_DEVICE_ID, fwid)),
    )
    return (signer[0], *chain[1:])


def test_chains_made_by_hand_are_accepted() -> None:
    verify(chain=leaf())
    assert verify(chain=brom("41" + "0F" * 8)).device_id == "41" + "0F" * 8


@pytest.mark.parametrize(
    "device_id", ["50" + "0F" * 8, "41" + "0f" * 8, "41" + "0F" * 7, "41" + "0F" * 9, "X"]
)
def test_a_device_id_that_is_no_gpus_is_refused(device_id: str) -> None:
    with pytest.raises(ChainInvalid, match="device_id"):
        verify(chain=brom(device_id))


@pytest.mark.parametrize("name", ["SIMULATED GH100 A01 GSP", "GH100 A01 FSP FMC LF", BROM_COMMON_NAME, "x"])
def test_a_leaf_with_another_role_is_refused(name: str) -> None:
    with pytest.raises(ChainInvalid, match="not the name"):
        verify(chain=leaf(name))


def test_a_leaf_of_another_chip_than_its_broms_is_refused() -> None:
    with pytest.raises(ChainInvalid, match="GB100"):
        verify(chain=leaf("SIMULATED GB100 A01 GSP FMC LF"))


def test_a_leaf_that_may_not_sign_is_refused() -> None:
    with pytest.raises(ChainInvalid, match="may not sign"):
        verify(chain=leaf(extensions=(raw_extension("1.2.3", b"x"),)))


@pytest.mark.parametrize("length", [1, 2, 4, 6])
def test_a_chain_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ChainInvalid, match="must have 5"):
        verify(chain=(GOOD.chain * 2)[:length])


def test_an_authority_of_ones_own_making_in_the_middle_is_refused() -> None:
    key = ec.derive_private_key(77, ec.SECP384R1())
    name = nvidia_authority_name("SIMULATED NVIDIA GH100 Provisioner ICA 1")
    identity = load_authority("nvidia_identity")
    with pytest.raises(SignatureInvalid, match=r"chain\[2\].signature|chain\[1\].signature"):
        verify(chain=made(2, key, name, identity.name, key, tuple(authority(None))))
