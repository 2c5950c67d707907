"""Management methods on snapshots of canisters."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Any

from devnet.replica import rejects
from devnet.replica.canister import Canister
from devnet.replica.management import interface
from devnet.replica.management.methods import Callers, is_controller, method
from devnet.replica.management.observation import check_visible
from devnet.replica.record import LoadedSnapshot
from devnet.replica.snapshots import GlobalValue, Image, Snapshot, snapshot_id

if TYPE_CHECKING:
    from devnet.replica.management.canister import Management, ManagementCall

MAX_SNAPSHOTS = 10
MAX_GLOBALS = 1_000
_KINDS = ("i32", "i64", "f32", "f64", "v128")
"""Kinds of globals, in the order of their numbers in `GlobalValue`."""

_FORMATS = {"i32": "<i", "i64": "<q", "f32": "<f", "f64": "<d"}
_IMAGES = {"wasm_module": "module", "wasm_memory": "heap", "stable_memory": "stable"}


@method(interface.TAKE_SNAPSHOT_ARGS, interface.SNAPSHOT, Callers.CONTROLLERS)
def take_canister_snapshot(management: Management, call: ManagementCall, argument: Any) -> Any:
    canister = call.canister
    code = canister.code
    if code is None:
        raise rejects.no_module(canister.id)
    _check_room(canister, argument["replace_snapshot"])
    wasm = code.module.wasm
    values = code.globals or code.instance().read_globals()
    snapshot = Snapshot(
        _next_id(canister),
        canister.id,
        management.subnet.now(),
        canister.version,
        False,
        list(values.values),
        canister.certified_data,
        canister.global_timer,
        {
            "module": Image.of(len(wasm), lambda offset, size: wasm[offset : offset + size]),
            "heap": Image.of(code.heap.size, code.heap.read),
            "stable": Image.of(canister.stable.size, canister.stable.read),
        },
        dict(canister.chunks),
    )
    _add(canister, snapshot, argument["replace_snapshot"])
    if argument["uninstall_code"]:
        management.installer.uninstall(canister)
        management.processor.finish_stopping(canister)
        management.record(call, "code_uninstall", argument["sender_canister_version"])
    return _shown(snapshot)


@method(interface.LOAD_SNAPSHOT_ARGS, None, Callers.CONTROLLERS)
def load_canister_snapshot(management: Management, call: ManagementCall, argument: Any) -> None:
    canister = call.canister
    snapshot = _find_anywhere(management, call, argument["snapshot_id"])
    management.installer.load_snapshot(canister, snapshot)
    source = None if snapshot.canister == canister.id else snapshot.canister
    loaded = LoadedSnapshot(snapshot.id, snapshot.taken_at, snapshot.version, snapshot.uploaded, source)
    management.record(call, "load_snapshot", argument["sender_canister_version"], snapshot=loaded)


def _find_anywhere(management: Management, call: ManagementCall, identifier: bytes) -> Snapshot:
    """A snapshot of this canister, or of another one that the caller controls."""
    for owner in management.subnet.canisters.values():
        if identifier in owner.snapshots:
            if not is_controller(owner, call.caller):
                raise rejects.not_controller(owner.id, owner.settings.controllers, call.caller)
            return owner.snapshots[identifier]
    raise rejects.no_snapshot(call.canister.id, identifier)


@method(interface.CANISTER, interface.SNAPSHOTS, Callers.ANYONE)
def list_canister_snapshots(management: Management, call: ManagementCall, argument: Any) -> Any:
    check_visible(call.canister, call.canister.settings.snapshot_visibility, call.caller)
    return [_shown(snapshot) for snapshot in call.canister.snapshots.values()]


@method(interface.SNAPSHOT_ARGS, None, Callers.CONTROLLERS)
def delete_canister_snapshot(management: Management, call: ManagementCall, argument: Any) -> None:
    del call.canister.snapshots[_find(call.canister, argument["snapshot_id"]).id]


@method(interface.SNAPSHOT_ARGS, interface.SNAPSHOT_METADATA, Callers.ANYONE)
def read_canister_snapshot_metadata(management: Management, call: ManagementCall, argument: Any) -> Any:
    check_visible(call.canister, call.canister.settings.snapshot_visibility, call.caller)
    snapshot = _find(call.canister, argument["snapshot_id"])
    timer: tuple[str, Any] | None = None
    if snapshot.global_timer is not None:
        timer = ("active", snapshot.global_timer) if snapshot.global_timer else ("inactive", None)
    return {
        "source": ("metadata_upload" if snapshot.uploaded else "taken_from_canister", None),
        "taken_at_timestamp": snapshot.taken_at,
        "wasm_module_size": snapshot.module.size,
        "globals": [_shown_global(value) for value in snapshot.globals],
        "wasm_memory_size": snapshot.heap.size,
        "stable_memory_size": snapshot.stable.size,
        "wasm_chunk_store": [{"hash": digest} for digest in snapshot.chunks],
        "canister_version": snapshot.version,
        "certified_data": snapshot.certified_data,
        "global_timer": timer,
        "on_low_wasm_memory_hook_status": None,
    }


@method(interface.READ_SNAPSHOT_ARGS, interface.SNAPSHOT_CHUNK, Callers.ANYONE)
def read_canister_snapshot_data(management: Management, call: ManagementCall, argument: Any) -> Any:
    check_visible(call.canister, call.canister.settings.snapshot_visibility, call.caller)
    snapshot = _find(call.canister, argument["snapshot_id"])
    kind, wanted = argument["kind"]
    if kind == "wasm_chunk":
        if wanted["hash"] not in snapshot.chunks:
            raise rejects.snapshot_data(f"there is no chunk {wanted['hash'].hex()}")
        return {"chunk": snapshot.chunks[wanted["hash"]]}
    if wanted["size"] > management.limits.reply_bytes:
        raise rejects.snapshot_data(f"at most {management.limits.reply_bytes} bytes can be read at once")
    image = snapshot.images[_IMAGES[kind]]
    _check_range(image, wanted["offset"], wanted["size"])
    return {"chunk": image.read(wanted["offset"], wanted["size"])}


@method(interface.UPLOAD_SNAPSHOT_METADATA_ARGS, interface.SNAPSHOT_ID, Callers.CONTROLLERS)
def upload_canister_snapshot_metadata(management: Management, call: ManagementCall, argument: Any) -> Any:
    canister, limits = call.canister, management.limits
    _check_room(canister, argument["replace_snapshot"])
    bounds = {
        "wasm_module_size": limits.module_bytes,
        "wasm_memory_size": limits.heap_bytes,
        "stable_memory_size": limits.stable_bytes,
    }
    for name, most in bounds.items():
        if argument[name] > most:
            raise rejects.snapshot_data(f"'{name}' is {argument[name]}, at most {most} is allowed")
    if len(argument["globals"]) > MAX_GLOBALS or len(argument["certified_data"]) > 32:
        raise rejects.snapshot_data("too many globals, or certified data of more than 32 bytes")
    timer = argument["global_timer"]
    snapshot = Snapshot(
        _next_id(canister),
        canister.id,
        management.subnet.now(),
        canister.version,
        True,
        [_read_global(value) for value in argument["globals"]],
        argument["certified_data"],
        None if timer is None else timer[1] or 0,
        {image: Image(argument[f"{name}_size"]) for name, image in _IMAGES.items()},
    )
    _add(canister, snapshot, argument["replace_snapshot"])
    return {"snapshot_id": snapshot.id}


@method(interface.UPLOAD_SNAPSHOT_DATA_ARGS, None, Callers.CONTROLLERS)
def upload_canister_snapshot_data(management: Management, call: ManagementCall, argument: Any) -> None:
    snapshot = _find(call.canister, argument["snapshot_id"])
    if not snapshot.uploaded:
        raise rejects.snapshot_data("this snapshot was taken from a canister and cannot be changed")
    (kind, place), chunk = argument["kind"], argument["chunk"]
    if kind != "wasm_chunk":
        image = snapshot.images[_IMAGES[kind]]
        _check_range(image, place["offset"], len(chunk))
        image.write(place["offset"], chunk)
        return
    most = management.limits.chunk_bytes
    if len(chunk) > most or (len(snapshot.chunks) + 1) * most > management.limits.chunk_store_bytes:
        raise rejects.chunk_store("the chunk is too large, or the snapshot's chunk store is full")
    snapshot.chunks[hashlib.sha256(chunk).digest()] = chunk
    snapshot.saved = False


def _check_range(image: Image, offset: int, size: int) -> None:
    if offset + size > image.size:
        raise rejects.snapshot_data(f"bytes {offset} to {offset + size} of {image.size} are out of range")


def _check_room(canister: Canister, replaced: bytes | None) -> None:
    if replaced is not None:
        _find(canister, replaced)
    elif len(canister.snapshots) >= MAX_SNAPSHOTS:
        raise rejects.too_many_snapshots(canister.id, MAX_SNAPSHOTS)


def _next_id(canister: Canister) -> bytes:
    canister.next_snapshot += 1
    return snapshot_id(canister.id, canister.next_snapshot)


def _add(canister: Canister, snapshot: Snapshot, replaced: bytes | None) -> None:
    if replaced is not None:
        del canister.snapshots[replaced]
    canister.snapshots[snapshot.id] = snapshot


def _find(canister: Canister, identifier: bytes) -> Snapshot:
    found = canister.snapshots.get(identifier)
    if found is None:
        raise rejects.no_snapshot(canister.id, identifier)
    return found


def _shown(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "id": snapshot.id,
        "taken_at_timestamp": snapshot.taken_at,
        "total_size": snapshot.total_size,
    }


def _shown_global(value: GlobalValue) -> tuple[str, Any]:
    kind, raw = _KINDS[value[0]], value[1]
    if kind == "v128":
        return kind, int.from_bytes(raw, "little")
    return kind, struct.unpack_from(_FORMATS[kind], raw)[0]


def _read_global(value: tuple[str, Any]) -> GlobalValue:
    kind, number = value
    if kind == "v128":
        return _KINDS.index(kind), (number % (1 << 128)).to_bytes(16, "little")
    return _KINDS.index(kind), struct.pack(_FORMATS[kind], number).ljust(16, b"\0")
