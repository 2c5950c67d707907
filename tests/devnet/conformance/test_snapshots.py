"""Interface specification: the management canister's methods on canister snapshots."""

from __future__ import annotations

from typing import Any

import pytest

from tests.devnet.conformance import management
from tests.devnet.conformance.driver import Canister, Network, Rejected, User, code_of
from tests.devnet.conformance.program import (
    WASM_GLOBAL,
    blob,
    call,
    module,
    read_stable,
    reply,
    set_variable,
    set_wasm_global,
    variable,
)

STATE = (
    set_variable(0, 11)
    + set_wasm_global(12)
    + call("stable64_grow", 1)
    + call("stable64_write", 0, blob(b"stable"))
    + call("certified_data_set", blob(b"certified"))
)
OTHER_STATE = set_variable(0, 1) + set_wasm_global(2) + call("stable64_write", 0, blob(b"broken"))


@pytest.fixture
def fresh(user: User) -> Canister:
    """A canister with something in each part of its state."""
    canister = user.deploy()
    canister.update(STATE + reply())
    return canister


def take(canister: Canister, **values: Any) -> bytes:
    taken: bytes = canister.manage("take_canister_snapshot", **values)["id"]
    return taken


def ids(canister: Canister) -> list[bytes]:
    return [entry["id"] for entry in canister.manage("list_canister_snapshots")]


def holds_state(canister: Canister) -> bool:
    values = (canister.number(variable(0)), canister.number(WASM_GLOBAL))
    return values == (11, 12) and canister.query(reply(read_stable(0, 6))) == b"stable"


def test_a_snapshot_is_taken_and_loaded(fresh: Canister) -> None:
    """`take_canister_snapshot`, `load_canister_snapshot`: heap, globals, stable memory and code come back."""
    snapshot = take(fresh)
    version = fresh.status()["version"]
    fresh.update(OTHER_STATE + reply())
    fresh.manage("load_canister_snapshot", snapshot_id=snapshot)
    assert holds_state(fresh)
    assert fresh.status()["version"] > version
    fresh.manage("uninstall_code")
    fresh.manage("load_canister_snapshot", snapshot_id=snapshot)
    assert holds_state(fresh)


def test_snapshots_are_listed_replaced_and_deleted(fresh: Canister) -> None:
    """`list_canister_snapshots`, `delete_canister_snapshot`, `replace_snapshot`."""
    first = take(fresh)
    entry = fresh.manage("list_canister_snapshots")[0]
    assert entry["total_size"] > 0 and entry["taken_at_timestamp"] > 0
    second = take(fresh, replace_snapshot=first)
    assert ids(fresh) == [second]
    fresh.manage("delete_canister_snapshot", snapshot_id=second)
    assert ids(fresh) == []
    for method in ("delete_canister_snapshot", "load_canister_snapshot", "read_canister_snapshot_metadata"):
        with pytest.raises(Rejected):
            fresh.manage(method, snapshot_id=second)
    with pytest.raises(Rejected):
        take(fresh, replace_snapshot=second)


def test_snapshots_count_as_memory(fresh: Canister) -> None:
    """`canister_status`: `snapshots_size`."""
    take(fresh)
    assert fresh.status()["memory_metrics"]["snapshots_size"] > 0


def test_taking_a_snapshot_may_uninstall(fresh: Canister) -> None:
    """`uninstall_code` of `take_canister_snapshot`."""
    snapshot = take(fresh, uninstall_code=True)
    assert fresh.status()["module_hash"] is None
    fresh.manage("load_canister_snapshot", snapshot_id=snapshot)
    assert holds_state(fresh)


def test_an_empty_canister_has_no_snapshot(user: User) -> None:
    """`take_canister_snapshot`: there is nothing to take of an empty canister."""
    assert code_of(lambda: take(user.create())) != 0


def test_the_number_of_snapshots_is_bounded(fresh: Canister) -> None:
    """`take_canister_snapshot`: fails at the maximum, unless one is replaced."""
    taken = []
    while code_of(lambda: taken.append(take(fresh))) == 0:
        assert len(taken) < 100
    assert len(taken) >= 1
    take(fresh, replace_snapshot=taken[0])
    assert len(ids(fresh)) == len(taken)


