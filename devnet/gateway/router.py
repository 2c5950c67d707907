"""Sends each request where its host and path say: the API, a canister's site, or the identity page."""

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from devnet.gateway.hosts import hostname, site_of

IDENTITY_HOST: Final = "id.ai.localhost"
_API: Final = "/api/"


class HostRouter:
    """An ASGI application in front of the others; `/api/` is the network's interface on every host."""

    def __init__(self, api: ASGIApp, gateway: ASGIApp, identity_page: ASGIApp) -> None:
        self._api = api
        self._gateway = gateway
        self._identity_page = identity_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        await self._chosen(scope)(scope, receive, send)

    def _chosen(self, scope: Scope) -> ASGIApp:
        if scope["type"] != "http" or scope["path"].startswith(_API):
            return self._api
        host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
        if hostname(host) == IDENTITY_HOST:
            return self._identity_page
        return self._gateway if site_of(host) is not None else self._api
