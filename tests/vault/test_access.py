"""Who may read, list, grant and delete."""

import pytest

from canisters.vault.core import limits
from canisters.vault.core.errors import Incomplete, InvalidArgument, NotAuthorized, NotFound
from canisters.vault.core.storage import Storage
from canisters.vault.core.vault import Vault
from tests.vault.memory import (
    ALICE,
    BOB,
    LARGE,
    MARKETPLACE,
    NOW,
    READER,
    SMALL,
    Blob,
    memory_storage,
    rows_of,
    upload,
)

UNTIL = NOW + limits.HOUR


def allow(vault: Vault, until: int = UNTIL, now: int = NOW, blob: Blob = SMALL) -> int:
    return vault.grant(MARKETPLACE, [(blob.id, READER, until)], now)


def test_strangers_and_the_marketplace_read_nothing(vault: Vault) -> None:
    upload(vault, ALICE, SMALL)
    for caller in (BOB, READER, MARKETPLACE, b"\x04"):
        with pytest.raises(NotAuthorized):
            vault.get_chunk(caller, SMALL.id, 0, NOW)


def test_a_granted_reader_reads_until_the_end(vault: Vault) -> None:
    upload(vault, ALICE, SMALL)
    assert allow(vault) == 1
    assert vault.get_chunk(READER, SMALL.id, 0, UNTIL - 1) == SMALL.data
    with pytest.raises(NotAuthorized):
        vault.get_chunk(READER, SMALL.id, 0, UNTIL)


def test_an_incomplete_blob_is_read_by_nobody(vault: Vault) -> None:
    vault.begin_upload(ALICE, LARGE.manifest, NOW)
    vault.put_chunk(ALICE, LARGE.id, 0, LARGE.chunks[0], NOW)
    with pytest.raises(Incomplete) as error:
        vault.get_chunk(ALICE, LARGE.id, 0, NOW)
    assert error.value.variant() == {"Incomplete": {"missing": 2}}
    for call in (lambda: allow(vault, blob=LARGE), lambda: vault.blob_info(MARKETPLACE, LARGE.id, NOW)):
        with pytest.raises(Incomplete) as error:
            call()
        assert error.value.fields == {"missing": 2}


def test_knowing_the_hashes_of_a_blob_is_not_enough_to_read_it(vault: Vault) -> None:
    upload(vault, ALICE, SMALL)
    assert vault.begin_upload(BOB, SMALL.manifest, NOW).missing() == [0]
    with pytest.raises(Incomplete):
        vault.get_chunk(BOB, SMALL.id, 0, NOW)
    vault.put_chunk(BOB, SMALL.id, 0, SMALL.data, NOW)
    assert vault.get_chunk(BOB, SMALL.id, 0, NOW) == SMALL.data


def test_an_index_past_the_end_is_refused(vault: Vault) -> None:
    upload(vault, ALICE, SMALL)
    with pytest.raises(InvalidArgument):
        vault.get_chunk(ALICE, SMALL.id, 1, NOW)


def test_only_the_marketplace_grants(vault: Vault, storage: Storage) -> None:
    upload(vault, ALICE, SMALL)
    before = rows_of(storage)
    for caller in (ALICE, READER):
        with pytest.raises(NotAuthorized) as error:
            vault.grant(caller, [(SMALL.id, READER, UNTIL)], NOW)
        assert error.value.fields == {"required": "the marketplace"}
    assert rows_of(storage) == before


def test_grants_are_given_together_or_not_at_all(vault: Vault, storage: Storage) -> None:
    upload(vault, ALICE, SMALL)
    before = rows_of(storage)
    with pytest.raises(NotFound):
        vault.grant(MARKETPLACE, [(SMALL.id, READER, UNTIL), (LARGE.id, READER, UNTIL)], NOW)
    assert rows_of(storage) == before


