"""The HTTP endpoints.

Source: IC interface specification, "HTTPS Interface". Versions differ in little: a v2 call answers at once
and is polled for, v3 and v4 calls wait for the certificate; queries and read_state are alike in v2 and v3.
"""

import asyncio
import logging
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from devnet.clock import NetworkClock
from devnet.crypto.node_keys import NodeKeys
from devnet.errors import PrincipalError
from devnet.http import cbor
from devnet.http.authentication import MAX_INGRESS_TTL_NS, authenticate
from devnet.http.effective_canister import (
    ABOUT_ALL_CANISTERS,
    ABOUT_NEW_CANISTER,
    ensure_about_subnet,
    ensure_effective_canister,
)
from devnet.http.engine import Engine
from devnet.http.envelope import MAX_BODY_BYTES, Call, Envelope, decode_envelope
from devnet.http.errors import (
    BodyTooLarge,
    HttpError,
    MalformedRequest,
    NodeFault,
    NoSuchEndpoint,
    WrongEffectiveCanister,
)
from devnet.http.query_answer import sign_rejected, sign_replied
from devnet.http.read_access import Target
from devnet.principal import principal_from_text
from devnet.replica.api import NO_SENDER_INFO, Ingress, Query, Reject, SenderInfo
from devnet.request_body import read_body

log = logging.getLogger(__name__)

SYNC_CALL_TIMEOUT_S: Final = 10.0
API_VERSION: Final = "0.66.0"
IMPLEMENTATION: Final = "leasehold-devnet"
CBOR: Final = "application/cbor"


