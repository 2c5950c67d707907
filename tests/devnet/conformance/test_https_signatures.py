"""Interface specification, "Web Authentication" and "Canister signatures" of "Signatures"."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from devnet.principal import principal_text
from tests.devnet.agent import MINUTE_NS, decode, der, reconstruct, sign, value_hash
from tests.devnet.conformance.driver import Canister, Network, User, tagged
from tests.devnet.conformance.program import append, blob, call, call_other, read, reply

REQUEST, DELEGATION = b"\x0aic-request", b"\x1aic-request-auth-delegation"
CALLER = reply(read("msg_caller"))
Sign = Callable[[bytes], bytes]


def wrapped(number: int, content: bytes) -> bytes:
    """DER of a public key whose algorithm is 1.3.6.1.4.1.56387.1.`number`."""
    algorithm = bytes.fromhex("300c060a2b0601040183b84301") + bytes([number])
    bits = tlv(3, b"\0" + content)
    return tlv(0x30, algorithm + bits)


def tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 | len(length)]) + length + content


@dataclass
class Signer:
    """A public key, and what signs a payload under it."""

    public_key: bytes
    sign: Sign

    @property
    def principal(self) -> bytes:
        return hashlib.sha224(self.public_key).digest() + b"\x02"


def seen_caller(network: Network, canister: Canister, signer: Signer, **envelope: Any) -> bytes | None:
    """The caller that a canister sees in a call signed by the signer; None if the call is refused."""
    user = network.anonymous()
    content = user.call_content(canister.id, "update", CALLER, sender=signer.principal)
    fields = {
        "content": content,
        "sender_pubkey": signer.public_key,
        "sender_sig": signer.sign(REQUEST + value_hash(content)),
        **envelope,
    }
    response = user.post(f"/api/v4/canister/{principal_text(canister.id)}/call", fields)
    if response.status_code != 200:
        assert response.status_code in (400, 403), response.text
        return None
    return user.outcome(decode(response.content)["certificate"], value_hash(content))


def assertion(payload: bytes, make: Sign, challenge: bytes | None = None) -> bytes:
    """A passkey's answer to a challenge."""
    encoded = base64.urlsafe_b64encode(payload if challenge is None else challenge).rstrip(b"=").decode()
    client_data = json.dumps({"type": "webauthn.get", "challenge": encoded, "origin": "https://example.com"})
    data = hashlib.sha256(b"example.com").digest() + b"\x01\0\0\0\0"
    signature = make(data + hashlib.sha256(client_data.encode()).digest())
    return tagged({"authenticator_data": data, "client_data_json": client_data, "signature": signature})


def es256() -> tuple[bytes, Sign]:
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_numbers()
    cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
    return cbor2.dumps(cose), lambda message: key.sign(message, ec.ECDSA(SHA256()))


def rs256() -> tuple[bytes, Sign]:
    key = rsa.generate_private_key(65537, 2048)
    modulus = key.public_key().public_numbers().n.to_bytes(256, "big")
    cose = {1: 3, 3: -257, -1: modulus, -2: b"\1\0\1"}
    return cbor2.dumps(cose), lambda message: key.sign(message, padding.PKCS1v15(), SHA256())


def eddsa() -> tuple[bytes, Sign]:
    key = ed25519.Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return cbor2.dumps({1: 1, 3: -8, -1: 6, -2: public}), key.sign


KEYS = pytest.mark.parametrize("make", [es256, rs256, eddsa])


@KEYS
def test_passkeys_sign_requests(
    network: Network, canister: Canister, make: Callable[[], tuple[bytes, Sign]]
) -> None:
    """Web Authentication: ECDSA on P-256, RSA PKCS#1 v1.5 and Ed25519, in a DER-wrapped COSE key."""
    cose, key = make()
    passkey = Signer(wrapped(1, cose), lambda payload: assertion(payload, key))
    assert seen_caller(network, canister, passkey) == passkey.principal


