from pathlib import Path
from typing import Any

import pytest

from leasehold.errors import NotAuthorized, NotFound
from leasehold.sealing import SealingError
from leasehold.vault import CHUNK_BYTES, Vault, VaultError, blob_id_of
from tests.leasehold.world import World

SIZE = 2 * CHUNK_BYTES + 12_345


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def vault(world: World) -> Vault:
    return world.person(2).vault


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "blob"
    path.write_bytes(bytes(range(251)) * (SIZE // 251) + b"x" * (SIZE % 251))
    return path


def calls(world: World, method: str) -> int:
    return sum(method.encode() in body for body in world.node.bodies)


def test_a_file_comes_back_as_it_was(vault: Vault, file: Path, tmp_path: Path) -> None:
    up: list[tuple[int, int]] = []
    blob = vault.upload(file, lambda done, total: up.append((done, total)))
    assert (blob.size, blob.location) == (SIZE, f"vault:{blob.blob_id}")
    assert (up[0], up[-1]) == ((0, SIZE), (SIZE, SIZE))
    assert sorted(up) == up

    down: list[tuple[int, int]] = []
    vault.download(
        blob.location,
        tmp_path / "copy",
        size=blob.size,
        sha256=blob.sha256,
        progress=lambda done, total: down.append((done, total)),
    )
    assert (tmp_path / "copy").read_bytes() == file.read_bytes()
    assert (down[0], down[-1]) == ((0, SIZE), (SIZE, SIZE))


def test_a_complete_upload_is_not_repeated(world: World, vault: Vault, file: Path) -> None:
    first = vault.upload(file)
    sent = calls(world, "put_chunk")
    assert vault.upload(file) == first
    assert calls(world, "put_chunk") == sent == 3


def test_an_interrupted_upload_sends_only_what_is_missing(world: World, vault: Vault, file: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vault.upload(file, interrupt, workers=1)
    sent = calls(world, "put_chunk")
    assert sent < 3

    reported: list[int] = []
    vault.upload(file, lambda done, total: reported.append(done))
    assert calls(world, "put_chunk") == 3
    assert reported[0] > 0


def test_a_resumed_download_fetches_only_the_rest(
    world: World, vault: Vault, file: Path, tmp_path: Path
) -> None:
    blob = vault.upload(file)
    (tmp_path / "copy.part").write_bytes(file.read_bytes()[: CHUNK_BYTES + 99])
    vault.download(blob.blob_id, tmp_path / "copy", size=blob.size, sha256=blob.sha256)
    assert (tmp_path / "copy").read_bytes() == file.read_bytes()
    assert calls(world, "get_chunk") == 2


def test_a_partial_file_of_something_else_is_found_out_and_thrown_away(
    vault: Vault, file: Path, tmp_path: Path
) -> None:
    blob = vault.upload(file)
    partial = tmp_path / "copy.part"
    partial.write_bytes(bytes(CHUNK_BYTES))
    with pytest.raises(SealingError, match="has SHA-256"):
        vault.download(blob.blob_id, tmp_path / "copy", size=blob.size, sha256=blob.sha256)
    assert not partial.exists()
    assert not (tmp_path / "copy").exists()
    vault.download(blob.blob_id, tmp_path / "copy", size=blob.size, sha256=blob.sha256)


def test_a_record_that_promises_another_size_or_hash_is_refused(
    vault: Vault, file: Path, tmp_path: Path
) -> None:
    blob = vault.upload(file)
    with pytest.raises(VaultError, match="not those promised"):
        vault.download(blob.blob_id, tmp_path / "copy", size=blob.size - 1, sha256=blob.sha256)
    with pytest.raises(SealingError, match="has SHA-256"):
        vault.download(blob.blob_id, tmp_path / "other", size=blob.size, sha256=bytes(32))
    with pytest.raises(VaultError, match="the record says 0"):
        vault.download(blob.blob_id, tmp_path / "none", size=0, sha256=bytes(32))


def test_strangers_and_unknown_blobs_are_refused(
    world: World, vault: Vault, file: Path, tmp_path: Path
) -> None:
    blob = vault.upload(file)
    stranger = world.person(3).vault
    with pytest.raises((NotAuthorized, NotFound)):
        stranger.download(blob.blob_id, tmp_path / "copy", size=blob.size, sha256=blob.sha256)
    with pytest.raises(NotFound, match="there is no blob"):
        vault.blob_info("00" * 32)


def test_an_empty_file_is_refused(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(VaultError, match="empty has 0 bytes"):
        vault.upload(tmp_path / "empty")


def test_a_file_that_changes_while_it_is_uploaded_is_refused(vault: Vault, file: Path) -> None:
    def change(done: int, total: int) -> None:
        file.write_bytes(bytes(SIZE))

    with pytest.raises(VaultError, match="changed while it was uploaded"):
        vault.upload(file, change)


def test_blobs_are_listed_and_deleted(vault: Vault, file: Path) -> None:
    blob = vault.upload(file)
    assert [info.blob_id for info in vault.my_blobs()] == [blob.blob_id]
    assert vault.delete_blob(blob.blob_id) == SIZE
    assert vault.my_blobs() == []


def test_a_vault_that_names_another_blob_is_not_believed(
    vault: Vault, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = vault.canister.call

    def lie(method: str, *arguments: Any) -> Any:
        answer = honest(method, *arguments)
        answer["Ok"]["blob_id"] = "ff" * 32
        return answer

    monkeypatch.setattr(vault.canister, "call", lie)
    with pytest.raises(VaultError, match="it should be"):
        vault.upload(file)


def test_the_blob_id_of_the_contract() -> None:
    # SHA-256("leasehold-blob" || size as u64 big-endian || chunk hashes), docs/interfaces.md.
    assert blob_id_of(1, [b"\x00" * 32]) != blob_id_of(2, [b"\x00" * 32])
    assert len(blob_id_of(1, [b"\x00" * 32])) == 64
