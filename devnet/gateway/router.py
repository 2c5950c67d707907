"""Sends each request where its host and path say: API, canister's site, identity page, or the node itself."""

from typing import Final, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from devnet.gateway.hosts import Site, Sites, hostname

IDENTITY_HOST: Final = "id.ai.localhost"
_API: Final = "/api/"


class AnswersForSites(Protocol):
    """The gateway, as far as the router knows it."""

    async def answer(self, site: Site, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request that is for a canister."""


class HostRouter:
    """An ASGI application in front of the others; `/api/` is the network's interface on every host."""

    def __init__(
        self,
        api: ASGIApp,
        sites: Sites,
        gateway: AnswersForSites,
        identity_page: ASGIApp,
        control: ASGIApp,
    ) -> None:
        self._api = api
        self._sites = sites
        self._gateway = gateway
        self._identity_page = identity_page
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http" or scope["path"].startswith(_API):
            return await self._api(scope, receive, send)
        host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
        if hostname(host) == IDENTITY_HOST:
            return await self._identity_page(scope, receive, send)
        site = self._sites.of(scope)
        if site is not None:
            return await self._gateway.answer(site, scope, receive, send)
        await self._control(scope, receive, send)
