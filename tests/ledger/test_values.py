"""ICRC-3 values: the standard's test vectors, and the encoding at rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canisters.ledger.core.storage import CorruptRecordError
from canisters.ledger.core.values import Value, decode_value, encode_value, hash_value
from tests.ledger.replay import hash_of

FROM = bytes.fromhex("00abcdef0012340056789a00bcdef000012345678900abcdef01")
TO = bytes.fromhex("00ab0def0012340056789a00bcdef000012345678900abcdef01")

scalars = st.integers(0, 2**300) | st.binary(max_size=64) | st.text(max_size=20)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (42, "684888c0ebb17f374298b65ee2807526c066094c701bcc7ebbe1c1095f494fc1"),
        ("Hello, World!", "dffd6021bb2bd5b0af676290809ec3a53191dd81c7f70a4b28688a362182986f"),
        (b"\x01\x02\x03\x04", "9f64a747e1b97f131fabb6b447296c9b6f0201e79fb3c5356e6c77e89b6a806a"),
        ([3, "foo", b"\x05\x06"], "514a04011caa503990d446b7dec5d79e19c221ae607fb08b2848c67734d468d6"),
        (
            {"from": FROM, "to": TO, "amount": 42, "created_at": 1699218263, "memo": 0},
            "c56ece650e1de4269c5bdeff7875949e3e2033f85b2d193c2ff4f7f78bdcfc75",
        ),
    ],
)
def test_hashes_are_those_of_the_standard(value: Value, expected: str) -> None:
    """Source: github.com/dfinity/ICRC-1, standards/ICRC-3/HASHINGVALUES.md, test vectors."""
    assert hash_value(value).hex() == expected


@given(values)
def test_hashes_agree_with_the_pseudocode(value: Value) -> None:
    assert hash_value(value) == hash_of(value)


@given(values)
def test_a_stored_value_comes_back(value: Value) -> None:
    assert decode_value(encode_value(value)) == value


@given(values, st.data())
def test_a_truncated_value_is_corrupt(value: Value, data: st.DataObject) -> None:
    encoded = encode_value(value)
    length = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(CorruptRecordError):
        decode_value(encoded[:length])


def test_trailing_bytes_and_unknown_tags_are_corrupt() -> None:
    for data in (encode_value(1) + b"\x00", b"?\x00"):
        with pytest.raises(CorruptRecordError):
            decode_value(data)


def test_a_length_takes_one_byte() -> None:
    assert decode_value(encode_value(bytes(255))) == bytes(255)
    with pytest.raises(ValueError, match="256 bytes"):
        encode_value(bytes(256))