@KEYS
def test_wrong_assertions_are_refused(
    network: Network, canister: Canister, make: Callable[[], tuple[bytes, Sign]]
) -> None:
    """Web Authentication: another challenge, another key, changed data, and what is no assertion."""
    cose, key = make()
    _, stranger = make()

    def changed(payload: bytes) -> bytes:
        fields = decode(assertion(payload, key))
        return tagged({**fields, "authenticator_data": fields["authenticator_data"] + b"x"})

    wrong: list[Sign] = [
        lambda payload: assertion(payload, key, challenge=b"another"),
        lambda payload: assertion(payload, stranger),
        changed,
        key,
        lambda payload: assertion(payload, key)[3:],
        lambda payload: tagged({"authenticator_data": b"", "client_data_json": "[]", "signature": b""}),
        lambda payload: tagged({"authenticator_data": b"", "client_data_json": "{", "signature": b""}),
    ]
    for make_signature in wrong:
        assert seen_caller(network, canister, Signer(wrapped(1, cose), make_signature)) is None


@pytest.mark.parametrize(
    "cose",
    [b"", b"\xff", cbor2.dumps([]), cbor2.dumps({}), cbor2.dumps({1: 2, 3: -7, -1: 1, -2: b"x", -3: b"y"})],
)
def test_broken_cose_keys_are_refused(network: Network, canister: Canister, cose: bytes) -> None:
    """Web Authentication: a key that is none."""
    passkey = Signer(wrapped(1, cose), lambda payload: assertion(payload, lambda _: bytes(64)))
    assert seen_caller(network, canister, passkey) is None


def test_a_passkey_delegates_to_a_session_key(network: Network, canister: Canister) -> None:
    """Web Authentication and Authentication: delegations are signed like requests."""
    cose, key = es256()
    passkey = Signer(wrapped(1, cose), lambda payload: assertion(payload, key))
    assert seen_through_delegation(network, canister, passkey) == passkey.principal


def seen_through_delegation(network: Network, canister: Canister, signer: Signer) -> bytes | None:
    """The caller seen when the signer delegates to a session key, which signs the request."""
    session = ed25519.Ed25519PrivateKey.generate()
    link = {"pubkey": der(session), "expiration": network.now_ns() + 5 * MINUTE_NS}
    signed = {"delegation": link, "signature": signer.sign(DELEGATION + value_hash(link))}
    acting = Signer(signer.public_key, lambda payload: sign(session, payload))
    return seen_caller(network, canister, acting, sender_delegation=[signed])


def canister_signer(signing: Canister, seed: bytes, **changes: Any) -> Signer:
    """A key of a canister: the canister certifies the hash of a tree that holds the payload's hash."""

    def make(payload: bytes) -> bytes:
        labels = [b"sig", hashlib.sha256(seed).digest(), hashlib.sha256(payload).digest()]
        tree: list[Any] = [3, changes.get("leaf", b"")]
        for label in reversed(labels):
            tree = [2, label, tree]
        signing.update(call("certified_data_set", blob(reconstruct(tree))) + reply())
        certificate = signing.query(reply(read("data_certificate")))
        if changes.get("late"):
            signing.update(call("certified_data_set", blob(b"gone")) + reply())
            certificate = signing.query(reply(read("data_certificate")))
        return tagged({"certificate": certificate, "tree": tree})

    named = changes.get("named", signing.id)
    return Signer(wrapped(2, bytes([len(named)]) + named + seed), make)


@pytest.mark.parametrize("seed", [b"", b"seed", bytes(100)])
def test_canisters_sign(network: Network, canister: Canister, other: Canister, seed: bytes) -> None:
    """Canister signatures: each seed is a key of its own; requests and delegations are signed."""
    signer = canister_signer(other, seed)
    assert seen_caller(network, canister, signer) == signer.principal
    assert seen_through_delegation(network, canister, signer) == signer.principal


def test_wrong_canister_signatures_are_refused(network: Network, canister: Canister, other: Canister) -> None:
    """Canister signatures: another canister, another seed, certified data that is gone, another leaf."""
    good = canister_signer(other, b"seed")
    wrong = [
        canister_signer(other, b"seed", named=canister.id),
        Signer(good.public_key, canister_signer(other, b"other seed").sign),
        canister_signer(other, b"seed", late=True),
        canister_signer(other, b"seed", leaf=b"x"),
        Signer(good.public_key, lambda payload: tagged({"certificate": b"", "tree": [0]})),
        Signer(good.public_key, lambda payload: good.sign(payload + b"x")),
        Signer(good.public_key, lambda payload: bytes(64)),
        Signer(wrapped(2, b""), good.sign),
        Signer(wrapped(2, b"\x1eshort"), good.sign),
    ]
    for signer in wrong:
        assert seen_caller(network, canister, signer) is None
    assert seen_caller(network, canister, good) == good.principal


