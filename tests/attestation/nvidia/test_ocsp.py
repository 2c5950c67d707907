"""OCSP answers: genuine ones verify, any other reader agrees, and each check refuses what it is there for."""

from __future__ import annotations

import dataclasses
import datetime
import os
from typing import TYPE_CHECKING

import pytest
from cryptography import x509 as openssl
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as reference

from attestation import (
    AttestationError,
    CertificateExpired,
    CertificateRevoked,
    CollateralExpired,
    MalformedEvidence,
    RevocationInvalid,
    SignatureInvalid,
    VerifiedLinks,
)
from attestation.certificate_chain import parse_chain
from attestation.nvidia import ocsp
from attestation.nvidia.revocation import OcspAnswers, check_chain_revocation, check_revocation
from attestation.nvidia.rim import parse_manifest
from attestation.simulator.certificates import issue, nvidia_authority_name, ocsp_responder, report_signer
from attestation.simulator.collateral import ocsp_answer
from attestation.simulator.development_pki import Authority, load_authority
from attestation.simulator.seeds import derive_key
from attestation.x509 import Certificate, parse_certificate

if TYPE_CHECKING:
    from tests.attestation.conftest import Samples

EXHAUSTIVE = os.environ.get("LEASEHOLD_EXHAUSTIVE") == "1"
NOW_NS = 1_790_000_000 * 1_000_000_000
HOUR_NS = 3600 * 1_000_000_000
# An hour after the genuine answers about the device, and about the manifests, were given.
DEVICE_NS = 1_755_758_828 * 1_000_000_000 + HOUR_NS
MANIFEST_NS = 1_761_305_542 * 1_000_000_000 + HOUR_NS

ROOT, IDENTITY, PROVISIONER = (
    load_authority(f"nvidia_{name}") for name in ("root", "identity", "provisioner")
)


def parsed(authority: Authority) -> Certificate:
    return parse_certificate(authority.der, "certificate")


def check(
    answer: bytes, now_ns: int = NOW_NS, subject: Authority = PROVISIONER, issuer: Authority = IDENTITY
) -> None:
    ocsp.verify_answer(
        ocsp.parse_answer(answer, "ocsp"), parsed(subject), parsed(issuer), now_ns, VerifiedLinks(), "ocsp"
    )


