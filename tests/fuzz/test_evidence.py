"""Decoders of evidence, collateral and policies: a value, or an error of the package with its claim."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

from attestation import (
    SIMULATED,
    AttestationError,
    Binding,
    decode_bundle,
    decode_collateral,
    encode_bundle,
    encode_collateral,
    verify_bundle,
)
from attestation.amd.report import parse_report as parse_snp
from attestation.crl import parse_crl
from attestation.errors import PolicyMalformed
from attestation.guest import decode_guest_claims
from attestation.intel.pccs import MEMBERS, collateral_from_json
from attestation.intel.quote import parse_quote
from attestation.intel.tcb_info import parse_tcb_info
from attestation.nvidia.ocsp import parse_answer
from attestation.nvidia.report import parse_report as parse_gpu
from attestation.nvidia.rim import parse_manifest
from attestation.policy_json import policy_from_json, policy_to_json
from attestation.simulator import Settings
from attestation.simulator.tdx import SimulatedTdxPlatform
from attestation.x509 import parse_certificate
from benchmarks.attestation_instructions import NONCE, NOW_NS, OPERATOR, bundle_and_collateral
from tests.fuzz.conftest import Fuzz
from tests.fuzz.damage import TELLING, damaged, damaged_text

BUNDLE, COLLATERAL = bundle_and_collateral()
EVIDENCE, VENDOR = decode_bundle(BUNDLE), decode_collateral(COLLATERAL)
TDX = SimulatedTdxPlatform(b"fuzz", Settings())
INTEL = TDX.collateral(NOW_NS)
CLAIM = "fuzzed"

# What reads it, and a well-formed example.
DECODERS: dict[str, tuple[Callable[[bytes], Any], bytes]] = {
    "bundle": (decode_bundle, BUNDLE),
    "collateral": (decode_collateral, COLLATERAL),
    "sev-snp report": (parse_snp, EVIDENCE.cpu_report),
    "tdx quote": (parse_quote, TDX.report(bytes(64))),
    "gpu report": (lambda data: parse_gpu(data, CLAIM), EVIDENCE.gpus[0].report),
    "certificate": (lambda data: parse_certificate(data, CLAIM), EVIDENCE.gpus[0].chain[0]),
    "guest claims": (decode_guest_claims, EVIDENCE.guest_claims),
    "ocsp answer": (lambda data: parse_answer(data, CLAIM), VENDOR.ocsp[0]),
    "manifest": (lambda data: parse_manifest(data, CLAIM), VENDOR.rims[0]),
    "revocation list": (lambda data: parse_crl(data, CLAIM), INTEL.crls[0]),
    "tcb info": (lambda data: parse_tcb_info(data, CLAIM), INTEL.tcb_infos[0]),
}
ENCODERS: dict[str, Callable[[Any], bytes]] = {"bundle": encode_bundle, "collateral": encode_collateral}


def test_decoders_read_or_refuse_and_say_what(fuzz: Fuzz) -> None:
    def attempt(drawn: tuple[str, bytes]) -> None:
        name, data = drawn
        try:
            value = DECODERS[name][0](data)
        except AttestationError as error:
            assert error.claim and error.message
            return
        if name in ENCODERS:
            assert ENCODERS[name](value) == data

    def inputs(name: str) -> st.SearchStrategy[tuple[str, bytes]]:
        whole = DECODERS[name][1]
        few = st.binary(max_size=20) | st.sampled_from(TELLING)
        return st.tuples(st.just(name), damaged(whole) | few | few.map(lambda rest: whole[:20] + rest))

    fuzz(attempt, st.sampled_from(sorted(DECODERS)).flatmap(inputs), examples=120)


def test_evidence_is_accepted_only_as_it_was_made(fuzz: Fuzz) -> None:
    verify_bundle(BUNDLE, Binding(NONCE, OPERATOR), SIMULATED, NOW_NS)

    def attempt(data: bytes) -> None:
        if data == BUNDLE:
            return
        with pytest.raises(AttestationError):
            verify_bundle(data, Binding(NONCE, OPERATOR), SIMULATED, NOW_NS)

    @st.composite
    def one_byte_off(draw: st.DrawFn) -> bytes:
        at = draw(st.integers(0, len(BUNDLE) - 1))
        return BUNDLE[:at] + bytes([BUNDLE[at] ^ draw(st.integers(1, 255))]) + BUNDLE[at + 1 :]

    fuzz(attempt, one_byte_off() | damaged(BUNDLE), examples=12)


def test_policies_are_read_or_refused(fuzz: Fuzz) -> None:
    def attempt(text: str) -> None:
        try:
            policy = policy_from_json(text)
        except PolicyMalformed as error:
            assert str(error)
            return
        assert policy_from_json(policy_to_json(policy)) == policy

    words = [
        "{",
        "}",
        "[",
        "]",
        '"',
        ":",
        ",",
        "null",
        "true",
        "1e999",
        "-1",
        "9" * 30,
        "NaN",
        "\\ud800",
        "all_of",
    ]
    fuzz(attempt, damaged_text(policy_to_json(SIMULATED), words), examples=80)


def test_intels_collateral_in_json_is_read_or_refused(fuzz: Fuzz) -> None:
    def attempt(text: str) -> None:
        try:
            collateral_from_json(text)
        except AttestationError as error:
            assert error.claim

    whole = "{" + ",".join(f'"{name}": "30820102"' for name in MEMBERS) + "}"
    words = [
        "{",
        "}",
        '"',
        ":",
        ",",
        "null",
        "[" * 5_000,
        "-----BEGIN CERTIFICATE-----",
        "\\ud800",
        "é",
        "\x00",
    ]
    fuzz(attempt, damaged_text(whole, words), examples=80)
