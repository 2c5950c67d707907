"""Guest claims: canonical, complete, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestation import GuestClaims, MalformedEvidence, decode_guest_claims, encode_guest_claims

versions = st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,6}){0,4}", fullmatch=True).filter(str.isascii)
modes = st.sampled_from(["on", "off"])


@given(st.builds(GuestClaims, modes, modes, versions, versions, st.booleans()))
def test_guest_claims_survive_a_round_trip(claims: GuestClaims) -> None:
    assert decode_guest_claims(encode_guest_claims(claims)) == claims


def test_the_encoding_is_canonical_json() -> None:
    claims = GuestClaims("on", "off", "550.90.07", "0.1.0", simulated=True)
    assert encode_guest_claims(claims) == (
        b'{"cc_mode":"on","devtools":"off","driver":"550.90.07","simulated":true,"worker":"0.1.0"}'
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"cc_mode":"on","devtools":"off","driver":"550.90.07"}',
        b'{"cc_mode": "on","devtools":"off","driver":"550.90.07","worker":"0.1.0"}',
        b'{"devtools":"off","cc_mode":"on","driver":"550.90.07","worker":"0.1.0"}',
        b'{"cc_mode":"on","cc_mode":"on","devtools":"off","driver":"550.90.07","worker":"0.1.0"}',
        b'{"cc_mode":"on","devtools":"off","driver":"550.90.07","extra":1,"worker":"0.1.0"}',
        b'{"cc_mode":"on","devtools":"off","driver":"550.90.07","simulated":false,"worker":"0.1.0"}',
        b'{"cc_mode":"on","devtools":"off","driver":"550.90.07","simulated":1,"worker":"0.1.0"}',
        b'{"cc_mode":"ON","devtools":"off","driver":"550.90.07","worker":"0.1.0"}',
        b'{"cc_mode":true,"devtools":"off","driver":"550.90.07","worker":"0.1.0"}',
        b'{"cc_mode":["on"],"devtools":"off","driver":"550.90.07","worker":"0.1.0"}',
        b'{"cc_mode":"on","devtools":"off","driver":"five","worker":"0.1.0"}',
        b'{"cc_mode":"on","devtools":"off","driver":"550.90.07","worker":"0.1.0\\n"}',
        b'{"cc_mode":"on","devtools":"off","driver":"1.2.3.4.5.6","worker":"0.1.0"}',
        b'{"cc_mode":"on","devtools":"off","driver":550,"worker":"0.1.0"}',
        b'{"cc_mode":"on","devtools":"off","driver":"550.90.07","worker":"0.1.0"}\n',
        '{"cc_mode":"on","devtools":"off","driver":"٣","worker":"0.1.0"}'.encode(),
        b"[" * 1000,
        b"1" * 1025,
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedEvidence, match="guest"):
        decode_guest_claims(data)
