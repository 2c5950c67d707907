"""Creating, installing and upgrading canisters through the management canister.

Source: IC interface specification, "The IC management canister".
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from leasehold.agent import Agent, Principal
from leasehold.agent.agent import LOCAL_CANISTER
from leasehold.interfaces import load_interface

# A message may have 2 MiB; larger modules travel in chunks.
MAX_INSTALL_BYTES = 2 * 1024 * 1024 - 64 * 1024
CHUNK_BYTES = 1024 * 1024

LOCAL_CYCLES = 100_000_000_000_000

EMPTY_ARGUMENTS = b"DIDL\x00\x00"


@dataclass(frozen=True)
class CanisterStatus:
    """How a canister is.

    Args:
        status: `running`, `stopping` or `stopped`.
        module_hash: SHA-256; `None` when nothing is installed.
        memory_size: in bytes.
    """

    status: str
    module_hash: bytes | None
    memory_size: int
    cycles: int
    controllers: tuple[Principal, ...]


class Management:
    """The management canister, for a controller.

    Args:
        agent: who creates and controls.
    """

    def __init__(self, agent: Agent) -> None:
        self._canister = agent.canister(Principal.MANAGEMENT, load_interface("management"))

    def create(self) -> Principal:
        """A new, empty canister with test cycles; works on local networks only."""
        # It belongs to no subnet yet; any id of the subnet routes its creation.
        created: Principal = self._call(
            LOCAL_CANISTER, "provisional_create_canister_with_cycles", {"amount": LOCAL_CYCLES}
        )["canister_id"]
        return created

    def status(self, canister: Principal) -> CanisterStatus:
        """How a canister is."""
        answer = self._call(canister, "canister_status", {"canister_id": canister})
        (status,) = answer["status"]
        controllers = tuple(answer["settings"]["controllers"])
        return CanisterStatus(
            status, answer["module_hash"], answer["memory_size"], answer["cycles"], controllers
        )

    def install(
        self,
        canister: Principal,
        module: bytes,
        arguments: bytes = EMPTY_ARGUMENTS,
        *,
        mode: str = "install",
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Install a module.

        Args:
            module: Wasm, gzipped or not.
            arguments: Candid.
            mode: `install`, `reinstall` (forgets everything) or `upgrade` (keeps stable memory).
            progress: told bytes done and bytes in all.
        """
        if len(module) <= MAX_INSTALL_BYTES:
            request = {"canister_id": canister, "wasm_module": module, "arg": arguments, "mode": {mode: None}}
            self._call(canister, "install_code", request)
        else:
            hashes = self._upload(canister, module, progress)
            request = {
                "mode": {mode: None},
                "target_canister": canister,
                "chunk_hashes_list": [{"hash": chunk} for chunk in hashes],
                "wasm_module_hash": hashlib.sha256(module).digest(),
                "arg": arguments,
            }
            self._call(canister, "install_chunked_code", request)
            self._call(canister, "clear_chunk_store", {"canister_id": canister})
        if progress is not None:
            progress(len(module), len(module))

    def upgrade(
        self, canister: Principal, module: bytes, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Replace a canister's module while it is stopped, so that no call is cut in two."""
        self._call(canister, "stop_canister", {"canister_id": canister})
        try:
            self.install(canister, module, mode="upgrade", progress=progress)
        finally:
            self._call(canister, "start_canister", {"canister_id": canister})

    def delete(self, canister: Principal) -> None:
        """Stop a canister and delete it with all it holds."""
        self._call(canister, "stop_canister", {"canister_id": canister})
        self._call(canister, "delete_canister", {"canister_id": canister})

    def _upload(
        self, canister: Principal, module: bytes, progress: Callable[[int, int], None] | None
    ) -> list[bytes]:
        self._call(canister, "clear_chunk_store", {"canister_id": canister})
        hashes: list[bytes] = []
        for start in range(0, len(module), CHUNK_BYTES):
            chunk = module[start : start + CHUNK_BYTES]
            answer = self._call(canister, "upload_chunk", {"canister_id": canister, "chunk": chunk})
            hashes.append(answer["hash"])
            if progress is not None:
                progress(start, len(module))
        return hashes

    def _call(self, effective: Principal, method: str, argument: dict[str, Any]) -> Any:
        return self._canister.call(method, argument, effective=effective)
