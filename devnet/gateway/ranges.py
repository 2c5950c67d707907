"""Large bodies that a canister gives in parts: answers of status 206 to a request that asked for no range.

Such a canister certifies each part by itself. The gateway asks for the parts that follow by `Range` headers
and passes on the whole. The gateway specification knows only streaming by callback; asset canisters do this.
Source: RFC 9110, sections 14.2 and 14.4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from devnet.gateway.errors import MalformedResponse
from devnet.gateway.exchange import HttpRequest, HttpResponse

PARTIAL: Final = 206
RANGE: Final = "range"
_CONTENT_RANGE: Final = "content-range"
_FORM: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


@dataclass(frozen=True)
class Part:
    """Where a response's body lies in the whole: first byte, one past the last, and the whole's size."""

    start: int
    end: int
    total: int

    @classmethod
    def of(cls, response: HttpResponse) -> Part:
        """Raises:
        MalformedResponse: no such header, or one that does not fit the body.
        """
        text = response.header(_CONTENT_RANGE) or ""
        match = _FORM.fullmatch(text)
        if match is None:
            raise MalformedResponse(f"an answer of status {PARTIAL} needs Content-Range, got {text[:100]!r}")
        start, last, total = (int(number) for number in match.groups())
        if not start <= last < total or last + 1 - start != len(response.body):
            raise MalformedResponse(
                f"Content-Range {text!r} does not fit a body of {len(response.body)} bytes"
            )
        return cls(start, last + 1, total)


def is_unasked_part(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether the client wants the whole, and this is not all of it."""
    return response.status == PARTIAL and not any(name.lower() == RANGE for name, _ in request.headers)


def request_of_rest(request: HttpRequest, part: Part) -> HttpRequest:
    """The request for what follows a part."""
    return replace(request, headers=[*request.headers, (RANGE, f"bytes={part.end}-")])


def whole(first: HttpResponse, body: bytes) -> HttpResponse:
    """The answer with its whole body; headers are those of the first part."""
    headers = tuple((name, value) for name, value in first.headers if name.lower() != _CONTENT_RANGE)
    return replace(first, status=200, headers=headers, body=body)
