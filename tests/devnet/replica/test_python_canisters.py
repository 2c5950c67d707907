"""Canisters compiled from Python, on the engine: the modules the node is mostly used with."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from icp_candid import Types, decode, encode  # type: ignore[import-untyped]
from icp_principal.principal import Principal  # type: ignore[import-untyped]

from cdk.build import build
from devnet.crypto.signing_keys import ThresholdKeyring
from devnet.replica import Limits
from tests.devnet.replica.harness import Net, make_net, rejected

CANISTERS = "tests/cdk/canisters"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def net(tmp_path: Path) -> Any:
    net = make_net(Limits(), tmp_path / "state")
    yield net
    net.replica.close()


def deploy(net: Net, name: str, *arguments: tuple[Any, Any]) -> bytes:
    canister = net.create()
    net.install(canister, build(f"{CANISTERS}/{name}", ROOT).module, arg=candid(*arguments))
    return canister


def candid(*arguments: tuple[Any, Any]) -> bytes:
    return bytes(encode([{"type": kind, "value": value} for kind, value in arguments]))


def value(reply: bytes) -> Any:
    return decode(reply)[0]["value"]


def test_state_is_kept_trapped_upgraded_and_reopened(net: Net, tmp_path: Path) -> None:
    counter = deploy(net, "counter", (Types.Nat64, 5))
    assert value(net.update(counter, "increment", candid())) == 6
    reject = rejected(lambda: net.update(counter, "fail", candid()))
    assert "ValueError: this always fails" in reject.message
    assert value(net.query(counter, "get", candid())) == 6
    net.install(counter, build(f"{CANISTERS}/counter", ROOT).module, mode="upgrade", arg=candid())
    assert value(net.update(counter, "increment", candid())) == 7
    net.replica.close()
    again = make_net(Limits(), tmp_path / "state")
    assert value(again.query(counter, "get", candid())) == 7
    assert value(again.update(counter, "increment", candid())) == 8
    again.replica.close()


def test_asynchronous_methods_call_other_canisters(net: Net) -> None:
    counter, caller = deploy(net, "counter", (Types.Nat64, 1)), deploy(net, "caller")
    target = (Types.Principal, Principal(counter))
    assert list(value(net.update(caller, "add_twice", candid(target, (Types.Nat64, 10)))).values()) == [20]
    assert value(net.query(counter, "get", candid())) == 21
    assert len(value(net.update(caller, "random_bytes", candid()))) == 32
    nobody = (Types.Principal, Principal(b"\0" * 8 + b"\1\1"))
    told = value(net.update(caller, "add_or_explain", candid(nobody, (Types.Nat64, 1))))
    assert told.startswith("failed:") and "not found" in told


def test_a_lock_is_given_up_when_a_callback_fails(net: Net) -> None:
    caller = deploy(net, "caller")
    nobody = (Types.Principal, Principal(b"\0" * 8 + b"\1\1"))
    rejected(lambda: net.update(caller, "add_locked", candid(nobody, (Types.Nat64, 1))))
    assert value(net.query(caller, "is_locked", candid())) is False


def test_timers_run_and_a_failing_one_disturbs_no_other(net: Net) -> None:
    timers = deploy(net, "timers")
    net.update(timers, "once", candid((Types.Nat64, 3)))
    net.update(timers, "ask_in", candid((Types.Nat64, 4)))
    for _ in range(5):
        net.advance(5)

    def count(name: str) -> int:
        return int(value(net.query(timers, "get", candid((Types.Text, name)))))

    assert [count(name) for name in ("tick", "once", "asked", "fail")] == [2, 1, 1, 0]


def test_a_canister_makes_an_outcall_and_signs(tmp_path: Path) -> None:
    """Kybra's typed calls, a real server, real keys."""
    woken = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Greeting)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    net = make_net(Limits(), tmp_path / "state", keys=ThresholdKeyring(), wake=woken.set)
    try:
        canister = deploy(net, "management")
        url = f"http://127.0.0.1:{server.server_port}/"
        request_id = net.submit(canister, "fetch", candid((Types.Text, url)))
        net.settle()
        assert woken.wait(20)
        net.settle()
        assert value(net.outcome(request_id)) == "hello from text/plain"
        refused = value(net.update(canister, "fetch", candid((Types.Text, "https://example.org/"))))
        assert "only to the machine it runs on" in refused

        digest = hashlib.sha256(b"message").digest()
        signed = value(net.update(canister, "sign", candid((Types.Vec(Types.Nat8), digest))))
        public, signature = (bytes(part) for part in signed)
        r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
        verifier = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), public)
        verifier.verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(SHA256())))
    finally:
        net.replica.close()
        server.shutdown()
        server.server_close()


class Greeting(BaseHTTPRequestHandler):
    """Greets with the type of content that is asked for."""

    def do_GET(self) -> None:
        body = f"hello from {self.headers['accept']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass
