"""The binding formula, written out a second time, and its domain."""

from __future__ import annotations

import hashlib

import pytest

from attestation import Evidence, MalformedEvidence, gpu_evidence_digest, gpu_nonce, report_data


def written_out(evidence: Evidence, nonce: bytes, operator: bytes) -> bytes:
    gpus = bytes((len(evidence.gpus),))
    for gpu in evidence.gpus:
        gpus += len(gpu.report).to_bytes(4, "big") + gpu.report + bytes((len(gpu.chain),))
        for certificate in gpu.chain:
            gpus += len(certificate).to_bytes(4, "big") + certificate
    parts = (
        b"leasehold-v1",
        nonce,
        evidence.session_public_key,
        evidence.transport_public_key,
        operator,
        hashlib.sha256(gpus).digest(),
        hashlib.sha256(evidence.guest_claims).digest(),
    )
    return hashlib.sha256(b"".join(parts)).digest() + bytes(32)


def bound(evidence: Evidence, nonce: bytes, operator: bytes) -> bytes:
    return report_data(
        nonce,
        evidence.session_public_key,
        evidence.transport_public_key,
        operator,
        evidence.gpus,
        evidence.guest_claims,
    )


def test_report_data_is_what_the_formula_says(evidence: Evidence) -> None:
    for operator in (b"\x04", bytes(29), bytes(range(10))):
        expected = written_out(evidence, bytes(range(32)), operator)
        assert bound(evidence, bytes(range(32)), operator) == expected
        assert len(expected) == 64


def test_the_gpu_nonce_is_what_the_formula_says() -> None:
    assert gpu_nonce(bytes(32)) == hashlib.sha256(b"leasehold-gpu" + bytes(32)).digest()


def test_no_gpus_have_a_digest_too() -> None:
    assert gpu_evidence_digest(()) == hashlib.sha256(b"\0").digest()


def test_the_raw_gpu_evidence_is_the_gpu_section_of_the_bundle(evidence: Evidence, bundle: bytes) -> None:
    start = 10 + 4 + len(evidence.cpu_report) + 1 + sum(4 + len(der) for der in evidence.cpu_chain)
    end = len(bundle) - 48 - 44 - len(evidence.guest_claims) - 4
    assert hashlib.sha256(bundle[start:end]).digest() == gpu_evidence_digest(evidence.gpus)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_nonces_of_another_length_are_refused(evidence: Evidence, length: int) -> None:
    with pytest.raises(MalformedEvidence, match="nonce"):
        gpu_nonce(bytes(length))
    with pytest.raises(MalformedEvidence, match="nonce"):
        bound(evidence, bytes(length), b"\x04")


@pytest.mark.parametrize("length", [0, 30])
def test_operators_that_are_no_principal_are_refused(evidence: Evidence, length: int) -> None:
    with pytest.raises(MalformedEvidence, match="operator"):
        bound(evidence, bytes(32), bytes(length))
