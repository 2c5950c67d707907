"""`http_request`: what may be asked, what it costs, what the canister is given. No sockets here."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from devnet.replica import IngressState, RejectCode, prices
from devnet.replica.candid import decode_one, encode_one
from devnet.replica.management import interface, service_types
from devnet.replica.outcalls.fetching import Done, Fetched, FetchFailure, Outcome
from devnet.replica.outcalls.request import HttpRequest, HttpResponse
from tests.devnet.replica.agent import AGENT_BODY, AGENT_TEXTS
from tests.devnet.replica.harness import FakeClock, Net, make_net, rejected
from tests.devnet.replica.wat import module

URL = "http://127.0.0.1:8080/price"
CYCLES = 40_000_000_000
OK = Fetched(HttpResponse(200, (("date", "today"),), b"hello"), 14, 3)

FIXED = encode_one(service_types.HTTP_RESPONSE, {"status": 200, "headers": [], "body": b"fixed"})
CALLER = module(
    AGENT_BODY
    + """
    (func (export "canister_query fix")
      (if (call $msg_caller_size) (then unreachable))
      (call $answer {fixed}))
    (func (export "canister_query echo")
      (call $msg_arg_data_copy (i32.const 2000) (i32.const 0) (call $msg_arg_data_size))
      (call $answer (i32.const 2000) (call $msg_arg_data_size)))
    (func (export "canister_query break") unreachable)
    (func (export "canister_query refuse") (call $msg_reject {line}))
    (func (export "canister_query count")
      (i32.store (i32.const 30000) (i32.add (i32.load (i32.const 30000)) (i32.const 1)))
      (call $answer (i32.const 30000) (i32.const 4)))
    """,
    pages=64,
    texts=AGENT_TEXTS | {"fixed": FIXED},
)
"""The agent, with transform functions."""


@dataclass
class FakeFetcher:
    """Keeps requests until the test answers them."""

    asked: list[tuple[HttpRequest, Done]] = field(default_factory=list)
    closed: bool = False

    def fetch(self, request: HttpRequest, done: Done) -> None:
        self.asked.append((request, done))

    def close(self) -> None:
        self.closed = True

    def answer(self, outcome: Outcome = OK) -> HttpRequest:
        request, done = self.asked.pop(0)
        done(outcome)
        return request


@pytest.fixture
def fetcher() -> FakeFetcher:
    return FakeFetcher()


@pytest.fixture
def net(tmp_path: Path, fetcher: FakeFetcher) -> Iterator[Net]:
    net = make_net(cache_dir=tmp_path / "cache", fetcher=fetcher)
    yield net
    net.replica.close()


def arguments(**changes: Any) -> bytes:
    fields = dict.fromkeys(service_types.HTTP_REQUEST_ARGS.fields) | {
        "url": URL,
        "method": ("get", None),
        "headers": [],
    }
    return encode_one(service_types.HTTP_REQUEST_ARGS, fields | changes)


def ask(net: Net, agent: bytes, cycles: int = CYCLES, **changes: Any) -> bytes:
    """Begin an outcall; returns the id of the request that waits for it."""
    method = b"http_request"
    arg = cycles.to_bytes(8, "little") + bytes([len(method)]) + method + arguments(**changes)
    request_id = net.submit(agent, "manage", arg)
    net.settle()
    return request_id


def get(net: Net, fetcher: FakeFetcher, agent: bytes, outcome: Outcome = OK, **changes: Any) -> Any:
    """Make an outcall that has this outcome, and return what the canister is given."""
    request_id = ask(net, agent, **changes)
    fetcher.answer(outcome)
    net.settle()
    return decode_one(service_types.HTTP_RESPONSE, net.outcome(request_id))


def test_a_canister_gets_the_response_when_it_comes(net: Net, fetcher: FakeFetcher) -> None:
    agent, other = net.deploy(CALLER), net.deploy(CALLER)
    request_id = ask(net, agent, method=("post", None), headers=[{"name": "A", "value": "b"}], body=b"x")
    status = net.replica.ingress_status(request_id)
    assert status is not None and status.state is IngressState.PROCESSING
    net.update(other, "chatty")
    assert net.replica.next_wakeup() is None
    made = fetcher.answer()
    assert (made.method, made.url, made.body) == ("POST", URL, b"x")
    assert made.headers == (("A", "b"), ("user-agent", "ic/1.0"))
    assert net.replica.next_wakeup() == net.clock.now, "the response is something to do"
    net.settle()
    assert decode_one(service_types.HTTP_RESPONSE, net.outcome(request_id)) == {
        "status": 200,
        "headers": [{"name": "date", "value": "today"}],
        "body": b"hello",
    }


def test_responses_come_in_any_order(net: Net, fetcher: FakeFetcher) -> None:
    agent = net.deploy(CALLER)
    first, second = ask(net, agent), ask(net, agent)
    fetcher.asked.reverse()
    fetcher.answer(Fetched(HttpResponse(201, (), b"second"), 6, 1))
    net.settle()
    fetcher.answer(Fetched(HttpResponse(202, (), b"first"), 5, 1))
    net.settle()
    bodies = [
        decode_one(service_types.HTTP_RESPONSE, net.outcome(request_id))["body"]
        for request_id in (first, second)
    ]
    assert bodies == [b"first", b"second"]


def test_the_caller_may_bring_its_own_user_agent(net: Net, fetcher: FakeFetcher) -> None:
    own = [{"name": "User-Agent", "value": "mine"}]
    ask(net, net.deploy(CALLER), headers=own)
    assert fetcher.answer().headers == (("User-Agent", "mine"),)


def transform(agent: bytes, method: str) -> dict[str, Any]:
    return {"function": (agent, method), "context": b"context"}


def test_the_transform_function_sees_the_response_first(net: Net, fetcher: FakeFetcher) -> None:
    agent = net.deploy(CALLER)
    assert get(net, fetcher, agent, transform=transform(agent, "fix"))["body"] == b"fixed"
    request_id = ask(net, agent, transform=transform(agent, "echo"))
    fetcher.answer()
    net.settle()
    given = decode_one(service_types.TRANSFORM_ARGUMENT, net.outcome(request_id))
    assert (given["context"], given["response"]["body"]) == (b"context", b"hello")


def test_a_transform_function_changes_no_state(net: Net, fetcher: FakeFetcher) -> None:
    agent = net.deploy(CALLER)
    for _ in range(2):
        request_id = ask(net, agent, transform=transform(agent, "count"))
        fetcher.answer()
        net.settle()
        assert net.outcome(request_id) == b"\1\0\0\0"


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("break", "unreachable"),
        ("refuse", "llll"),
        ("no such method", "has no query method 'no such method'"),
    ],
)
def test_what_a_transform_function_refuses_is_rejected(
    net: Net, fetcher: FakeFetcher, method: str, reason: str
) -> None:
    agent = net.deploy(CALLER)
    assert reason in rejected(lambda: get(net, fetcher, agent, transform=transform(agent, method))).message


def test_a_transform_function_may_not_exceed_the_response_limit(net: Net, fetcher: FakeFetcher) -> None:
    agent = net.deploy(CALLER)
    echo = transform(agent, "echo")
    small = Fetched(HttpResponse(200, (), b"1234"), 4, 1)
    reject = rejected(lambda: get(net, fetcher, agent, small, transform=echo, max_response_bytes=40))
    assert "Transformed http response exceeds limit" in reject.message


def many(count: int, name: str = "n", value: str = "v") -> list[dict[str, str]]:
    return [{"name": name, "value": value}] * count


@pytest.mark.parametrize(
    "allowed",
    [
        {"url": "http://localhost/"},
        {"url": "https://127.0.0.1:8443/a?b=c#d"},
        {"url": "http://127.9.9.9/"},
        {"url": "https://[::1]:9/"},
        {"url": "http://localhost/" + "a" * (8192 - 17)},
        {"headers": many(64)},
        {"headers": many(1, "n" * 8192, "v" * 8192)},
        {"headers": many(6, "n" * 4096, "v" * 4096)},
        {"body": bytes(2_000_000), "method": ("post", None)},
        {"max_response_bytes": 2_000_000},
        {"method": ("head", None)},
        {"method": ("patch", None), "is_replicated": False},
    ],
)
def test_requests_within_the_limits_are_made(net: Net, fetcher: FakeFetcher, allowed: dict[str, Any]) -> None:
    agent = net.deploy(CALLER)
    ask(net, agent, **allowed)
    assert len(fetcher.asked) == 1


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"url": "https://example.com/"}, "only to the machine it runs on.*'example.com'"),
        ({"url": "http://192.168.0.1/"}, "not to '192.168.0.1'"),
        ({"url": "http://localhost.example.com/"}, "not to 'localhost.example.com'"),
        ({"url": "http://127.0.0.1@example.com/"}, "not to 'example.com'"),
        ({"url": "ftp://localhost/"}, "must begin with https://"),
        ({"url": "/path"}, "must begin with https://"),
        ({"url": "http://localhost:99999/"}, "URL is not valid"),
        ({"url": "http://localhost/" + "a" * (8192 - 16)}, "8193 characters"),
        ({"headers": many(65)}, "65 headers are more than 64"),
        ({"headers": many(1, "n", "v" * 8193)}, "8193 bytes, more than 8192"),
        ({"headers": many(6, "n" * 4096, "v" * 4097)}, "49158 bytes, more than 49152"),
        ({"max_response_bytes": 2_000_001}, "max_response_bytes is 2000001, at most 2000000"),
        ({"method": ("put", None)}, "method put is for calls with is_replicated = opt false only"),
        (
            {"transform": {"function": (b"\1\1", "m"), "context": b""}},
            "transform function must be the calling canister's own",
        ),
    ],
)
def test_requests_beyond_the_limits_are_refused_for_free(
    net: Net, fetcher: FakeFetcher, bad: dict[str, Any], reason: str
) -> None:
    agent = net.deploy(CALLER)
    before = net.status(agent)["cycles"]
    request_id = ask(net, agent, **bad)
    with pytest.raises(Exception, match=reason):
        net.outcome(request_id)
    assert not fetcher.asked
    assert before - net.status(agent)["cycles"] < 1_000_000_000


def test_a_request_body_over_the_limit_is_refused(net: Net) -> None:
    agent = net.deploy(CALLER)
    request_id = ask(net, agent, body=bytes(2_000_001))
    assert "exceed 2000000 bytes" in rejected(lambda: net.outcome(request_id)).message


@pytest.mark.parametrize("code", [RejectCode.SYS_TRANSIENT, RejectCode.SYS_FATAL])
def test_a_failure_is_rejected_with_its_code(net: Net, fetcher: FakeFetcher, code: RejectCode) -> None:
    agent = net.deploy(CALLER)
    before = net.status(agent)["cycles"]
    reject = rejected(lambda: get(net, fetcher, agent, FetchFailure(code, "Timeout expired")))
    assert reject.message == "Timeout expired"
    assert before - net.status(agent)["cycles"] < CYCLES, "the surplus is refunded"


def spent(net: Net, fetcher: FakeFetcher, agent: bytes, outcome: Outcome = OK, **changes: Any) -> int:
    """Cycles that an outcall costs, counted by `canister_metrics`."""
    before = consumed(net, agent)
    get(net, fetcher, agent, outcome, **changes)
    return consumed(net, agent) - before


def consumed(net: Net, agent: bytes) -> int:
    metrics = net.manage("canister_metrics", canister_id=agent)
    return int(metrics["cycles_consumed"]["http_outcalls"])


def test_version_1_charges_for_the_response_that_may_come(net: Net, fetcher: FakeFetcher) -> None:
    """Figures of the documentation's table for 13 nodes: base, request byte, reserved response byte."""
    agent = net.deploy(CALLER)
    base = 49_140_000 + 5_200 * len(URL)
    assert spent(net, fetcher, agent, max_response_bytes=100) == base + 10_400 * 100
    assert spent(net, fetcher, agent) == base + 10_400 * 2_000_000
    assert spent(net, fetcher, agent, max_response_bytes=0, body=b"12345") == base + 5 * 5_200
    before = net.status(agent)["cycles"]
    get(net, fetcher, agent, max_response_bytes=100)
    assert before - net.status(agent)["cycles"] < base + 10_400 * 100 + 100_000_000


