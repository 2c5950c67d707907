"""Management methods that install code, at once or from uploaded chunks."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from devnet.replica import rejects
from devnet.replica.canister import Canister
from devnet.replica.installation import InstallMode, InstallRequest
from devnet.replica.management import interface
from devnet.replica.management.methods import Callers, is_controller, method

if TYPE_CHECKING:
    from devnet.replica.management.canister import Management, ManagementCall


@method(interface.INSTALL_ARGS, None, Callers.CONTROLLERS)
def install_code(management: Management, call: ManagementCall, argument: Any) -> None:
    _install(management, call, argument, argument["wasm_module"])


@method(interface.INSTALL_CHUNKED_ARGS, None, Callers.CONTROLLERS, subject="target_canister")
def install_chunked_code(management: Management, call: ManagementCall, argument: Any) -> None:
    store = _store(management, call, argument["store_canister"])
    wanted = [entry["hash"] for entry in argument["chunk_hashes_list"]]
    if len(wanted) * management.limits.chunk_bytes > 2 * management.limits.module_bytes:
        raise rejects.chunk_store(f"{len(wanted)} chunks are more than a module may have")
    missing = [digest for digest in wanted if digest not in store.chunks]
    if missing:
        raise rejects.chunk_store(f"Chunk hash {missing[0].hex()} was not found in the chunk store.")
    module = b"".join(store.chunks[digest] for digest in wanted)
    if hashlib.sha256(module).digest() != argument["wasm_module_hash"]:
        raise rejects.chunk_store("Wasm chunk hashes do not match the module hash.")
    _install(management, call, argument, module)


def _store(management: Management, call: ManagementCall, identifier: bytes | None) -> Canister:
    if identifier is None or identifier == call.canister.id:
        return call.canister
    store = management.subnet.canister(identifier)
    if not is_controller(store, call.caller):
        raise rejects.not_controller(store.id, store.settings.controllers, call.caller)
    return store


def _install(management: Management, call: ManagementCall, argument: Any, module: bytes) -> None:
    mode, options = argument["mode"]
    options = options or {}
    persistence = options.get("wasm_memory_persistence")
    request = InstallRequest(
        InstallMode(mode),
        module,
        argument["arg"],
        call.caller,
        skip_pre_upgrade=bool(options.get("skip_pre_upgrade")),
        keep_heap=persistence is not None and persistence[0] == "keep",
    )
    management.installer.install(call.canister, request)
    version = argument["sender_canister_version"]
    digest = hashlib.sha256(module).digest()
    management.record(call, "code_deployment", version, mode=mode, module_hash=digest)


@method(interface.UPLOAD_CHUNK_ARGS, interface.CHUNK_HASH, Callers.CONTROLLERS)
def upload_chunk(management: Management, call: ManagementCall, argument: Any) -> Any:
    chunk, chunks = argument["chunk"], call.canister.chunks
    most = management.limits.chunk_bytes
    if len(chunk) > most:
        raise rejects.chunk_store(f"Wasm chunk size {len(chunk)} exceeds the maximum chunk size of {most}")
    digest = hashlib.sha256(chunk).digest()
    if digest not in chunks and (len(chunks) + 1) * most > management.limits.chunk_store_bytes:
        raise rejects.chunk_store(f"The chunk store is full: it holds {len(chunks)} chunks.")
    chunks[digest] = chunk
    return {"hash": digest}


@method(interface.CANISTER, None, Callers.CONTROLLERS)
def clear_chunk_store(management: Management, call: ManagementCall, argument: Any) -> None:
    call.canister.chunks.clear()


@method(interface.CANISTER, interface.STORED_CHUNKS, Callers.CONTROLLERS)
def stored_chunks(management: Management, call: ManagementCall, argument: Any) -> Any:
    return [{"hash": digest} for digest in call.canister.chunks]
