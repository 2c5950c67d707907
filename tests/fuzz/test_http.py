"""Requests: whatever arrives gets an answer of the specification, and node and other canisters stay well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import cbor2
import httpx
import pytest
from hypothesis import strategies as st

from tests.fuzz.conftest import Fuzz
from tests.fuzz.damage import damaged, damaged_text
from tests.fuzz.envelopes import Request, bodies, cbor_values, endpoints, requests, text_of
from tests.fuzz.node import FuzzedNode, fuzzed_node

CBOR = {"content-type": "application/cbor"}
STATUSES = {200, 202, 400, 403, 404, 405, 413}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FuzzedNode]:
    with fuzzed_node(tmp_path_factory.mktemp("fuzzed")) as node:
        yield node


def ensure_an_answer(response: httpx.Response) -> None:
    """What the specification lets a node say: refused with a reason, accepted, or an answer in CBOR."""
    assert response.status_code in STATUSES, f"{response.status_code}: {response.text[:300]}"
    if response.status_code != 200 or "cbor" not in response.headers.get("content-type", ""):
        return
    answer = cbor2.loads(response.content)
    fields = set((answer.value if isinstance(answer, cbor2.CBORTag) else answer).keys())
    assert fields & {"status", "certificate", "root_key", "reject_code"}, fields


def test_signed_envelopes(fuzz: Fuzz, node: FuzzedNode) -> None:
    def attempt(request: Request) -> None:
        ensure_an_answer(node.http.post(request.path, content=request.body, headers=CBOR))

    target, now = node.target.raw, node.now_ns()
    fuzz(attempt, requests(target, now), examples=120, after=node.ensure_well)


def test_bodies_of_any_kind(fuzz: Fuzz, node: FuzzedNode) -> None:
    def attempt(body: bytes, path: str) -> None:
        ensure_an_answer(node.http.post(path, content=body, headers=CBOR))

    kinds = st.sampled_from(["call", "query", "read_state"])
    where = kinds.flatmap(lambda kind: endpoints(kind, node.target.raw))
    fuzz(attempt, bodies(), where, examples=60, after=node.ensure_well)


def json_values() -> st.SearchStrategy[Any]:
    names = ["name", "origin", "publicKey", "maxTimeToLive", "targets", "advance_ns", "derivationOrigin"]
    texts = st.text(max_size=8) | st.sampled_from(
        ["x", "1", "-1", "MCowBQYDK2VwAyEA" + "A" * 43, "9" * 30, "a:b"]
    )
    scalars = st.none() | st.booleans() | st.integers(-(1 << 70), -1) | st.floats() | texts
    return st.dictionaries(
        st.sampled_from(names),
        st.recursive(scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=4),
        max_size=4,
    )


def test_json_of_the_nodes_own_pages(fuzz: Fuzz, node: FuzzedNode) -> None:
    own = f"id.ai.localhost:{node.running.port}"

    def attempt(value: Any, data: bytes, path: str, whole: bool) -> None:
        body = json.dumps(value).encode() if whole else data
        host = f"localhost:{node.running.port}" if path.startswith("/_/") else own
        headers = {"content-type": "application/json", "host": host, "origin": f"http://{host}"}
        response = node.http.post(path, content=body, headers=headers)
        assert response.status_code in STATUSES | {201}, f"{response.status_code}: {response.text[:300]}"

    damage = json_values().map(lambda value: json.dumps(value).encode()).flatmap(damaged)
    where = st.sampled_from(["/identities", "/delegation", "/_/time", "/authorize", "/nothing"])
    fuzz(attempt, json_values(), damage, where, st.booleans(), examples=80, after=node.ensure_well)


def test_requests_for_a_canisters_site(fuzz: Fuzz, node: FuzzedNode) -> None:
    """The gateway passes anything on; the canister's answer is no HTTP response, or an uncertified one."""
    host = f"{text_of(node.target.raw)}.localhost:{node.running.port}"
    characters = st.characters(codec="latin-1", exclude_categories=["Cc"])
    values = st.text(characters, max_size=20).map(str.strip)
    names = st.sampled_from(
        ["accept-encoding", "if-none-match", "range", "x-y", "cookie", "content-type", "origin"]
    )

    def attempt(method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        sent = [(name.encode(), value.encode("latin-1")) for name, value in {**headers, "host": host}.items()]
        response = node.http.request(method, path, headers=sent, content=body)
        assert response.status_code < 500 or response.status_code in (502, 503, 504), response.text[:300]

    fuzz(
        attempt,
        st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "X"]),
        damaged_text("/assets/%41/../x.js?canisterId=aaaaa-aa&q=%ff#f", ["/", "%", "%0", "?", "é", "//"]).map(
            sent_as
        ),
        st.dictionaries(names, values, max_size=3),
        st.binary(max_size=20) | cbor_values().map(lambda value: repr(value).encode()),
        examples=80,
        after=node.ensure_well,
    )


def sent_as(path: str) -> str:
    """A path that the HTTP library sends as it is: printable ASCII that begins with a slash."""
    return "/" + "".join(character for character in path if "!" <= character <= "~").lstrip("/")
