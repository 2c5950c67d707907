"""Makes the HTTP requests, on a thread of its own, so that canisters run on meanwhile."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import httpx

from devnet.replica.api import RejectCode
from devnet.replica.outcalls.request import (
    Header,
    HttpRequest,
    HttpResponse,
    InvalidOutcall,
    check_headers,
    headers_bytes,
)

TIMEOUT_S = 60
"""The longest that a response is waited for."""

MAX_AT_ONCE = 64


@dataclass(frozen=True)
class FetchFailure:
    """Why there is no response."""

    code: RejectCode
    message: str


@dataclass(frozen=True)
class Fetched:
    """A response, and what it took: bytes received, and milliseconds."""

    response: HttpResponse
    received_bytes: int
    milliseconds: int


Outcome = Fetched | FetchFailure
Done = Callable[[Outcome], None]


class Fetcher(Protocol):
    """Something that makes HTTP requests."""

    def fetch(self, request: HttpRequest, done: Done) -> None:
        """Begin a request; `done` is called once, on any thread."""

    def close(self) -> None:
        """Give up on requests in progress; their `done` is not called any more."""


class HttpFetcher:
    """Makes requests with httpx: no proxies, no redirects, certificates checked.

    Args:
        tls: roots to trust; None: the system's, and those of the environment variable `SSL_CERT_FILE`.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._started = threading.Event()

    def fetch(self, request: HttpRequest, done: Done) -> None:
        asyncio.run_coroutine_threadsafe(self._fetch(request, done), self._running_loop())

    def close(self) -> None:
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            self._thread = self._loop = None

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._started.clear()
            self._thread = threading.Thread(target=self._run, name="devnet-outcalls", daemon=True)
            self._thread.start()
            self._started.wait()
        assert self._loop is not None
        return self._loop

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        """Runs on the thread until stopped; leaving it cancels what is in progress."""
        self._stop = asyncio.Event()
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        tls = self._tls or ssl.create_default_context()
        async with httpx.AsyncClient(verify=tls, trust_env=False, timeout=None) as self._client:
            self._loop = asyncio.get_running_loop()
            self._started.set()
            await self._stop.wait()
            unfinished = asyncio.all_tasks() - {asyncio.current_task()}
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    async def _fetch(self, request: HttpRequest, done: Done) -> None:
        async with self._slots:
            done(await self._outcome(request))

    async def _outcome(self, request: HttpRequest) -> Outcome:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self._exchange(request)
        except TimeoutError:
            return FetchFailure(RejectCode.SYS_TRANSIENT, "Timeout expired")
        except InvalidOutcall as error:
            return FetchFailure(RejectCode.SYS_FATAL, str(error))
        except httpx.UnsupportedProtocol as error:
            return FetchFailure(RejectCode.SYS_FATAL, f"The request cannot be made: {error}")
        except httpx.LocalProtocolError as error:
            return FetchFailure(RejectCode.SYS_FATAL, f"The request is not valid HTTP: {error}")
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError) as error:
            message = f"Connecting to {request.url[:100]} failed: {type(error).__name__}: {error}"
            return FetchFailure(RejectCode.SYS_TRANSIENT, message)

    async def _exchange(self, request: HttpRequest) -> Fetched:
        clock = asyncio.get_running_loop().time
        begin = clock()
        headers = [(name.encode(), value.encode()) for name, value in request.headers]
        made = httpx.Request(request.method, request.url, headers=headers, content=request.body)
        answer = await self._client.send(made, stream=True)
        try:
            fields = _response_headers(answer)
            body = await _read(answer, headers_bytes(fields), request.max_response_bytes)
        finally:
            await answer.aclose()
        received = headers_bytes(fields) + len(body)
        return Fetched(
            HttpResponse(answer.status_code, fields, body), received, int(1_000 * (clock() - begin))
        )


def _response_headers(answer: httpx.Response) -> tuple[Header, ...]:
    try:
        fields = tuple((name.decode().lower(), value.decode()) for name, value in answer.headers.raw)
    except UnicodeDecodeError as error:
        raise InvalidOutcall("a header of the response is not UTF-8") from error
    check_headers(fields)
    return fields


async def _read(answer: httpx.Response, before: int, most: int) -> bytes:
    """The body as it was sent, whatever its content-encoding; `before` bytes of headers count too."""
    body = bytearray()
    async for piece in answer.aiter_raw():
        body += piece
        if before + len(body) > most:
            break
    if before + len(body) > most:
        raise InvalidOutcall(f"Http response exceeds the size limit of {most} bytes.")
    return bytes(body)
