"""Which paths of the state tree a read_state request may ask for.

Source: IC interface specification, "Request: Read state".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from devnet.http.envelope import Envelope, ReadState
from devnet.http.errors import InvalidPath, PathNotAllowed
from devnet.principal import principal_text
from devnet.replica.api import CanisterView, IngressStatus

Labels = Sequence[bytes]

REQUEST_ID_BYTES: Final = 32
_REQUEST_FIELDS: Final = (b"status", b"reply", b"reject_code", b"reject_message", b"error_code")
_SUBNET_FIELDS: Final = (b"public_key", b"type", b"canister_ranges")
_CANISTER_FIELDS: Final = (
    b"canister_creation_timestamp",
    b"controllers",
    b"last_install_timestamp",
    b"module_hash",
)


@dataclass(frozen=True)
class Target:
    """What the URL of a read_state request names: a canister, or a subnet."""

    principal: bytes
    is_subnet: bool = False


class ReadAccess:
    """Decides about the paths of one request."""

    def __init__(
        self,
        envelope: Envelope,
        target: Target,
        request_status: Callable[[bytes], IngressStatus | None],
        canister_view: Callable[[bytes], CanisterView | None],
    ) -> None:
        self._envelope = envelope
        self._target = target
        self._request_status = request_status
        self._canister_view = canister_view

    def ensure_allowed(self) -> tuple[Labels, ...]:
        """The requested paths.

        Raises:
            InvalidPath: one of them cannot be asked for, here or at all.
            PathNotAllowed: one of them may not be read by this sender.
        """
        assert isinstance(self._envelope.content, ReadState)
        paths = self._envelope.content.paths
        for prefix in (b"request_status", b"canister_ranges"):
            if len({path[1:2] for path in paths if path[:1] == (prefix,)}) > 1:
                raise InvalidPath(f"all paths under /{prefix.decode()} must name the same id")
        for path in paths:
            self._ensure_path(path)
        return paths

    def _ensure_path(self, path: Labels) -> None:
        match path:
            case [b"time"] | [b"subnet"] | [b"subnet", _] | [b"subnet", _, b"node"]:
                return
            case [b"subnet", _, b"node", _] | [b"subnet", _, b"node", _, b"public_key"]:
                return
            case [b"subnet", _, field] if field in _SUBNET_FIELDS:
                return
            case [b"canister_ranges", _] if self._target.is_subnet:
                return
            case [b"subnet", subnet_id, b"metrics"] if self._target == Target(subnet_id, is_subnet=True):
                return
            case [b"api_boundary_nodes", *rest] if len(rest) <= 2:
                return
            case [b"request_status", request_id, *rest] if len(request_id) == REQUEST_ID_BYTES:
                if not rest or (len(rest) == 1 and rest[0] in _REQUEST_FIELDS):
                    return self._ensure_own_request(request_id)
            case [b"canister", canister_id, field] if field in _CANISTER_FIELDS:
                return self._ensure_target(canister_id)
            case [b"canister", canister_id, b"metadata", name]:
                self._ensure_target(canister_id)
                return self._ensure_metadata(canister_id, name)
        raise InvalidPath(f"Invalid path requested: {_shown(path)}")

    def _ensure_own_request(self, request_id: bytes) -> None:
        status = self._request_status(request_id)
        if status is None:
            return
        if status.sender != self._envelope.sender:
            raise PathNotAllowed("The user tries to access Request ID not signed by the caller.")
        if not self._target.is_subnet and status.effective_canister_id != self._target.principal:
            raise PathNotAllowed(
                "The request was about canister "
                f"{principal_text(status.effective_canister_id)}; ask for its status there."
            )
        for delegation in self._envelope.delegations:
            if delegation.targets is not None and status.canister_id not in delegation.targets:
                raise PathNotAllowed(
                    "The user tries to access request IDs for canisters not belonging to "
                    "sender delegation targets."
                )

    def _ensure_target(self, canister_id: bytes) -> None:
        if self._target.is_subnet or canister_id != self._target.principal:
            raise InvalidPath(f"/canister paths must name the canister in the URL, not {canister_id.hex()}")

    def _ensure_metadata(self, canister_id: bytes, name: bytes) -> None:
        try:
            text = name.decode()
        except UnicodeDecodeError as error:
            raise InvalidPath("the name of a metadata section must be UTF-8") from error
        view = self._canister_view(canister_id)
        if view is None or text not in view.private_metadata:
            return
        if self._envelope.sender not in view.controllers:
            raise PathNotAllowed(
                f"Custom section {text!r} can be requested only by the controllers of the canister."
            )


def _shown(path: Labels) -> str:
    return "/" + "/".join(label.decode() if label.isascii() else "0x" + label.hex() for label in path)
