"""`HttpRequest` and `HttpResponse`, the Candid form of an exchange.

Source: HTTP Gateway Protocol specification, "HTTP Request Encoding" and "Canister HTTP Interface".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from icp_candid import Types, encode  # type: ignore[import-untyped]

from devnet.candid_reader import field_id
from devnet.errors import CandidError
from devnet.gateway.candid_values import FuncValue, Message, RecordValue, VariantValue
from devnet.gateway.errors import MalformedResponse

CERTIFICATE_VERSION: Final = 2
MAX_HEADERS: Final = 200

Headers = Sequence[tuple[str, str]]

_FIELDS: Final = {
    "method": Types.Text,
    "url": Types.Text,
    "headers": Types.Vec(Types.Tuple(Types.Text, Types.Text)),
    "body": Types.Vec(Types.Nat8),
}
_UPDATE_REQUEST: Final = Types.Record(_FIELDS)
_REQUEST: Final = Types.Record({**_FIELDS, "certificate_version": Types.Opt(Types.Nat16)})


@dataclass(frozen=True)
class HttpRequest:
    """What the client asks for; `url` is path and query as in the request line."""

    method: str
    url: str
    headers: Headers
    body: bytes

    def argument(self) -> bytes:
        """The argument of `http_request`."""
        return bytes(
            encode(
                [{"type": _REQUEST, "value": {**self._value(), "certificate_version": [CERTIFICATE_VERSION]}}]
            )
        )

    def update_argument(self) -> bytes:
        """The argument of `http_request_update`."""
        return bytes(encode([{"type": _UPDATE_REQUEST, "value": self._value()}]))

    def _value(self) -> dict[str, Any]:
        headers = [list(pair) for pair in self.headers]
        return {"method": self.method, "url": self.url, "headers": headers, "body": self.body}


@dataclass(frozen=True)
class Streaming:
    """Where the rest of a body is: a query method, and the argument for it."""

    callback: FuncValue
    argument: bytes


@dataclass(frozen=True)
class HttpResponse:
    """What the canister answers."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    upgrade: bool = False
    streaming: Streaming | None = None

    def header(self, name: str) -> str | None:
        """The first header of this name, in any case of letters."""
        return next((value for key, value in self.headers if key.lower() == name), None)


def decode_response(data: bytes) -> HttpResponse:
    """Raises:
    MalformedResponse: not the `HttpResponse` of the specification.
    """
    try:
        message = Message(data)
        record = _record(message.value, "the answer")
        status, body = record.get("status_code"), record.get("body")
        if type(status) is not int or not 100 <= status < 600:
            raise MalformedResponse(f"`status_code` must be a status of HTTP, got {status!r}")
        if type(body) is not bytes:
            raise MalformedResponse("`body` must be a blob")
        strategy = record.get("streaming_strategy")
        streaming = None if strategy is None else _streaming(message, strategy)
        upgrade = record.get("upgrade") is True
        return HttpResponse(status, _headers(record.get("headers")), body, upgrade, streaming)
    except CandidError as error:
        raise MalformedResponse(f"the canister's answer is {error}") from error


def decode_chunk(data: bytes) -> tuple[bytes, bytes | None]:
    """Body and next argument in a `StreamingCallbackHttpResponse`; the body ends when there is none.

    Raises:
        MalformedResponse: it is none.
    """
    try:
        message = Message(data)
        record = _record(message.value, "the streaming callback's answer")
        body = record.get("body")
        if type(body) is not bytes:
            raise MalformedResponse("`body` of the streaming callback must be a blob")
        if record.get("token") is None:
            return body, None
        return body, message.content_argument(record.spans[field_id("token")])
    except CandidError as error:
        raise MalformedResponse(f"the streaming callback's answer is {error}") from error


def _streaming(message: Message, strategy: Any) -> Streaming:
    callback = strategy.case("Callback") if isinstance(strategy, VariantValue) else None
    record = _record(callback, "`streaming_strategy`")
    method = record.get("callback")
    span = record.spans.get(field_id("token"))
    if not isinstance(method, FuncValue) or span is None:
        raise MalformedResponse("`streaming_strategy` must hold a `callback` function and a `token`")
    return Streaming(method, message.argument(span))


def _headers(value: Any) -> tuple[tuple[str, str], ...]:
    if type(value) is not list or len(value) > MAX_HEADERS:
        raise MalformedResponse(f"`headers` must be a vec of at most {MAX_HEADERS} pairs of texts")
    pairs = [tuple(pair.items()) if isinstance(pair, RecordValue) else () for pair in value]
    for pair in pairs:
        if len(pair) != 2 or not all(type(text) is str and _is_plain(text) for text in pair):
            raise MalformedResponse(f"a header must be a pair of printable ASCII texts, got {pair!r}")
    return tuple(pairs)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _record(value: Any, what: str) -> RecordValue:
    if not isinstance(value, RecordValue):
        raise MalformedResponse(f"{what} must be a record")
    return value
