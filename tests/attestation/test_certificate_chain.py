"""Chains: what must hold between certificates, one broken rule at a time."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from attestation import CertificateExpired, ChainInvalid, Evidence, SignatureInvalid, VerifiedLinks
from attestation import certificate_chain as chains
from attestation.public_keys import EcKey, P256Key
from attestation.simulator.certificates import (
    END_OF_TIME,
    NOT_BEFORE,
    Extension,
    authority,
    issue,
    nvidia_authority_name,
    raw_extension,
    report_signer,
)
from attestation.x509 import Certificate, parse_certificate

KEYS = [ec.derive_private_key(number, ec.SECP384R1()) for number in (11, 22, 33)]
NAMES = [nvidia_authority_name(f"SIMULATED {role}") for role in ("leaf", "intermediate", "root")]
SECOND = 1_000_000_000
NOW_NS = 1_790_000_000 * SECOND


def link(
    depth: int,
    extensions: Iterable[Extension],
    issuer: int | None = None,
    signer: int | None = None,
    not_after: datetime.datetime = END_OF_TIME,
) -> Certificate:
    parent = min(depth + 1, 2)
    made = issue(
        NAMES[depth],
        KEYS[depth],
        NAMES[parent if issuer is None else issuer],
        KEYS[parent if signer is None else signer],
        depth + 1,
        extensions,
        not_after,
    )
    return parse_certificate(made.public_bytes(Encoding.DER), f"chain[{depth}]")


LEAF = link(0, [report_signer()])
INTERMEDIATE = link(1, authority(0))
ROOT = link(2, authority(None))


def check(*chain: Certificate, now_ns: int = NOW_NS, links: VerifiedLinks | None = None) -> None:
    chains.check_chain_structure(chain, now_ns, "chain")
    chains.check_chain_signatures(chain, links or VerifiedLinks(), "chain")


def test_a_sound_chain_is_accepted() -> None:
    check(LEAF, INTERMEDIATE, ROOT)


def test_a_chain_of_another_length_is_refused(evidence: Evidence) -> None:
    for chain in (evidence.cpu_chain[:2], evidence.cpu_chain + evidence.cpu_chain[2:]):
        with pytest.raises(ChainInvalid, match="must have 3"):
            chains.parse_chain(chain, 3, "chain")


def test_a_link_signed_by_another_key_is_refused() -> None:
    with pytest.raises(SignatureInvalid, match=r"chain\[0\]"):
        check(link(0, [report_signer()], signer=2), INTERMEDIATE, ROOT)
    with pytest.raises(SignatureInvalid, match=r"chain\[1\]"):
        check(LEAF, link(1, authority(0), signer=0), ROOT)


def test_a_link_issued_by_another_name_is_refused() -> None:
    with pytest.raises(ChainInvalid, match="issuer"):
        check(link(0, [report_signer()], issuer=2), INTERMEDIATE, ROOT)


def test_a_root_issued_by_somebody_else_is_refused() -> None:
    with pytest.raises(ChainInvalid, match=r"chain\[2\].*issuer"):
        check(LEAF, INTERMEDIATE, link(2, authority(None), issuer=1))


@pytest.mark.parametrize(
    "extensions", [[raw_extension("1.2.3", b"x")], [authority(0)[1]], [authority(0)[0]], [report_signer()]]
)
def test_an_intermediate_that_may_not_sign_certificates_is_refused(extensions: list[Extension]) -> None:
    with pytest.raises(ChainInvalid, match=r"chain\[1\]"):
        check(LEAF, link(1, extensions), ROOT)


def test_a_leaf_that_is_an_authority_is_refused() -> None:
    with pytest.raises(ChainInvalid, match="leaf is a certificate authority"):
        check(link(0, authority(None)), INTERMEDIATE, ROOT)


def test_path_length_holds_at_and_one_past_the_limit() -> None:
    check(LEAF, INTERMEDIATE, link(2, authority(1)))
    with pytest.raises(ChainInvalid, match="allows 0 authorities below it, there are 1"):
        check(LEAF, INTERMEDIATE, link(2, authority(0)))


def test_validity_includes_both_ends() -> None:
    end = datetime.datetime(2030, 6, 1, 12, 0, 0)
    last = int(end.replace(tzinfo=datetime.UTC).timestamp())
    first = int(NOT_BEFORE.replace(tzinfo=datetime.UTC).timestamp())
    leaf = link(0, [report_signer()], not_after=end)
    for good in (first * SECOND, last * SECOND + SECOND - 1):
        check(leaf, INTERMEDIATE, ROOT, now_ns=good)
    for bad in (first * SECOND - 1, (last + 1) * SECOND):
        with pytest.raises(CertificateExpired):
            check(leaf, INTERMEDIATE, ROOT, now_ns=bad)


def test_an_expired_root_is_refused() -> None:
    root = link(2, authority(None), not_after=datetime.datetime(2025, 1, 1))
    with pytest.raises(CertificateExpired, match=r"chain\[2\]"):
        check(LEAF, INTERMEDIATE, root)


def test_links_found_good_are_not_verified_again(monkeypatch: pytest.MonkeyPatch) -> None:
    links = VerifiedLinks()
    check(LEAF, INTERMEDIATE, ROOT, links=links)
    verified: list[str] = []
    monkeypatch.setattr(chains, "verify_certificate_signature", lambda *args: verified.append(args[2]))
    check(LEAF, INTERMEDIATE, ROOT, links=links)
    assert verified == []
    check(link(0, [report_signer()]), INTERMEDIATE, ROOT, links=links)
    assert verified == ["chain[0].signature"]


def test_a_refused_link_is_not_remembered() -> None:
    links = VerifiedLinks()
    bad = link(0, [report_signer()], signer=2)
    for _ in range(2):
        with pytest.raises(SignatureInvalid):
            check(bad, INTERMEDIATE, ROOT, links=links)


def test_remembered_links_still_have_to_be_in_date() -> None:
    links = VerifiedLinks()
    leaf = link(0, [report_signer()], not_after=datetime.datetime(2030, 1, 1))
    check(leaf, INTERMEDIATE, ROOT, links=links)
    with pytest.raises(CertificateExpired):
        check(leaf, INTERMEDIATE, ROOT, now_ns=NOW_NS * 2, links=links)


def test_the_memory_of_links_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chains, "MAX_REMEMBERED_LINKS", 2)
    monkeypatch.setattr(chains, "verify_certificate_signature", lambda *args: None)
    links = VerifiedLinks()
    for index in range(10):
        links.verify(link(0, [raw_extension(f"1.2.3.{index}", b"x")]), INTERMEDIATE, "chain")
        assert len(links._digests) <= 2


def test_an_algorithm_that_does_not_fit_the_issuers_key_is_refused(evidence: Evidence) -> None:
    vcek, ask = (parse_certificate(der, "chain") for der in evidence.cpu_chain[:2])
    with pytest.raises(SignatureInvalid, match="not for the issuer's key"):
        chains.verify_certificate_signature(vcek, INTERMEDIATE, "chain")
    with pytest.raises(SignatureInvalid, match="not for the issuer's key"):
        chains.verify_certificate_signature(LEAF, ask, "chain")


def test_a_remembered_signature_stands_for_no_key_of_another_curve() -> None:
    key = ec.derive_private_key(44, ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    r, s = decode_dss_signature(key.sign(b"said", ec.ECDSA(SHA256())))
    links = VerifiedLinks()
    links.verify_ecdsa(P256Key(point), b"said", r, s, "claim")
    with pytest.raises(SignatureInvalid):
        links.verify_ecdsa(EcKey(point), b"said", r, s, "claim")
