"""Which canister a request is meant for, by its `Host` header."""

from dataclasses import dataclass
from typing import Final

from devnet.errors import PrincipalError
from devnet.principal import is_opaque, principal_from_text

_LOCAL: Final = "localhost"
_RAW: Final = "raw"


@dataclass(frozen=True)
class Site:
    """A canister's site; `raw` ones are passed on without verification."""

    canister_id: bytes
    raw: bool


def hostname(host: str) -> str:
    """The name in a `Host` header, in lower case and without its port."""
    name, _, port = host.rpartition(":")
    return (name if name and port.isdigit() else host).lower().rstrip(".")


def site_of(host: str) -> Site | None:
    """The site that `<canister-id>.localhost` or `<canister-id>.raw.localhost` names; None if no canister."""
    labels = hostname(host).split(".")
    if len(labels) < 2 or labels[-1] != _LOCAL or labels[1:-1] not in ([], [_RAW]):
        return None
    try:
        canister_id = principal_from_text(labels[0])
    except PrincipalError:
        return None
    return Site(canister_id, labels[1] == _RAW) if is_opaque(canister_id) else None
