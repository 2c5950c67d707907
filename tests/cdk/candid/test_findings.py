"""Bugs that fuzzing found in the Candid codec and parsers, one test each."""

from __future__ import annotations

import pytest

from cdk.candid import CandidError
from cdk.candid.did import DidError
from cdk.candid.did_parser import parse_did
from cdk.candid.text import decode_text, encode_text

DEEP = 50_000


def test_a_method_name_that_is_not_utf8_made_decode_text_raise_a_unicode_error() -> None:
    with pytest.raises(CandidError, match="type section"):
        decode_text(b"DIDL\x01\x69\x01\x01\x80\x68\x00")


def test_a_field_twice_in_an_interface_raised_the_codecs_error_without_a_line() -> None:
    with pytest.raises(DidError, match=r"did text:2: .*collide"):
        parse_did("type A =\nrecord { a : nat; a : nat };")


@pytest.mark.parametrize("text", ["type A = " + "opt " * DEEP + "nat", "type A = " + "record { " * DEEP])
def test_deep_nesting_in_an_interface_ended_in_a_recursion_error(text: str) -> None:
    with pytest.raises(DidError, match="too deep"):
        parse_did(text)


@pytest.mark.parametrize("text", ["opt " * DEEP + "1", "(" * DEEP, "record {" * DEEP, "1 : " + "opt " * DEEP])
def test_deep_nesting_in_a_value_ended_in_a_recursion_error(text: str) -> None:
    with pytest.raises(CandidError, match="too deep"):
        encode_text(text)


@pytest.mark.parametrize("number", ["9" * 5_000, "0x_"])
def test_a_number_that_python_cannot_read_ended_in_a_value_error(number: str) -> None:
    with pytest.raises(CandidError, match="no number"):
        encode_text(number)
    with pytest.raises(DidError, match="no number"):
        parse_did(f"type A = record {{ {number} : nat }}")


def test_a_number_as_a_label_with_a_point_ended_in_a_value_error() -> None:
    with pytest.raises(CandidError, match="no number"):
        encode_text("record { 1.5 = true }")


def test_leading_zeros_ended_in_a_value_error() -> None:
    assert encode_text("007 : nat8") == encode_text("7 : nat8")


def test_a_number_too_large_for_a_float_ended_in_an_overflow_error() -> None:
    with pytest.raises(CandidError, match="too large"):
        encode_text("1" + "0" * 400 + " : float64")


@pytest.mark.parametrize("text", ['"\\u{110000}"', '"\\u{d800}"', '"\\u{_}"', '"\\u{ffffffffffff}"'])
def test_escapes_that_are_no_characters_ended_in_a_value_error(text: str) -> None:
    with pytest.raises(CandidError, match="character"):
        encode_text(text)


def test_lone_surrogates_ended_in_a_unicode_error() -> None:
    with pytest.raises(CandidError, match="surrogates"):
        encode_text('record { "\ud800" = 1 }')
    with pytest.raises(DidError, match="surrogates"):
        parse_did('service : { "\ud800" : () -> () }')
