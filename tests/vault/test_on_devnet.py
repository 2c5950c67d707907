"""The built vault on a network: large blobs through the real client, upgrades and timers."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from canisters.vault.core.limits import CHUNK_SIZE, UPLOAD_LIFETIME
from cdk.candid import Principal as CandidPrincipal
from leasehold.agent import Agent, Canister, Identity, RejectedError
from leasehold.errors import CanisterError
from leasehold.vault import Vault
from tests.ledger.built import BuiltCanister
from tests.ledger.network import deploy, upgrade
from tests.network import CanisterNetwork, moves_time, open_network
from tests.vault.memory import LARGE, SMALL, Blob

OWNER, MARKETPLACE, READER = Identity.generate(), Identity.generate(), Identity.generate()


@pytest.fixture(scope="module")
def network() -> Iterator[CanisterNetwork]:
    with open_network() as network:
        yield network


@pytest.fixture(scope="module")
def canister(network: CanisterNetwork) -> Iterator[Canister]:
    with Agent(network.url, OWNER, network.root_key) as agent:
        yield deploy(agent, "vault", {"marketplace": MARKETPLACE.principal})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sealed.age"
    path.write_bytes(os.urandom(3 * CHUNK_SIZE + 12_345))
    return path


def vault_of(canister: Canister, identity: Identity) -> Vault:
    agent: Agent = canister.agent.with_identity(identity)
    return Vault(agent, canister.id)


def test_a_file_survives_upload_grant_upgrade_and_download(
    canister: Canister, file: Path, network: CanisterNetwork
) -> None:
    reference = vault_of(canister, OWNER).upload(file)
    grant = {
        "blob_id": reference.blob_id,
        "reader": READER.principal,
        "until": network.now_ns() + 3_600 * 10**9,
    }
    granting = canister.agent.with_identity(MARKETPLACE).canister(canister.id, canister.interface)
    assert granting.grant([grant]) == {"Ok": 1}
    upgrade(canister.agent, canister, "vault")
    copy = file.with_name("copy")
    expected: dict[str, Any] = {"size": reference.size, "sha256": reference.sha256}
    vault_of(canister, READER).download(reference.blob_id, copy, **expected)
    assert copy.read_bytes() == file.read_bytes()
    with pytest.raises(CanisterError):
        vault_of(canister, Identity.generate()).download(
            reference.blob_id, file.with_name("theft"), **expected
        )
    with pytest.raises(CanisterError, match="in use"):
        vault_of(canister, OWNER).delete_blob(reference.blob_id)


def test_oversize_chunks_and_malformed_messages_are_refused(canister: Canister) -> None:
    begin(canister, SMALL)
    answer = canister.put_chunk({"blob_id": SMALL.id, "index": 0, "data": bytes(CHUNK_SIZE + 1)})
    assert answer["Err"]["InvalidArgument"]["field"] == "data"
    for message in (b"", b"DIDL", b"DIDL\x00\x01\x71\x04"):
        with pytest.raises(RejectedError, match="CandidError"):
            canister.agent.update(canister.id, "put_chunk", message)


@moves_time
def test_an_unfinished_upload_goes_away_by_itself_after_an_upgrade(
    canister: Canister, network: CanisterNetwork
) -> None:
    begin(canister, LARGE)
    assert LARGE.id in {info["blob_id"] for info in canister.my_blobs(None, 100)}
    upgrade(canister.agent, canister, "vault")
    network.advance(UPLOAD_LIFETIME // 10**9 + 700)
    for _ in range(1_000):
        if LARGE.id not in {info["blob_id"] for info in canister.my_blobs(None, 100)}:
            return
    raise AssertionError("the timer dropped nothing")


def test_messages_cost_few_instructions() -> None:
    """Fuel counts are exact, so they are asserted, with room to grow; nearly all goes into hashing."""
    vault = BuiltCanister("vault", {"marketplace": CandidPrincipal(b"marketplace")})
    vault.call("begin_upload", arguments(LARGE), caller=b"alice")
    for index, data in enumerate(LARGE.chunks):
        vault.call("put_chunk", {"blob_id": LARGE.id, "index": index, "data": data}, caller=b"alice")
        assert vault.instructions <= 120_000_000
    assert vault.instructions <= 1_000_000
    vault.upgrade()
    for index in range(2):
        assert vault.call("get_chunk", LARGE.id, index, caller=b"alice") == {"Ok": LARGE.chunks[index]}
    assert vault.instructions <= 6_000_000


def arguments(blob: Blob) -> dict[str, object]:
    hashes = blob.manifest.chunk_hashes
    parts = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
    return {"size": blob.manifest.size, "sha256": blob.manifest.sha256, "chunk_sha256s": parts}


def begin(canister: Canister, blob: Blob) -> None:
    assert "Ok" in canister.begin_upload(arguments(blob))
