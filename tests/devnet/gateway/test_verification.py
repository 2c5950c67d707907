"""What the gateway accepts as certified, and every way in which it does not."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import replace

import cbor2
import pytest

from devnet.crypto.node_keys import NodeKeys
from devnet.gateway.certificate import MAX_AGE_NS
from devnet.gateway.errors import VerificationFailed
from devnet.gateway.exchange import HttpRequest, HttpResponse
from devnet.gateway.expression import parse_expression
from devnet.gateway.verification import verify_response
from tests.devnet.gateway.certified import (
    CANISTER,
    KEYS,
    NOTHING,
    NOW,
    RESPONSE_ONLY,
    WITH_REQUEST,
    Version2,
    certificate,
    structured,
    tree_of,
    version_1,
)

PAGE = HttpRequest("GET", "/page?q=1&r=2", [("Accept", "text/html")], b"")
OK = HttpResponse(200, (("Etag", "7"), ("Date", "now")), b"hello")


def check(request: HttpRequest, response: HttpResponse, **changes: object) -> None:
    settings: dict[str, object] = {"root_key": KEYS.root_key, "now": NOW, **changes}
    verify_response(request, response, CANISTER, **settings)  # type: ignore[arg-type]


def refused(request: HttpRequest, response: HttpResponse, reason: str, **changes: object) -> None:
    with pytest.raises(VerificationFailed, match=reason):
        check(request, response, **changes)


def with_header(response: HttpResponse, name: str, value: str) -> HttpResponse:
    kept = tuple(pair for pair in response.headers if pair[0] != name)
    return replace(response, headers=(*kept, (name, value)))


def test_version_1_certifies_the_body_at_the_path() -> None:
    check(PAGE, version_1({"/page": b"hello"}, OK))
    check(replace(PAGE, url="/p%C3%A4ge"), version_1({"/päge": b"hello"}, OK))
    refused(PAGE, version_1({"/page": b"other"}, OK), "SHA-256")


def test_version_1_falls_back_to_the_index_only_if_the_path_is_absent() -> None:
    check(PAGE, version_1({"/index.html": b"hello"}, OK))
    refused(PAGE, version_1({"/index.html": b"hello", "/page": b"other"}, OK), "SHA-256")
    refused(PAGE, version_1({"/zebra": b"hello"}, OK), "neither")


def test_version_1_certifies_the_decoded_body() -> None:
    for encoding, body in (("gzip", gzip.compress(b"hello")), ("deflate", zlib.compress(b"hello"))):
        sent = HttpResponse(200, (("Content-Encoding", encoding),), body)
        check(PAGE, version_1({"/page": b"hello"}, sent))
        refused(PAGE, version_1({"/page": b"hello"}, replace(sent, body=body[:-6])), "cut off")
        refused(PAGE, version_1({"/page": b"hello"}, replace(sent, body=b"no")), f"no {encoding}|cut off")
    brotli = HttpResponse(200, (("Content-Encoding", "br"),), b"hello")
    refused(PAGE, version_1({"/page": b"hello"}, brotli), "not supported")


def test_version_1_is_refused_from_a_canister_that_can_do_2() -> None:
    response = version_1({"/page": b"hello"}, OK)
    check(PAGE, response, supported_versions="1")
    refused(PAGE, response, "supports certificate version 2", supported_versions="1, 2")


def test_a_part_is_certified_with_the_range_it_answers() -> None:
    expression = WITH_REQUEST.replace("accept", "range").replace("etag", "content-range")
    asked = replace(PAGE, headers=[("Range", "bytes=5-")])
    part = HttpResponse(206, (("Content-Range", "bytes 5-9/10"),), b"world")
    response = Version2(asked, part, expression).answer()
    check(asked, response)
    refused(replace(asked, headers=[("Range", "bytes=4-")]), response, "not certified")
    refused(asked, replace(response, status=200), "not certified")
    refused(asked, with_header(response, "Content-Range", "bytes 4-8/10"), "not certified")


def test_the_certificate_must_be_recent_signed_and_of_this_canister() -> None:
    assets = {"/page": b"hello"}
    check(PAGE, version_1(assets, OK, time=NOW - MAX_AGE_NS))
    refused(PAGE, version_1(assets, OK, time=NOW - MAX_AGE_NS - 1), "5 minutes")
    refused(PAGE, version_1(assets, OK, time=NOW + MAX_AGE_NS + 1), "5 minutes")
    refused(PAGE, version_1(assets, OK, keys=NodeKeys.from_seed(b"someone-" * 4)), "signature")
    refused(PAGE, version_1(assets, OK, canister=CANISTER[:-3] + b"\x06\x01\x01"), "shows nothing")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "no IC-Certificate"),
        ("", "lacks certificate and tree"),
        ("certificate=:AA==:", "lacks tree"),
        ("certificate=:A:, tree=:AA==:", "base64"),
        ("certificate=AA, tree=:AA==:", "cannot be read"),
        ("certificate=:AA==:, certificate=:AA==:", "cannot be read"),
        ("certificate=:AA==:, tree=:AA==:, version=:AA==:", "`version`"),
        ("certificate=:AA==:, tree=:AA==:", "`tree` and `signature`"),
        ("certificate=:/w==:, tree=:AA==:", "as CBOR"),
    ],
)
def test_a_bad_header_is_refused(header: str | None, reason: str) -> None:
    refused(PAGE, OK if header is None else with_header(OK, "IC-Certificate", header), reason)


def test_another_tree_than_the_certified_one_is_refused() -> None:
    tree = cbor2.dumps(tree_of({"http_assets": {"/page": b"forged"}}).encoded())
    header = structured(certificate=certificate(b"\x00" * 32), tree=tree)
    refused(PAGE, with_header(OK, "IC-Certificate", header), "certified data")
    unknown = structured(certificate=certificate(tree_of({}).digest), tree=cbor2.dumps([0]), version=3)
    refused(PAGE, with_header(OK, "IC-Certificate", unknown), "no certificate version 3")


@pytest.mark.parametrize("expression", [RESPONSE_ONLY, WITH_REQUEST, NOTHING])
def test_version_2_accepts_what_is_certified(expression: str) -> None:
    check(PAGE, Version2(PAGE, OK, expression).answer())


def test_version_2_certifies_status_body_and_headers() -> None:
    response = Version2(PAGE, OK).answer()
    check(PAGE, with_header(response, "Date", "later"))
    for forged in (
        replace(response, status=404),
        replace(response, body=b"hellO"),
        with_header(response, "Etag", "8"),
        with_header(response, "Set-Cookie", "a=b"),
    ):
        refused(PAGE, forged, "not certified")
    listed = Version2(PAGE, OK, WITH_REQUEST).answer()
    check(PAGE, with_header(listed, "Set-Cookie", "a=b"))
    refused(PAGE, with_header(listed, "Etag", "8"), "not certified")


def test_version_2_can_certify_the_request() -> None:
    response = Version2(PAGE, OK, WITH_REQUEST).answer()
    check(replace(PAGE, url="/page?q=1&r=3"), response)
    for other in (
        replace(PAGE, url="/page?q=2&r=2"),
        replace(PAGE, method="HEAD"),
        replace(PAGE, headers=[("accept", "*/*")]),
        replace(PAGE, body=b"x"),
    ):
        refused(other, response, "to this request")


def test_version_2_needs_its_own_expression() -> None:
    response = Version2(PAGE, OK).answer()
    without = tuple(pair for pair in response.headers if pair[0] != "IC-CertificateExpression")
    refused(PAGE, replace(response, headers=without), "no IC-CertificateExpression")
    refused(PAGE, with_header(response, "IC-CertificateExpression", NOTHING), "expression is not certified")


def test_version_2_wildcards_need_proof_that_nothing_is_closer() -> None:
    page = replace(PAGE, url="/a/b")
    exact, near = ["http_expr", "a", "b", "<$>"], ["http_expr", "a", "<*>"]
    wildcard = ["http_expr", "<*>"]
    check(page, Version2(page, OK, path=wildcard, shown=[exact, near]).answer())
    check(page, Version2(page, OK, path=near, others=[wildcard], shown=[exact]).answer())
    for closer in (exact, near):
        refused(
            page, Version2(page, OK, path=wildcard, others=[closer], shown=[exact, near]).answer(), "closer"
        )
    hidden = Version2(page, OK, path=wildcard, others=[["http_expr", "b", "<$>"]])
    hidden.others.append(exact)
    refused(page, hidden.answer(), "closer")


@pytest.mark.parametrize(
    "path",
    [["http_expr"], ["other", "page", "<$>"], ["http_expr", "page"], ["http_expr", "<*>", "<$>"]],
)
def test_version_2_paths_have_their_form(path: list[str]) -> None:
    refused(PAGE, Version2(PAGE, OK, path=path).answer(), "`expr_path` must")


def test_version_2_paths_are_those_of_the_url() -> None:
    refused(PAGE, Version2(PAGE, OK, path=["http_expr", "other", "<$>"]).answer(), "is not about")
    refused(PAGE, Version2(PAGE, OK, path=["http_expr", "other", "<*>"]).answer(), "is not about")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "default_certification()",
        RESPONSE_ONLY + "x",
        RESPONSE_ONLY.replace('"date"', '"IC-Certificate"'),
        "x" * 20_000,
    ],
)
def test_expressions_have_their_syntax(text: str) -> None:
    with pytest.raises(VerificationFailed):
        parse_expression(text)


def test_white_space_in_expressions_is_tolerated() -> None:
    spaced = RESPONSE_ONLY.replace("{", "{ ").replace(",", ", ")
    assert parse_expression(spaced) == parse_expression(RESPONSE_ONLY)
