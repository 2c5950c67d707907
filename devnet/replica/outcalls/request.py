"""What a canister asks for in `http_request`, with the specification's limits.

Source: IC interface specification, `http_request`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from devnet.errors import DevnetError

MAX_URL_CHARACTERS = 8_192
MAX_REQUEST_BYTES = 2_000_000
MAX_RESPONSE_BYTES = 2_000_000
MAX_HEADERS = 64
MAX_HEADER_ELEMENT_BYTES = 8 * 1024
MAX_HEADERS_BYTES = 48 * 1024
USER_AGENT = ("user-agent", "ic/1.0")

_UNREPLICATED_METHODS = ("put", "delete", "patch")

Header = tuple[str, str]


class InvalidOutcall(DevnetError):
    """A request that may not be made; the message says why."""


@dataclass(frozen=True)
class Transform:
    """The canister's query method that sees the response first, and what else it is given."""

    method: str
    context: bytes


@dataclass(frozen=True)
class HttpRequest:
    """A request to be made.

    Args:
        method: in capitals.
        body: None is sent as no body.
        max_response_bytes: of header names, header values and body together.
        size: bytes that the caller pays for.
    """

    url: str
    method: str
    headers: tuple[Header, ...]
    body: bytes | None
    max_response_bytes: int
    transform: Transform | None
    replicated: bool
    size: int


@dataclass(frozen=True)
class HttpResponse:
    """A server's answer; header names are in small letters."""

    status: int
    headers: tuple[Header, ...]
    body: bytes


def read_request(argument: Any, caller: bytes) -> HttpRequest:
    """The request of a decoded `http_request_args`.

    Raises:
        InvalidOutcall: a limit is exceeded, or it is not for this machine.
    """
    method, replicated = argument["method"][0], argument["is_replicated"] is not False
    if replicated and method in _UNREPLICATED_METHODS:
        raise InvalidOutcall(f"method {method} is for calls with is_replicated = opt false only")
    headers = tuple((header["name"], header["value"]) for header in argument["headers"])
    body, transform = argument["body"], _transform(argument["transform"], caller)
    check_headers(headers)
    size = len(argument["url"].encode()) + headers_bytes(headers) + len(body or b"")
    if headers_bytes(headers) + len(body or b"") > MAX_REQUEST_BYTES:
        raise InvalidOutcall(f"the request's headers and body exceed {MAX_REQUEST_BYTES} bytes")
    if transform is not None:
        size += len(transform.method.encode()) + len(transform.context)
    _check_url(argument["url"])
    return HttpRequest(
        url=argument["url"],
        method=method.upper(),
        headers=_with_user_agent(headers),
        body=body,
        max_response_bytes=_response_limit(argument["max_response_bytes"]),
        transform=transform,
        replicated=replicated,
        size=size,
    )


def headers_bytes(headers: Sequence[Header]) -> int:
    """Bytes of all names and values."""
    return sum(len(name.encode()) + len(value.encode()) for name, value in headers)


def check_headers(headers: Sequence[Header]) -> None:
    """Check the limits that hold for headers of requests and of responses.

    Raises:
        InvalidOutcall: a limit is exceeded.
    """
    if len(headers) > MAX_HEADERS:
        raise InvalidOutcall(f"{len(headers)} headers are more than {MAX_HEADERS}")
    for header in headers:
        longest = max(len(part.encode()) for part in header)
        if longest > MAX_HEADER_ELEMENT_BYTES:
            raise InvalidOutcall(
                f"a header's name or value has {longest} bytes, more than {MAX_HEADER_ELEMENT_BYTES}"
            )
    if (total := headers_bytes(headers)) > MAX_HEADERS_BYTES:
        raise InvalidOutcall(f"the headers have {total} bytes, more than {MAX_HEADERS_BYTES}")


def _response_limit(wanted: int | None) -> int:
    if wanted is not None and wanted > MAX_RESPONSE_BYTES:
        raise InvalidOutcall(f"max_response_bytes is {wanted}, at most {MAX_RESPONSE_BYTES} is allowed")
    return MAX_RESPONSE_BYTES if wanted is None else wanted


def _transform(given: Any, caller: bytes) -> Transform | None:
    if given is None:
        return None
    canister, method = given["function"]
    if canister != caller:
        raise InvalidOutcall("the transform function must be the calling canister's own")
    return Transform(method, given["context"])


def _with_user_agent(headers: tuple[Header, ...]) -> tuple[Header, ...]:
    if any(name.lower() == USER_AGENT[0] for name, _ in headers):
        return headers
    return (*headers, USER_AGENT)


def _check_url(url: str) -> None:
    if len(url) > MAX_URL_CHARACTERS:
        raise InvalidOutcall(f"the URL has {len(url)} characters, more than {MAX_URL_CHARACTERS}")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidOutcall(f"the URL is not valid: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise InvalidOutcall(f"the URL must begin with https://, or http:// on this network: {url[:100]!r}")
    if not _is_loopback(host):
        raise InvalidOutcall(
            "this local network makes HTTP outcalls only to the machine it runs on (localhost, 127.0.0.1, "
            f"[::1]), not to {_shown(parts)!r}; deploy to the Internet Computer to reach other hosts"
        )


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _shown(parts: SplitResult) -> str:
    return (parts.hostname or "")[:100]
