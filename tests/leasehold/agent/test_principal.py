import pytest
from hypothesis import given
from hypothesis import strategies as st

from leasehold.agent import Principal, PrincipalError


@given(st.binary(max_size=29))
def test_text_and_bytes_are_the_same_principal(raw: bytes) -> None:
    assert Principal.parse(str(Principal(raw))) == Principal(raw)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", "aaaaa-aa"),
        (b"\x04", "2vxsx-fae"),
        (bytes.fromhex("00000000000000010101"), "rrkah-fqaaa-aaaaa-aaaaq-cai"),
    ],
)
def test_known_principals(raw: bytes, text: str) -> None:
    assert str(Principal(raw)) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "checksum"),
        ("rrkah-fqaaa-aaaaa-aaaaq-cbi", "checksum"),
        ("rrkahfqaaaaaaaaaaaaqcai", "write rrkah-fqaaa-aaaaa-aaaaq-cai"),
        ("1!", "not base32"),
    ],
)
def test_what_is_no_principal_is_refused(text: str, problem: str) -> None:
    with pytest.raises(PrincipalError, match=problem):
        Principal.parse(text)


def test_thirty_bytes_are_too_many() -> None:
    with pytest.raises(PrincipalError, match="at most 29 bytes, got 30"):
        Principal(bytes(30))
