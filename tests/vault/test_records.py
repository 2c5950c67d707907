"""Encodings of the vault's records."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canisters.vault.core import bitmaps
from canisters.vault.core.limits import MAX_BLOB_SIZE
from canisters.vault.core.records import MAX_RECORD_SIZE, Claim, Content
from canisters.vault.core.storage import CorruptRecordError, prefix_end

numbers = st.integers(0, 2**64 - 1)
counts = st.integers(0, 2**32 - 1)
maps = st.binary(max_size=256)


@given(st.builds(Content, numbers, numbers, counts, counts, maps))
def test_a_content_comes_back(content: Content) -> None:
    assert Content.decode(content.encode()) == content
    assert len(content.encode()) <= MAX_RECORD_SIZE


@given(st.builds(Claim, numbers, numbers, counts, st.binary(min_size=32, max_size=32), numbers, maps))
def test_a_claim_comes_back(claim: Claim) -> None:
    assert Claim.decode(claim.encode()) == claim
    assert len(claim.encode()) <= MAX_RECORD_SIZE


def test_a_bitmap_of_the_largest_blob_fits() -> None:
    assert len(bitmaps.empty(MAX_BLOB_SIZE >> 20)) == 256


@given(st.integers(1, 300), st.data())
def test_a_bitmap_is_a_set(count: int, data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.integers(0, count - 1)))
    bitmap = bitmaps.empty(count)
    for index in chosen:
        bitmap = bitmaps.with_index(bitmap, index)
    assert set(bitmaps.missing(bitmap, count)) == set(range(count)) - chosen
    assert all(bitmaps.contains(bitmap, index) == (index in chosen) for index in range(count))


def test_a_record_of_another_version_is_refused() -> None:
    with pytest.raises(CorruptRecordError, match="02"):
        Claim.decode(b"\x02" + bytes(80))
    with pytest.raises(CorruptRecordError):
        Content.decode(b"")


def test_the_end_of_a_prefix() -> None:
    assert prefix_end(b"ab") == b"ac"
    assert prefix_end(b"a\xff\xff") == b"b"
    assert prefix_end(b"\xff") is None
