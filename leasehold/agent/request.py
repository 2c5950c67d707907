"""Messages to the Internet Computer: their representation-independent hash, signature and CBOR envelope.

Source: IC interface specification, "HTTPS interface", "Request ids" and "Authentication".
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cbor2

from leasehold.agent.identity import Identity
from leasehold.agent.principal import Principal

REQUEST_DOMAIN = b"\x0aic-request"
SELF_DESCRIBED_CBOR = 55799
NONCE_BYTES = 16

# A node refuses messages that expire more than 5 minutes ahead of its clock; a minute is for clocks that
# differ.
INGRESS_LIFETIME_NS = 4 * 60 * 1_000_000_000


@dataclass(frozen=True)
class SignedRequest:
    """A message ready to be sent, again and again if need be: the same id is executed once.

    Args:
        request_id: 32 bytes.
        body: CBOR of the envelope.
        expires_at: nanoseconds since 1970 after which no node accepts it any more.
    """

    request_id: bytes
    body: bytes
    expires_at: int


def hash_of_map(fields: Mapping[str, Any]) -> bytes:
    """Representation-independent hash of a record, 32 bytes."""
    pairs = sorted(hashlib.sha256(name.encode()).digest() + _hash(value) for name, value in fields.items())
    return hashlib.sha256(b"".join(pairs)).digest()


def leb128(number: int) -> bytes:
    """Unsigned LEB128."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def call_content(
    canister: Principal, method: str, arg: bytes, sender: Principal, now: int, kind: str
) -> dict[str, Any]:
    """Content of a `call` or `query`.

    Args:
        now: nanoseconds since 1970.
        kind: `call` or `query`.
    """
    return {
        "request_type": kind,
        "canister_id": canister.raw,
        "method_name": method,
        "arg": arg,
        "sender": sender.raw,
        "ingress_expiry": now + INGRESS_LIFETIME_NS,
        "nonce": secrets.token_bytes(NONCE_BYTES),
    }


def read_state_content(paths: Sequence[Sequence[bytes]], sender: Principal, now: int) -> dict[str, Any]:
    """Content of a `read_state` of these paths."""
    return {
        "request_type": "read_state",
        "paths": [list(path) for path in paths],
        "sender": sender.raw,
        "ingress_expiry": now + INGRESS_LIFETIME_NS,
    }


def sign_request(content: Mapping[str, Any], identity: Identity) -> SignedRequest:
    """Sign the content and put it into an envelope."""
    request_id = hash_of_map(content)
    envelope: dict[str, Any] = {"content": dict(content)}
    if identity.private_key is not None:
        envelope["sender_pubkey"] = identity.public_key_der
        envelope["sender_sig"] = identity.sign(REQUEST_DOMAIN + request_id)
    body = cbor2.dumps(cbor2.CBORTag(SELF_DESCRIBED_CBOR, envelope))
    return SignedRequest(request_id, body, content["ingress_expiry"])


def _hash(value: Any) -> bytes:
    if isinstance(value, bytes):
        return hashlib.sha256(value).digest()
    if isinstance(value, str):
        return hashlib.sha256(value.encode()).digest()
    if isinstance(value, int):
        return hashlib.sha256(leb128(value)).digest()
    if isinstance(value, Mapping):
        return hash_of_map(value)
    return hashlib.sha256(b"".join(_hash(element) for element in value)).digest()
