"""Formats of TDX evidence: every bound, at and one past, and every way a structure can be malformed."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from attestation import AttestationError, ChainInvalid, MalformedEvidence, PlatformUnrecognized
from attestation.intel import quote as layout
from attestation.intel.pck import certificates_of_pem, read_platform
from attestation.intel.qe_identity import parse_qe_identity
from attestation.intel.quote import parse_quote
from attestation.intel.statement import MAX_STATEMENT_BYTES, parse_statement
from attestation.intel.tcb_info import MAX_LEVELS, module_status, parse_tcb_info, platform_status
from attestation.intel.tcb_status import STATUSES, combine
from attestation.simulator import Settings
from attestation.simulator import intel_collateral as intel
from attestation.simulator.certificates import intel_name, issue
from attestation.simulator.development_pki import load_authority
from attestation.simulator.tdx import SimulatedTdxPlatform
from attestation.simulator.tdx_settings import TdxSettings
from attestation.x509 import parse_certificate

DATES = {"issueDate": "2026-01-01T00:00:00Z", "nextUpdate": "2026-02-01T00:00:00Z"}
PLATFORM = SimulatedTdxPlatform(b"formats", Settings())
QUOTE = PLATFORM.report(bytes(range(64)))
V5 = SimulatedTdxPlatform(b"formats", Settings(tdx=TdxSettings(version=5, body_1_5=True))).report(bytes(64))
PEM = PLATFORM.pem_chain()


def patched(offset: int, value: bytes, data: bytes = QUOTE) -> bytes:
    return data[:offset] + value + data[offset + len(value) :]


def tcb_info(**changes: Any) -> bytes:
    return intel.sign_statement("tcbInfo", {**intel.tcb_info(TdxSettings()), **DATES, **changes})


def test_every_field_of_a_quote_is_read_from_its_place() -> None:
    for data, version in ((QUOTE, 4), (V5, 5)):
        quote = parse_quote(data)
        settings_used = Settings()
        assert quote.version == version
        assert quote.report.mr_td.hex() == settings_used.measurement
        assert quote.report.rtmrs == settings_used.tdx.rtmrs
        assert quote.report.tee_tcb_svn == bytes(settings_used.tdx.tee_tcb_svn)
        assert quote.qe_report.security_version == settings_used.tdx.qe_security_version
        assert quote.qe_report.signer == settings_used.tdx.qe_signer
        assert quote.pck_chain == PEM or version == 5
    assert parse_quote(QUOTE).report.report_data == bytes(range(64)) == QUOTE[568:632]
    assert parse_quote(V5).report.service_td == bytes(48)


@pytest.mark.parametrize(
    ("offset", "value", "problem"),
    [
        (layout.VERSION, b"\x03\0", "version"),
        (layout.VERSION, b"\x06\0", "version"),
        (layout.KEY_TYPE, b"\x03\0", "key type"),
        (layout.TEE_TYPE, bytes(4), "TEE type"),
        (layout.QE_VENDOR, bytes(16), "vendor"),
        (48 + layout.TD_ATTRIBUTES + 1, b"\x01", "reserved"),
        (632, b"\xff\xff\xff\xff", "at most"),
        (632, b"\x10\x27\x00\x00", "needs"),
        (632, b"\x00\x00\x00\x00", "not zero"),
        (764, b"\x05\0", "certification data"),
    ],
)
def test_a_malformed_quote_is_refused(offset: int, value: bytes, problem: str) -> None:
    with pytest.raises(MalformedEvidence, match=problem):
        parse_quote(patched(offset, value))


@pytest.mark.parametrize(
    "descriptor", [b"\1\0" + b"\x80\1\0\0", b"\2\0" + b"\x88\2\0\0", b"\4\0" + b"\x48\2\0\0"]
)
def test_a_body_of_unknown_type_or_size_is_refused(descriptor: bytes) -> None:
    with pytest.raises(MalformedEvidence, match="body of type"):
        parse_quote(patched(48, descriptor, V5))


def test_only_zeros_may_follow_and_the_size_is_bounded() -> None:
    room = layout.MAX_QUOTE_BYTES - len(QUOTE)
    assert parse_quote(QUOTE + bytes(room)) == parse_quote(QUOTE)
    with pytest.raises(MalformedEvidence, match="16384"):
        parse_quote(QUOTE + bytes(room + 1))
    with pytest.raises(MalformedEvidence, match="not zero"):
        parse_quote(QUOTE + b"\x01")


@pytest.mark.parametrize("data", [QUOTE, V5])
def test_every_truncation_of_a_quote_is_refused(data: bytes) -> None:
    for length in range(len(data)):
        with pytest.raises(MalformedEvidence):
            parse_quote(data[:length])


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=700), at=st.integers(0, 5000))
def test_rubbish_is_refused_by_name(data: bytes, at: int) -> None:
    for attempt in (data, QUOTE[:at] + data, V5[:at] + data + V5[at + len(data) :]):
        try:
            parse_quote(attempt)
        except AttestationError as error:
            assert error.claim.startswith("cpu.")


def test_pem_is_read_strictly() -> None:
    ders = certificates_of_pem(PEM, "chain")
    assert len(ders) == 3
    assert certificates_of_pem(PEM + bytes(5), "chain") == ders
    first = PEM[: PEM.index(b"-----END")]
    for wrong in (
        b"x",
        PEM.replace(b"\n", b"\r\n"),
        b" " + PEM,
        PEM.rstrip(b"\0") + b"x",
        PEM.rstrip(b"\0") * 2,
        first,
        PEM.replace(b"CERTIFICATE", b"CERTIFICAT", 1),
        b"-----BEGIN CERTIFICATE-----\n" + b"QR==" + b"\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n" + b"QQ" + b"\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(bytes(4098)) + b"\n-----END CERTIFICATE-----\n",
    ):
        with pytest.raises(MalformedEvidence):
            certificates_of_pem(wrong, "chain")


def test_a_pck_certificate_needs_its_extension() -> None:
    authority = load_authority("intel_pck_ca")
    made = issue(intel_name("Intel SGX PCK Certificate"), authority.key, authority.name, authority.key, 5,
                 [(e.value, e.critical) for e in PLATFORM.pck.extensions][:3])  # fmt: skip
    with pytest.raises(ChainInvalid, match="no extension"):
        read_platform(parse_certificate(made.public_bytes(Encoding.DER), "pck"), "pck")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        tcb_info() + b"\n",
        b" " + tcb_info(),
        tcb_info()[:-1],
        tcb_info().replace(b'"tcbInfo"', b'"TcbInfo"'),
        tcb_info().replace(b',"signature"', b', "signature"'),
        tcb_info()[:-10] + b"zzzzzzzz" + b'"}',
        tcb_info()[:-3] + b'A"}',
        b'{"tcbInfo":' + b"[" * 50_000 + b',"signature":"' + b"0" * 128 + b'"}',
        b'{"tcbInfo":5,"signature":"' + b"0" * 128 + b'"}',
        b'{"tcbInfo":{"issueDate":' + b"9" * 6_000 + b'},"signature":"' + b"0" * 128 + b'"}',
        b'{"tcbInfo":' + b" " * MAX_STATEMENT_BYTES + b',"signature":"' + b"0" * 128 + b'"}',
    ],
)
def test_a_malformed_statement_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedEvidence):
        parse_statement(data, "tcbInfo", "statement")


@pytest.mark.parametrize(
    "changes",
    [
        {"issueDate": "2026-01-01T00:00:00+00:00"},
        {"issueDate": "2026-02-30T00:00:00Z"},
        {"nextUpdate": 5},
        {"id": None},
        {"version": 3.0},
        {"version": True},
        {"tcbType": "0"},
        {"fmspc": "B0C06F0000"},
        {"fmspc": "B0C06F 00000"},
        {"pceId": ["0000"]},
        {"tcbEvaluationDataNumber": -1},
        {"tcbEvaluationDataNumber": 65_536},
    ],
)
def test_a_tcb_info_with_a_wrong_member_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedEvidence):
        parse_tcb_info(tcb_info(**changes), "statement")


@pytest.mark.parametrize(
    ("levels", "error"),
    [
        ([intel.tcb_level((0,), 0, (0,), "UpToDate")] * MAX_LEVELS, None),
        ([intel.tcb_level((0,), 0, (0,), "UpToDate")] * (MAX_LEVELS + 1), MalformedEvidence),
        ("none", MalformedEvidence),
        ([5], MalformedEvidence),
        ([{}], MalformedEvidence),
        ([{"tcb": []}], MalformedEvidence),
        ([{**intel.tcb_level((0,), 0, (0,), "UpToDate"), "tcbStatus": "x" * 100}], MalformedEvidence),
        ([intel.tcb_level((0,) * 15, 0, (0,) * 17, "UpToDate")], MalformedEvidence),
        ([intel.tcb_level((0,), -1, (0,), "UpToDate")], MalformedEvidence),
        ([], PlatformUnrecognized),
    ],
)
def test_the_levels_of_a_tcb_info_are_bounded_and_typed(
    levels: Any, error: type[AttestationError] | None
) -> None:
    info = parse_tcb_info(tcb_info(tcbLevels=levels), "statement")
    platform = read_platform(parse_certificate(certificates_of_pem(PEM, "c")[0], "pck"), "pck")
    svn = parse_quote(QUOTE).report.tee_tcb_svn
    if error is None:
        assert platform_status(info, platform, svn, "statement") == "UpToDate"
    else:
        with pytest.raises(error):
            platform_status(info, platform, svn, "statement")


@pytest.mark.parametrize("modules", [5, [5], [{}], [{"id": "TDX_01"}], [{"id": "TDX_02"}] * 33])
def test_malformed_modules_are_refused(modules: Any) -> None:
    info = parse_tcb_info(tcb_info(tdxModuleIdentities=modules), "statement")
    with pytest.raises((MalformedEvidence, PlatformUnrecognized)):
        module_status(info, parse_quote(QUOTE).report, "statement")


def test_an_identity_of_another_kind_is_refused() -> None:
    fields = {**intel.qe_identity(), **DATES}
    assert parse_qe_identity(intel.sign_statement("enclaveIdentity", fields), "s").evaluation == 17
    for change in ({"id": "QE"}, {"version": 3}):
        with pytest.raises(MalformedEvidence):
            parse_qe_identity(intel.sign_statement("enclaveIdentity", {**fields, **change}), "s")
    with pytest.raises(MalformedEvidence):
        parse_qe_identity(tcb_info(), "s")


def test_a_combination_is_never_better_than_its_parts() -> None:
    for platform in STATUSES:
        for part in ("UpToDate", "OutOfDate", "Revoked"):
            combined = STATUSES.index(combine(platform, part))
            assert combined >= max(STATUSES.index(platform), STATUSES.index(part))
