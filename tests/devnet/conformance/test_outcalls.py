"""Interface specification, `http_request`; and "Overview of imports" for its transform function.

A given network may refuse to call the machine it runs on, or plain HTTP; then there is nothing to test.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from devnet.replica.candid import (
    BLOB,
    BOOL,
    NAT,
    NAT64,
    NULL,
    TEXT,
    Opt,
    QueryFunction,
    Record,
    Variant,
    Vec,
    decode_one,
    encode_one,
)
from tests.devnet.conformance.driver import MANAGEMENT, Canister, Rejected, User, number, passed, rejected
from tests.devnet.conformance.imports import IMPORTS
from tests.devnet.conformance.invocations import VALUE, VARIABLE, bare, invocation
from tests.devnet.conformance.program import (
    TRANSFORM,
    append,
    blob,
    call,
    call_other,
    read,
    read_128,
    reject,
    reply,
    set_hook,
    set_variable,
    trap,
    variable,
    when,
)
from tests.network import given

pytestmark = pytest.mark.skipif(given() is not None, reason="a given network makes HTTPS requests only")

CYCLES = 10**12
MAX_BYTES = 2000
HEADER = Record({"name": TEXT, "value": TEXT})
RESPONSE = Record({"status": NAT, "headers": Vec(HEADER), "body": BLOB})
TRANSFORMED = Record({"response": RESPONSE, "context": BLOB})
ARGUMENT = Record(
    {
        "url": TEXT,
        "max_response_bytes": Opt(NAT64),
        "method": Variant({name: NULL for name in ("get", "head", "post", "put", "delete", "patch")}),
        "headers": Vec(HEADER),
        "body": Opt(BLOB),
        "is_replicated": Opt(BOOL),
        "transform": Opt(Record({"function": QueryFunction((TRANSFORMED,), (RESPONSE,)), "context": BLOB})),
    }
)


class Handler(BaseHTTPRequestHandler):
    """Tells what it was asked."""

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        size = int(self.path.partition("?")[2] or 0)
        content = f"{self.command} {self.path} ".encode() + body + bytes(size)
        self.send_response(404 if self.path == "/none" else 200)
        self.send_header("X-Agent", self.headers.get("user-agent", ""))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = answer

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Where a web server listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def canister(owner: User) -> Canister:
    return owner.deploy(environment_variables=[{"name": VARIABLE, "value": VALUE}])


def argument(url: str, **values: Any) -> bytes:
    defaults: dict[str, Any] = {
        "max_response_bytes": MAX_BYTES,
        "method": ("get", None),
        "headers": [],
        "body": None,
        "is_replicated": None,
        "transform": None,
    }
    return encode_one(ARGUMENT, {"url": url, **defaults, **values})


def ask(canister: Canister, url: str, cycles: int = CYCLES, **values: Any) -> bytes:
    steps = call_other(MANAGEMENT, "http_request", argument(url, **values), cycles=cycles)
    return passed(canister.update(steps))


def fetch(canister: Canister, url: str, cycles: int = CYCLES, **values: Any) -> Any:
    return decode_one(RESPONSE, ask(canister, url, cycles, **values))


def test_a_response_is_status_headers_and_body(canister: Canister, server: str) -> None:
    """`http_request`: GET; without a `user-agent` of its own, `ic/1.0` is sent."""
    response = fetch(canister, f"{server}/path")
    assert (response["status"], response["body"]) == (200, b"GET /path ")
    assert {"name": "x-agent", "value": "ic/1.0"} in [
        {**header, "name": header["name"].lower()} for header in response["headers"]
    ]
    assert fetch(canister, f"{server}/none")["status"] == 404


def test_methods_and_bodies(canister: Canister, server: str) -> None:
    """`http_request`: HEAD and POST; PUT in non-replicated mode only."""
    assert fetch(canister, f"{server}/x", method=("head", None))["body"] == b""
    assert fetch(canister, f"{server}/x", method=("post", None), body=b"data")["body"] == b"POST /x data"
    put: dict[str, Any] = {"method": ("put", None), "body": b"data"}
    assert fetch(canister, f"{server}/x", is_replicated=False, **put)["body"] == b"PUT /x data"
    rejected(lambda: fetch(canister, f"{server}/x", **put))


@pytest.mark.parametrize(
    "values",
    [
        {"url": "ftp://127.0.0.1/"},
        {"url": "no url"},
        {"url": "https://127.0.0.1/" + "x" * 8192},
        {"max_response_bytes": 2_000_001},
        {"headers": [{"name": "a", "value": "b"}] * 65},
        {"headers": [{"name": "a", "value": "b" * 8193}]},
        {"headers": [{"name": f"a{index}", "value": "b" * 8000} for index in range(7)]},
    ],
    ids=lambda values: "-".join(values),
)
def test_requests_beyond_the_limits(canister: Canister, server: str, values: dict[str, Any]) -> None:
    """`http_request`: length of the URL, size of request and response, number and size of headers."""
    url = values.pop("url") if "url" in values else f"{server}/x"
    with pytest.raises(Rejected):
        fetch(canister, url, **values)


def test_a_response_beyond_its_limit_is_rejected(canister: Canister, server: str) -> None:
    """`max_response_bytes`: "An error will be returned when the … response is larger"."""
    assert fetch(canister, f"{server}/x?100", max_response_bytes=1000)["status"] == 200
    with pytest.raises(Rejected):
        fetch(canister, f"{server}/x?1001", max_response_bytes=1000)


def test_the_price_has_to_be_attached(canister: Canister, server: str) -> None:
    """Cycles for `http_request`: what `cost_http_request` says is enough, less is not; the rest returns."""
    url = f"{server}/x"
    price = number(canister.query(reply(read_128("cost_http_request", len(url), MAX_BYTES))))
    assert fetch(canister, url, cycles=price)["status"] == 200
    with pytest.raises(Rejected):
        fetch(canister, url, cycles=price - 1)
    refund = call_other(
        MANAGEMENT,
        "http_request",
        argument(url),
        cycles=CYCLES,
        on_reply=reply(read_128("msg_cycles_refunded128")),
    )
    assert number(canister.update(refund)) == CYCLES - price


FIXED = encode_one(RESPONSE, {"status": 299, "headers": [], "body": b"made up"})


def transformed_by(canister: bytes, method: str = "transform") -> dict[str, Any]:
    return {"transform": {"function": (canister, method), "context": b"the context"}}


def fetch_transformed(canister: Canister, url: str, method: str = "transform", of: bytes = b"") -> Any:
    return fetch(canister, url, **transformed_by(of or canister.id, method))


def test_the_transform_function_makes_the_response(canister: Canister, server: str) -> None:
    """`transform`: a query method of the calling canister, called by the management canister."""
    check = when(call("msg_caller_size"), trap("the caller is not the management canister"))
    canister.update(set_hook(TRANSFORM, check + reply(blob(FIXED))) + reply())
    assert fetch_transformed(canister, f"{server}/x") == {"status": 299, "headers": [], "body": b"made up"}


def test_the_transform_function_sees_response_and_context(canister: Canister, server: str) -> None:
    """`transform`: its argument is a record of the response and the context."""
    canister.update(set_hook(TRANSFORM, reply(read("msg_arg_data"))) + reply())
    seen = decode_one(TRANSFORMED, ask(canister, f"{server}/x", **transformed_by(canister.id)))
    assert seen["context"] == b"the context"
    assert (seen["response"]["status"], seen["response"]["body"]) == (200, b"GET /x ")


@pytest.mark.parametrize("steps", [trap(), reject("no"), b""])
def test_a_transform_function_that_fails(canister: Canister, server: str, steps: bytes) -> None:
    """`transform`: a trap, a reject or no answer reject the call."""
    canister.update(set_hook(TRANSFORM, steps) + reply())
    with pytest.raises(Rejected):
        fetch_transformed(canister, f"{server}/x")


def test_the_transform_function_is_the_callers_own(canister: Canister, other: Canister, server: str) -> None:
    """`transform`: "the calling canister itself must export this function"."""
    for method, of in (("no_such_method", b""), ("update", b""), ("transform", other.id)):
        with pytest.raises(Rejected):
            fetch_transformed(canister, f"{server}/x", method, of)


def test_a_transform_function_changes_nothing(canister: Canister, server: str) -> None:
    """`transform` runs in non-replicated mode."""
    hook = set_variable(0, 1) + reply(blob(FIXED))
    canister.update(set_hook(TRANSFORM, hook) + reply())
    fetch_transformed(canister, f"{server}/x")
    assert canister.number(variable(0)) == 0


def test_what_a_transform_function_may_call(canister: Canister, server: str) -> None:
    """Overview of imports, `TQ`. `msg_reject` and `trap` are left out: both end in a reject."""
    names = [name for name in IMPORTS if name not in ("trap", "msg_reject")]

    def works(name: str) -> bool:
        steps = invocation(name, canister.id) if "TQ" in IMPORTS[name].contexts else bare(name, canister.id)
        answer = append(blob(FIXED)) + (b"" if name == "msg_reply" else call("msg_reply"))
        hook = answer + steps if name == "msg_reply" else steps + answer
        canister.update(set_hook(TRANSFORM, hook) + reply())
        try:
            return bool(fetch_transformed(canister, f"{server}/x")["status"] == 299)
        except Rejected:
            return False

    assert {name: works(name) for name in names} == {name: "TQ" in IMPORTS[name].contexts for name in names}
