"""Amounts that cannot be confused or become negative; principals in their canonical text."""

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canisters.marketplace.core.types import (
    ANONYMOUS,
    BasisPoints,
    Principal,
    Tokens,
    TokensError,
    principal_bytes,
    principal_from_bytes,
    self_authenticating,
    total,
)
from cdk.candid import Principal as CandidPrincipal


@pytest.mark.parametrize("value", [-1, 1.0, True, "1", None])
def test_only_whole_non_negative_numbers_are_amounts(value: object) -> None:
    with pytest.raises(TokensError):
        Tokens(value)  # type: ignore[arg-type]


def test_subtracting_more_than_there_is_raises() -> None:
    with pytest.raises(TokensError):
        Tokens(1) - Tokens(2)


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.lt, operator.ge])
def test_amounts_do_not_mix_with_plain_numbers(operation: object) -> None:
    with pytest.raises((AttributeError, TypeError)):
        operation(Tokens(1), 1)  # type: ignore[operator]


@given(st.integers(0, 2**100), st.integers(0, 2**100), st.integers(0, 10_000))
def test_amounts_compute_like_integers(a: int, b: int, part: int) -> None:
    assert Tokens(a) + Tokens(b) == Tokens(a + b) == total((Tokens(a), Tokens(b)))
    assert Tokens(a).times(b) == Tokens(a * b)
    assert Tokens(a).share(BasisPoints(part)) == Tokens(a * part // 10_000)
    assert (Tokens(a) < Tokens(b), Tokens(a) >= Tokens(b)) == (a < b, a >= b)
    assert bool(Tokens(a)) == bool(a)
    assert (hash(Tokens(a)) == hash(Tokens(b))) or a != b


@given(st.binary(max_size=29))
def test_principals_read_and_write_as_cdk_s(raw: bytes) -> None:
    text = principal_from_bytes(raw)
    assert text == CandidPrincipal(raw).to_str()
    assert principal_bytes(text) == raw


def test_the_anonymous_principal_is_0x04() -> None:
    assert principal_bytes(ANONYMOUS) == b"\x04"


def test_a_key_s_principal_is_its_hash() -> None:
    assert self_authenticating(b"key") == CandidPrincipal.self_authenticating(b"key").to_str()


@pytest.mark.parametrize(
    "text", ["", "2vxsx-fa", "2vxsx-fae-", "2VXSX-FAE", "aaaaa-ab", "not!a-principal", "a" * 100]
)
def test_texts_that_are_no_principals_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a principal"):
        principal_bytes(Principal(text))
