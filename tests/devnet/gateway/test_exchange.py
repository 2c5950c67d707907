"""Requests and responses in Candid: what canisters of any kind may answer, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icp_candid import Types, decode, encode

from devnet.gateway.errors import MalformedResponse
from devnet.gateway.exchange import MAX_HEADERS, HttpRequest, decode_chunk, decode_response

PAIR = Types.Tuple(Types.Text, Types.Text)
MINIMAL = {"status_code": Types.Nat16, "headers": Types.Vec(PAIR), "body": Types.Vec(Types.Nat8)}


def answer(types: dict[str, Any] = MINIMAL, **changes: Any) -> bytes:
    value = {"status_code": 200, "headers": [["a", "b"]], "body": b"x", **changes}
    kept = {name: value[name] for name in types}
    return bytes(encode([{"type": Types.Record(types), "value": kept}]))


def test_the_smallest_response_is_enough() -> None:
    response = decode_response(answer())
    assert (response.status, response.headers, response.body) == (200, (("a", "b"),), b"x")
    assert not response.upgrade
    assert response.streaming is None


def test_a_request_says_which_certificates_are_understood() -> None:
    request = HttpRequest("GET", "/a?b", [("accept", "*/*")], b"body")
    (first,) = decode(request.argument())
    (update,) = decode(request.update_argument())
    assert [2] in first["value"].values()
    assert len(update["value"]) == len(first["value"]) - 1 == 4


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (answer(status_code=99), "status_code"),
        (answer(status_code=600), "status_code"),
        (answer({"status_code": Types.Nat16, "body": Types.Vec(Types.Nat8)}), "headers"),
        (answer({"status_code": Types.Nat16, "headers": Types.Vec(PAIR)}), "body"),
        (answer(headers=[["a", "b"]] * (MAX_HEADERS + 1)), "at most"),
        (answer(headers=[["a", "b\n"]]), "printable"),
        (answer(headers=[["ä", "b"]]), "printable"),
        (answer({**MINIMAL, "headers": Types.Vec(Types.Text)}, headers=["a"]), "pair"),
        (bytes(encode([{"type": Types.Text, "value": "no record"}])), "must be a record"),
        (answer({**MINIMAL, "streaming_strategy": Types.Text}, streaming_strategy="x"), "streaming_strategy"),
        (b"", "no valid Candid"),
    ],
)
def test_another_response_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedResponse, match=reason):
        decode_response(data)


def test_as_many_headers_as_allowed_are_taken() -> None:
    assert len(decode_response(answer(headers=[["a", "b"]] * MAX_HEADERS)).headers) == MAX_HEADERS


def test_a_token_must_be_an_opt() -> None:
    types = {"body": Types.Vec(Types.Nat8), "token": Types.Text}
    data = bytes(encode([{"type": Types.Record(types), "value": {"body": b"", "token": "x"}}]))
    with pytest.raises(MalformedResponse, match="opt was expected"):
        decode_chunk(data)


@given(st.integers(0, 200), st.binary(min_size=1, max_size=8))
def test_a_damaged_response_is_decoded_or_refused(at: int, noise: bytes) -> None:
    whole = answer()
    at %= len(whole)
    damaged = whole[:at] + noise + whole[at + len(noise) :]
    for read in (decode_response, decode_chunk):
        try:
            read(damaged)
        except MalformedResponse:
            pass