def test_version_1_needs_its_fee_attached(net: Net, fetcher: FakeFetcher) -> None:
    agent = net.deploy(CALLER)
    fee = prices.http_request(len(URL), 100)
    request_id = ask(net, agent, fee - 1, max_response_bytes=100)
    reject = rejected(lambda: net.outcome(request_id))
    assert reject.message == (
        f"http_request request sent with {fee - 1} cycles, but {fee} cycles are required."
    )
    ask(net, agent, fee, max_response_bytes=100)
    assert len(fetcher.asked) == 1


def test_version_2_charges_for_what_was_used(net: Net, fetcher: FakeFetcher) -> None:
    agent = net.deploy(CALLER)
    delivered = len(
        encode_one(
            service_types.HTTP_RESPONSE,
            {"status": 200, "headers": [{"name": "date", "value": "today"}], "body": b"hello"},
        )
    )
    base = 38_417_600 + 650 * len(URL)
    usage = 13 * (50 * 14 + 300 * 3) + 9_490 * delivered
    assert spent(net, fetcher, agent, pricing_version=2) == base + usage
    cheaper = spent(net, fetcher, agent, pricing_version=2, is_replicated=False)
    assert cheaper < base, "a single node asks"


def test_version_2_with_too_little_for_the_response_is_rejected(net: Net, fetcher: FakeFetcher) -> None:
    agent = net.deploy(CALLER)
    base = prices.outcall_base(len(URL), True)
    request_id = ask(net, agent, base - 1, pricing_version=2)
    assert f"{base} cycles are required" in rejected(lambda: net.outcome(request_id)).message
    request_id = ask(net, agent, base + 10, pricing_version=2)
    fetcher.answer()
    net.settle()
    reject = rejected(lambda: net.outcome(request_id))
    assert "but only 10 were attached for that" in reject.message


