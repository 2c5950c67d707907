"""The `IC-CertificateExpression` header: what of request and response is certified.

Source: HTTP Gateway Protocol specification, "The Certificate Expression Header".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from devnet.gateway.errors import VerificationFailed

MAX_CHARACTERS: Final = 16_384

_LIST: Final = r'\[((?:"[^"\0\n]*"(?:,"[^"\0\n]*")*)?)\]'
_CERTIFICATION: Final = re.compile(
    r"default_certification\(ValidationArgs\{certification:Certification\{"
    r"(?:no_request_certification:Empty\{\}"
    r"|request_certification:RequestCertification\{certified_request_headers:"
    + _LIST
    + r",certified_query_parameters:"
    + _LIST
    + r"\}),response_certification:ResponseCertification\{"
    r"(response_header_exclusions|certified_response_headers):ResponseHeaderList\{headers:"
    + _LIST
    + r"\}\}\}\}\)"
)
_NONE: Final = "default_certification(ValidationArgs{no_certification:Empty{}})"


@dataclass(frozen=True)
class RequestRule:
    """What of the request is certified; names of headers in lower case."""

    headers: tuple[str, ...]
    query_parameters: tuple[str, ...]


@dataclass(frozen=True)
class ResponseRule:
    """Which headers are certified: those `listed`, or all others when `excluded`; names in lower case."""

    listed: tuple[str, ...]
    excluded: bool

    def certifies(self, name: str) -> bool:
        """Whether a header of this name (lower case) is certified."""
        return (name in self.listed) != self.excluded


@dataclass(frozen=True)
class Expression:
    """A parsed expression: nothing is certified if `response` is None, the response only if `request` is."""

    request: RequestRule | None
    response: ResponseRule | None


def parse_expression(text: str) -> Expression:
    """Raises:
    VerificationFailed: not the syntax of the specification.
    """
    if len(text) > MAX_CHARACTERS:
        raise VerificationFailed(f"the IC-CertificateExpression header has {len(text)} characters")
    compact = re.sub(r"[ \t\r\n]+", "", text)
    if compact == _NONE:
        return Expression(None, None)
    match = _CERTIFICATION.fullmatch(compact)
    if match is None:
        raise VerificationFailed(f"the IC-CertificateExpression header cannot be read: {text[:200]!r}")
    headers, parameters, kind, listed = match.groups()
    names = tuple(name.lower() for name in _items(listed))
    if {"ic-certificate", "ic-certificateexpression"} & set(names):
        raise VerificationFailed("IC-CertificateExpression lists a header that is never certified by name")
    request = None
    if headers is not None:
        lowered = tuple(name.lower() for name in _items(headers))
        request = RequestRule(lowered, tuple(_items(parameters)))
    return Expression(request, ResponseRule(names, kind == "response_header_exclusions"))


def _items(text: str) -> list[str]:
    return re.findall(r'"([^"]*)"', text)
