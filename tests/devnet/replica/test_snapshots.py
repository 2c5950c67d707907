"""Snapshots: taking, loading, listing, deleting, and moving them in pieces."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devnet.replica.management import interface
from devnet.replica.management.snapshots import MAX_SNAPSHOTS
from devnet.replica.snapshots import PAGE, Image
from tests.devnet.replica.harness import OTHER_USER, USER, Net, make_net, rejected
from tests.devnet.replica.wat import ANSWER, module

NOTEBOOK = module(
    ANSWER
    + """
    (global $count (mut i32) (i32.const 5))
    (data (i32.const 3000) "seven")
    ;; heap byte 3000, first stable byte, global: one digit each
    (func $show
      (if (i32.eqz (call $stable_size)) (then (drop (call $stable_grow (i32.const 1)))))
      (call $stable_read (i32.const 3001) (i32.const 0) (i32.const 1))
      (i32.store8 (i32.const 3002) (global.get $count))
      (call $answer (i32.const 3000) (i32.const 3)))
    (func (export "canister_update show") (call $show))
    (func (export "canister_update write")
      (if (i32.eqz (call $stable_size)) (then (drop (call $stable_grow (i32.const 1)))))
      (call $msg_arg_data_copy (i32.const 2000) (i32.const 0) (i32.const 3))
      (i32.store8 (i32.const 3000) (i32.load8_u (i32.const 2000)))
      (call $stable_write (i32.const 0) (i32.const 2001) (i32.const 1))
      (global.set $count (i32.load8_u (i32.const 2002)))
      (call $certified_data_set (i32.const 2000) (i32.const 3))
      (call $show))
    """
)


@pytest.fixture
def canister(net: Net) -> bytes:
    canister = net.deploy(NOTEBOOK)
    assert net.update(canister, "write", b"abc") == b"abc"
    return canister


def take(net: Net, canister: bytes, **options: Any) -> bytes:
    taken: bytes = net.manage("take_canister_snapshot", canister_id=canister, **options)["id"]
    return taken


def load(net: Net, canister: bytes, snapshot: bytes, sender: bytes = USER) -> None:
    net.manage("load_canister_snapshot", sender, canister_id=canister, snapshot_id=snapshot)


def listed(net: Net, canister: bytes, sender: bytes = USER) -> list[bytes]:
    snapshots = net.manage("list_canister_snapshots", sender, canister_id=canister)
    return [snapshot["id"] for snapshot in snapshots]


def test_loading_brings_back_memories_globals_and_certified_data(net: Net, canister: bytes) -> None:
    snapshot = take(net, canister)
    assert net.update(canister, "write", b"xyz") == b"xyz"
    before = net.status(canister)["version"]
    load(net, canister, snapshot)
    assert net.status(canister)["version"] == before + 1
    view = net.replica.canister_view(canister)
    assert view is not None and view.certified_data == b"abc"
    assert net.update(canister, "show") == b"abc"


def test_bytes_that_the_module_sets_but_the_snapshot_has_as_zero_are_zero(net: Net, canister: bytes) -> None:
    net.update(canister, "write", b"\0bc")
    snapshot = take(net, canister)
    net.update(canister, "write", b"xyz")
    load(net, canister, snapshot)
    assert net.update(canister, "show") == b"\0bc"


def test_a_snapshot_brings_back_the_code_after_an_uninstall(net: Net, canister: bytes) -> None:
    snapshot = take(net, canister, uninstall_code=True)
    assert net.status(canister)["module_hash"] is None
    load(net, canister, snapshot)
    assert net.update(canister, "show") == b"abc"


def test_an_empty_canister_has_nothing_to_take(net: Net) -> None:
    assert rejected(lambda: take(net, net.create())).error_code == "IC0537"


def test_snapshots_cost_memory_and_are_listed_until_deleted(net: Net, canister: bytes) -> None:
    before = net.status(canister)
    snapshot = take(net, canister)
    after = net.status(canister)
    (shown,) = net.manage("list_canister_snapshots", canister_id=canister)
    assert (shown["id"], shown["taken_at_timestamp"]) == (snapshot, net.clock.now)
    assert after["memory_metrics"]["snapshots_size"] == shown["total_size"]
    assert after["memory_size"] - before["memory_size"] == shown["total_size"]
    net.manage("delete_canister_snapshot", canister_id=canister, snapshot_id=snapshot)
    assert listed(net, canister) == []
    assert rejected(lambda: load(net, canister, snapshot)).error_code == "IC0408"


def test_there_is_room_for_so_many_unless_one_is_replaced(net: Net, canister: bytes) -> None:
    taken = [take(net, canister) for _ in range(MAX_SNAPSHOTS)]
    assert len(set(taken)) == MAX_SNAPSHOTS
    assert rejected(lambda: take(net, canister)).error_code == "IC0407"
    replacement = take(net, canister, replace_snapshot=taken[0])
    assert listed(net, canister) == [*taken[1:], replacement]
    assert rejected(lambda: take(net, canister, replace_snapshot=taken[0])).error_code == "IC0408"


def test_controllers_take_and_load_and_others_see_what_the_settings_say(net: Net, canister: bytes) -> None:
    snapshot = take(net, canister)
    for method in ("take_canister_snapshot", "load_canister_snapshot", "delete_canister_snapshot"):
        refused = rejected(
            lambda name=method: net.manage(name, OTHER_USER, canister_id=canister, snapshot_id=snapshot)
        )
        assert refused.error_code == "IC0512"
    assert rejected(lambda: listed(net, canister, OTHER_USER)).error_code == "IC0512"
    settings = dict.fromkeys(interface.SETTINGS.fields) | {"snapshot_visibility": ("public", None)}
    net.manage("update_settings", canister_id=canister, settings=settings)
    assert listed(net, canister, OTHER_USER) == [snapshot]


def test_a_snapshot_is_loaded_onto_another_canister_of_the_same_controller(net: Net, canister: bytes) -> None:
    snapshot = take(net, canister)
    other = net.create()
    load(net, other, snapshot)
    assert net.update(other, "show") == b"abc"
    change = net.manage("canister_info", canister_id=other, num_requested_changes=1)["recent_changes"][0]
    assert change["details"][0] == "load_snapshot"
    assert change["details"][1]["from_canister_id"] == canister
    foreign = net.create(sender=OTHER_USER)
    assert rejected(lambda: load(net, foreign, snapshot, OTHER_USER)).error_code == "IC0512"


def test_snapshots_survive_a_restart_but_not_their_canister(tmp_path: Path) -> None:
    net = make_net(state_dir=tmp_path)
    canister = net.deploy(NOTEBOOK)
    net.update(canister, "write", b"\0bc")
    snapshot = take(net, canister)
    net.update(canister, "write", b"xyz")
    net.replica.close()
    net = make_net(state_dir=tmp_path)
    assert listed(net, canister) == [snapshot]
    load(net, canister, snapshot)
    assert take(net, canister) != snapshot
    net.replica.close()
    net = make_net(state_dir=tmp_path)
    assert net.update(canister, "show") == b"\0bc"
    net.manage("stop_canister", canister_id=canister)
    net.manage("delete_canister", canister_id=canister)
    assert rejected(lambda: load(net, net.create(), snapshot)).error_code == "IC0408"
    net.replica.close()
    net = make_net(state_dir=tmp_path)
    assert rejected(lambda: load(net, net.create(), snapshot)).error_code == "IC0408"
    net.replica.close()


def test_a_canister_that_runs_out_of_cycles_loses_its_snapshots(net: Net) -> None:
    canister = net.create(cycles=200_000_000)
    net.install(canister, NOTEBOOK)
    take(net, canister)
    net.advance(10 * 365 * 86_400)
    assert listed(net, canister) == []


def upload(net: Net, source: bytes, snapshot: bytes, target: bytes, **changes: Any) -> bytes:
    """Copy a snapshot from one canister to another through the methods that read and upload its parts."""
    named = {"canister_id": source, "snapshot_id": snapshot}
    metadata = net.manage("read_canister_snapshot_metadata", **named) | changes
    copy: bytes = net.manage("upload_canister_snapshot_metadata", **(metadata | {"canister_id": target}))[
        "snapshot_id"
    ]
    for kind in ("wasm_module", "wasm_memory", "stable_memory"):
        for offset in range(0, metadata[f"{kind}_size"], 50_000):
            size = min(50_000, metadata[f"{kind}_size"] - offset)
            part = (kind, {"offset": offset, "size": size})
            chunk = net.manage("read_canister_snapshot_data", **named, kind=part)["chunk"]
            place = (kind, {"offset": offset})
            where = {"canister_id": target, "snapshot_id": copy}
            net.manage("upload_canister_snapshot_data", **where, kind=place, chunk=chunk)
    return copy


def test_a_snapshot_is_moved_in_pieces(net: Net, canister: bytes) -> None:
    net.manage("upload_chunk", canister_id=canister, chunk=b"a chunk")
    snapshot = take(net, canister)
    target = net.create()
    copy = upload(net, canister, snapshot, target)
    part = {"kind": ("wasm_chunk", None), "chunk": b"a chunk"}
    net.manage("upload_canister_snapshot_data", canister_id=target, snapshot_id=copy, **part)
    load(net, target, copy)
    assert net.update(target, "show") == b"abc"
    assert net.manage("stored_chunks", canister_id=target) == net.manage(
        "stored_chunks", canister_id=canister
    )
    metadata = net.manage("read_canister_snapshot_metadata", canister_id=target, snapshot_id=copy)
    assert metadata["source"] == ("metadata_upload", None)
    assert metadata["globals"] == [("i32", ord("c"))]


@pytest.mark.parametrize(
    "changes",
    [{"globals": []}, {"globals": [("i64", 1)]}, {"wasm_memory_size": 0}, {"wasm_memory_size": 65_537}],
)
def test_an_uploaded_snapshot_whose_parts_do_not_fit_is_not_loaded(
    net: Net, canister: bytes, changes: dict[str, Any]
) -> None:
    snapshot = take(net, canister)
    copy = upload(net, canister, snapshot, canister, **changes) if "globals" in changes else None
    if copy is None:
        named = {"canister_id": canister, "snapshot_id": snapshot}
        metadata = net.manage("read_canister_snapshot_metadata", **named)
        module = net.manage(
            "read_canister_snapshot_data",
            **named,
            kind=("wasm_module", {"offset": 0, "size": metadata["wasm_module_size"]}),
        )["chunk"]
        made = net.manage("upload_canister_snapshot_metadata", **(metadata | changes), canister_id=canister)
        copy = made["snapshot_id"]
        named["snapshot_id"] = copy
        net.manage(
            "upload_canister_snapshot_data", **named, kind=("wasm_module", {"offset": 0}), chunk=module
        )
    assert rejected(lambda: load(net, canister, copy)).error_code == "IC0409"
    assert net.update(canister, "show") == b"abc"


def test_parts_outside_of_an_uploaded_snapshot_are_refused(net: Net, canister: bytes) -> None:
    taken = take(net, canister)
    part = {"kind": ("wasm_memory", {"offset": 0}), "chunk": b"x"}
    data = "upload_canister_snapshot_data"
    frozen = rejected(lambda: net.manage(data, canister_id=canister, snapshot_id=taken, **part))
    assert frozen.error_code == "IC0409"
    copy = upload(net, canister, taken, canister)
    size = net.manage("read_canister_snapshot_metadata", canister_id=canister, snapshot_id=copy)[
        "wasm_memory_size"
    ]
    named = {"canister_id": canister, "snapshot_id": copy}
    net.manage(data, **named, kind=("wasm_memory", {"offset": size - 1}), chunk=b"x")
    past = rejected(lambda: net.manage(data, **named, kind=("wasm_memory", {"offset": size}), chunk=b"x"))
    assert past.error_code == "IC0409"


def test_a_module_that_is_none_is_refused(net: Net, canister: bytes) -> None:
    snapshot = take(net, canister)
    metadata = net.manage("read_canister_snapshot_metadata", canister_id=canister, snapshot_id=snapshot)
    made = net.manage("upload_canister_snapshot_metadata", **metadata, canister_id=canister)
    assert rejected(lambda: load(net, canister, made["snapshot_id"])).error_code == "IC0505"
    assert net.update(canister, "show") == b"abc"


writes = st.lists(st.tuples(st.integers(0, 3 * PAGE), st.binary(max_size=20)), max_size=10)


@given(writes, st.integers(0, 3 * PAGE), st.integers(0, PAGE))
def test_an_image_reads_what_was_written(parts: list[tuple[int, bytes]], offset: int, size: int) -> None:
    image, model = Image(3 * PAGE + 100), bytearray(3 * PAGE + 100)
    for at, data in parts:
        image.write(at, data)
        model[at : at + len(data)] = data
    size = min(size, image.size - offset)
    assert image.read(offset, size) == model[offset : offset + size]
    assert Image.of(image.size, image.read).pages == image.pages
