"""Whether a canister's answer is what it certified.

Source: HTTP Gateway Protocol specification, "Response Verification" and "Legacy Response Verification".
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

from devnet.gateway.certificate import CertificateHeader, certified_tree
from devnet.gateway.errors import VerificationFailed
from devnet.gateway.exchange import HttpRequest, HttpResponse
from devnet.gateway.expression import Expression, RequestRule, ResponseRule, parse_expression
from devnet.gateway.witness import Witness, decode_cbor
from devnet.http.request_id import Hashable, hash_of_pairs

CERTIFICATE: Final = "ic-certificate"
EXPRESSION: Final = "ic-certificateexpression"
MAX_DECODED_BYTES: Final = 64 << 20

_EXACT, _WILDCARD = "<$>", "<*>"
_ROOT: Final = "http_expr"


def verify_response(
    request: HttpRequest,
    response: HttpResponse,
    canister_id: bytes,
    *,
    root_key: bytes,
    now: int,
    supported_versions: str | None = None,
) -> None:
    """Check a response that a query gave, its whole body included.

    Args:
        root_key: DER.
        now: nanoseconds.
        supported_versions: the canister's public metadata `supported_certificate_versions`, if it has any.

    Raises:
        VerificationFailed: it is not certified, or something else than this is.
    """
    text = response.header(CERTIFICATE)
    if text is None:
        raise VerificationFailed("the canister's answer has no IC-Certificate header")
    header = CertificateHeader.parse(text)
    tree = certified_tree(header, canister_id, root_key, now)
    if header.version == 2:
        _verify_version_2(request, response, header, tree)
    elif header.version == 1:
        if "2" in re.split(r"\s*,\s*", supported_versions or ""):
            raise VerificationFailed("the canister supports certificate version 2, but answered with 1")
        _verify_version_1(request, response, tree)
    else:
        raise VerificationFailed(f"there is no certificate version {header.version}")


def _verify_version_1(request: HttpRequest, response: HttpResponse, tree: Witness) -> None:
    path = unquote(_path_of(request.url))
    certified = tree.value([b"http_assets", path.encode()])
    if certified is None:
        if tree.subtree([b"http_assets", path.encode()]) is not None:
            raise VerificationFailed(f"the tree does not show whether {path} is certified")
        certified = tree.value([b"http_assets", b"/index.html"])
    if certified is None:
        raise VerificationFailed(f"neither {path} nor /index.html is certified")
    found = hashlib.sha256(_decoded_body(response)).digest()
    if found != certified:
        raise VerificationFailed(
            f"the body's SHA-256 is {found.hex()}, but {certified.hex()} is certified for {path}"
        )


def _decoded_body(response: HttpResponse) -> bytes:
    encoding = (response.header("content-encoding") or "identity").strip().lower()
    if encoding == "identity":
        return response.body
    if encoding not in ("gzip", "deflate"):
        raise VerificationFailed(f"Content-Encoding {encoding!r} is not supported by certificate version 1")
    try:
        decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        body = decoder.decompress(response.body, MAX_DECODED_BYTES)
    except zlib.error as error:
        raise VerificationFailed(f"the body is no {encoding}: {error}") from error
    if decoder.unconsumed_tail or not decoder.eof:
        raise VerificationFailed(f"the {encoding} body is cut off or larger than {MAX_DECODED_BYTES} bytes")
    return body


def _verify_version_2(
    request: HttpRequest, response: HttpResponse, header: CertificateHeader, tree: Witness
) -> None:
    path = _expression_path(header)
    _ensure_most_specific(path, request, tree)
    text = response.header(EXPRESSION)
    if text is None:
        raise VerificationFailed("the canister's answer has no IC-CertificateExpression header")
    expression = parse_expression(text)
    labels = [segment.encode() for segment in path]
    certified = tree.subtree([*labels, hashlib.sha256(text.encode()).digest()])
    if not isinstance(certified, Witness):
        raise VerificationFailed(f"the expression is not certified at {'/'.join(path)}")
    if expression.response is not None:
        _ensure_certified(request, response, expression, expression.response, certified)


def _ensure_certified(
    request: HttpRequest,
    response: HttpResponse,
    expression: Expression,
    rule: ResponseRule,
    certified: Witness,
) -> None:
    requested = b"" if expression.request is None else request_hash(request, expression.request)
    answered = response_hash(response, rule)
    if certified.value([requested, answered]) != b"":
        what = "this response" if expression.request is None else "this response to this request"
        raise VerificationFailed(f"{what} (hash {answered.hex()}) is not certified")


def _expression_path(header: CertificateHeader) -> list[str]:
    path = decode_cbor(header.expr_path or b"", "`expr_path`")
    if type(path) is not list or not all(type(segment) is str for segment in path):
        raise VerificationFailed("`expr_path` must be an array of texts")
    is_path = len(path) >= 2 and path[0] == _ROOT and path[-1] in (_EXACT, _WILDCARD)
    if not is_path or {_EXACT, _WILDCARD} & set(path[1:-1]):
        raise VerificationFailed(f"`expr_path` must be http_expr, segments, and <$> or <*>, got {path}")
    return path


def _ensure_most_specific(path: Sequence[str], request: HttpRequest, tree: Witness) -> None:
    """The path belongs to the URL, and the tree proves that no closer one exists."""
    segments = _path_of(request.url)[1:].split("/")
    inner = list(path[1:-1])
    exact = [_ROOT, *segments, _EXACT]
    if path[-1] == _EXACT and [_ROOT, *inner, _EXACT] == exact:
        return
    # A wildcard may stand for an empty last segment too: "/a/" is covered by a/<*>.
    if path[-1] == _EXACT or inner != segments[: len(inner)]:
        raise VerificationFailed(f"`expr_path` {'/'.join(path)} is not about {request.url}")
    closer = [exact]
    closer += [[_ROOT, *segments[:length], _WILDCARD] for length in range(len(inner) + 1, len(segments) + 1)]
    for other in closer:
        if tree.subtree([segment.encode() for segment in other]) is not None:
            raise VerificationFailed(
                f"the tree does not prove that nothing closer than {'/'.join(path)} exists: {'/'.join(other)}"
            )


def _path_of(url: str) -> str:
    return url.partition("?")[0]


def request_hash(request: HttpRequest, rule: RequestRule) -> bytes:
    """Source: "Request Hash Calculation"."""
    headers: list[tuple[str, Hashable]] = [
        (name.lower(), value) for name, value in request.headers if name.lower() in rule.headers
    ]
    headers.append((":ic-cert-method", request.method))
    _, mark, query = request.url.partition("?")
    if mark:
        # The specification speaks of the query's hash; gateways put in the text, which is then hashed.
        kept = [piece for piece in query.split("&") if piece.partition("=")[0] in rule.query_parameters]
        headers.append((":ic-cert-query", "&".join(kept)))
    return hashlib.sha256(hash_of_pairs(headers) + hashlib.sha256(request.body).digest()).digest()


def response_hash(response: HttpResponse, rule: ResponseRule) -> bytes:
    """Source: "Response Hash Calculation"."""
    headers: list[tuple[str, Hashable]] = []
    for name, value in response.headers:
        lowered = name.lower()
        if lowered == EXPRESSION or (lowered != CERTIFICATE and rule.certifies(lowered)):
            headers.append((lowered, value))
    headers.append((":ic-cert-status", response.status))
    return hashlib.sha256(hash_of_pairs(headers) + hashlib.sha256(response.body).digest()).digest()
