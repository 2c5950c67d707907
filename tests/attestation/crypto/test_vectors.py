"""Every edge vector gets OpenSSL's verdict: from both backends, with any tables, and inside Wasm."""

from __future__ import annotations

import hashlib

import pytest

from attestation import SignatureInvalid
from attestation.crypto import ecdsa, ecdsa_p256
from attestation.crypto.ecdsa import Curve
from attestation.crypto.jacobian import Jacobian, Point
from attestation.crypto.multiples import bases_of
from benchmarks.attestation_signatures import Signatures
from tests.attestation.crypto.vectors import KINDS, Vector, by_openssl, vectors
from tests.network_canister import open_host

SOUND = {"sound", "high or low s", "r + n below p"}


def ours(vector: Vector, curve: Curve, recurs: bool = False) -> bool:
    try:
        key = curve.parse_point(vector.key, "key")
        curve.verify(key, vector.message, vector.r, vector.s, "vector", recurs)
    except SignatureInvalid:
        return False
    return True


@pytest.mark.parametrize("name", KINDS)
def test_vectors_get_openssls_verdict(name: str) -> None:
    curve = KINDS[name].curve
    judged = {vector: by_openssl(vector) for vector in vectors(name)}
    assert len(judged) > 70
    assert {vector.name for vector, verdict in judged.items() if verdict} >= SOUND
    for vector, verdict in judged.items():
        # The first time with a small table, then with one that is kept, however that came about.
        assert [ours(vector, curve), ours(vector, curve), ours(vector, curve, True)] == [verdict] * 3, vector


@pytest.mark.parametrize("name", KINDS)
def test_vectors_get_openssls_verdict_inside_the_canister(name: str, backend: str) -> None:
    if backend != "pure":
        pytest.skip("a canister has no OpenSSL")
    with open_host() as host:
        canister = Signatures(host)
        for vector in vectors(name):
            expected = "valid" if by_openssl(vector) else "SignatureInvalid"
            r, s = (number.to_bytes(50, "big") for number in (vector.r, vector.s))
            assert canister.ecdsa(name, vector.key, vector.message, r, s).verdict == expected, vector


def test_tables_are_kept_for_the_keys_used_last(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if backend != "pure":
        pytest.skip("OpenSSL needs no tables")
    shared = KINDS["P-256"].curve
    curve = Curve("P-256", shared.p, shared.n, shared.b, ecdsa_p256.GENERATOR_BASES, hashlib.sha256)
    signed = {vector.key: vector for vector in vectors("P-256") if by_openssl(vector)}  # may make tables too
    made = []

    def making(key: Point, p: int, chunk_bits: int) -> list[Jacobian]:
        made.append(key)
        return bases_of(key, p, chunk_bits)

    monkeypatch.setattr(ecdsa, "bases_of", making)
    monkeypatch.setattr(ecdsa, "MAX_KEPT_KEYS", 2)
    first, second, third = list(signed.values())[:3]
    for vector, expected in (
        (first, 1),
        (first, 1),
        (second, 2),
        (first, 2),
        (third, 3),
        (first, 3),
        (second, 4),
    ):
        assert ours(vector, curve, recurs=True)
        assert len(made) == expected
    assert ours(first, curve, recurs=False) and len(made) == 4