def test_users_make_no_outcalls(net: Net) -> None:
    reject = rejected(functools.partial(net.submit, b"", "http_request", arguments()))
    assert reject.error_code == "IC0516"


def test_a_restart_rejects_what_was_under_way(tmp_path: Path) -> None:
    clock = FakeClock()
    open_net = functools.partial(
        make_net, state_dir=tmp_path / "state", cache_dir=tmp_path / "cache", clock=clock
    )
    lost = FakeFetcher()
    net = open_net(fetcher=lost)
    agent = net.deploy(CALLER)
    request_id = ask(net, agent)
    before = net.status(agent)["cycles"]
    net.replica.close()
    assert lost.closed
    net = open_net(fetcher=FakeFetcher())
    net.settle()
    reject = rejected(lambda: net.outcome(request_id))
    assert "started again while the HTTP request was under way" in reject.message
    refund = CYCLES - prices.http_request(len(URL), 2_000_000)
    assert net.status(agent)["cycles"] > before + refund - 100_000_000
    lost.answer()
    net.settle()
    net.replica.close()


def test_a_canister_deleted_meanwhile_is_missed_by_nobody(net: Net, fetcher: FakeFetcher) -> None:
    agent = net.deploy(CALLER)
    ask(net, agent, pricing_version=2)
    net.manage("uninstall_code", canister_id=agent)
    net.manage("stop_canister", canister_id=agent)
    net.manage("delete_canister", canister_id=agent)
    fetcher.answer()
    net.settle()
    assert agent not in net.replica.canister_ids()


def test_a_stop_request_ends_after_five_minutes(net: Net, fetcher: FakeFetcher) -> None:
    """The canister goes on stopping, and stops when its call is answered."""
    agent = net.deploy(CALLER)
    ask(net, agent)
    argument = encode_one(interface.CANISTER, {"canister_id": agent})
    stop = net.submit(b"", "stop_canister", argument, effective=agent)
    net.settle()
    assert net.replica.next_wakeup() == net.clock.now + 300 * 10**9
    net.advance(299)
    status = net.replica.ingress_status(stop)
    assert status is not None and status.reject is None
    net.advance(1)
    reject = rejected(lambda: net.outcome(stop))
    assert (reject.code, reject.error_code) == (2, "IC0206")
    assert net.status(agent)["status"] == ("stopping", None)
    fetcher.answer()
    net.settle()
    assert net.status(agent)["status"] == ("stopped", None)