def test_grants_are_bounded_in_number_and_time(vault: Vault) -> None:
    upload(vault, ALICE, SMALL)
    many = [(SMALL.id, b"reader%d" % number, UNTIL) for number in range(limits.GRANTS_PER_CALL + 1)]
    assert vault.grant(MARKETPLACE, many[1:], NOW) == limits.GRANTS_PER_CALL
    with pytest.raises(InvalidArgument, match="at most 100 grants"):
        vault.grant(MARKETPLACE, many, NOW)
    allow(vault, NOW + limits.MAX_GRANT)
    with pytest.raises(InvalidArgument) as error:
        allow(vault, NOW + limits.MAX_GRANT + 1)
    assert error.value.fields["field"] == "until"


def test_a_grant_is_lengthened_never_shortened_but_can_be_taken_back(vault: Vault) -> None:
    upload(vault, ALICE, SMALL)
    allow(vault, UNTIL)
    allow(vault, UNTIL - 5)
    assert vault.get_chunk(READER, SMALL.id, 0, UNTIL - 1)
    allow(vault, UNTIL + 5)
    assert vault.get_chunk(READER, SMALL.id, 0, UNTIL + 4)
    allow(vault, NOW)
    with pytest.raises(NotAuthorized):
        vault.get_chunk(READER, SMALL.id, 0, NOW)


def test_ended_grants_are_removed_in_batches(vault: Vault, storage: Storage) -> None:
    upload(vault, ALICE, SMALL)
    for start in (0, 80):
        readers = [(SMALL.id, b"reader%d" % number, UNTIL) for number in range(start, start + 80)]
        vault.grant(MARKETPLACE, readers, NOW)
    vault.sweep(UNTIL - 1)
    assert len(rows_of(storage)["grants"]) == 160
    assert vault.sweep(UNTIL)
    assert len(rows_of(storage)["grants"]) == len(rows_of(storage)["grant_ends"]) == 60
    assert not vault.sweep(UNTIL)
    assert rows_of(storage)["grants"] == rows_of(storage)["grant_ends"] == {}


def test_a_blob_in_use_is_not_deleted_by_its_last_owner(vault: Vault, storage: Storage) -> None:
    upload(vault, ALICE, SMALL)
    allow(vault)
    before = rows_of(storage)
    with pytest.raises(InvalidArgument, match=f"in use: others may read it until {UNTIL}"):
        vault.delete_blob(ALICE, SMALL.id, UNTIL - 1)
    assert rows_of(storage) == before
    assert vault.delete_blob(ALICE, SMALL.id, UNTIL) == limits.MIN_CHARGE


def test_a_blob_in_use_is_not_deleted_behind_many_ended_grants(vault: Vault) -> None:
    upload(vault, ALICE, SMALL)
    vault.grant(MARKETPLACE, [(SMALL.id, b"%03d" % number, NOW + 1) for number in range(99)], NOW)
    allow(vault)
    with pytest.raises(InvalidArgument):
        vault.delete_blob(ALICE, SMALL.id, NOW + 2)


def test_deletion_by_one_owner_leaves_the_blob_to_the_others(vault: Vault) -> None:
    upload(vault, ALICE, LARGE)
    upload(vault, BOB, LARGE)
    allow(vault, blob=LARGE)
    assert vault.delete_blob(ALICE, LARGE.id, NOW) == len(LARGE.data)
    vault.sweep(NOW)
    for caller in (BOB, READER):
        assert vault.get_chunk(caller, LARGE.id, 2, NOW) == LARGE.chunks[2]
    with pytest.raises(NotAuthorized):
        vault.get_chunk(ALICE, LARGE.id, 2, NOW)
    assert vault.quota.used(ALICE) == 0 and vault.quota.used(BOB) == len(LARGE.data)


def test_an_unfinished_second_owner_does_not_let_the_last_complete_one_go(vault: Vault) -> None:
    upload(vault, ALICE, SMALL)
    vault.begin_upload(BOB, SMALL.manifest, NOW)
    allow(vault)
    with pytest.raises(InvalidArgument):
        vault.delete_blob(ALICE, SMALL.id, NOW)
    vault.delete_blob(BOB, SMALL.id, NOW)
    assert vault.get_chunk(READER, SMALL.id, 0, NOW)


