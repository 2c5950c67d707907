"""DER: what is read, and that nothing else is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation import MalformedEvidence
from attestation.crypto import der
from attestation.crypto.der import DerReader


def reader(hexadecimal: str) -> DerReader:
    return DerReader(bytes.fromhex(hexadecimal), "test")


@pytest.mark.parametrize(
    ("data", "value"),
    [("020100", 0), ("02017f", 127), ("02020080", 128), ("020300ffff", 65535), ("0203010001", 65537)],
)
def test_integers_are_read(data: str, value: int) -> None:
    assert reader(data).integer() == value


@pytest.mark.parametrize("data", ["0200", "0201ff", "02020001", "0202007f", "02", "020201", "030100", ""])
def test_integers_that_are_negative_padded_or_cut_short_are_refused(data: str) -> None:
    with pytest.raises(MalformedEvidence):
        reader(data).integer()


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("0603550403", "2.5.4.3"),
        ("06092b060104019c780104", "1.3.6.1.4.1.3704.1.4"),
        ("0606678105050401", "2.23.133.5.4.1"),
    ],
)
def test_object_identifiers_are_read(data: str, value: str) -> None:
    assert reader(data).object_identifier() == value


@pytest.mark.parametrize(
    "data", ["0600", "060180", "06035580 03".replace(" ", ""), "0621" + "2a" * 33, "060355ff"]
)
def test_object_identifiers_that_are_empty_padded_or_too_long_are_refused(data: str) -> None:
    with pytest.raises(MalformedEvidence):
        reader(data).object_identifier()


@pytest.mark.parametrize(
    "data",
    [
        "3080 0000",  # indefinite length
        "308100",  # long form for a short length
        "30817f" + "00" * 127,
        "30820080" + "00" * 128,  # leading zero in the length
        "3084000000010 0".replace(" ", ""),
        "3003020100 00",  # bytes after the value
        "30050201",  # cut short
        "30",
        "3f020100",
    ],
)
def test_lengths_not_in_their_only_form_are_refused(data: str) -> None:
    with pytest.raises(MalformedEvidence):
        der.sole_element(bytes.fromhex(data.replace(" ", "")), der.SEQUENCE, "test")


def test_long_lengths_are_read() -> None:
    for length in (128, 255, 256, 65535, 65536):
        octets = (length.bit_length() + 7) // 8
        data = bytes((0x04, 0x80 | octets)) + length.to_bytes(octets, "big") + bytes(length)
        assert len(DerReader(data, "test").value(der.OCTET_STRING)) == length


@pytest.mark.parametrize("data", ["010101", "010100ff", "0100", "01020000"])
def test_booleans_other_than_00_and_ff_are_refused(data: str) -> None:
    with pytest.raises(MalformedEvidence):
        fields = reader(data)
        fields.boolean()
        fields.finish()


@pytest.mark.parametrize("data", ["0300", "030101", "03020780"])
def test_bit_strings_of_broken_bytes_are_refused(data: str) -> None:
    with pytest.raises(MalformedEvidence):
        reader(data).bit_string()


def test_an_element_inside_cannot_reach_past_its_container() -> None:
    inside = der.sole_element(bytes.fromhex("3004020400ff"), der.SEQUENCE, "test")
    with pytest.raises(MalformedEvidence):
        inside.integer()


READERS: list[Callable[[DerReader], object]] = [
    DerReader.integer,
    DerReader.boolean,
    DerReader.bit_string,
    DerReader.object_identifier,
    DerReader.any_value,
    lambda fields: fields.enter(der.SEQUENCE),
    lambda fields: fields.element(der.SET),
]


@given(data=st.binary(max_size=64), read=st.sampled_from(READERS))
def test_arbitrary_bytes_give_a_value_or_the_named_error(
    data: bytes, read: Callable[[DerReader], object]
) -> None:
    try:
        read(DerReader(data, "fuzz"))
    except MalformedEvidence as error:
        assert error.claim == "fuzz"


@given(number=st.integers(0, 2**520))
def test_integers_survive_a_round_trip(number: int) -> None:
    content = number.to_bytes(number.bit_length() // 8 + 1, "big")
    assert DerReader(bytes((2, len(content))) + content, "test").integer() == number
