"""Requests as they arrive: an authentication envelope around a call, a query or a read_state content.

Source: IC interface specification, "Authentication" and the requests CDDL.
"""

from dataclasses import dataclass
from typing import Final

from devnet.crypto.signatures import MAX_PUBLIC_KEY_BYTES
from devnet.http.cbor import Fields, decode_map
from devnet.http.errors import BodyTooLarge, MalformedRequest
from devnet.http.request_id import hash_of_map
from devnet.principal import MAX_PRINCIPAL_BYTES

MIB: Final = 1 << 20
MAX_BODY_BYTES: Final = 4 * MIB
MAX_MESSAGE_BYTES: Final = 2 * MIB
MAX_NONCE_BYTES: Final = 32
MAX_METHOD_NAME_BYTES: Final = 20_000
MAX_SIGNATURE_BYTES: Final = 4_096
MAX_DELEGATIONS: Final = 20
MAX_TARGETS: Final = 1_000
MAX_PATHS: Final = 1_000
MAX_LABELS: Final = 127
MAX_LABEL_BYTES: Final = 16_384


@dataclass(frozen=True)
class SignedInfo:
    """What a canister says of the sender for whom it signs; `sig` is over `info`."""

    info: bytes
    signer: bytes
    sig: bytes


@dataclass(frozen=True)
class Call:
    """Content of a call or query."""

    canister_id: bytes
    method: str
    arg: bytes
    sender_info: SignedInfo | None = None


@dataclass(frozen=True)
class ReadState:
    """Content of a read_state."""

    paths: tuple[tuple[bytes, ...], ...]


@dataclass(frozen=True)
class Delegation:
    """One link of a chain: `pubkey` may sign from now on.

    Args:
        message: 32-byte hash that `signature` is over.
        targets: the only canisters it holds for; None for all.
        queries_only: it does not hold for update calls.
    """

    pubkey: bytes
    expiration: int
    targets: frozenset[bytes] | None
    queries_only: bool
    message: bytes
    signature: bytes


@dataclass(frozen=True)
class Envelope:
    """A request with what authenticates it; nothing has been checked yet but types and bounds."""

    request_type: str
    request_id: bytes
    sender: bytes
    ingress_expiry: int
    content: Call | ReadState
    sender_pubkey: bytes | None
    sender_sig: bytes | None
    delegations: tuple[Delegation, ...]


def decode_envelope(body: bytes, request_type: str) -> Envelope:
    """Decode the body of a request.

    Args:
        request_type: what the endpoint takes: `call`, `query` or `read_state`.

    Raises:
        MalformedRequest: not the CBOR of such a request, or a bound of its fields is exceeded.
        BodyTooLarge: the message itself exceeds 2 MiB.
    """
    envelope = Fields("envelope", decode_map(body))
    content = envelope.map("content")
    if (actual := content.text("request_type")) != request_type:
        raise MalformedRequest(f"`request_type` is {actual!r}, but this endpoint takes {request_type!r}")
    content.optional_blob("nonce", MAX_NONCE_BYTES)
    sender = content.blob("sender", MAX_PRINCIPAL_BYTES)
    ingress_expiry = content.nat64("ingress_expiry")
    decoded = _read_state(content) if request_type == "read_state" else _call(content)
    content.finish()
    sender_pubkey = envelope.optional_blob("sender_pubkey", MAX_PUBLIC_KEY_BYTES)
    sender_sig = envelope.optional_blob("sender_sig", MAX_SIGNATURE_BYTES)
    delegations = _delegations(envelope)
    envelope.finish()
    # Hashed last: only now are all values known to be of types that have a hash.
    request_id = hash_of_map(content.present)
    return Envelope(
        request_type, request_id, sender, ingress_expiry, decoded, sender_pubkey, sender_sig, delegations
    )


def _call(content: Fields) -> Call:
    arg = content.blob("arg", MAX_BODY_BYTES)
    method = content.text("method_name")
    size = len(arg) + len(method.encode())
    if size > MAX_MESSAGE_BYTES:
        raise BodyTooLarge(f"The message has {size} bytes, more than {MAX_MESSAGE_BYTES}; send it in chunks.")
    if len(method.encode()) > MAX_METHOD_NAME_BYTES:
        raise MalformedRequest(f"`method_name` has more than {MAX_METHOD_NAME_BYTES} bytes")
    return Call(content.blob("canister_id", MAX_PRINCIPAL_BYTES), method, arg, _sender_info(content))


def _sender_info(content: Fields) -> SignedInfo | None:
    fields = content.optional_map("sender_info")
    if fields is None:
        return None
    info = fields.blob("info", MAX_MESSAGE_BYTES)
    signer = fields.blob("signer", MAX_PRINCIPAL_BYTES)
    signed = SignedInfo(info, signer, fields.blob("sig", MAX_SIGNATURE_BYTES))
    fields.finish()
    return signed


def _read_state(content: Fields) -> ReadState:
    return ReadState(tuple(map(_path, content.array("paths", MAX_PATHS))))


def _path(labels: object) -> tuple[bytes, ...]:
    if type(labels) is not list or len(labels) > MAX_LABELS:
        raise MalformedRequest(f"a path must be an array of at most {MAX_LABELS} labels")
    for label in labels:
        if type(label) is not bytes or len(label) > MAX_LABEL_BYTES:
            raise MalformedRequest(f"a label must be a byte string of at most {MAX_LABEL_BYTES} bytes")
    return tuple(labels)


def _delegations(envelope: Fields) -> tuple[Delegation, ...]:
    return tuple(map(_delegation, envelope.optional_array("sender_delegation", MAX_DELEGATIONS) or ()))


def _delegation(value: object) -> Delegation:
    signed = Fields("sender_delegation", value)
    fields = signed.map("delegation")
    permissions = fields.optional_text("permissions")
    if permissions not in (None, "all", "queries"):
        raise MalformedRequest(f"`permissions` of a delegation is {permissions!r}; want 'all' or 'queries'")
    pubkey = fields.blob("pubkey", MAX_PUBLIC_KEY_BYTES)
    expiration = fields.nat64("expiration")
    targets = _targets(fields.optional_array("targets", MAX_TARGETS))
    fields.finish()
    signature = signed.blob("signature", MAX_SIGNATURE_BYTES)
    signed.finish()
    message = hash_of_map(fields.present)
    return Delegation(pubkey, expiration, targets, permissions == "queries", message, signature)


def _targets(targets: list[object] | None) -> frozenset[bytes] | None:
    if targets is None:
        return None
    principals = [
        target for target in targets if type(target) is bytes and len(target) <= MAX_PRINCIPAL_BYTES
    ]
    if len(principals) != len(targets):
        raise MalformedRequest(f"`targets` must be byte strings of at most {MAX_PRINCIPAL_BYTES} bytes")
    return frozenset(principals)
