"""Revocation lists: differential against `cryptography`, and every way a list can be wrong."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from attestation import (
    AttestationError,
    CertificateRevoked,
    ChainInvalid,
    CollateralExpired,
    MalformedEvidence,
    RevocationInvalid,
    SignatureInvalid,
    VerifiedLinks,
)
from attestation.crl import MAX_CRL_BYTES, MAX_REVOKED, RevocationLists, check_crl, parse_crl
from attestation.simulator.certificates import authority, intel_name, issue, revoke
from attestation.simulator.development_pki import load_authority
from attestation.x509 import Certificate, parse_certificate

ISSUED = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)  # noqa: UP017
UNTIL = ISSUED + datetime.timedelta(days=30)
ISSUED_S, UNTIL_S = int(ISSUED.timestamp()), int(UNTIL.timestamp())
NANOSECONDS = 1_000_000_000
ROOT = load_authority("intel_root")
ISSUER = parse_certificate(ROOT.der, "issuer")
SIGNER = parse_certificate(load_authority("intel_tcb_signing").der, "signer")


def made(*serials: int, authority_name: str = "intel_root") -> bytes:
    issuer = load_authority(authority_name)
    return revoke(issuer.name, issuer.key, serials, ISSUED, UNTIL).public_bytes(Encoding.DER)


def built(
    *extensions: tuple[x509.ExtensionType, bool], entry: x509.RevokedCertificate | None = None
) -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(ROOT.name)
    builder = builder.last_update(ISSUED).next_update(UNTIL)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    if entry is not None:
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(ROOT.key, SHA256()).public_bytes(Encoding.DER)


def unsigned(entries: int) -> bytes:
    """A list with so many short entries, made from one that has a single entry; its signature is wrong."""
    data = made()
    entry = bytes.fromhex("301202") + b"\x01\x05" + b"\x17\x0d" + b"260101000000Z"
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    fields = b"\x02\x01\x01" + algorithm + parse_crl(data, "list").issuer + entry[5:] * 2
    revoked = entry * entries
    fields += b"\x30\x82" + len(revoked).to_bytes(2, "big") + revoked
    signed = b"\x30\x82" + len(fields).to_bytes(2, "big") + fields
    whole = signed + algorithm + b"\x03\x02\x00\x00"
    return b"\x30\x82" + len(whole).to_bytes(2, "big") + whole


def check(data: bytes, now_s: int = ISSUED_S, issuer: Certificate = ISSUER) -> None:
    check_crl(parse_crl(data, "list"), issuer, now_s * NANOSECONDS, VerifiedLinks(), "list")


@settings(max_examples=20, deadline=None)
@given(serials=st.lists(st.integers(1, 2**159 - 1), max_size=8))
def test_lists_are_read_as_cryptography_reads_them(serials: list[int]) -> None:
    data = made(*serials)
    theirs = x509.load_der_x509_crl(data)
    ours = parse_crl(data, "list")
    assert ours.revoked == {entry.serial_number for entry in theirs} == set(serials)
    assert ours.signed == theirs.tbs_certlist_bytes
    assert ours.signature == theirs.signature
    assert ours.issuer == theirs.issuer.public_bytes()
    assert ours.this_update == int(theirs.last_update_utc.timestamp()) == ISSUED_S
    check(data)


@pytest.mark.parametrize("name", ["amd_ark", "intel_root", "intel_pck_ca"])
def test_lists_of_every_kind_of_issuer_verify(name: str) -> None:
    check(made(5, authority_name=name), issuer=parse_certificate(load_authority(name).der, name))


def test_the_window_begins_at_its_first_and_ends_before_its_last_second() -> None:
    data = made()
    check(data, ISSUED_S)
    check(data, UNTIL_S - 1)
    for now_s in (ISSUED_S - 1, UNTIL_S):
        with pytest.raises(CollateralExpired, match="newer"):
            check(data, now_s)


def test_every_changed_byte_and_every_truncation_is_refused() -> None:
    data = made(77, 78)
    for at in range(len(data)):
        with pytest.raises(AttestationError):
            check(data[:at] + bytes((data[at] ^ 1 << at % 8,)) + data[at + 1 :])
        with pytest.raises(AttestationError):
            check(data[:at])
    with pytest.raises(MalformedEvidence):
        check(data + b"\0")


def test_a_list_by_somebody_else_is_refused() -> None:
    with pytest.raises(RevocationInvalid, match="not of"):
        check(made(authority_name="intel_pck_ca"))
    other = ec.derive_private_key(9, ec.SECP256R1())
    forged = revoke(ROOT.name, other, [], ISSUED, UNTIL).public_bytes(Encoding.DER)
    with pytest.raises(SignatureInvalid):
        check(forged)


def test_an_issuer_that_may_not_sign_lists_is_refused() -> None:
    key = ec.derive_private_key(9, ec.SECP384R1())
    name = intel_name("Some CA")
    without = issue(name, key, name, key, 1, authority(None, signs_revocation=False))
    data = revoke(name, key, [], ISSUED, UNTIL).public_bytes(Encoding.DER)
    with pytest.raises(ChainInvalid, match="revocation lists"):
        check(data, issuer=parse_certificate(without.public_bytes(Encoding.DER), "issuer"))


def test_what_narrows_or_moves_a_lists_meaning_is_refused() -> None:
    only_authorities = x509.IssuingDistributionPoint(None, None, False, True, None, False, False)
    entry = x509.RevokedCertificateBuilder().serial_number(5).revocation_date(ISSUED)
    indirect = entry.add_extension(x509.CertificateIssuer([x509.DirectoryName(ROOT.name)]), True).build()
    for data in (
        built((only_authorities, True)),
        built((x509.DeltaCRLIndicator(3), True)),
        built(entry=indirect),
    ):
        with pytest.raises(MalformedEvidence, match="critical"):
            parse_crl(data, "list")
    check(built((x509.CRLNumber(3), False)))
    check(built())


def test_the_number_of_entries_and_the_size_are_bounded() -> None:
    assert parse_crl(unsigned(MAX_REVOKED), "list").revoked == {5}
    with pytest.raises(MalformedEvidence, match=f"more than {MAX_REVOKED}"):
        parse_crl(unsigned(MAX_REVOKED + 1), "list")
    with pytest.raises(MalformedEvidence, match="at most"):
        parse_crl(bytes(MAX_CRL_BYTES + 1), "list")


@pytest.mark.parametrize("serial", [SIGNER.serial, 99])
def test_lists_are_found_by_issuer_and_the_newest_counts(serial: int) -> None:
    older = revoke(ROOT.name, ROOT.key, [], ISSUED - datetime.timedelta(days=1), UNTIL)
    given = [made(authority_name="intel_pck_ca"), older.public_bytes(Encoding.DER), made(serial)]
    arguments: tuple[Any, ...] = (SIGNER, ISSUER, (ISSUED_S + 9) * NANOSECONDS, VerifiedLinks(), "signer")
    if serial == SIGNER.serial:
        with pytest.raises(CertificateRevoked):
            RevocationLists(given).check(*arguments)
    else:
        fact = RevocationLists(given).check(*arguments)
        assert (fact.status, fact.age_s) == ("good", 9)
    assert RevocationLists(given[:1]).check(*arguments).status == "missing"


def test_a_list_with_a_weak_or_foreign_algorithm_is_refused() -> None:
    builder = x509.CertificateRevocationListBuilder().issuer_name(ROOT.name)
    builder = builder.last_update(ISSUED).next_update(UNTIL)
    with pytest.raises(SignatureInvalid, match="algorithm"):
        check(builder.sign(ROOT.key, SHA384()).public_bytes(Encoding.DER))
