"""Certificates: read like OpenSSL reads them, and strict where it is lenient."""

from __future__ import annotations

import datetime

import pytest
from cryptography import x509 as openssl
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from attestation import Evidence, MalformedEvidence
from attestation.public_keys import EcKey, RsaKey
from attestation.simulator.certificates import (
    END_OF_TIME,
    NOT_BEFORE,
    Extension,
    authority,
    issue,
    nvidia_authority_name,
    raw_extension,
)
from attestation.x509 import OID_COMMON_NAME, Certificate, Name, parse_certificate

KEY = ec.derive_private_key(12345, ec.SECP384R1())
NAME = nvidia_authority_name("SIMULATED test authority")


def certificate(
    extensions: tuple[Extension, ...] = tuple(authority(None)), not_after: datetime.datetime = END_OF_TIME
) -> bytes:
    return issue(NAME, KEY, NAME, KEY, 7, extensions, not_after).public_bytes(Encoding.DER)


def all_certificates(evidence: Evidence) -> tuple[bytes, ...]:
    return evidence.cpu_chain + evidence.gpus[0].chain


def test_fields_are_read_as_openssl_reads_them(evidence: Evidence) -> None:
    for der in all_certificates(evidence):
        mine, theirs = parse_certificate(der, "test"), openssl.load_der_x509_certificate(der)
        agree(mine, theirs)


def agree(mine: Certificate, theirs: openssl.Certificate) -> None:
    assert mine.tbs == theirs.tbs_certificate_bytes
    assert mine.signature == theirs.signature
    assert mine.serial == theirs.serial_number
    assert mine.not_before == theirs.not_valid_before_utc.timestamp()
    assert mine.not_after == theirs.not_valid_after_utc.timestamp()
    assert mine.issuer.der == theirs.issuer.public_bytes()
    assert mine.subject.der == theirs.subject.public_bytes()
    expected = [(attribute.oid.dotted_string, attribute.value) for attribute in theirs.subject]
    assert list(mine.subject.attributes) == expected
    assert set(mine.extensions) == {extension.oid.dotted_string for extension in theirs.extensions}
    numbers = theirs.public_key().public_numbers()  # type: ignore[union-attr]
    if isinstance(mine.public_key, RsaKey):
        assert (mine.public_key.modulus, mine.public_key.exponent) == (numbers.n, numbers.e)  # type: ignore[union-attr]
    else:
        assert isinstance(mine.public_key, EcKey)
        assert mine.public_key.point[1:49] == numbers.x.to_bytes(48, "big")  # type: ignore[union-attr]


@settings(max_examples=40, deadline=None)
@given(st.datetimes(NOT_BEFORE.replace(microsecond=0), END_OF_TIME).map(lambda t: t.replace(microsecond=0)))
def test_dates_are_read_as_the_calendar_says(moment: datetime.datetime) -> None:
    parsed = parse_certificate(certificate(not_after=moment), "test")
    assert parsed.not_after == moment.replace(tzinfo=datetime.UTC).timestamp()


@pytest.mark.parametrize(
    "time",
    [
        b"231301000000Z",
        b"230230000000Z",
        b"230001000000Z",
        b"230101240000Z",
        b"230101006000Z",
        b"230101000060Z",
        b"2301010000000",
        b"23010100000 Z",
        b"+30101000000Z",
    ],
)
def test_times_that_do_not_exist_are_refused(time: bytes) -> None:
    der = certificate()
    good = b"\x17\x0d240101000000Z"
    assert good in der
    with pytest.raises(MalformedEvidence, match="time"):
        parse_certificate(der.replace(good, b"\x17\x0d" + time), "test")


def test_leap_days_exist_in_leap_years_only() -> None:
    der = certificate()
    good = b"\x17\x0d240101000000Z"
    parse_certificate(der.replace(good, b"\x17\x0d240229000000Z"), "test")
    with pytest.raises(MalformedEvidence):
        parse_certificate(der.replace(good, b"\x17\x0d230229000000Z"), "test")


def test_a_critical_extension_that_is_not_understood_is_refused() -> None:
    unknown = raw_extension("1.2.3.4", b"x")[0]
    parse_certificate(certificate(((unknown, False),)), "test")
    with pytest.raises(MalformedEvidence, match="critical"):
        parse_certificate(certificate(((unknown, True),)), "test")


def test_extensions_are_bounded_at_32() -> None:
    extensions = tuple(raw_extension(f"1.2.3.{index}", b"x") for index in range(33))
    assert len(parse_certificate(certificate(extensions[:32]), "test").extensions) == 32
    with pytest.raises(MalformedEvidence, match="more than 32"):
        parse_certificate(certificate(extensions), "test")


def test_a_certificate_is_bounded_at_4096_bytes() -> None:
    with pytest.raises(MalformedEvidence, match="DER"):
        parse_certificate(bytes(4096), "test")
    with pytest.raises(MalformedEvidence, match="at most 4096"):
        parse_certificate(bytes(4097), "test")


def test_a_key_on_another_curve_is_refused() -> None:
    other = ec.derive_private_key(5, ec.SECP521R1())
    der = issue(NAME, other, NAME, KEY, 7, ()).public_bytes(Encoding.DER)
    with pytest.raises(MalformedEvidence, match="not P-384, P-256 or RSA"):
        parse_certificate(der, "test")


def test_bytes_after_a_certificate_are_refused() -> None:
    with pytest.raises(MalformedEvidence):
        parse_certificate(certificate() + b"\0", "test")


def test_every_truncation_is_refused(evidence: Evidence) -> None:
    der = evidence.cpu_chain[0]
    for length in range(len(der)):
        with pytest.raises(MalformedEvidence):
            parse_certificate(der[:length], "test")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutations_give_a_certificate_or_the_named_error(evidence: Evidence, data: st.DataObject) -> None:
    der = bytearray(data.draw(st.sampled_from(all_certificates(evidence))))
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, min(len(der), 700) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert isinstance(parse_certificate(bytes(der), "fuzz"), Certificate)
    except MalformedEvidence as error:
        assert error.claim == "fuzz"


def test_an_attribute_that_occurs_twice_is_no_attribute() -> None:
    name = Name(b"", ((OID_COMMON_NAME, "one"), (OID_COMMON_NAME, "two")))
    assert name.common_name == ""
