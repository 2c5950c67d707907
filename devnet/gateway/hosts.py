"""Which canister a request is meant for.

Source: HTTP Gateway Protocol specification, "Canister ID Resolution", which leaves the ways open. These are
those of other local networks: the host's name, a name given to a canister, `?canisterId=` on the plain host.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from devnet.errors import PrincipalError
from devnet.gateway.domains import Domains
from devnet.principal import is_opaque, principal_from_text

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")
_LOCAL: Final = "localhost"
_PARAMETER: Final = "canisterId"
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


class Sites:
    """Finds the canister that a request is for.

    Args:
        domains: names given to canisters.
    """

    def __init__(self, domains: Domains) -> None:
        self._domains = domains

    def of(self, scope: Scope) -> Site | None:
        """The site of an HTTP request; None: it is for none."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        name = hostname(host)
        if name in LOOPBACK_NAMES:
            return _named_in(scope["query_string"].decode("latin-1")) or _of_referring_page(headers, host)
        named = self._domains.canister(name)
        return site_of(host) if named is None else Site(named, raw=False)


def _named_in(query: str) -> Site | None:
    """The canister that a query string names."""
    for text in parse_qs(query).get(_PARAMETER, []):
        try:
            canister_id = principal_from_text(text)
        except PrincipalError:
            return None
        return Site(canister_id, raw=False) if is_opaque(canister_id) else None
    return None


def _of_referring_page(headers: Headers, host: str) -> Site | None:
    """The canister of the page that asks: what it loads does not repeat its query."""
    try:
        page = urlsplit(headers.get("referer", ""))
    except ValueError:
        return None
    return _named_in(page.query) if page.netloc == host else None
