"""The page and the few requests it makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from devnet.identity_page.delegation import DEFAULT_TTL_NS, delegate, from_base64
from devnet.identity_page.errors import IdentityError
from devnet.identity_page.identities import Identities
from devnet.principal import principal_text
from devnet.replica.api import Clock
from devnet.request_body import read_body

MAX_BODY_BYTES: Final = 100_000

_STATIC: Final = Path(__file__).parent / "static"
_FILES: Final = {"/authorize": "authorize.html", "/authorize.js": "authorize.js", "/style.css": "style.css"}
_HEADERS: Final = {
    # The page must see its opener, so no Cross-Origin-Opener-Policy; ii-alternative-origins may be anywhere.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
    "connect-src *; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


class IdentityPage:
    """Serves the page, lists and makes identities, signs delegations."""

    def __init__(self, identities: Identities, clock: Clock) -> None:
        self._identities = identities
        self._clock = clock

    def app(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route("/", lambda _: RedirectResponse("/authorize")),
            Route("/identities", self._list, methods=["GET"]),
            Route("/identities", self._create, methods=["POST"]),
            Route("/delegation", self._delegate, methods=["POST"]),
            *(Route(path, _file(name), methods=["GET"]) for path, name in _FILES.items()),
        ]
        return Starlette(routes=routes, exception_handlers={IdentityError: _refused})

    async def _list(self, request: Request) -> Response:
        origin = request.query_params.get("origin")
        return JSONResponse([self._shown(name, origin) for name in self._identities.names()])

    async def _create(self, request: Request) -> Response:
        given = await _json(request)
        self._identities.create(_text(given, "name"))
        return JSONResponse(self._shown(_text(given, "name"), None), status_code=201)

    async def _delegate(self, request: Request) -> Response:
        given = await _json(request)
        key = self._identities.key(_text(given, "name"), _text(given, "origin"))
        ttl, targets = given.get("maxTimeToLive"), given.get("targets")
        if ttl is not None and not (
            isinstance(ttl, str) and ttl.isascii() and ttl.isdigit() and len(ttl) < 20
        ):
            raise IdentityError(f"`maxTimeToLive` must be nanoseconds in decimal digits, got {ttl!r}")
        if targets is not None and not (
            isinstance(targets, list) and all(isinstance(target, str) for target in targets)
        ):
            raise IdentityError("`targets` must be an array of canister ids")
        session_key = from_base64(_text(given, "publicKey"))
        lifetime = int(ttl) if ttl else DEFAULT_TTL_NS
        return JSONResponse(delegate(key, session_key, self._clock.now_ns(), lifetime, targets))

    def _shown(self, name: str, origin: str | None) -> dict[str, str]:
        principal = principal_text(self._identities.principal(name, origin)) if origin else ""
        return {"name": name, "principal": principal}


def _file(name: str) -> Any:
    async def answer(_: Request) -> Response:
        return FileResponse(_STATIC / name, headers=_HEADERS)

    return answer


async def _json(request: Request) -> dict[str, Any]:
    """The body of a request that this page itself made; other sites' pages may not act for its identities."""
    own = f"http://{request.headers.get('host', '')}"
    if request.headers.get("origin") != own:
        raise IdentityError(f"only the page at {own} may ask for this")
    too_large = IdentityError(f"the request has more than {MAX_BODY_BYTES} bytes")
    body = await read_body(request, MAX_BODY_BYTES, too_large)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise IdentityError(f"the request is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise IdentityError("the request must be a JSON object")
    return value


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise IdentityError(f"`{name}` must be a text")
    return value


async def _refused(_: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), status_code=400)