class Api:
    """Answers requests with what the engine makes of them."""

    def __init__(
        self,
        engine: Engine,
        keys: NodeKeys,
        clock: NetworkClock,
        *,
        sync_call_timeout_s: float = SYNC_CALL_TIMEOUT_S,
    ) -> None:
        self._engine = engine
        self._keys = keys
        self._clock = clock
        self._sync_call_timeout_s = sync_call_timeout_s

    def app(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route("/api/v2/status", self._status, methods=["GET"]),
            Route("/api/v2/canister/{id}/call", self._call_async, methods=["POST"]),
            Route("/api/{version:str}/canister/{id}/call", self._call_sync, methods=["POST"]),
            Route("/api/{version:str}/canister/{id}/query", self._query, methods=["POST"]),
            Route("/api/{version:str}/canister/{id}/read_state", self._canister_state, methods=["POST"]),
            Route("/api/{version:str}/subnet/{id}/read_state", self._subnet_state, methods=["POST"]),
            Route("/api/v4/subnet/{id}/call", self._subnet_call, methods=["POST"]),
            Route("/api/v3/subnet/{id}/query", self._subnet_query, methods=["POST"]),
        ]
        cors = Middleware(
            CORSMiddleware,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD", "POST", "OPTIONS"],
            allow_headers=["*"],
            expose_headers=["content-length", "content-range"],
            max_age=7200,
        )
        handlers: dict[Any, Any] = {HttpError: _refused, ClientDisconnect: _gone, Exception: _faulted}
        return Starlette(routes=routes, middleware=[cors], exception_handlers=handlers)

    async def _status(self, _: Request) -> Response:
        status = {
            "ic_api_version": API_VERSION,
            "impl_version": IMPLEMENTATION,
            "root_key": self._keys.root_key,
            "replica_health_status": "healthy",
            "certified_height": self._engine.height,
        }
        return _cbor(status)

    async def _call_async(self, request: Request) -> Response:
        ingress = await self._ingress(request)
        try:
            await asyncio.wrap_future(self._engine.submit(ingress))
        except Reject as reject:
            return _cbor(_rejection(reject))
        return Response(status_code=202)

    async def _call_sync(self, request: Request) -> Response:
        _ensure_version(request, ("v2", "v3", "v4"))  # v2 has a route of its own
        return await self._call(await self._ingress(request))

    async def _subnet_call(self, request: Request) -> Response:
        envelope = await self._envelope(request, "call")
        call, subnet_id = _call_content(envelope), self._hosted_subnet(request)
        ensure_about_subnet(call, ABOUT_NEW_CANISTER)
        return await self._call(self._ingress_of(envelope, call, subnet_id))

    async def _call(self, ingress: Ingress) -> Response:
        answer = asyncio.wrap_future(self._engine.call(ingress))
        try:
            certificate = await asyncio.wait_for(answer, self._sync_call_timeout_s)
        except Reject as reject:
            return _cbor({"status": "non_replicated_rejection", **_rejection(reject)})
        except TimeoutError:
            await asyncio.wrap_future(self._engine.saved())
            return Response(status_code=202)
        return _cbor({"status": "replied", "certificate": certificate})

    async def _query(self, request: Request) -> Response:
        _ensure_version(request, ("v2", "v3"))
        envelope = await self._envelope(request, "query")
        call, effective = _call_content(envelope), _principal(request)
        ensure_effective_canister(call, effective)
        return await self._answer_query(envelope, call, effective)

    async def _subnet_query(self, request: Request) -> Response:
        envelope = await self._envelope(request, "query")
        call, subnet_id = _call_content(envelope), self._hosted_subnet(request)
        ensure_about_subnet(call, ABOUT_ALL_CANISTERS)
        return await self._answer_query(envelope, call, subnet_id)

    async def _answer_query(self, envelope: Envelope, call: Call, effective: bytes) -> Response:
        query = Query(
            envelope.sender,
            call.canister_id,
            call.method,
            call.arg,
            effective,
            sender_info=_sender_info(call),
        )
        try:
            answer = await asyncio.wrap_future(self._engine.query(query))
        except Reject as reject:
            time = self._clock.now_ns()
            return _cbor(sign_rejected(reject, envelope.request_id, time, self._keys))
        return _cbor(sign_replied(answer.reply, envelope.request_id, answer.time, self._keys))

    async def _canister_state(self, request: Request) -> Response:
        return await self._read_state(request, Target(_principal(request)))

    async def _subnet_state(self, request: Request) -> Response:
        return await self._read_state(request, Target(self._hosted_subnet(request), is_subnet=True))

    def _hosted_subnet(self, request: Request) -> bytes:
        subnet_id = _principal(request)
        if subnet_id != self._keys.subnet_id:
            raise WrongEffectiveCanister(f"Subnet {request.path_params['id']} is not hosted by this node.")
        return subnet_id

    async def _read_state(self, request: Request, target: Target) -> Response:
        _ensure_version(request, ("v2", "v3"))
        envelope = await self._envelope(request, "read_state")
        certificate = await asyncio.wrap_future(self._engine.read_state(envelope, target))
        return _cbor({"certificate": certificate})

    async def _ingress(self, request: Request) -> Ingress:
        envelope = await self._envelope(request, "call")
        call, effective = _call_content(envelope), _principal(request)
        ensure_effective_canister(call, effective)
        return self._ingress_of(envelope, call, effective)

    def _ingress_of(self, envelope: Envelope, call: Call, effective: bytes) -> Ingress:
        return Ingress(
            request_id=envelope.request_id,
            sender=envelope.sender,
            canister_id=call.canister_id,
            method=call.method,
            arg=call.arg,
            ingress_expiry=self._network_expiry(envelope.ingress_expiry),
            effective_canister_id=effective,
            sender_info=_sender_info(call),
        )

    def _network_expiry(self, ingress_expiry: int) -> int:
        """When a request expires by the network's time, if its sender may have gone by the machine's."""
        latest = self._clock.after(MAX_INGRESS_TTL_NS)
        return max(ingress_expiry, min(self._clock.at(ingress_expiry), latest))

    async def _envelope(self, request: Request, request_type: str) -> Envelope:
        """The decoded and authenticated request."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != CBOR:
            raise MalformedRequest(f"Unexpected content-type, expected {CBOR}.")
        envelope = decode_envelope(await _body(request), request_type)
        authenticate(envelope, self._keys.root_key, self._clock.now_ns(), self._clock.machine_ns())
        return envelope


async def _body(request: Request) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
        raise BodyTooLarge(f"The request body has {declared} bytes, more than {MAX_BODY_BYTES}.")
    too_large = BodyTooLarge(f"The request body has more than {MAX_BODY_BYTES} bytes.")
    return await read_body(request, MAX_BODY_BYTES, too_large)


def _sender_info(call: Call) -> SenderInfo:
    signed = call.sender_info
    return SenderInfo(signed.info, signed.signer) if signed else NO_SENDER_INFO


def _call_content(envelope: Envelope) -> Call:
    assert isinstance(envelope.content, Call)
    return envelope.content


def _principal(request: Request) -> bytes:
    try:
        return principal_from_text(request.path_params["id"].lower())
    except PrincipalError as error:
        raise MalformedRequest(f"Malformed principal in the URL: {error}") from error


def _ensure_version(request: Request, versions: tuple[str, ...]) -> None:
    if request.path_params["version"] not in versions:
        raise NoSuchEndpoint(
            f"There is no {request.url.path}; this endpoint exists as {', '.join(versions)}."
        )


def _rejection(reject: Reject) -> dict[str, Any]:
    return {
        "reject_code": reject.code,
        "reject_message": reject.message,
        "error_code": reject.error_code,
    }


def _cbor(value: dict[str, Any]) -> Response:
    return Response(cbor.encode(value), media_type=CBOR, headers={"x-content-type-options": "nosniff"})


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HttpError)
    return PlainTextResponse(str(error), status_code=error.status)


async def _gone(_: Request, error: Exception) -> Response:
    return Response(status_code=499)


async def _faulted(_: Request, error: Exception) -> Response:
    log.error("unexpected failure while answering a request", exc_info=error)
    return PlainTextResponse("The node failed; its log says why.", status_code=NodeFault.status)
