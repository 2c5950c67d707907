"""Answers browsers with what canisters say, once it is verified.

Source: HTTP Gateway Protocol specification, "Overview".
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from devnet.clock import NetworkClock
from devnet.crypto.node_keys import NodeKeys
from devnet.gateway.errors import (
    CanisterFailed,
    CanisterNotFound,
    GatewayError,
    MalformedResponse,
    RequestTooLarge,
)
from devnet.gateway.exchange import HttpRequest, HttpResponse, Streaming, decode_chunk, decode_response
from devnet.gateway.hosts import Site
from devnet.gateway.ranges import PARTIAL, Part, is_unasked_part, request_of_rest, whole
from devnet.gateway.verification import verify_response
from devnet.gateway.witness import Witness, decode_cbor
from devnet.http.engine import Engine
from devnet.http.errors import HttpError
from devnet.principal import ANONYMOUS, principal_text
from devnet.replica.api import Ingress, Query, Reject
from devnet.request_body import read_body

MAX_REQUEST_BYTES: Final = 2 * 1024 * 1024 - 4096
MAX_STREAMED_BYTES: Final = 256 * 1024 * 1024
UPDATE_TIMEOUT_S: Final = 60.0
INGRESS_TTL_NS: Final = 240_000_000_000

_VERSIONS_METADATA: Final = "supported_certificate_versions"
_NO_SUCH_CANISTER: Final = 3
# Those of the connection, which the server makes itself.
_NOT_PASSED_ON: Final = frozenset(
    ("connection", "content-length", "date", "keep-alive", "server", "transfer-encoding", "upgrade")
)
_CORS: Final = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, POST, HEAD, OPTIONS",
    "access-control-allow-headers": "DNT,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,"
    "Content-Type,Range,Cookie",
    "access-control-expose-headers": "Content-Length,Content-Range",
}


class Gateway:
    """Answers requests that are for a canister."""

    def __init__(self, engine: Engine, keys: NodeKeys, clock: NetworkClock) -> None:
        self._engine = engine
        self._keys = keys
        self._clock = clock

    async def answer(self, site: Site, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, by ASGI."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request, site)
        except (GatewayError, HttpError) as error:
            response = _refusal(site, str(error), error.status)
        await response(scope, receive, send)

    async def _answer(self, request: Request, site: Site) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={**_CORS, "access-control-max-age": "7200"})
        asked = await _http_request(request)
        try:
            answered = await self._ask(asked, site)
            if is_unasked_part(asked, answered):
                answered = await self._with_rest(asked, answered, site)
        except Reject as reject:
            raise _failure(reject, site) from reject
        return _passed_on(answered, site)

    async def _ask(self, request: HttpRequest, site: Site) -> HttpResponse:
        """The canister's response, complete and verified unless an update call gave it."""
        reply = await self._query(site, "http_request", request.argument())
        response = decode_response(reply)
        if response.upgrade:
            reply = await self._update(site, "http_request_update", request.update_argument())
            return await self._complete(decode_response(reply), site)
        response = await self._complete(response, site)
        if not site.raw:
            verify_response(
                request,
                response,
                site.canister_id,
                root_key=self._keys.root_key,
                now=self._clock.now_ns(),
                supported_versions=await self._supported_versions(site),
            )
        return response

    async def _with_rest(self, request: HttpRequest, first: HttpResponse, site: Site) -> HttpResponse:
        """The whole of which a canister gave the first part; every part was verified by itself."""
        part, body = Part.of(first), bytearray(first.body)
        if part.start != 0:
            raise MalformedResponse(f"the first part of the body begins at byte {part.start}")
        while part.end < part.total:
            response = await self._ask(request_of_rest(request, part), site)
            following = Part.of(response)
            if response.status != PARTIAL or (following.start, following.total) != (part.end, part.total):
                raise MalformedResponse(f"the canister did not give what follows byte {part.end} of the body")
            body += response.body
            if len(body) > MAX_STREAMED_BYTES:
                raise MalformedResponse(f"the body has more than {MAX_STREAMED_BYTES} bytes")
            part = following
        return whole(first, bytes(body))

    async def _complete(self, response: HttpResponse, site: Site) -> HttpResponse:
        """The response with the rest of its body, which comes by streaming."""
        if response.streaming is None:
            return response
        _ensure_own(response.streaming, site)
        body, argument = bytearray(response.body), response.streaming.argument
        next_argument: bytes | None = argument
        while next_argument is not None:
            reply = await self._query(site, response.streaming.callback.method, next_argument)
            chunk, next_argument = decode_chunk(reply)
            body += chunk
            if len(body) > MAX_STREAMED_BYTES or (not chunk and next_argument is not None):
                raise MalformedResponse(f"the streamed body makes no progress at {len(body)} bytes")
        return replace(response, body=bytes(body), streaming=None)

    async def _query(self, site: Site, method: str, argument: bytes) -> bytes:
        query = Query(ANONYMOUS, site.canister_id, method, argument, site.canister_id)
        return (await asyncio.wrap_future(self._engine.query(query))).reply

    async def _update(self, site: Site, method: str, argument: bytes) -> bytes:
        request_id = secrets.token_bytes(32)
        expiry = self._clock.after(INGRESS_TTL_NS)
        canister = site.canister_id
        ingress = Ingress(request_id, ANONYMOUS, canister, method, argument, expiry, canister)
        call = asyncio.wrap_future(self._engine.call(ingress))
        try:
            certificate = await asyncio.wait_for(call, UPDATE_TIMEOUT_S)
        except TimeoutError as error:
            raise CanisterFailed(f"{method} did not answer within {UPDATE_TIMEOUT_S:.0f} s") from error
        status = Witness(decode_cbor(certificate, "the certificate")["tree"])
        reply = status.value([b"request_status", request_id, b"reply"])
        if reply is None:
            message = status.value([b"request_status", request_id, b"reject_message"]) or b"no reply"
            raise CanisterFailed(f"{method} failed: {message.decode(errors='replace')}")
        return reply

    async def _supported_versions(self, site: Site) -> str | None:
        view = await asyncio.wrap_future(
            self._engine.perform(lambda replica: replica.canister_view(site.canister_id))
        )
        found = view.public_metadata.get(_VERSIONS_METADATA) if view else None
        return None if found is None else found.decode(errors="replace")


