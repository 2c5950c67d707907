"""Candid values in text form."""

import pytest

from cdk.candid import BLOB, NAT, NAT8, TEXT, CandidError, Codec, Field, Opt, Record, Variant, Vec
from cdk.candid.text import decode_text, encode_text


def test_values_of_every_kind_come_back_as_text() -> None:
    text = (
        '(1 : nat64, opt (-5 : int8), vec { true; false }, record { 1 : nat; "x" }, "a\\\\b\\"c\\n", '
        'blob "\\00a", principal "aaaaa-aa", service "aaaaa-aa", func "aaaaa-aa".raw_rand, null, 2.5)'
    )
    again = decode_text(encode_text(text))
    assert decode_text(encode_text(again)) == again
    assert again == (
        '(1 : nat64, opt (-5 : int8), vec { true; false }, record { 0 = 1 : nat; 1 = "x" }, "a\\\\b\\"c\\n", '
        'blob "\\00\\61", principal "aaaaa-aa", service "aaaaa-aa", func "aaaaa-aa".raw_rand, null, '
        "2.5 : float64)"
    )


def test_text_gives_the_same_bytes_as_typed_values() -> None:
    record = Record((Field("owner", TEXT), Field("memo", Opt(BLOB)), Field("raw", Vec(NAT8))))
    typed = Codec([record, Variant((Field("Ok", NAT),))])
    text = (
        '(record { owner = "me"; memo = opt blob "ab"; raw = vec { 1 : nat8; 2 : nat8 } }, '
        "variant { Ok = 7 : nat })"
    )
    assert typed.decode(encode_text(text)) == [
        {"owner": "me", "memo": b"ab", "raw": b"\x01\x02"},
        {"Ok": 7},
    ]


def test_a_single_value_needs_no_parentheses() -> None:
    assert encode_text("5 : nat8") == encode_text("(5 : nat8)")
    assert decode_text(encode_text("variant { None }")).startswith("(variant { ")
    assert encode_text("()") == b"DIDL\x00\x00"


@pytest.mark.parametrize(
    "text", ["(", "1 2", "record { a = }", "300 : nat8", 'principal "x"', "variant { a; b }", "what", "@"]
)
def test_malformed_texts_are_refused(text: str) -> None:
    with pytest.raises(CandidError):
        encode_text(text)


def test_damaged_messages_are_refused() -> None:
    with pytest.raises(CandidError):
        decode_text(b"DIDL\x01")
