"""Principals in text form, compared with icp-py-core."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icp_principal.principal import Principal as Theirs

from cdk.candid import Principal, PrincipalError


@given(st.binary(max_size=29))
def test_text_form_agrees_with_icp_py_core_and_comes_back(raw: bytes) -> None:
    principal = Principal(raw)
    assert Principal.from_str(principal.to_str()) == principal
    if raw:
        assert principal.to_str() == Theirs.from_hex(raw.hex()).to_str()


def test_known_principals() -> None:
    assert str(Principal.management_canister()) == "aaaaa-aa"
    assert Principal.anonymous().to_str() == "2vxsx-fae"
    assert Principal.from_str("rkp4c-7iaaa-aaaaa-aaaca-cai").bytes == bytes(7) + b"\x04\x01\x01"
    assert Principal.from_hex("04") == Principal.anonymous()
    assert Principal(b"\x0a").hex == "0A" and Principal(b"\x0a").len == 1 and Principal(b"").isPrincipal


def test_self_authenticating_agrees_with_icp_py_core() -> None:
    der = bytes.fromhex("302a300506032b6570032100") + bytes(range(32))
    assert Principal.self_authenticating(der).to_str() == Theirs.self_authenticating(der).to_str()
    assert Principal.self_authenticating(der.hex()) == Principal.self_authenticating(der)


@pytest.mark.parametrize(
    "text",
    [
        *[
            "",
            "a",
            "aaaaa",
            "aaaaa-ab",
            "AAAAA-AA",
            "aaaaaaa",
            "2vxsx-fa0",
            "2vxsx-faf",
            "2vxsxfae",
            "-aaaaa-aa",
        ],
        "2vxsx--fae",
        "a" * 64,
        "aaaaa-aa ",
    ],
)
def test_anything_but_the_exact_text_form_is_refused(text: str) -> None:
    with pytest.raises(PrincipalError):
        Principal.from_str(text)


def test_principals_are_values() -> None:
    one, two = Principal(b"a"), Principal(b"b")
    assert one == Principal(b"a") and one != two and one != "a" and len({one, Principal(b"a"), two}) == 2
    assert sorted([two, one]) == [one, two] and one <= one
    assert repr(one) == f"Principal({one})"


def test_at_most_29_bytes() -> None:
    with pytest.raises(PrincipalError, match="29"):
        Principal(bytes(30))
    with pytest.raises(PrincipalError, match="hexadecimal"):
        Principal.from_hex("xy")
