"""Bodies of HTTP requests, read no further than their bound."""

from __future__ import annotations

from starlette.requests import Request


async def read_body(request: Request, most: int, too_large: Exception) -> bytes:
    """The request's whole body; raises `too_large` as soon as it has more than `most` bytes."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise too_large
    return bytes(body)