def test_another_canisters_snapshot_is_loaded_by_who_controls_both(
    user: User, network: Network, fresh: Canister
) -> None:
    """`load_canister_snapshot`: the caller controls both canisters; the history names where it is from."""
    snapshot = take(fresh)
    target = user.deploy()
    target.manage("load_canister_snapshot", snapshot_id=snapshot)
    assert holds_state(target)
    changes = user.manage("canister_info", query=True, canister_id=target.id, num_requested_changes=1)
    kind, details = changes["recent_changes"][-1]["details"]
    assert (kind, details["from_canister_id"], details["snapshot_id"]) == (
        "load_snapshot",
        fresh.id,
        snapshot,
    )
    stranger = network.user().deploy()
    with pytest.raises(Rejected):
        stranger.manage("load_canister_snapshot", snapshot_id=snapshot)


def read_data(canister: Canister, snapshot: bytes, kind: str, **values: Any) -> bytes:
    chunk: bytes = canister.manage("read_canister_snapshot_data", snapshot_id=snapshot, kind=(kind, values))[
        "chunk"
    ]
    return chunk


def test_snapshots_are_read_in_pieces(fresh: Canister) -> None:
    """`read_canister_snapshot_metadata`, `read_canister_snapshot_data`."""
    chunk = fresh.manage("upload_chunk", chunk=b"chunk")["hash"]
    snapshot = take(fresh)
    metadata = fresh.manage("read_canister_snapshot_metadata", snapshot_id=snapshot)
    assert metadata["source"][0] == "taken_from_canister"
    assert metadata["certified_data"] == b"certified"
    assert metadata["wasm_module_size"] == len(module())
    assert metadata["stable_memory_size"] == 65536
    assert read_data(fresh, snapshot, "stable_memory", offset=0, size=6) == b"stable"
    assert read_data(fresh, snapshot, "wasm_module", offset=0, size=len(module())) == module()
    assert read_data(fresh, snapshot, "wasm_memory", offset=0x1100, size=8) == (11).to_bytes(8, "little")
    assert read_data(fresh, snapshot, "wasm_chunk", hash=chunk) == b"chunk"
    for kind in ("stable_memory", "wasm_module", "wasm_memory"):
        with pytest.raises(Rejected):
            read_data(fresh, snapshot, kind, offset=metadata[f"{kind}_size"], size=1)
    with pytest.raises(Rejected):
        read_data(fresh, snapshot, "wasm_chunk", hash=bytes(32))


def test_a_snapshot_is_moved_to_another_canister(user: User, fresh: Canister) -> None:
    """`upload_canister_snapshot_metadata` and `…_data`: what was read makes a snapshot."""
    taken = take(fresh)
    metadata = fresh.manage("read_canister_snapshot_metadata", snapshot_id=taken)
    target = user.create()
    state = {name: metadata[name] for name in management.SNAPSHOT_STATE}
    uploaded = target.manage("upload_canister_snapshot_metadata", **state)["snapshot_id"]
    for kind in ("wasm_module", "wasm_memory", "stable_memory"):
        size = metadata[f"{kind}_size"]
        for offset in range(0, size, STEP):
            part = read_data(fresh, taken, kind, offset=offset, size=min(STEP, size - offset))
            put(target, uploaded, (kind, {"offset": offset}), part)
        with pytest.raises(Rejected):
            put(target, uploaded, (kind, {"offset": size}), b"x")
    put(target, uploaded, ("wasm_chunk", None), b"chunk")
    found = target.manage("read_canister_snapshot_metadata", snapshot_id=uploaded)
    assert found["source"][0] == "metadata_upload"
    assert {name: found[name] for name in state} == state
    target.manage("load_canister_snapshot", snapshot_id=uploaded)
    assert holds_state(target)
    assert len(target.manage("stored_chunks")) == 1
    assert target.status()["module_hash"] == fresh.status()["module_hash"]


STEP = 100_000


def put(canister: Canister, snapshot: bytes, kind: tuple[str, Any], chunk: bytes) -> None:
    canister.manage("upload_canister_snapshot_data", snapshot_id=snapshot, kind=kind, chunk=chunk)


def test_a_taken_snapshot_is_not_written_to(fresh: Canister) -> None:
    """`upload_canister_snapshot_data`: fails for a snapshot that was taken, or is not there."""
    for snapshot in (take(fresh), b"none"):
        with pytest.raises(Rejected):
            put(fresh, snapshot, ("stable_memory", {"offset": 0}), b"x")


def test_snapshots_do_not_outlive_their_canister(user: User, fresh: Canister) -> None:
    """`delete_canister_snapshot`: "if the canister itself has been deleted", the snapshot is gone."""
    snapshot = take(fresh)
    fresh.manage("stop_canister")
    fresh.manage("delete_canister")
    with pytest.raises(Rejected):
        user.deploy().manage("load_canister_snapshot", snapshot_id=snapshot)
