"""Threshold ECDSA and Schnorr keys, checked by other libraries and against published values."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from coincurve import PublicKey, PublicKeyXOnly
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import crypto_core_ed25519_add, crypto_scalarmult_ed25519_base_noclamp

from devnet.crypto import ed25519, secp256k1
from devnet.crypto.signing_keys import Algorithm, SigningKeyError, SigningKeys
from devnet.principal import principal_from_text

CANISTER = principal_from_text("uzt4z-lp777-77774-qaabq-cai")
PATHS = st.lists(st.binary(max_size=12), max_size=3)
NAMES = st.sampled_from(["key_1", "test_key_1", "dfx_test_key"])


@pytest.mark.parametrize(
    ("algorithm", "name", "path", "expected"),
    [
        (
            "secp256k1",
            "key_1",
            "Test Derivation For PocketIC ECDSA secp256k1 key_1",
            "03bca84b5629dc70a37cadb5b3cda0bfc35abc5658f1d9bf8335b10199785a3836",
        ),
        (
            "secp256k1",
            "test_key_1",
            "Test Derivation For PocketIC ECDSA secp256k1 test_key_1",
            "022ff35c84bd4cf899707789cfe5db76ce4a650563e678c53e8b128cb4bf4c3763",
        ),
        (
            "secp256k1",
            "dfx_test_key",
            "Test Derivation For PocketIC ECDSA secp256k1 dfx_test_key",
            "03f005cf69911ae75f622ce0a621ccddba1a30ea1f6c3d67dd56acbbddb88a9374",
        ),
        (
            "bip340secp256k1",
            "key_1",
            "Test Derivation For PocketIC Bip340secp256k1 key_1",
            "024f77f16549f46e56ef2d33223487dddce3ca4fab7368e2b2cb5c03286d59756a",
        ),
        (
            "bip340secp256k1",
            "dfx_test_key",
            "Test Derivation For PocketIC Bip340secp256k1 dfx_test_key",
            "02cf1cf363bf09db82d48a8e18a58abbc7d95a9c9e85167a6cc5dea5d81cac2904",
        ),
        (
            "ed25519",
            "key_1",
            "",
            "f419977bb61ca6c95ae6ec5b58189ab82e2681f3dbc8fc5d09ce3c6f6103c107",
        ),
        (
            "ed25519",
            "test_key_1",
            "",
            "c4afcb035090ab7dcc6aae48ff7b7df1a3d1120a3d8cbdc37a8d280e5e36ea6a",
        ),
        (
            "ed25519",
            "dfx_test_key",
            "",
            "17eb4d719c3c27cdfd7505e38142de4cebea1fc64352aa8b7a41b3d9c6574915",
        ),
    ],
)
def test_keys_are_those_that_clients_of_pocketic_derive_offline(
    algorithm: str, name: str, path: str, expected: str
) -> None:
    """Values published with DFINITY's `ic-pub-key` and `ic-ed25519` (tests named "pocketic")."""
    elements = [word.encode() for word in path.split()]
    assert SigningKeys().signing_public_key(algorithm, CANISTER, elements, name)[0].hex() == expected


def test_children_with_small_indices_are_those_of_bip32() -> None:
    """BIP-32, test vector 2: the chain m to m/0."""
    root = secp256k1.ExtendedKey(
        0x4B03D6FC340455B363F51020AD3ECCA4F0850280CF436C70C727923F6DB46C3E,
        bytes.fromhex("60499f801b896d83179a4374aeb7822aaeaceaa0db1f85ee3e904c4defbd9689"),
    )
    child = root.child(bytes(4))
    assert child.secret == 0xABE74A98F6C7EABEE0428F53798F0AB8AA1BD37873999041703C742F15AC7E1E
    assert child.chain_code.hex() == "f0909affaa7ee7abe5dd4e100598d4dc53cd709d5a5c2cac40e7412f232f7c9c"


def offline_secp256k1(public: bytes, chain_code: bytes, index: bytes) -> tuple[bytes, bytes]:
    """What a client computes without any secret."""
    digest = hmac.digest(chain_code, public + index, "sha512")
    return PublicKey(public).add(digest[:32]).format(), digest[32:]


def offline_ed25519(public: bytes, chain_code: bytes, index: bytes) -> tuple[bytes, bytes]:
    key = hmac.digest(chain_code, public + index, "sha512")
    first = hmac.digest(key, b"Ed25519\x01", "sha512")
    second = hmac.digest(key, first + b"Ed25519\x02", "sha512")
    tweak = (int.from_bytes(first, "big") % ed25519.ORDER).to_bytes(32, "little")
    moved = crypto_core_ed25519_add(public, crypto_scalarmult_ed25519_base_noclamp(tweak))
    return bytes(moved), second[:32]


@settings(deadline=None, max_examples=15)
@given(PATHS, NAMES, st.sampled_from(list(Algorithm)))
def test_a_client_derives_the_same_key_from_the_canisters_own(
    path: list[bytes], name: str, algorithm: Algorithm
) -> None:
    keys = SigningKeys()
    derive = offline_ed25519 if algorithm is Algorithm.ED25519 else offline_secp256k1
    expected = keys.signing_public_key(algorithm, CANISTER, [], name)
    for index in path:
        expected = derive(*expected, index)
    assert keys.signing_public_key(algorithm, CANISTER, path, name) == expected


