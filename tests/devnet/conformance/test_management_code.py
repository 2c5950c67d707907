"""Interface specification, `install_code`, `upload_chunk`, `stored_chunks`, `clear_chunk_store`,
`install_chunked_code`."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.devnet.conformance.driver import (
    CANISTER_ERROR,
    Canister,
    Network,
    Rejected,
    User,
    code_of,
    poll,
    waiting,
)
from tests.devnet.conformance.program import (
    blob,
    call,
    module,
    read,
    reply,
    set_kept_blob,
    set_variable,
    variable,
)

MIB = 1024 * 1024


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def upload(store: Canister, wasm: bytes, size: int = 1000) -> list[bytes]:
    """Store a module in chunks; returns their hashes."""
    parts = [wasm[at : at + size] for at in range(0, len(wasm), size)]
    hashes = [store.manage("upload_chunk", chunk=part)["hash"] for part in parts]
    assert hashes == [digest(part) for part in parts]
    return hashes


def install_chunks(
    target: Canister, hashes: list[bytes], whole: bytes, mode: str = "install", **values: Any
) -> None:
    target.user.manage(
        "install_chunked_code",
        target_canister=target.id,
        mode=(mode, None),
        chunk_hashes_list=[{"hash": chunk} for chunk in hashes],
        wasm_module_hash=whole,
        **{"arg": b"", **values},
    )


@pytest.fixture
def target(user: User) -> Canister:
    return user.create()


def test_code_is_installed_from_chunks(target: Canister) -> None:
    """`install_chunked_code`: the chunks joined are the module; everything else is as for `install_code`."""
    wasm = module()
    hashes = upload(target, wasm)
    install_chunks(target, hashes, digest(wasm), arg=set_kept_blob(read("msg_caller")))
    assert target.query(reply(b"\x38")) == target.user.sender
    assert target.status()["module_hash"] == digest(wasm)
    install_chunks(target, hashes, digest(wasm), mode="upgrade", arg=set_variable(0, 4))
    assert target.number(variable(0)) == 4


def test_chunks_may_lie_in_another_canister(target: Canister, user: User, network: Network) -> None:
    """`store_canister`: the caller must control it too."""
    wasm = module()
    store = user.create()
    hashes = upload(store, wasm)
    with pytest.raises(Rejected):
        install_chunks(target, hashes, digest(wasm))
    install_chunks(target, hashes, digest(wasm), store_canister=store.id)
    assert target.update(reply(blob(b"in"))) == b"in"
    stranger = network.user()
    own = stranger.create()
    with pytest.raises(Rejected):
        install_chunks(own, hashes, digest(wasm), store_canister=store.id)
    assert own.status()["module_hash"] is None


@pytest.mark.parametrize("case", ["missing chunk", "wrong hash", "wrong order", "no chunks"])
def test_chunks_that_do_not_make_the_module(target: Canister, case: str) -> None:
    """`install_chunked_code`: every hash must be stored, and the whole must have the given hash."""
    wasm = module()
    hashes = upload(target, wasm)
    whole = digest(wasm)
    changed = {
        "missing chunk": ([*hashes, bytes(32)], whole),
        "wrong hash": (hashes, bytes(32)),
        "wrong order": (hashes[::-1], whole),
        "no chunks": ([], whole),
    }[case]
    with pytest.raises(Rejected):
        install_chunks(target, *changed)
    assert target.status()["module_hash"] is None


def test_the_chunk_store(target: Canister) -> None:
    """`upload_chunk`, `stored_chunks`, `clear_chunk_store`: chunks of at most 1 MiB, each kept once."""
    parts = [b"one", b"two", bytes(MIB)]
    for part in [*parts, b"one"]:
        target.manage("upload_chunk", chunk=part)
    stored = [entry["hash"] for entry in target.manage("stored_chunks")]
    assert sorted(stored) == sorted(map(digest, parts))
    with pytest.raises(Rejected):
        target.manage("upload_chunk", chunk=bytes(MIB + 1))
    assert target.status()["memory_metrics"]["wasm_chunk_store_size"] >= MIB
    target.manage("clear_chunk_store")
    assert target.manage("stored_chunks") == []


def test_a_canister_manages_its_own_chunks(canister: Canister) -> None:
    """`upload_chunk`: "controllers of a canister (and the canister itself)"."""
    answer = canister.manage_through("upload_chunk", canister_id=canister.id, chunk=b"mine")
    assert answer == {"hash": digest(b"mine")}
    assert canister.manage_through("stored_chunks", canister_id=canister.id) == [answer]
    canister.manage_through("clear_chunk_store", canister_id=canister.id)
    assert canister.manage("stored_chunks") == []


def test_canisters_install_code(user: User, canister: Canister) -> None:
    """`install_code`: canisters install too; the new code sees them as its caller."""
    target = user.create(controllers=[user.sender, canister.id])
    canister.manage_through(
        "install_code",
        canister_id=target.id,
        mode=("install", None),
        wasm_module=module(),
        arg=set_kept_blob(read("msg_caller")),
    )
    assert target.query(reply(b"\x38")) == canister.id


def test_a_stopped_canister_is_upgraded(target: Canister) -> None:
    """`install_code` works whatever the canister's status is, and does not change it."""
    target.install()
    target.manage("stop_canister")
    target.install(arg=set_variable(0, 1), mode="upgrade")
    assert target.status()["status"] == ("stopped", None)
    target.manage("start_canister")
    assert target.number(variable(0)) == 1


def test_installation_needs_cycles(user: User) -> None:
    """`install_code`: not for a canister without the cycles to run it."""
    poor = user.create(cycles=1000)
    assert code_of(poor.install) != 0
    assert poor.status()["module_hash"] is None
    user.manage("provisional_top_up_canister", canister_id=poor.id, amount=10**13)
    poor.install()
    assert poor.query(reply(blob(b"in"))) == b"in"


def test_open_calls_survive_an_upgrade(user: User, other: Canister) -> None:
    """`install_code` note: callbacks may run after an upgrade, on the new code."""
    canister = user.deploy()
    request = user.submit(canister.id, "update", waiting(canister, other))
    poll(lambda: canister.status()["status"] == ("stopping", None))
    canister.install(mode="upgrade", wasm_memory_persistence=("keep", None))
    canister.manage("start_canister")
    assert user.wait(canister.id, request).startswith(b"\0\1")
    assert canister.update(call("time") + reply(blob(b"runs"))) == b"runs"
    assert code_of(lambda: canister.update(b"")) == CANISTER_ERROR
