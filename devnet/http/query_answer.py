"""Answers to queries under the node's signature.

Source: IC interface specification, "Request: Query call".
"""

from typing import Any, Final

from devnet.crypto.node_keys import NodeKeys
from devnet.http.request_id import Hashable, hash_of_map
from devnet.replica.api import Reject

RESPONSE_DOMAIN: Final = b"\x0bic-response"


def sign_replied(reply: bytes, request_id: bytes, time: int, keys: NodeKeys) -> dict[str, Any]:
    """Answer of a query that replied."""
    return _signed({"status": "replied", "reply": {"arg": reply}}, request_id, time, keys)


def sign_rejected(reject: Reject, request_id: bytes, time: int, keys: NodeKeys) -> dict[str, Any]:
    """Answer of a query that was rejected."""
    answer: dict[str, Hashable] = {
        "status": "rejected",
        "reject_code": reject.code,
        "reject_message": reject.message,
    }
    if reject.error_code:
        answer["error_code"] = reject.error_code
    return _signed(answer, request_id, time, keys)


def _signed(answer: dict[str, Hashable], request_id: bytes, time: int, keys: NodeKeys) -> dict[str, Any]:
    digest = hash_of_map({**answer, "timestamp": time, "request_id": request_id})
    signature = keys.node.sign(RESPONSE_DOMAIN + digest)
    return {**answer, "signatures": [{"timestamp": time, "signature": signature, "identity": keys.node_id}]}