@settings(deadline=None, max_examples=15)
@given(PATHS, NAMES, st.binary(max_size=100))
def test_ecdsa_signatures_verify_and_have_a_low_s(path: list[bytes], name: str, message: bytes) -> None:
    keys = SigningKeys()
    digest = hashlib.sha256(message).digest()
    signature = keys.sign("secp256k1", CANISTER, path, name, digest)
    r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
    assert len(signature) == 64 and s <= secp256k1.ORDER // 2
    public, _ = keys.signing_public_key("secp256k1", CANISTER, path, name)
    verifier = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), public)
    verifier.verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(SHA256())))


@settings(deadline=None, max_examples=15)
@given(PATHS, NAMES, st.binary(max_size=100))
def test_schnorr_signatures_verify_whatever_the_message(path: list[bytes], name: str, message: bytes) -> None:
    keys = SigningKeys()
    bip340, edwards = (
        keys.signing_public_key(algorithm, CANISTER, path, name)[0]
        for algorithm in ("bip340secp256k1", "ed25519")
    )
    signature = keys.sign("bip340secp256k1", CANISTER, path, name, message)
    assert PublicKeyXOnly(bip340[1:]).verify(signature, message)
    assert not PublicKeyXOnly(bip340[1:]).verify(signature, message + b"x")
    first, second = (keys.sign("ed25519", CANISTER, path, name, message) for _ in range(2))
    assert first != second, "a signature is a new one each time"
    Ed25519PublicKey.from_public_bytes(edwards).verify(first, message)
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(edwards).verify(first, message + b"x")


@pytest.mark.parametrize("merkle_root", [b"", b"\x07" * 32])
@pytest.mark.parametrize("name", ["key_1", "test_key_1", "dfx_test_key"])
def test_taproot_signatures_verify_under_the_tweaked_key(merkle_root: bytes, name: str) -> None:
    keys = SigningKeys()
    signature = keys.sign("bip340secp256k1", CANISTER, [b"a"], name, b"message", merkle_root)
    internal, _ = keys.signing_public_key("bip340secp256k1", CANISTER, [b"a"], name)
    tag = hashlib.sha256(b"TapTweak").digest()
    output = PublicKeyXOnly(internal[1:])
    assert not output.verify(signature, b"message")
    output.tweak_add(hashlib.sha256(tag + tag + internal[1:] + merkle_root).digest())
    assert output.verify(signature, b"message")


def test_bip340_signs_as_its_first_test_vectors_say() -> None:
    """BIP-340, `test-vectors.csv`, indices 0 and 1."""
    assert secp256k1.sign_bip340(3, bytes(32), bytes(32)).hex() == (
        "e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca8215"
        "25f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0"
    )
    secret = 0xB7E151628AED2A6ABF7158809CF4F3C762E7160F38B4DA56A784D9045190CFEF
    message = bytes.fromhex("243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89")
    assert secp256k1.sign_bip340(secret, message, bytes(31) + b"\x01").hex() == (
        "6896bd60eeae296db48a229ff71dfe071bde413e6d43f917dc8dcf8c78de3341"
        "8906d11ac976abccb20b091292bff4ea897efcb639ea871cfa95f6de339e4b0a"
    )


def test_keys_differ_by_algorithm_canister_path_and_name() -> None:
    keys = SigningKeys()
    public = {
        keys.signing_public_key(algorithm, canister, path, name)[0]
        for algorithm in ("secp256k1", "ed25519")
        for canister in (CANISTER, b"\x01" * 10)
        for path in ([], [b""], [b"", b""], [b"a", b"b"], [b"ab"])
        for name in ("key_1", "test_key_1")
    }
    assert len(public) == 40


def test_what_cannot_be_signed_is_refused_with_the_reason() -> None:
    keys = SigningKeys()
    with pytest.raises(SigningKeyError, match=r"'key_9'.*key_1, test_key_1, dfx_test_key"):
        keys.signing_public_key("secp256k1", CANISTER, [], "key_9")
    with pytest.raises(SigningKeyError, match="31 bytes, 32 are needed"):
        keys.sign("secp256k1", CANISTER, [], "key_1", bytes(31))
    with pytest.raises(SigningKeyError, match="256 elements"):
        keys.sign("ed25519", CANISTER, [b""] * 256, "key_1", b"")
    keys.sign("ed25519", CANISTER, [b""] * 255, "key_1", b"")
    with pytest.raises(SigningKeyError, match="31 bytes: it must have 32"):
        keys.sign("bip340secp256k1", CANISTER, [], "key_1", b"", bytes(31))
    for algorithm in ("ed25519", "secp256k1"):
        with pytest.raises(SigningKeyError, match="bip341 is for bip340secp256k1"):
            keys.sign(algorithm, CANISTER, [], "key_1", bytes(32), b"")
