"""The container: one encoding of each value, and bounds that hold at and one past the limit."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation import Evidence, GpuEvidence, MalformedEvidence, decode_bundle, encode_bundle
from attestation import bundle as container

SESSION_KEY = container.ED25519_SPKI_PREFIX + bytes(32)
TRANSPORT_KEY = bytes.fromhex("8" + "0" * 94 + "1")

chains = st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=8).map(tuple)
gpus = st.lists(
    st.builds(GpuEvidence, report=st.binary(min_size=1, max_size=40), chain=chains), max_size=8
).map(tuple)
evidences = st.builds(
    Evidence,
    cpu_kind=st.just("sev-snp"),
    cpu_report=st.binary(min_size=1, max_size=40),
    cpu_chain=chains,
    gpus=gpus,
    guest_claims=st.binary(min_size=1, max_size=40),
    session_public_key=st.binary(min_size=32, max_size=32).map(
        lambda key: container.ED25519_SPKI_PREFIX + key
    ),
    transport_public_key=st.just(TRANSPORT_KEY),
)


@given(evidences)
def test_evidence_survives_a_round_trip(evidence: Evidence) -> None:
    assert decode_bundle(encode_bundle(evidence)) == evidence


@given(evidences, st.data())
def test_a_changed_bundle_is_refused_or_decodes_to_what_encodes_to_it(
    evidence: Evidence, data: st.DataObject
) -> None:
    changed = bytearray(encode_bundle(evidence))
    changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = decode_bundle(bytes(changed))
    except MalformedEvidence:
        return
    assert encode_bundle(decoded) == bytes(changed)


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda rest: b"LHEV\x01" + rest))
def test_arbitrary_bytes_are_refused_by_name(data: bytes) -> None:
    with pytest.raises(MalformedEvidence, match=r"^bundle"):
        decode_bundle(data)


def test_every_truncation_and_every_extension_is_refused(bundle: bytes) -> None:
    for length in range(len(bundle)):
        with pytest.raises(MalformedEvidence):
            decode_bundle(bundle[:length])
    with pytest.raises(MalformedEvidence):
        decode_bundle(bundle + b"\0")


def test_every_truncation_with_a_matching_total_length_is_refused(bundle: bytes) -> None:
    for length in range(9, len(bundle)):
        relabelled = bundle[:5] + length.to_bytes(4, "big") + bundle[9:length]
        with pytest.raises(MalformedEvidence):
            decode_bundle(relabelled)


@pytest.mark.parametrize(
    ("field", "at_limit"),
    [
        ("cpu_report", b"x" * container.MAX_CPU_REPORT_BYTES),
        ("guest_claims", b"x" * container.MAX_GUEST_CLAIMS_BYTES),
        ("cpu_chain", (b"x" * container.MAX_CERTIFICATE_BYTES,)),
        ("cpu_chain", (b"x",) * container.MAX_CHAIN_CERTIFICATES),
        ("gpus", (GpuEvidence(b"x" * container.MAX_GPU_REPORT_BYTES, (b"x",)),)),
        ("gpus", (GpuEvidence(b"x", (b"x",)),) * container.MAX_GPUS),
    ],
)
def test_bounds_hold_at_and_one_past_the_limit(evidence: Evidence, field: str, at_limit: Any) -> None:
    legal = dataclasses.replace(evidence, **{field: at_limit})
    assert decode_bundle(encode_bundle(legal)) == legal
    with pytest.raises(MalformedEvidence):
        encode_bundle(dataclasses.replace(evidence, **{field: one_more(at_limit)}))


def one_more(value: Any) -> Any:
    """The value one byte, or one entry, longer."""
    if isinstance(value, bytes):
        return value + b"x"
    assert isinstance(value, tuple)
    if len(value) > 1:
        return (*value, value[0])
    if isinstance(value[0], GpuEvidence):
        return (GpuEvidence(value[0].report + b"x", value[0].chain),)
    return (value[0] + b"x",)


@pytest.mark.parametrize(
    ("field", "offset"), [("cpu_report", 10), ("certificate count", 10 + 4 + 1184), ("gpus", None)]
)
def test_counts_and_lengths_one_past_the_limit_are_refused_when_decoding(
    evidence: Evidence, bundle: bytes, field: str, offset: int | None
) -> None:
    if offset is None:
        offset = 10 + 4 + 1184 + 1 + sum(4 + len(der) for der in evidence.cpu_chain)
    width, limit = {
        "cpu_report": (4, container.MAX_CPU_REPORT_BYTES),
        "certificate count": (1, container.MAX_CHAIN_CERTIFICATES),
        "gpus": (1, container.MAX_GPUS),
    }[field]
    changed = bundle[:offset] + (limit + 1).to_bytes(width, "big") + bundle[offset + width :]
    with pytest.raises(MalformedEvidence, match=r"at most|must be"):
        decode_bundle(changed)


def test_a_bundle_over_256_kib_is_refused(bundle: bytes) -> None:
    with pytest.raises(MalformedEvidence, match="at most"):
        decode_bundle(bundle + bytes(container.MAX_BUNDLE_BYTES))


def test_evidence_that_makes_a_bundle_over_256_kib_is_refused(evidence: Evidence) -> None:
    heavy = GpuEvidence(b"x" * container.MAX_GPU_REPORT_BYTES, (b"x" * container.MAX_CERTIFICATE_BYTES,) * 8)
    with pytest.raises(MalformedEvidence, match="at most"):
        encode_bundle(dataclasses.replace(evidence, gpus=(heavy,) * 8))


@pytest.mark.parametrize(
    "empty", [{"cpu_report": b""}, {"guest_claims": b""}, {"cpu_chain": ()}, {"cpu_chain": (b"",)}]
)
def test_empty_parts_are_refused(evidence: Evidence, empty: dict[str, object]) -> None:
    with pytest.raises(MalformedEvidence):
        encode_bundle(dataclasses.replace(evidence, **empty))  # type: ignore[arg-type]


def test_an_unknown_kind_of_cpu_is_refused(evidence: Evidence, bundle: bytes) -> None:
    with pytest.raises(MalformedEvidence, match="unknown"):
        encode_bundle(dataclasses.replace(evidence, cpu_kind="sgx"))
    with pytest.raises(MalformedEvidence, match="unknown"):
        decode_bundle(bundle[:9] + b"\x03" + bundle[10:])


@pytest.mark.parametrize(
    "key",
    [
        b"",
        SESSION_KEY[:-1],
        SESSION_KEY + b"\0",
        bytes(44),
        bytes.fromhex("302a300506032b656e032100") + bytes(32),
    ],
)
def test_a_session_key_that_is_not_der_ed25519_is_refused(evidence: Evidence, key: bytes) -> None:
    with pytest.raises(MalformedEvidence, match="session_public_key"):
        encode_bundle(dataclasses.replace(evidence, session_public_key=key))


@pytest.mark.parametrize(
    "key",
    [
        b"",
        TRANSPORT_KEY[1:],
        TRANSPORT_KEY + b"\0",
        bytes(48),  # not compressed
        bytes((0xC0,)) + bytes(47),  # infinity
        (container.G1_FIELD_MODULUS | 1 << 383).to_bytes(48, "big"),  # x is the modulus
    ],
)
def test_a_transport_key_that_is_no_compressed_finite_point_is_refused(
    evidence: Evidence, key: bytes
) -> None:
    with pytest.raises(MalformedEvidence, match="transport_public_key"):
        encode_bundle(dataclasses.replace(evidence, transport_public_key=key))


def test_the_largest_x_of_a_transport_key_is_accepted(evidence: Evidence) -> None:
    key = (container.G1_FIELD_MODULUS - 1 | 1 << 383).to_bytes(48, "big")
    encode_bundle(dataclasses.replace(evidence, transport_public_key=key))
