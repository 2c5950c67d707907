"""What a canister gets from the node around it: HTTP outcalls and threshold signatures, over HTTP."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import wasmtime
from coincurve import PublicKeyXOnly
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from devnet.node import Node
from devnet.replica.candid import Record, decode_one, encode_one
from devnet.replica.management.methods import METHODS
from tests.devnet import whoami
from tests.devnet.agent import Agent, Identity
from tests.devnet.replica.agent import AGENT

PATIENCE_S = 20
FEE = 30_000_000_000


class Held(BaseHTTPRequestHandler):
    """Answers once the test lets it."""

    arrived, released = threading.Event(), threading.Event()

    def do_GET(self) -> None:
        self.arrived.set()
        self.released.wait(PATIENCE_S)
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"late")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with Node.start() as node:
        yield node


@pytest.fixture
def agent(node: Node) -> Iterator[Agent]:
    identity = Identity.of(Ed25519PrivateKey.generate())
    with Agent(node.url, node.root_key, identity) as agent:
        yield agent


def manage(agent: Agent, canister: bytes, name: str, cycles: int = 0, /, **argument: Any) -> Any:
    """Let a canister call a management method."""
    known = METHODS[name]
    assert isinstance(known.argument, Record)
    encoded = encode_one(known.argument, {field: argument.get(field) for field in known.argument.fields})
    arg = cycles.to_bytes(8, "little") + bytes([len(name)]) + name.encode() + encoded
    return decode_one(known.result, agent.update(canister, "manage", arg))


@pytest.fixture
def canister(agent: Agent) -> bytes:
    return whoami.deploy(agent, bytes(wasmtime.wat2wasm(AGENT)))


def test_other_canisters_run_while_an_outcall_waits(agent: Agent, canister: bytes) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Held)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://localhost:{server.server_port}/"
    try:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(
                manage, agent, canister, "http_request", FEE, url=url, method=("get", None), headers=[]
            )
            assert Held.arrived.wait(PATIENCE_S)
            agent.update(canister, "chatty")
            assert not waiting.done()
            Held.released.set()
            assert waiting.result(PATIENCE_S)["body"] == b"late"
    finally:
        Held.released.set()
        server.shutdown()
        server.server_close()


def test_signatures_verify_under_the_public_keys(agent: Agent, canister: bytes) -> None:
    digest, path = hashlib.sha256(b"message").digest(), [b"wallet", bytes(4)]
    key = {"curve": ("secp256k1", None), "name": "key_1"}
    public = manage(agent, canister, "ecdsa_public_key", derivation_path=path, key_id=key)["public_key"]
    signature = manage(
        agent, canister, "sign_with_ecdsa", FEE, message_hash=digest, derivation_path=path, key_id=key
    )["signature"]
    r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
    verifier = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), public)
    verifier.verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(SHA256())))


@pytest.mark.parametrize("algorithm", ["bip340secp256k1", "ed25519"])
def test_schnorr_signatures_verify_under_the_public_keys(
    agent: Agent, canister: bytes, algorithm: str
) -> None:
    key = {"algorithm": (algorithm, None), "name": "dfx_test_key"}
    public = manage(agent, canister, "schnorr_public_key", derivation_path=[], key_id=key)["public_key"]
    signature = manage(
        agent, canister, "sign_with_schnorr", FEE, message=b"any length", derivation_path=[], key_id=key
    )["signature"]
    if algorithm == "ed25519":
        Ed25519PublicKey.from_public_bytes(public).verify(signature, b"any length")
    else:
        assert PublicKeyXOnly(public[1:]).verify(signature, b"any length")
