from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devnet.crypto.wrapped_key import CANISTER, COSE, unwrap


def tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 | len(length)]) + length + content


def wrap(algorithm: bytes, content: bytes) -> bytes:
    return tlv(0x30, algorithm + tlv(0x03, b"\0" + content))


@given(st.binary(max_size=70_000))
def test_content_of_any_length_is_found(content: bytes) -> None:
    assert unwrap(wrap(CANISTER, content), CANISTER) == content
    assert unwrap(wrap(CANISTER, content), COSE) is None


@given(st.binary(max_size=60))
def test_any_bytes_are_a_key_or_none(data: bytes) -> None:
    content = unwrap(data, COSE)
    assert content is None or wrap(COSE, content) == data


@pytest.mark.parametrize("size", [0, 200])
def test_truncated_and_longer_keys_are_none(size: int) -> None:
    key = wrap(CANISTER, bytes(size))
    assert all(unwrap(key[:end], CANISTER) is None for end in range(len(key)))
    assert unwrap(key + b"\0", CANISTER) is None


def test_a_length_in_more_bytes_than_needed_is_refused() -> None:
    inner = CANISTER + b"\x03\x81\x02\x00\x01"
    assert unwrap(b"\x30" + bytes([len(inner)]) + inner, CANISTER) is None
