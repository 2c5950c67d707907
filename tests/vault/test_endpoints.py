"""The vault's Candid endpoints and timers, in this process through the real codec."""

from pathlib import Path
from typing import Any

import pytest

from canisters.vault.core.limits import CHUNK_SIZE, SECOND, UPLOAD_LIFETIME
from cdk.candid import Principal
from cdk.testing import Simulator
from tests.vault.memory import LARGE, SMALL, Blob

ROOT = Path(__file__).parents[2]
MARKETPLACE, ALICE, BOB = (Principal(name) for name in (b"marketplace", b"alice", b"bob"))
CHUNKS = 3
"""Memory id of the chunks."""


@pytest.fixture
def vault() -> Simulator:
    return Simulator("canisters.vault.main", {"marketplace": MARKETPLACE}, root=ROOT)


def begin(vault: Simulator, blob: Blob, caller: Principal = ALICE) -> Any:
    manifest = blob.manifest
    hashes = [manifest.chunk_hashes[at : at + 32] for at in range(0, len(manifest.chunk_hashes), 32)]
    arguments = {"size": manifest.size, "sha256": manifest.sha256, "chunk_sha256s": hashes}
    return vault.update("begin_upload", arguments, caller=caller)


def put(vault: Simulator, blob: Blob, index: int, caller: Principal = ALICE) -> Any:
    arguments = {"blob_id": blob.id, "index": index, "data": blob.chunks[index]}
    return vault.update("put_chunk", arguments, caller=caller)


def upload(vault: Simulator, blob: Blob, caller: Principal = ALICE) -> None:
    begin(vault, blob, caller)
    for index in range(len(blob.chunks)):
        put(vault, blob, index, caller)


def test_a_blob_goes_in_and_comes_out(vault: Simulator) -> None:
    begun = {"blob_id": LARGE.id, "chunk_size": CHUNK_SIZE, "missing": [0, 1, 2], "complete": False}
    assert begin(vault, LARGE) == {"Ok": begun}
    assert put(vault, LARGE, 1) == {"Ok": {**begun, "missing": [0, 2]}}
    put(vault, LARGE, 0)
    assert put(vault, LARGE, 2) == {"Ok": {**begun, "missing": [], "complete": True}}
    parts = [vault.query("get_chunk", LARGE.id, index, caller=ALICE)["Ok"] for index in range(3)]
    assert b"".join(parts) == LARGE.data


def test_information_and_lists(vault: Simulator) -> None:
    upload(vault, SMALL)
    info = {
        "blob_id": SMALL.id, "owner": ALICE, "size": 6, "sha256": SMALL.manifest.sha256, "chunk_count": 1,
        "complete": True, "created_at": vault.system.now,
    }  # fmt: skip
    assert vault.query("blob_info", SMALL.id, caller=MARKETPLACE) == {"Ok": info}
    assert vault.query("my_blobs", None, 10, caller=ALICE) == [info]
    assert vault.query("my_blobs", SMALL.id, 10, caller=ALICE) == []


def test_every_refusal_is_a_variant(vault: Simulator) -> None:
    begin(vault, SMALL)
    wrong = {"blob_id": SMALL.id, "index": 0, "data": b"SEALED"}
    assert set(vault.update("put_chunk", wrong, caller=ALICE)["Err"]) == {"HashMismatch"}
    assert vault.query("get_chunk", SMALL.id, 0, caller=ALICE) == {"Err": {"Incomplete": {"missing": 1}}}
    assert set(vault.query("get_chunk", SMALL.id, 0, caller=BOB)["Err"]) == {"NotAuthorized"}
    assert vault.query("blob_info", LARGE.id) == {"Err": {"NotFound": {"kind": "blob", "id": LARGE.id}}}
    assert set(vault.update("delete_blob", "?")["Err"]) == {"InvalidArgument"}
    nonsense = {"size": 2**64 - 1, "sha256": b"", "chunk_sha256s": []}
    assert set(vault.update("begin_upload", nonsense, caller=ALICE)["Err"]) == {"InvalidArgument"}
    assert set(begin(vault, SMALL, Principal.anonymous())["Err"]) == {"NotAuthorized"}


def test_the_marketplace_lets_others_read(vault: Simulator) -> None:
    upload(vault, SMALL)
    until = vault.system.now + 5 * SECOND
    grants = [{"blob_id": SMALL.id, "reader": BOB, "until": until}]
    assert set(vault.update("grant", grants, caller=ALICE)["Err"]) == {"NotAuthorized"}
    assert vault.update("grant", grants, caller=MARKETPLACE) == {"Ok": 1}
    assert vault.query("get_chunk", SMALL.id, 0, caller=BOB) == {"Ok": SMALL.data}
    assert set(vault.update("delete_blob", SMALL.id, caller=ALICE)["Err"]) == {"InvalidArgument"}
    vault.advance(5)
    assert set(vault.query("get_chunk", SMALL.id, 0, caller=BOB)["Err"]) == {"NotAuthorized"}
    assert vault.update("delete_blob", SMALL.id, caller=ALICE) == {"Ok": 65_536}


def test_a_timer_removes_what_is_deleted(vault: Simulator) -> None:
    upload(vault, LARGE)
    assert vault.update("delete_blob", LARGE.id, caller=ALICE) == {"Ok": len(LARGE.data)}
    assert len(vault.system.maps[CHUNKS]) == 3
    vault.advance(2)
    assert not vault.system.maps[CHUNKS]


@pytest.mark.parametrize("upgraded", [False, True])
def test_a_timer_drops_unfinished_uploads_also_after_an_upgrade(vault: Simulator, upgraded: bool) -> None:
    begin(vault, LARGE)
    put(vault, LARGE, 0)
    if upgraded:
        vault.upgrade()
    vault.system.now += UPLOAD_LIFETIME - 1_300 * SECOND
    vault.advance(600)
    assert vault.query("my_blobs", None, 10, caller=ALICE) != []
    vault.advance(1_300)
    assert vault.query("my_blobs", None, 10, caller=ALICE) == []
    assert not vault.system.maps[CHUNKS]


def test_an_upgrade_keeps_blobs_uploads_and_grants(vault: Simulator) -> None:
    upload(vault, SMALL)
    begin(vault, LARGE)
    put(vault, LARGE, 1)
    grants = [{"blob_id": SMALL.id, "reader": BOB, "until": vault.system.now + SECOND}]
    vault.update("grant", grants, caller=MARKETPLACE)
    vault.upgrade()
    assert vault.query("get_chunk", SMALL.id, 0, caller=BOB) == {"Ok": SMALL.data}
    assert begin(vault, LARGE)["Ok"]["missing"] == [0, 2]
