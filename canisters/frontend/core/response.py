"""What is answered, and its hash as the gateway computes it.

Source: HTTP Gateway Protocol specification, "The Certificate Expression Header", "Response Hash Calculation".
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from canisters.frontend.core.asset import Asset

EXPRESSION = (
    "default_certification(ValidationArgs{certification:Certification{no_request_certification:Empty{},"
    "response_certification:ResponseCertification{response_header_exclusions:ResponseHeaderList{headers:[]}}}})"
)
"""Status, every header and the body are certified, the request is not."""

EXPRESSION_HASH = sha256(EXPRESSION.encode()).digest()

SECURITY = (
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self' https://icp-api.io; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
)
HASHED_FOLDER = "/assets/"
"""What lies here has a hash of its content in its name."""
NOT_FOUND_BODY = b"There is no such page.\n"


class Response(NamedTuple):
    """A response without its certificate."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body_sha256: bytes

    def hash(self) -> bytes:
        """32 bytes that are certified."""
        pairs = [(name, value.encode()) for name, value in self.headers]
        pairs.append((":ic-cert-status", _leb128(self.status)))
        hashed = sorted(sha256(name.encode()).digest() + sha256(value).digest() for name, value in pairs)
        return sha256(sha256(b"".join(hashed)).digest() + self.body_sha256).digest()


def found(asset: Asset) -> Response:
    """An asset as it is sent."""
    caching = "public, max-age=31536000, immutable" if asset.path.startswith(HASHED_FOLDER) else "no-cache"
    headers = [("content-type", asset.content_type), ("cache-control", caching), ("vary", "accept-encoding")]
    if asset.encoding != "identity":
        headers.append(("content-encoding", asset.encoding))
    return Response(200, _with_common(headers), asset.sha256)


def not_found() -> Response:
    """The answer for every path without an asset."""
    headers = [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-cache")]
    return Response(404, _with_common(headers), sha256(NOT_FOUND_BODY).digest())


def _with_common(headers: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return (*headers, *SECURITY, ("ic-certificateexpression", EXPRESSION))


def _leb128(number: int) -> bytes:
    output = bytearray()
    while number > 0x7F:
        output.append(number & 0x7F | 0x80)
        number >>= 7
    output.append(number)
    return bytes(output)
