"""The site's certification: its trees and responses, checked by the gateway's own code."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canisters.frontend.core.asset import MAX_BODY, MAX_PATH, Asset, checked
from canisters.frontend.core.errors import AssetRefused
from canisters.frontend.core.response import NOT_FOUND_BODY
from canisters.frontend.core.site import Site
from devnet.gateway.errors import VerificationFailed
from devnet.gateway.exchange import HttpRequest, HttpResponse
from devnet.gateway.verification import verify_response
from tests.devnet.gateway.certified import CANISTER, KEYS, NOW, certificate

SEGMENTS = st.sampled_from(["a", "b", "assets", "index.html", "x.js", ".well-known"])
PATHS = st.lists(SEGMENTS, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
BODIES = {"identity": b"plain", "gzip": b"packed"}


def asset(path: str, encoding: str = "identity") -> Asset:
    body = BODIES[encoding]
    return checked(path, encoding, "text/html; charset=utf-8", body, hashlib.sha256(body).digest())


def served(site: Site, url: str, accepts_gzip: bool = False) -> HttpResponse:
    answer = site.answer(url, accepts_gzip)
    header = site.certificate_header(answer, certificate(site.root_hash))
    body = BODIES[answer.asset.encoding] if answer.asset else NOT_FOUND_BODY
    return HttpResponse(answer.response.status, (*answer.response.headers, ("ic-certificate", header)), body)


def check(url: str, response: HttpResponse) -> None:
    request = HttpRequest("GET", url, [], b"")
    verify_response(request, response, CANISTER, root_key=KEYS.root_key, now=NOW)


@given(st.sets(PATHS), PATHS, st.booleans())
def test_every_answer_is_what_was_certified(paths: set[str], asked: str, accepts_gzip: bool) -> None:
    site = Site([asset(path, encoding) for path in paths for encoding in BODIES])
    response = served(site, asked + "?query", accepts_gzip)
    check(asked + "?query", response)
    assert response.status == (200 if asked in paths else 404)
    assert response.header("content-encoding") == ("gzip" if accepts_gzip and asked in paths else None)


@given(st.sets(PATHS, min_size=1), PATHS)
def test_an_answer_does_for_no_other_path(paths: set[str], other: str) -> None:
    site = Site(map(asset, paths))
    for path in paths - {other}:
        with pytest.raises(VerificationFailed):
            check(other, served(site, path))
        if other not in paths:
            with pytest.raises(VerificationFailed):
                check(path, served(site, other))


def test_the_root_is_the_index() -> None:
    site = Site([asset("/index.html")])
    for url in ("/", "/?canisterId=x", "/index.html"):
        response = served(site, url)
        check(url, response)
        assert response.status == 200
    for url in ("//", "/a//b", "/%2e", "/index.html/"):
        check(url, served(site, url))
        assert served(site, url).status == 404


def test_what_has_a_hash_in_its_name_is_kept_and_all_else_asked_for_again() -> None:
    site = Site([asset("/assets/a-1.js"), asset("/index.html")])
    assert "immutable" in str(served(site, "/assets/a-1.js").header("cache-control"))
    assert served(site, "/").header("cache-control") == "no-cache"
    assert "default-src 'none'" in str(served(site, "/").header("content-security-policy"))


def test_an_empty_site_certifies_that_nothing_is_there() -> None:
    check("/", served(Site([]), "/"))


@pytest.mark.parametrize("path", ["", "a", "/a/", "//a", "/a b", "/../a", "/./a", "/ä", "/" + "a" * MAX_PATH])
def test_paths_that_cannot_be_certified_are_refused(path: str) -> None:
    with pytest.raises(AssetRefused, match="path"):
        asset(path)


def test_a_body_must_be_what_its_hash_says_and_fit_into_a_message() -> None:
    with pytest.raises(AssetRefused, match="hash"):
        checked("/a", "identity", "text/css", b"x", bytes(32))
    for size, fits in ((MAX_BODY, True), (MAX_BODY + 1, False)):
        body = bytes(size)
        digest = hashlib.sha256(body).digest()
        if fits:
            assert checked("/a", "identity", "text/css", body, digest).size == size
        else:
            with pytest.raises(AssetRefused, match="at most"):
                checked("/a", "identity", "text/css", body, digest)


@pytest.mark.parametrize(
    ("encoding", "kind"), [("br", "text/css"), ("identity", "text/css\r\nx: y"), ("gzip", "")]
)
def test_encodings_and_types_are_those_that_browsers_know(encoding: str, kind: str) -> None:
    with pytest.raises(AssetRefused):
        checked("/a", encoding, kind, b"", hashlib.sha256(b"").digest())


def test_a_record_survives_storage() -> None:
    one = asset("/assets/a-1.js", "gzip")
    assert Asset.decode(one.key, one.encode()) == one
    with pytest.raises(ValueError, match="version 9"):
        Asset.decode(one.key, b"\x09" + one.encode()[1:])
