"""What this node answers besides the network's interface: `/_/time`, and where to find what is elsewhere.

`/_/time` is the network's time, and moves it, for tests. `GET` answers `{"time_ns": "…", "speed": "1"}`;
`POST` of `{"advance_ns": "3600000000000"}` does the same once what has become due is done. Numbers are
decimal strings, since JSON's lose digits; integers are taken too.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import Future
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from devnet.clock import InvalidTime, NetworkClock
from devnet.gateway.hosts import LOOPBACK_NAMES, hostname
from devnet.http.engine import Engine, ReplicaPort
from devnet.http.errors import HttpError, MalformedRequest
from devnet.request_body import read_body

PATH: Final = "/_/time"
JSON: Final = "application/json"
MAX_BODY_BYTES: Final = 1_000
SETTLE_TIMEOUT_S: Final = 10.0


class NotForPages(HttpError):
    """Web pages may not move the network's time."""

    status = 403


class Control:
    """Reads and moves the clock of one node."""

    def __init__(self, engine: Engine, clock: NetworkClock) -> None:
        self._engine = engine
        self._clock = clock

    def app(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route(PATH, self._show, methods=["GET"]),
            Route(PATH, self._advance, methods=["POST"]),
        ]
        handlers: dict[Any, Any] = {HttpError: _refused, InvalidTime: _impossible, 404: _nothing_here}
        return Starlette(routes=routes, exception_handlers=handlers)

    async def _show(self, _: Request) -> Response:
        return JSONResponse({"time_ns": str(self._clock.now_ns()), "speed": str(self._clock.speed)})

    async def _advance(self, request: Request) -> Response:
        _ensure_no_page(request)
        advanced = asyncio.wrap_future(advance(self._engine, self._clock, await _step(request)))
        try:
            await asyncio.wait_for(advanced, SETTLE_TIMEOUT_S)
        except TimeoutError:
            # Canisters are busy with what that brought, or never are idle; but time has passed by now:
            await asyncio.wrap_future(self._engine.perform(lambda _: None))
        return await self._show(request)


def advance(engine: Engine, clock: NetworkClock, by_ns: int) -> Future[None]:
    """Let time pass. The future is done once everything has been executed that was due then.

    It fails with `InvalidTime` when time cannot pass so.
    """

    def leap(replica: ReplicaPort) -> None:
        clock.advance(by_ns)
        replica.postpone_expiries(by_ns)

    return engine.settle(leap)


async def _step(request: Request) -> int:
    too_large = MalformedRequest(f"the request has more than {MAX_BODY_BYTES} bytes")
    body = await read_body(request, MAX_BODY_BYTES, too_large)
    try:
        return _nanoseconds(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise MalformedRequest(f"the request is no JSON: {error}") from error


def _nanoseconds(given: Any) -> int:
    step = given.get("advance_ns") if isinstance(given, dict) and len(given) == 1 else None
    if type(step) is int:
        return step
    if isinstance(step, str) and step.isascii() and step.removeprefix("-").isdigit():
        return int(step)
    raise MalformedRequest('the request must be an object such as {"advance_ns": "1000000000"}')


def _ensure_no_page(request: Request) -> None:
    """Another site's page can reach this host, but neither with this type unasked nor under our name."""
    if hostname(request.headers.get("host", "")) not in LOOPBACK_NAMES:
        raise NotForPages(f"ask at http://localhost or http://127.0.0.1, not {request.headers.get('host')}")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise NotForPages(f"the content-type must be {JSON}")


async def _nothing_here(request: Request, _: Exception) -> Response:
    host = request.headers.get("host", "")
    text = f"There is no page at {host}{request.url.path}. Canisters are at http://<canister-id>.localhost:<port>/"
    return PlainTextResponse(f"{text}, or at names in the file of custom domains.\n", status_code=404)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HttpError)
    return PlainTextResponse(str(error), status_code=error.status)


async def _impossible(_: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), status_code=400)
