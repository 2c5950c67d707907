"""What is kept of a canister's past: changes, cycles consumed, queries answered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LoadedSnapshot:
    """What a canister's history tells of a snapshot loaded; `from_canister` None: its own."""

    id: bytes
    taken_at: int
    version: int
    uploaded: bool
    from_canister: bytes | None


@dataclass(frozen=True)
class Change:
    """One entry of a canister's history.

    Args:
        by_canister: whether `origin` is a canister; `origin_version` is then its version if it said so.
        kind: `creation`, `code_uninstall`, `code_deployment`, `controllers_change` or `load_snapshot`.
        environment_hash: of the environment variables given at creation.
    """

    timestamp: int
    version: int
    origin: bytes
    by_canister: bool
    origin_version: int | None
    kind: str
    mode: str = ""
    module_hash: bytes = b""
    controllers: tuple[bytes, ...] = ()
    environment_hash: bytes | None = None
    snapshot: LoadedSnapshot | None = None


@dataclass
class Consumed:
    """Cycles that a canister has paid so far, by what for; names as in `canister_metrics`."""

    memory: int = 0
    compute_allocation: int = 0
    ingress_induction: int = 0
    instructions: int = 0
    request_and_response_transmission: int = 0
    uninstall: int = 0
    canister_creation: int = 0
    http_outcalls: int = 0
    burned_cycles: int = 0

    @property
    def total(self) -> int:
        return sum(vars(self).values())


@dataclass
class QueryStats:
    calls: int = 0
    instructions: int = 0
    request_bytes: int = 0
    response_bytes: int = 0