def made(
    responder: openssl.Certificate | None,
    key: ec.EllipticCurvePrivateKey,
    signer: openssl.Certificate | None = None,
    encoding: reference.OCSPResponderEncoding = reference.OCSPResponderEncoding.HASH,
    status: reference.OCSPCertStatus = reference.OCSPCertStatus.GOOD,
) -> bytes:
    """An answer about the provisioner, signed by `key`, with `responder`'s certificate in it."""
    this_update = datetime.datetime.fromtimestamp(NOW_NS // 10**9, datetime.UTC)
    builder = reference.OCSPResponseBuilder().add_response(
        PROVISIONER.certificate,
        IDENTITY.certificate,
        SHA384(),
        status,
        this_update,
        this_update + datetime.timedelta(days=1),
        None,
        None,
    )
    named = signer or responder
    assert named is not None
    builder = builder.responder_id(encoding, named)
    if responder is not None:
        builder = builder.certificates([responder])
    return builder.sign(key, SHA384()).public_bytes(Encoding.DER)


GOOD = ocsp_answer(PROVISIONER.certificate, IDENTITY, NOW_NS)


def test_genuine_answers_about_a_device_verify(samples: Samples) -> None:
    chain = parse_chain(samples.certificates("nvidia/spt_gh100_complete/chain.pem"), 5, "chain")
    answers = OcspAnswers(list(samples.ocsp().values()))
    facts = check_chain_revocation(chain, 1, answers, DEVICE_NS, VerifiedLinks(), "chain")
    assert [fact.status for fact in facts] == ["good"] * 3
    assert [fact.name.rsplit(" ", 1)[-1] for fact in facts] == ["BROM", "1", "Identity"]
    assert all(3600 <= fact.age_s <= 3602 for fact in facts)


@pytest.mark.parametrize("file", ["NV_GPU_DRIVER_GH100_550.90.07", "NV_GPU_VBIOS_1010_0200_882_96009F0001"])
def test_genuine_answers_about_manifests_verify(samples: Samples, file: str) -> None:
    manifest = parse_manifest(samples.read(f"nvidia/spt_gh100_complete/{file}.xml"), "rim")
    answers = OcspAnswers(list(samples.ocsp().values()))
    facts = check_chain_revocation(manifest.chain, 0, answers, MANIFEST_NS, VerifiedLinks(), "rim")
    assert [fact.status for fact in facts] == ["good"] * 3


def test_genuine_answers_are_read_as_openssl_reads_them(samples: Samples) -> None:
    assert len(samples.ocsp()) == 7
    for name, data in samples.ocsp().items():
        ours, theirs = ocsp.parse_answer(data, name), reference.load_der_ocsp_response(data)
        assert ours.certificate.serial == theirs.serial_number
        assert ours.certificate.issuer_name_sha384 == theirs.issuer_name_hash
        assert ours.certificate.issuer_key_sha384 == theirs.issuer_key_hash
        assert ours.this_update == int(theirs.this_update_utc.timestamp())
        assert theirs.next_update_utc and ours.next_update == int(theirs.next_update_utc.timestamp())
        assert (ours.status, theirs.certificate_status.name) == ("good", "GOOD")
        assert (ours.signed, ours.responder_key) == (theirs.tbs_response_bytes, theirs.responder_key_hash)
        assert ours.responder is not None and ours.responder.serial == theirs.certificates[0].serial_number


def test_genuine_answers_are_outdated_after_a_day(samples: Samples) -> None:
    chain = parse_chain(samples.certificates("nvidia/spt_gh100_complete/chain.pem"), 5, "chain")
    answers = OcspAnswers(list(samples.ocsp().values()))
    with pytest.raises(CollateralExpired, match="fetch a new one"):
        check_chain_revocation(chain, 1, answers, DEVICE_NS + 24 * HOUR_NS, VerifiedLinks(), "chain")


@pytest.mark.usefixtures("remembered_signatures")
def test_every_changed_byte_and_truncation_of_a_genuine_answer_is_refused(samples: Samples) -> None:
    chain = parse_chain(samples.certificates("nvidia/spt_gh100_complete/chain.pem"), 5, "chain")
    accepted = []
    links = VerifiedLinks()
    files = {"test_gpu_certificate_l4": 1, "test_gpu_certificate_l3": 2, "test_gpu_certificate_l2": 3}
    for place, (name, depth) in enumerate(files.items()):
        data = samples.ocsp()[name]

        def refused(changed: bytes, depth: int = depth) -> bool:
            try:
                answer = ocsp.parse_answer(changed, "ocsp")
                ocsp.verify_answer(answer, chain[depth], chain[depth + 1], DEVICE_NS, links, "ocsp")
            except AttestationError:
                return True
            return False

        assert not refused(data)
        for offset in range(0 if EXHAUSTIVE else place, len(data), 1 if EXHAUSTIVE else 3):
            for bit in range(8) if EXHAUSTIVE else [offset % 8]:
                changed = data[:offset] + bytes((data[offset] ^ 1 << bit,)) + data[offset + 1 :]
                if not refused(changed):
                    accepted.append((name, offset, bit))
        assert all(refused(data[:length]) for length in range(len(data)))
        assert refused(data + b"\0")
    assert accepted == []


def test_a_good_answer_by_an_entitled_responder_is_accepted() -> None:
    check(GOOD)
    check(GOOD, NOW_NS + 24 * HOUR_NS)


def test_the_issuer_itself_may_answer() -> None:
    key = IDENTITY.key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    check(made(None, key, IDENTITY.certificate, reference.OCSPResponderEncoding.NAME))


@pytest.mark.parametrize("shift_ns", [-HOUR_NS, 24 * HOUR_NS + 10**9])
def test_an_answer_from_the_future_or_outdated_is_refused(shift_ns: int) -> None:
    with pytest.raises(CollateralExpired, match="holds from"):
        check(GOOD, NOW_NS + shift_ns)


def test_an_answer_about_another_certificate_is_refused() -> None:
    with pytest.raises(RevocationInvalid, match="about serial"):
        check(GOOD, subject=IDENTITY, issuer=ROOT)


def responder(
    issuer: Authority, key: ec.EllipticCurvePrivateKey, extensions: object = None
) -> openssl.Certificate:
    chosen = ocsp_responder(key) if extensions is None else extensions
    return issue(nvidia_authority_name("R"), key, issuer.name, issuer.key, 9, chosen)  # type: ignore[arg-type]


KEY = derive_key(b"tests", "responder")


def test_a_responder_of_another_authority_is_refused() -> None:
    with pytest.raises(RevocationInvalid, match="is not of"):
        check(made(responder(ROOT, KEY), KEY))


def test_a_certificate_that_is_not_for_ocsp_is_refused() -> None:
    without_purpose = responder(IDENTITY, KEY, [entry for entry in ocsp_responder(KEY) if not entry[1]])
    with pytest.raises(RevocationInvalid, match="not for signing OCSP answers"):
        check(made(without_purpose, KEY))
    without_usage = responder(IDENTITY, KEY, ocsp_responder(KEY)[2:])
    with pytest.raises(RevocationInvalid, match="may not sign"):
        check(made(without_usage, KEY))
    assert report_signer() in ocsp_responder(KEY)


def test_an_expired_responder_is_refused() -> None:
    end = datetime.datetime(2026, 1, 1)
    name = nvidia_authority_name("R")
    expired = issue(name, KEY, IDENTITY.name, IDENTITY.key, 9, ocsp_responder(KEY), end)
    with pytest.raises(CertificateExpired):
        check(made(expired, KEY))


def test_a_responder_forged_under_the_issuers_name_is_refused() -> None:
    forged = issue(nvidia_authority_name("R"), KEY, IDENTITY.name, KEY, 9, ocsp_responder(KEY))
    with pytest.raises(SignatureInvalid, match=r"responder\.signature"):
        check(made(forged, KEY))


def check_changed(**fields: object) -> None:
    answer = dataclasses.replace(ocsp.parse_answer(GOOD, "ocsp"), **fields)  # type: ignore[arg-type]
    ocsp.verify_answer(answer, parsed(PROVISIONER), parsed(IDENTITY), NOW_NS, VerifiedLinks(), "ocsp")


def test_an_answer_signed_by_another_key_than_the_responders_is_refused() -> None:
    other = derive_key(b"tests", "another")
    signed = ocsp.parse_answer(GOOD, "ocsp").signed
    with pytest.raises(SignatureInvalid, match=r"ocsp\.signature"):
        check_changed(signature=other.sign(signed, ec.ECDSA(SHA384())))


def test_an_answer_that_names_another_signer_is_refused() -> None:
    for fields in ({"responder_key": bytes(20)}, {"responder_name": parsed(ROOT).subject.der}):
        with pytest.raises(RevocationInvalid, match="is not by"):
            check_changed(**fields)


def test_an_unsuccessful_answer_is_refused() -> None:
    data = reference.OCSPResponseBuilder.build_unsuccessful(reference.OCSPResponseStatus.TRY_LATER)
    with pytest.raises(MalformedEvidence, match="error 03"):
        ocsp.parse_answer(data.public_bytes(Encoding.DER), "ocsp")


def test_an_answer_longer_than_the_bound_is_refused() -> None:
    with pytest.raises(MalformedEvidence, match="at most"):
        ocsp.parse_answer(bytes(ocsp.MAX_ANSWER_BYTES + 1), "ocsp")


def known(*answers: bytes, now_ns: int = NOW_NS) -> tuple[str, int]:
    fact = check_revocation(
        parsed(PROVISIONER), parsed(IDENTITY), OcspAnswers(answers), now_ns, VerifiedLinks(), "chain"
    )
    return fact.status, fact.age_s


REVOKED = ocsp_answer(PROVISIONER.certificate, IDENTITY, NOW_NS, revoked=True)
LATER = ocsp_answer(PROVISIONER.certificate, IDENTITY, NOW_NS + 10 * HOUR_NS)


def test_revoked_raises_even_beside_a_newer_good_answer() -> None:
    for answers in ((REVOKED,), (GOOD, REVOKED), (REVOKED, LATER)):
        with pytest.raises(CertificateRevoked, match="was revoked"):
            known(*answers, now_ns=NOW_NS + 10 * HOUR_NS)


def test_the_newest_answer_counts_and_outdated_ones_do_no_harm() -> None:
    assert known(GOOD, LATER, now_ns=NOW_NS + 11 * HOUR_NS) == ("good", 3600)
    assert known(GOOD, LATER, now_ns=NOW_NS + 30 * HOUR_NS) == ("good", 20 * 3600)


def test_an_outdated_answer_that_was_never_verified_hides_nothing_of_the_one_that_was() -> None:
    now = NOW_NS + 20 * HOUR_NS
    hour = datetime.timedelta(hours=1)
    start = datetime.datetime.fromtimestamp(NOW_NS // 10**9, datetime.UTC)
    stranger = derive_key(b"tests", "attacker")
    claimed = responder(IDENTITY, stranger)
    builder = reference.OCSPResponseBuilder().add_response(
        PROVISIONER.certificate,
        IDENTITY.certificate,
        SHA384(),
        reference.OCSPCertStatus.GOOD,
        start + 19.9 * hour,
        start + 19.95 * hour,
        None,
        None,
    )
    builder = builder.responder_id(reference.OCSPResponderEncoding.HASH, claimed).certificates([claimed])
    forged = bytearray(builder.sign(stranger, SHA384()).public_bytes(Encoding.DER))
    forged[forged.find(ocsp.parse_answer(bytes(forged), "forged").signature) + 20] ^= 1
    unknown = made(responder(IDENTITY, KEY), KEY, status=reference.OCSPCertStatus.UNKNOWN)
    for genuine in (unknown, GOOD):
        assert known(genuine, bytes(forged), now_ns=now) == known(genuine, now_ns=now)


def test_no_answer_is_a_fact_of_its_own() -> None:
    assert known() == ("missing", 0)
    assert known(ocsp_answer(IDENTITY.certificate, ROOT, NOW_NS)) == ("missing", 0)


def test_unknown_is_neither_good_nor_revoked() -> None:
    answer = made(responder(IDENTITY, KEY), KEY, status=reference.OCSPCertStatus.UNKNOWN)
    assert known(answer) == ("unknown", 0)


def test_signatures_are_remembered_but_never_the_window() -> None:
    links, answer = VerifiedLinks(), ocsp.parse_answer(GOOD, "ocsp")
    ocsp.verify_answer(answer, parsed(PROVISIONER), parsed(IDENTITY), NOW_NS, links, "ocsp")
    with pytest.raises(CollateralExpired):
        ocsp.verify_answer(
            answer, parsed(PROVISIONER), parsed(IDENTITY), NOW_NS + 25 * HOUR_NS, links, "ocsp"
        )
    changed = dataclasses.replace(answer, signature=GOOD[-72:])
    with pytest.raises(AttestationError):
        ocsp.verify_answer(changed, parsed(PROVISIONER), parsed(IDENTITY), NOW_NS, links, "ocsp")