def test_deletion_while_another_still_uploads_leaves_them_the_chunks(vault: Vault) -> None:
    upload(vault, ALICE, LARGE)
    vault.begin_upload(BOB, LARGE.manifest, NOW)
    vault.put_chunk(BOB, LARGE.id, 0, LARGE.chunks[0], NOW)
    vault.delete_blob(ALICE, LARGE.id, NOW)
    vault.sweep(NOW)
    for index in (1, 2):
        vault.put_chunk(BOB, LARGE.id, index, LARGE.chunks[index], NOW)
    assert b"".join(vault.get_chunk(BOB, LARGE.id, index, NOW) for index in range(3)) == LARGE.data


def test_only_owners_delete(vault: Vault) -> None:
    upload(vault, ALICE, SMALL)
    for caller in (BOB, MARKETPLACE):
        with pytest.raises(NotAuthorized):
            vault.delete_blob(caller, SMALL.id, NOW)
    vault.delete_blob(ALICE, SMALL.id, NOW)
    with pytest.raises(NotFound):
        vault.delete_blob(ALICE, SMALL.id, NOW)


def test_deleted_chunks_are_removed_a_few_at_a_time(vault: Vault, storage: Storage) -> None:
    from canisters.vault.core.contents import Contents

    upload(vault, ALICE, LARGE)
    vault.delete_blob(ALICE, LARGE.id, NOW)
    contents = Contents(storage)
    assert len(rows_of(storage)["chunks"]) == 3
    assert contents.collect(2)
    assert len(rows_of(storage)["chunks"]) == 1
    assert not contents.collect(2)
    rows = rows_of(storage)
    assert {name for name in rows if rows[name]} == {"settings"}


def test_a_blob_can_be_uploaded_again_while_its_old_chunks_wait_for_removal(vault: Vault) -> None:
    upload(vault, ALICE, LARGE)
    vault.delete_blob(ALICE, LARGE.id, NOW)
    upload(vault, BOB, LARGE)
    assert not vault.sweep(NOW)
    assert vault.get_chunk(BOB, LARGE.id, 1, NOW) == LARGE.chunks[1]


def test_information_is_for_owners_readers_and_the_marketplace(vault: Vault) -> None:
    upload(vault, ALICE, SMALL, now=NOW - 7)
    allow(vault)
    for caller in (ALICE, READER, MARKETPLACE):
        info = vault.blob_info(caller, SMALL.id, NOW)
        assert info.owner == ALICE and info.claim.size == 6 and info.claim.created_at == NOW - 7
        assert info.claim.sha256 == SMALL.manifest.sha256 and info.claim.complete
    with pytest.raises(NotAuthorized):
        vault.blob_info(BOB, SMALL.id, NOW)
    with pytest.raises(NotFound):
        vault.blob_info(ALICE, LARGE.id, NOW)


def test_readers_are_told_of_a_complete_owner(vault: Vault) -> None:
    vault.begin_upload(ALICE, SMALL.manifest._replace(sha256=bytes(32)), NOW)
    upload(vault, BOB, SMALL)
    assert vault.blob_info(MARKETPLACE, SMALL.id, NOW).owner == BOB


def test_own_blobs_are_listed_by_pages(vault: Vault) -> None:
    ids = sorted(blob.id for blob in (Blob(b"%d" % number) for number in range(5)))
    for number in range(5):
        upload(vault, ALICE, Blob(b"%d" % number))
    upload(vault, BOB, SMALL)
    first = vault.my_blobs(ALICE, None, 3)
    assert [each.blob.hex() for each in first] == ids[:3]
    assert [each.blob.hex() for each in vault.my_blobs(ALICE, ids[2], 2**32 - 1)] == ids[3:]
    assert vault.my_blobs(ALICE, None, 0) == vault.my_blobs(READER, None, 5) == []


def test_a_vault_without_a_marketplace_serves_no_grants() -> None:
    with pytest.raises(LookupError):
        Vault(memory_storage()).grant(ALICE, [], NOW)
