"""The replica's contract: what its host (HTTP side, tests) passes in and gets back.

All ids are raw principal bytes, all times nanoseconds since 1970-01-01. The engine is single-threaded: every
method of `Replica` is called from the one thread that owns it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol

GIB = 1 << 30
MIB = 1 << 20
KIB = 1 << 10
SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS


class RejectCode(IntEnum):
    """Reject codes of the interface specification, section "Reject codes"."""

    SYS_FATAL = 1
    SYS_TRANSIENT = 2
    DESTINATION_INVALID = 3
    CANISTER_REJECT = 4
    CANISTER_ERROR = 5
    SYS_UNKNOWN = 6


class Reject(Exception):
    """A call was rejected; also the form in which asynchronous rejects are kept.

    Args:
        code: one of `RejectCode`.
        message: what a client shows.
        error_code: the implementation's code, e.g. `IC0301`.
    """

    def __init__(self, code: int, message: str, error_code: str) -> None:
        super().__init__(f"{error_code}: {message}")
        self.code = int(code)
        self.message = message
        self.error_code = error_code

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reject) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def _fields(self) -> tuple[int, str, str]:
        return (self.code, self.message, self.error_code)


class Clock(Protocol):
    """Source of the node's time."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01."""


class ThresholdKeys(Protocol):
    """The subnet's threshold keys, as far as canisters can ask for them."""

    def vetkd_public_key(self, canister_id: bytes, context: bytes, key_name: str) -> bytes:
        """96-byte public key; `ValueError` when there is no key of that name."""

    def vetkd_derive_key(
        self, canister_id: bytes, context: bytes, input: bytes, transport_public_key: bytes, key_name: str
    ) -> bytes:
        """192-byte encrypted key; `ValueError` on an unknown key name or an invalid transport key."""

    def signing_public_key(
        self, algorithm: str, canister_id: bytes, path: Sequence[bytes], key_name: str
    ) -> tuple[bytes, bytes]:
        """Public key and chain code; `ValueError` when there is no such key.

        `algorithm` is `secp256k1` (for ECDSA), `bip340secp256k1` or `ed25519`.
        """

    def sign(
        self,
        algorithm: str,
        canister_id: bytes,
        path: Sequence[bytes],
        key_name: str,
        message: bytes,
        merkle_root: bytes | None = None,
    ) -> bytes:
        """64-byte signature; `ValueError` when there is no such key or it cannot sign that."""


@dataclass(frozen=True)
class Limits:
    """Bounds the engine enforces. Sources: interface specification and resource limits page."""

    update_instructions: int = 40_000_000_000
    query_instructions: int = 5_000_000_000
    install_instructions: int = 300_000_000_000
    inspect_instructions: int = 200_000_000
    heap_bytes: int = 4 * GIB
    stable_bytes: int = 64 * GIB
    module_bytes: int = 100 * MIB
    code_section_bytes: int = 10 * MIB
    functions: int = 50_000
    globals: int = 1_000
    exported_methods: int = 1_000
    method_name_bytes: int = 20_000
    custom_sections: int = 16
    custom_sections_bytes: int = MIB
    ingress_bytes: int = 2 * MIB
    request_bytes: int = 10 * MIB
    reply_bytes: int = 2 * MIB
    query_reply_bytes: int = 3 * MIB
    canister_queue: int = 500
    ingress_ttl_ns: int = 5 * MINUTE_NS
    ingress_queue: int = 1_000
    ingress_history_bytes: int = 256 * MIB
    stop_timeout_ns: int = 5 * MINUTE_NS
    chunk_bytes: int = MIB
    chunk_store_bytes: int = 100 * MIB
    wasm_stack_bytes: int = 2 * MIB
    initial_cycles: int = 100_000_000_000_000


@dataclass(frozen=True)
class SenderInfo:
    """What a canister that signed for the sender says of them, and that canister; empty without it."""

    info: bytes = b""
    signer: bytes = b""


NO_SENDER_INFO = SenderInfo()


@dataclass(frozen=True)
class Ingress:
    """An update call from outside, already authenticated by the host.

    Args:
        canister_id: the callee; empty bytes for the management canister.
        effective_canister_id: the canister a management call is about; else the callee.
        ingress_expiry: nanoseconds; the host has checked that it lies in the accepted window.
    """

    request_id: bytes
    sender: bytes
    canister_id: bytes
    method: str
    arg: bytes
    ingress_expiry: int
    effective_canister_id: bytes
    sender_info: SenderInfo = NO_SENDER_INFO


@dataclass(frozen=True)
class Query:
    """A query call from outside, already authenticated by the host.

    Args:
        data_certificate: made only if the canister asks for it (`ic0.data_certificate_copy`): certifies
            `/canister/<id>/certified_data` and `/time`. None: the canister sees no certificate.
    """

    sender: bytes
    canister_id: bytes
    method: str
    arg: bytes
    effective_canister_id: bytes = b""
    data_certificate: Callable[[], bytes] | None = None
    sender_info: SenderInfo = NO_SENDER_INFO


class IngressState(StrEnum):
    """Values at `/request_status/<id>/status`; `unknown` is expressed by None."""

    RECEIVED = "received"
    PROCESSING = "processing"
    REPLIED = "replied"
    REJECTED = "rejected"
    DONE = "done"


@dataclass(frozen=True)
class IngressStatus:
    """What is known about an ingress message.

    `reply` is set when replied, `reject` when rejected; `ingress` names who may read it.
    """

    state: IngressState
    sender: bytes
    canister_id: bytes
    effective_canister_id: bytes
    reply: bytes | None = None
    reject: Reject | None = None


@dataclass(frozen=True)
class CanisterView:
    """The parts of a canister that the state tree shows.

    `module_hash` is None for an empty canister. Metadata is keyed by name without the `icp:` prefix.
    `created_at` and `installed_at` are in ns, 0 when not known or empty.
    """

    canister_id: bytes
    module_hash: bytes | None
    controllers: tuple[bytes, ...]
    certified_data: bytes
    public_metadata: Mapping[str, bytes] = field(default_factory=dict)
    private_metadata: Mapping[str, bytes] = field(default_factory=dict)
    created_at: int = 0
    installed_at: int = 0


class LogSink(Protocol):
    """Receives lines that canisters print, and the node's notes about them."""

    def __call__(self, canister_id: bytes, message: str) -> None:
        """One line, without line end."""
