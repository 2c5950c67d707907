"""What the typed calls of the library send, read with the network's own types."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cdk.candid import Codec, Principal, Type
from cdk.candid.did_parser import parse_did
from cdk.testing import Simulator

MANAGEMENT = Principal.management_canister()
NETWORK = parse_did(
    """
type http_header = record { name : text; value : text };
type response = record { status : nat; headers : vec http_header; body : blob };
service : {
  http_request : (record {
    url : text; max_response_bytes : opt nat64; method : variant { get; head; post };
    headers : vec http_header; body : opt blob; is_replicated : opt bool;
    transform : opt record {
      function : func (record { response : response; context : blob }) -> (response) query;
      context : blob
    }
  }) -> (response);
  ecdsa_public_key : (record {
    canister_id : opt principal; derivation_path : vec blob;
    key_id : record { curve : variant { secp256k1 }; name : text }
  }) -> (record { public_key : blob; chain_code : blob });
  sign_with_ecdsa : (record {
    message_hash : blob; derivation_path : vec blob;
    key_id : record { curve : variant { secp256k1 }; name : text }
  }) -> (record { signature : blob });
}
"""
)
Start = Callable[..., Simulator]


@pytest.fixture
def manager(canister: Start) -> Simulator:
    return canister("management")


def answered(manager: Simulator, method: str, answer: object) -> list[dict[str, object]]:
    """Answer the management canister's `method`; what it is asked is appended to the list returned."""
    asked: list[dict[str, object]] = []
    described = NETWORK.methods[method]

    def handle(argument: bytes) -> bytes:
        asked.append(Codec(described.arguments).decode(argument)[0])
        return one(described.results[0], answer)

    manager.handlers[MANAGEMENT, method] = handle
    return asked


def one(kind: Type, value: object) -> bytes:
    return Codec([kind]).encode([value])


def test_an_https_outcall(manager: Simulator) -> None:
    asked = answered(manager, "http_request", {"status": 200, "headers": [], "body": b"hello"})
    assert manager.update("fetch", "https://example.org") == "hello"
    assert asked == [
        {
            "url": "https://example.org",
            "max_response_bytes": 2_000,
            "method": {"get": None},
            "headers": [{"name": "accept", "value": "text/plain"}],
            "body": None,
            "is_replicated": None,
            "transform": {"function": (manager.id, "transform"), "context": b""},
        }
    ]
    response = {"status": 200, "headers": [{"name": "date", "value": "now"}], "body": b"x"}
    plain = manager.query("transform", {"response": response, "context": b""})
    assert plain == {**response, "headers": []}


def test_a_threshold_signature(manager: Simulator) -> None:
    keys = answered(manager, "ecdsa_public_key", {"public_key": b"key", "chain_code": b"chain"})
    signed = answered(manager, "sign_with_ecdsa", {"signature": b"signature"})
    assert manager.update("sign", b"h" * 32) == (b"key", b"signature")
    key = {"curve": {"secp256k1": None}, "name": "test_key_1"}
    assert keys == [{"canister_id": None, "derivation_path": [b"path"], "key_id": key}]
    assert signed == [{"message_hash": b"h" * 32, "derivation_path": [b"path"], "key_id": key}]


def test_the_ledger_of_icp(manager: Simulator) -> None:
    ledger = Principal(b"ledger")
    kind = parse_did("service : { f : () -> (record { symbol : text }) }").methods["f"].results[0]
    manager.handlers[ledger, "symbol"] = lambda argument: one(kind, {"symbol": "ICP"})
    assert manager.update("symbol", ledger) == "ICP"