def test_a_certificate_of_another_network_proves_nothing(
    network: Network, canister: Canister, other: Canister
) -> None:
    """Canister signatures: the certificate must be valid under the root key."""
    good = canister_signer(other, b"seed")

    def forged(payload: bytes) -> bytes:
        fields = decode(good.sign(payload))
        certificate = decode(fields["certificate"])
        broken = certificate["signature"][:-1] + bytes([certificate["signature"][-1] ^ 1])
        return tagged({**fields, "certificate": tagged({**certificate, "signature": broken})})

    assert seen_caller(network, canister, Signer(good.public_key, forged)) is None


INFO_DOMAIN = b"\x0eic-sender-info"
INFO = append(read("msg_caller_info_signer")) + append(blob(b"|")) + reply(read("msg_caller_info_data"))


def with_info(
    user: User, target: Canister, signer: Signer, steps: bytes, info: dict[str, Any], kind: str = "call"
) -> bytes | None:
    """Reply to a request that carries information about its sender; None if it is refused."""
    method, version = ("query", "v3") if kind == "query" else ("update", "v4")
    session = ed25519.Ed25519PrivateKey.generate()
    link = {"pubkey": der(session), "expiration": user.network.now_ns() + 5 * MINUTE_NS}
    content = user.call_content(
        target.id, method, steps, kind=kind, sender=signer.principal, sender_info=info
    )
    fields = {
        "content": content,
        "sender_pubkey": signer.public_key,
        "sender_delegation": [{"delegation": link, "signature": signer.sign(DELEGATION + value_hash(link))}],
        "sender_sig": sign(session, REQUEST + value_hash(content)),
    }
    response = user.post(f"/api/{version}/canister/{principal_text(target.id)}/{kind}", fields)
    if response.status_code != 200:
        return None
    answer = decode(response.content)
    if kind == "query":
        return bytes(answer["reply"]["arg"])
    return user.outcome(answer["certificate"], value_hash(content))


def test_what_a_canister_says_of_its_users(user: User, canister: Canister, other: Canister) -> None:
    """Request: Call, `sender_info`; Method arguments, `msg_caller_info_*`: updates, callbacks, queries."""
    signer = canister_signer(other, b"seed")
    info = {"info": b"a member", "signer": other.id, "sig": signer.sign(INFO_DOMAIN + b"a member")}
    expected = other.id + b"|a member"
    assert with_info(user, canister, signer, INFO, info) == expected
    assert with_info(user, canister, signer, INFO, info, kind="query") == expected
    callback = call_other(canister.id, "query", reply(), on_reply=INFO)
    assert with_info(user, canister, signer, callback, info) == expected
    onward = call_other(canister.id, "query", INFO, on_reply=reply(read("msg_arg_data")))
    assert with_info(user, canister, signer, onward, info) == b"|"


def test_wrong_sender_info_is_refused(user: User, canister: Canister, other: Canister) -> None:
    """`sender_info`: the signer is the canister of `sender_pubkey`, and signs `info` under that key."""
    signer = canister_signer(other, b"seed")
    good = {"info": b"a member", "signer": other.id, "sig": signer.sign(INFO_DOMAIN + b"a member")}
    wrong: list[dict[str, Any]] = [
        {**good, "info": b"an admin"},
        {**good, "signer": canister.id},
        {**good, "sig": signer.sign(b"a member")},
        {**good, "sig": b""},
        {"info": b"a member", "signer": other.id},
        {**good, "more": b""},
    ]
    for info in wrong:
        assert with_info(user, canister, signer, INFO, info) is None
    plain = ed25519.Ed25519PrivateKey.generate()
    own = Signer(der(plain), lambda payload: sign(plain, payload))
    assert with_info(user, canister, own, INFO, {**good, "signer": own.principal}) is None


def test_users_of_canister_signatures_may_query(
    network: Network, canister: Canister, other: Canister
) -> None:
    """Canister signatures authenticate queries too."""
    signer = canister_signer(other, b"seed")
    user: User = network.anonymous()
    content = user.call_content(canister.id, "query", CALLER, kind="query", sender=signer.principal)
    signature = signer.sign(REQUEST + value_hash(content))
    fields = {"content": content, "sender_pubkey": signer.public_key, "sender_sig": signature}
    response = user.post(f"/api/v3/canister/{principal_text(canister.id)}/query", fields)
    assert decode(response.content)["reply"]["arg"] == signer.principal
