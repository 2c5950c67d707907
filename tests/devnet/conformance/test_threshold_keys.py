"""Interface specification: `raw_rand`, threshold ECDSA and Schnorr, vetKD."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from tests.devnet.conformance.driver import MANAGEMENT, Canister, Rejected, User, rejected

CYCLES = 30_000_000_000
ECDSA = {"curve": ("secp256k1", None), "name": "key_1"}
VETKD = {"curve": ("bls12_381_g2", None), "name": "key_1"}
TRANSPORT_KEY = bytes.fromhex(
    "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
)
"""The generator of G1, compressed."""


def schnorr(algorithm: str) -> dict[str, Any]:
    return {"algorithm": (algorithm, None), "name": "key_1"}


@pytest.mark.parametrize(
    "method",
    [
        "raw_rand",
        "ecdsa_public_key",
        "sign_with_ecdsa",
        "schnorr_public_key",
        "sign_with_schnorr",
        "vetkd_public_key",
        "vetkd_derive_key",
        "http_request",
    ],
)
def test_methods_for_canisters_only(user: User, canister: Canister, method: str) -> None:
    """ "This method can only be called by canisters": users are refused before anything is certified."""
    try:
        user.call(MANAGEMENT, method, b"DIDL\0\0", effective=canister.id)
    except Rejected as reject:
        assert not reject.certified
    except AssertionError as refused:
        assert "effective" in str(refused)
    else:
        raise AssertionError("the call was accepted")


def test_randomness_is_new_each_time(canister: Canister) -> None:
    """`raw_rand`: 32 bytes, new for each call."""
    values = {canister.manage_through("raw_rand") for _ in range(3)}
    assert len(values) == 3
    assert {len(value) for value in values} == {32}


def test_ecdsa_signatures_verify(canister: Canister, other: Canister) -> None:
    """`sign_with_ecdsa`: verifies under the public key of the same canister and path, and no other."""
    path = [b"\0\0\0\1", b"any bytes"]
    message = bytes(range(32))
    signed = canister.manage_through(
        "sign_with_ecdsa", cycles=CYCLES, message_hash=message, derivation_path=path, key_id=ECDSA
    )["signature"]
    assert len(signed) == 64
    key = canister.manage_through("ecdsa_public_key", derivation_path=path, key_id=ECDSA)
    seen = other.manage_through(
        "ecdsa_public_key", canister_id=canister.id, derivation_path=path, key_id=ECDSA
    )
    assert key == seen
    assert (len(key["public_key"]), len(key["chain_code"])) == (33, 32)
    r, s = int.from_bytes(signed[:32], "big"), int.from_bytes(signed[32:], "big")
    der = encode_dss_signature(r, s)
    verify_ecdsa(key["public_key"], der, message)
    for stranger, where in ((canister, [b"other"]), (other, path)):
        wrong = stranger.manage_through("ecdsa_public_key", derivation_path=where, key_id=ECDSA)
        with pytest.raises(InvalidSignature):
            verify_ecdsa(wrong["public_key"], der, message)


def verify_ecdsa(public_key: bytes, signature: bytes, digest: bytes) -> None:
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), public_key)
    key.verify(signature, digest, ec.ECDSA(Prehashed(SHA256())))


def test_ed25519_signatures_verify(canister: Canister) -> None:
    """`sign_with_schnorr`, algorithm ed25519: RFC 8032 signatures of messages of any length."""
    key = canister.manage_through("schnorr_public_key", derivation_path=[b"a"], key_id=schnorr("ed25519"))
    public = ed25519.Ed25519PublicKey.from_public_bytes(key["public_key"])
    for message in (b"", b"a message", bytes(10_000)):
        signed = canister.manage_through(
            "sign_with_schnorr",
            cycles=CYCLES,
            message=message,
            derivation_path=[b"a"],
            key_id=schnorr("ed25519"),
        )
        public.verify(signed["signature"], message)


def test_bip340_signatures_have_their_form(canister: Canister) -> None:
    """`sign_with_schnorr`, algorithm bip340secp256k1: 64 bytes; the public key is compressed SEC1."""
    arguments: dict[str, Any] = {"derivation_path": [b"a"], "key_id": schnorr("bip340secp256k1")}
    key = canister.manage_through("schnorr_public_key", **arguments)
    assert len(key["public_key"]) == 33
    signed = canister.manage_through("sign_with_schnorr", cycles=CYCLES, message=b"any", **arguments)
    assert len(signed["signature"]) == 64


def test_vetkd_keys_have_their_form(canister: Canister, other: Canister) -> None:
    """`vetkd_public_key`, `vetkd_derive_key`: 96 bytes, 192 bytes; they differ by canister and context."""
    keys = {
        asker.manage_through("vetkd_public_key", context=context, key_id=VETKD)["public_key"]
        for asker in (canister, other)
        for context in (b"", b"context")
    }
    assert len(keys) == 4
    assert {len(key) for key in keys} == {96}
    derived = canister.manage_through(
        "vetkd_derive_key",
        cycles=CYCLES,
        input=b"input",
        context=b"context",
        transport_public_key=TRANSPORT_KEY,
        key_id=VETKD,
    )
    assert len(derived["encrypted_key"]) == 192


SIGNING: list[tuple[str, dict[str, Any]]] = [
    ("sign_with_ecdsa", {"message_hash": bytes(32), "derivation_path": [], "key_id": ECDSA}),
    ("sign_with_schnorr", {"message": b"", "derivation_path": [], "key_id": schnorr("ed25519")}),
    (
        "vetkd_derive_key",
        {"input": b"", "context": b"", "transport_public_key": TRANSPORT_KEY, "key_id": VETKD},
    ),
]


@pytest.mark.parametrize("method, arguments", SIGNING, ids=[name for name, _ in SIGNING])
def test_signing_has_to_be_paid_for(canister: Canister, method: str, arguments: dict[str, Any]) -> None:
    """ "Cycles to pay for the call must be explicitly transferred with the call"."""
    rejected(lambda: canister.manage_through(method, cycles=1000, **arguments))
    assert canister.manage_through(method, cycles=CYCLES, **arguments)


@pytest.mark.parametrize("method, arguments", SIGNING, ids=[name for name, _ in SIGNING])
def test_keys_that_do_not_exist(canister: Canister, method: str, arguments: dict[str, Any]) -> None:
    """ "This call requires that a key with ID `key_id` was generated"."""
    unknown = {**arguments, "key_id": {**arguments["key_id"], "name": "no_such_key"}}
    rejected(lambda: canister.manage_through(method, cycles=CYCLES, **unknown))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_message_hash_has_32_bytes(canister: Canister, size: int) -> None:
    """`sign_with_ecdsa`: "and `message_hash` is 32 bytes long"."""
    arguments: dict[str, Any] = {"message_hash": bytes(size), "derivation_path": [], "key_id": ECDSA}
    rejected(lambda: canister.manage_through("sign_with_ecdsa", cycles=CYCLES, **arguments))


@pytest.mark.parametrize("length, accepted", [(254, True), (256, False)])
def test_the_length_of_a_path_is_bounded(canister: Canister, length: int, accepted: bool) -> None:
    """`ecdsa_public_key`: at most 255 byte strings."""
    arguments: dict[str, Any] = {"derivation_path": [b"x"] * length, "key_id": ECDSA}
    if accepted:
        assert canister.manage_through("ecdsa_public_key", **arguments)
    else:
        rejected(lambda: canister.manage_through("ecdsa_public_key", **arguments))