async def _http_request(request: Request) -> HttpRequest:
    too_large = RequestTooLarge(f"the request's body has more than {MAX_REQUEST_BYTES} bytes")
    body = await read_body(request, MAX_REQUEST_BYTES, too_large)
    path = request.scope.get("raw_path") or request.scope["path"].encode()
    query = request.scope["query_string"]
    url = path + b"?" + query if query else path
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
    return HttpRequest(request.method, url.decode("latin-1"), headers, body)


def _ensure_own(streaming: Streaming, site: Site) -> None:
    if streaming.callback.canister_id != site.canister_id:
        raise MalformedResponse(
            f"the streaming callback is one of {principal_text(streaming.callback.canister_id)}, "
            "not of the canister itself"
        )


def _passed_on(answered: HttpResponse, site: Site) -> Response:
    body = b"" if answered.status in (204, 304) else answered.body
    response = Response(body, status_code=answered.status)
    for name, value in answered.headers:
        if name.lower() not in _NOT_PASSED_ON:
            response.headers.append(name, value)
    for name, value in {**_CORS, "x-ic-canister-id": principal_text(site.canister_id)}.items():
        response.headers.setdefault(name, value)
    return response


def _failure(reject: Reject, site: Site) -> GatewayError:
    if reject.code == _NO_SUCH_CANISTER:
        return CanisterNotFound(f"there is no such canister on this network: {reject.message}")
    return CanisterFailed(f"the canister rejected the request (code {reject.code}): {reject.message}")


def _refusal(site: Site, reason: str, status: int) -> Response:
    text = f"Canister {principal_text(site.canister_id)}: {reason}\n"
    return PlainTextResponse(text, status_code=status, headers=_CORS)
