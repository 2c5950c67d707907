"""Firmware ids in leaf certificates: both kinds are read, and only whole."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from attestation import MalformedEvidence
from attestation.nvidia.firmware_id import (
    OID_COMPOSITE_DEVICE_ID,
    OID_DICE_TCB_INFO,
    certified_firmware_id,
)
from attestation.simulator.certificates import Extension, issue, nvidia_authority_name, raw_extension
from attestation.x509 import parse_certificate

KEY = ec.derive_private_key(7, ec.SECP384R1())
NAME = nvidia_authority_name("SIMULATED leaf")


def leaf_with(*extensions: Extension) -> bytes | None:
    made = issue(NAME, KEY, NAME, KEY, 1, extensions).public_bytes(Encoding.DER)
    return certified_firmware_id(parse_certificate(made, "leaf"), "leaf")


def der(tag: int, content: bytes) -> bytes:
    header = bytes((tag, len(content))) if len(content) < 128 else bytes((tag, 0x81, len(content)))
    return header + content


SHA384_OID = bytes.fromhex("0609608648016503040202")


def fwid(digest: bytes, oid: bytes = SHA384_OID) -> bytes:
    return der(0x30, oid + der(0x04, digest))


def tcb_info(*fwids: bytes) -> bytes:
    return der(
        0x30, der(0x80, b"NVIDIA") + der(0x83, b"\x01") + der(0xA6, b"".join(fwids)) + der(0x87, b"\x00\x80")
    )


def test_the_first_firmware_id_of_a_tcb_info_is_read() -> None:
    value = tcb_info(fwid(b"\x11" * 48), fwid(bytes(48)))
    assert leaf_with(raw_extension(OID_DICE_TCB_INFO, value)) == b"\x11" * 48


def test_a_leaf_without_a_firmware_id_has_none() -> None:
    assert leaf_with(raw_extension("1.2.3", b"x")) is None


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\x30\x00",
        tcb_info(),
        tcb_info(fwid(bytes(32))),
        tcb_info(fwid(bytes(48), bytes.fromhex("0609608648016503040201"))),
        der(0x30, der(0x80, b"NVIDIA")),
        tcb_info(fwid(bytes(48))) + b"\0",
    ],
)
def test_a_malformed_tcb_info_is_refused(value: bytes) -> None:
    with pytest.raises(MalformedEvidence):
        leaf_with(raw_extension(OID_DICE_TCB_INFO, value))


@pytest.mark.parametrize(
    "value",
    [
        b"",
        der(0x30, b"\x02\x01\x01"),
        der(0x30, b"\x02\x01\x01" + der(0x30, b"") + fwid(bytes(32))),
        der(0x30, b"\x02\x01\x01" + der(0x30, b"") + fwid(bytes(48)) + b"\x05\x00"),
    ],
)
def test_a_malformed_composite_device_id_is_refused(value: bytes) -> None:
    with pytest.raises(MalformedEvidence):
        leaf_with(raw_extension(OID_COMPOSITE_DEVICE_ID, value))


def test_a_leaf_with_two_kinds_of_firmware_id_is_refused() -> None:
    with pytest.raises(MalformedEvidence, match="two kinds"):
        leaf_with(
            raw_extension(OID_DICE_TCB_INFO, tcb_info(fwid(bytes(48)))),
            raw_extension(OID_COMPOSITE_DEVICE_ID, b"x"),
        )
