"""Beginning, continuing and completing uploads."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canisters.vault.core import limits
from canisters.vault.core.blobs import chunk_count, chunk_length, manifest
from canisters.vault.core.errors import HashMismatch, InvalidArgument, NotAuthorized, NotFound, QuotaExceeded
from canisters.vault.core.limits import CHUNK_SIZE, GIB, UPLOAD_LIFETIME
from canisters.vault.core.storage import Storage
from canisters.vault.core.vault import ANONYMOUS, Vault
from tests.vault.memory import ALICE, BOB, LARGE, NOW, SMALL, Blob, memory_storage, new_vault, rows_of, upload

HASH = bytes(32)


def test_chunks_in_any_order_complete_a_blob(vault: Vault) -> None:
    begun = vault.begin_upload(ALICE, LARGE.manifest, NOW)
    assert begun.blob.hex() == LARGE.id and begun.missing() == [0, 1, 2]
    assert vault.put_chunk(ALICE, LARGE.id, 2, LARGE.chunks[2], NOW).missing() == [0, 1]
    assert vault.put_chunk(ALICE, LARGE.id, 0, LARGE.chunks[0], NOW).missing() == [1]
    last = vault.put_chunk(ALICE, LARGE.id, 1, LARGE.chunks[1], NOW)
    assert last.missing() == [] and last.claim.complete
    assert b"".join(vault.get_chunk(ALICE, LARGE.id, index, NOW) for index in range(3)) == LARGE.data


def test_sending_a_chunk_again_changes_nothing(vault: Vault, storage: Storage) -> None:
    vault.begin_upload(ALICE, LARGE.manifest, NOW)
    vault.put_chunk(ALICE, LARGE.id, 1, LARGE.chunks[1], NOW)
    before = rows_of(storage)
    assert vault.put_chunk(ALICE, LARGE.id, 1, LARGE.chunks[1], NOW).missing() == [0, 2]
    assert rows_of(storage) == before
    upload(vault, ALICE, LARGE)
    before = rows_of(storage)
    assert vault.put_chunk(ALICE, LARGE.id, 1, LARGE.chunks[1], NOW).claim.complete
    assert rows_of(storage) == before


def test_an_interrupted_upload_goes_on(vault: Vault) -> None:
    vault.begin_upload(ALICE, LARGE.manifest, NOW)
    vault.put_chunk(ALICE, LARGE.id, 1, LARGE.chunks[1], NOW)
    assert vault.begin_upload(ALICE, LARGE.manifest, NOW + 5).missing() == [0, 2]
    assert vault.quota.used(ALICE) == len(LARGE.data)


def test_beginning_a_complete_upload_again_says_complete(vault: Vault, storage: Storage) -> None:
    upload(vault, ALICE, SMALL)
    before = rows_of(storage)
    assert vault.begin_upload(ALICE, SMALL.manifest, NOW + 9).claim.complete
    assert rows_of(storage) == before


def test_other_bytes_than_declared_are_refused(vault: Vault, storage: Storage) -> None:
    vault.begin_upload(ALICE, LARGE.manifest, NOW)
    before = rows_of(storage)
    wrong = b"\x00" + LARGE.chunks[0][1:-1] + b"\x00"
    with pytest.raises(HashMismatch) as error:
        vault.put_chunk(ALICE, LARGE.id, 0, wrong, NOW)
    expected = {"index": 0, "expected": sha256(LARGE.chunks[0]).digest(), "found": sha256(wrong).digest()}
    assert error.value.variant() == {"HashMismatch": expected}
    with pytest.raises(HashMismatch):
        vault.put_chunk(ALICE, LARGE.id, 1, LARGE.chunks[0], NOW)
    assert rows_of(storage) == before


@pytest.mark.parametrize("data", [b"", b"seale", b"sealed!", bytes(CHUNK_SIZE + 1)])
def test_chunks_of_another_length_are_refused(vault: Vault, data: bytes) -> None:
    vault.begin_upload(ALICE, SMALL.manifest, NOW)
    with pytest.raises(InvalidArgument, match="chunk 0 of this blob has 6 bytes"):
        vault.put_chunk(ALICE, SMALL.id, 0, data, NOW)


@pytest.mark.parametrize("index", [1, 2**32 - 1])
def test_an_index_past_the_last_chunk_is_refused(vault: Vault, index: int) -> None:
    vault.begin_upload(ALICE, SMALL.manifest, NOW)
    with pytest.raises(InvalidArgument, match="has 1 chunks"):
        vault.put_chunk(ALICE, SMALL.id, index, SMALL.data, NOW)


@pytest.mark.parametrize("blob_id", ["", "xyz", "A" * 64, "a" * 63, "a" * 65, "é" * 64, "x" * 100_000])
def test_what_is_no_blob_id_is_refused(vault: Vault, blob_id: str) -> None:
    for call in (
        lambda: vault.put_chunk(ALICE, blob_id, 0, b"", NOW),
        lambda: vault.get_chunk(ALICE, blob_id, 0, NOW),
        lambda: vault.blob_info(ALICE, blob_id, NOW),
        lambda: vault.my_blobs(ALICE, blob_id, 10),
        lambda: vault.delete_blob(ALICE, blob_id, NOW),
    ):
        with pytest.raises(InvalidArgument) as error:
            call()
        assert error.value.fields["field"] == "blob_id"
        assert len(str(error.value.fields["value"])) <= limits.SHOWN_VALUE


def test_an_unknown_blob_is_not_found(vault: Vault) -> None:
    with pytest.raises(NotFound) as error:
        vault.put_chunk(ALICE, SMALL.id, 0, SMALL.data, NOW)
    assert error.value.variant() == {"NotFound": {"kind": "blob", "id": SMALL.id}}


def test_chunks_are_taken_only_from_those_who_began(vault: Vault) -> None:
    vault.begin_upload(ALICE, SMALL.manifest, NOW)
    with pytest.raises(NotAuthorized):
        vault.put_chunk(BOB, SMALL.id, 0, SMALL.data, NOW)


def test_the_anonymous_principal_keeps_nothing(vault: Vault) -> None:
    with pytest.raises(NotAuthorized, match="signed in"):
        vault.begin_upload(ANONYMOUS, SMALL.manifest, NOW)


@pytest.mark.parametrize(
    ("size", "whole", "hashes", "field"),
    [
        (0, HASH, [], "size"),
        (limits.MAX_BLOB_SIZE + 1, HASH, [HASH] * 2049, "size"),
        (2**64 - 1, HASH, [], "size"),
        (5, HASH[:31], [HASH], "sha256"),
        (5, HASH + b"x", [HASH], "sha256"),
        (5, HASH, [], "chunk_sha256s"),
        (5, HASH, [HASH, HASH], "chunk_sha256s"),
        (CHUNK_SIZE, HASH, [HASH, HASH], "chunk_sha256s"),
        (CHUNK_SIZE + 1, HASH, [HASH], "chunk_sha256s"),
        (CHUNK_SIZE + 1, HASH, [HASH, HASH[:31]], "chunk_sha256s[1]"),
    ],
)
def test_declarations_whose_parts_do_not_fit_are_refused(
    size: int, whole: bytes, hashes: list[bytes], field: str
) -> None:
    with pytest.raises(InvalidArgument) as error:
        manifest(size, whole, hashes)
    assert error.value.fields["field"] == field


def test_a_blob_of_the_largest_size_can_be_declared(vault: Vault) -> None:
    largest = manifest(limits.MAX_BLOB_SIZE, HASH, [HASH] * 2048)
    assert len(vault.begin_upload(ALICE, largest, NOW).missing()) == 2048


@given(st.integers(1, limits.MAX_BLOB_SIZE))
def test_the_chunks_of_a_blob_have_its_size_together(size: int) -> None:
    count = chunk_count(size)
    lengths = [chunk_length(size, index) for index in range(count)]
    assert sum(lengths) == size and all(0 < length <= CHUNK_SIZE for length in lengths)
    assert set(lengths[:-1]) <= {CHUNK_SIZE}


def test_a_declared_hash_of_the_whole_cannot_be_changed(vault: Vault) -> None:
    vault.begin_upload(ALICE, SMALL.manifest, NOW)
    with pytest.raises(InvalidArgument) as error:
        vault.begin_upload(ALICE, SMALL.manifest._replace(sha256=HASH), NOW)
    assert error.value.fields["field"] == "sha256"
    vault.begin_upload(BOB, SMALL.manifest._replace(sha256=HASH), NOW)
    assert vault.blob_info(ALICE, SMALL.id, NOW).claim.sha256 == SMALL.manifest.sha256


def test_the_quota_is_used_up_to_its_last_byte() -> None:
    vault = new_vault(memory_storage())
    for number in range(2):
        vault.begin_upload(ALICE, manifest(2 * GIB, HASH, [bytes((number,)) * 32] * 2048), NOW)
    assert vault.quota.used(ALICE) == limits.OWNER_QUOTA
    with pytest.raises(QuotaExceeded) as error:
        vault.begin_upload(ALICE, SMALL.manifest, NOW)
    assert error.value.fields == {
        "used": limits.OWNER_QUOTA, "limit": limits.OWNER_QUOTA, "requested": limits.MIN_CHARGE,
    }  # fmt: skip
    vault.begin_upload(BOB, SMALL.manifest, NOW)


def test_all_owners_together_have_a_limit(vault: Vault, storage: Storage) -> None:
    vault.begin_upload(BOB, SMALL.manifest, NOW)
    vault.quota.receive(limits.TOTAL_CAPACITY - limits.MIN_CHARGE)
    before = rows_of(storage)
    with pytest.raises(QuotaExceeded) as error:
        vault.begin_upload(ALICE, SMALL.manifest, NOW)
    assert error.value.fields["limit"] == limits.TOTAL_CAPACITY
    with pytest.raises(QuotaExceeded):
        vault.put_chunk(BOB, SMALL.id, 0, SMALL.data, NOW)
    assert rows_of(storage) == before


def test_uploads_that_are_only_announced_take_no_room_from_others(vault: Vault) -> None:
    """Found: 64 principals who announced two blobs each, and sent nothing, filled the vault for a day."""
    announced = manifest(2 * GIB, HASH, [HASH] * 2048)
    for number in range(2 * limits.TOTAL_CAPACITY // announced.size):
        vault.begin_upload(b"owner%d" % number, announced, NOW)
    upload(vault, ALICE, SMALL)
    assert vault.get_chunk(ALICE, SMALL.id, 0, NOW) == SMALL.data


def test_an_upload_ends_after_its_lifetime(vault: Vault, storage: Storage) -> None:
    vault.begin_upload(ALICE, LARGE.manifest, NOW)
    vault.put_chunk(ALICE, LARGE.id, 0, LARGE.chunks[0], NOW + UPLOAD_LIFETIME - 1)
    with pytest.raises(NotFound) as error:
        vault.put_chunk(ALICE, LARGE.id, 1, LARGE.chunks[1], NOW + UPLOAD_LIFETIME)
    assert error.value.fields["kind"] == "upload"
    vault.sweep(NOW + UPLOAD_LIFETIME - 1)
    assert vault.blob_info(ALICE, LARGE.id, NOW)
    vault.sweep(NOW + UPLOAD_LIFETIME)
    rows = rows_of(storage)
    assert {name for name in rows if rows[name]} == {"settings"}
    assert vault.quota.used(ALICE) == vault.quota.total() == 0


def test_beginning_again_gives_an_upload_more_time(vault: Vault) -> None:
    vault.begin_upload(ALICE, SMALL.manifest, NOW)
    vault.begin_upload(ALICE, SMALL.manifest, NOW + UPLOAD_LIFETIME)
    vault.sweep(NOW + UPLOAD_LIFETIME)
    assert vault.put_chunk(ALICE, SMALL.id, 0, SMALL.data, NOW + UPLOAD_LIFETIME + 1).claim.complete


def test_a_complete_blob_does_not_end(vault: Vault) -> None:
    upload(vault, ALICE, SMALL)
    vault.sweep(NOW + 1_000 * limits.DAY)
    assert vault.get_chunk(ALICE, SMALL.id, 0, NOW + 1_000 * limits.DAY) == SMALL.data


def test_many_ended_uploads_take_several_sweeps(vault: Vault) -> None:
    for number in range(limits.SWEEP_RECORDS + 1):
        vault.begin_upload(ALICE, Blob(b"blob %d" % number).manifest, NOW)
    end = NOW + UPLOAD_LIFETIME
    assert vault.sweep(end)
    assert vault.quota.used(ALICE) == limits.MIN_CHARGE
    while vault.sweep(end):
        pass
    assert vault.quota.used(ALICE) == 0
