"""BLS signatures, checked with a second library."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_arkworks_bls12381 import GT, G1Point, G2Point

from devnet.crypto.bls import BlsError, BlsSecretKey, public_key_from_der, verify_bls

KEY = BlsSecretKey.from_seed(bytes(32))
DST = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"


@settings(deadline=None, max_examples=20)
@given(st.binary(max_size=100))
def test_signatures_verify_under_another_library(message: bytes) -> None:
    signature = KEY.sign(message)
    verify_bls(KEY.public_key, message, signature)
    hashed = G1Point.hash_to_curve(message, DST)
    left = GT.pairing(G1Point.from_compressed_bytes(signature), G2Point())
    assert left == GT.pairing(hashed, G2Point.from_compressed_bytes(KEY.public_key))


def test_the_der_form_is_the_one_clients_expect() -> None:
    assert len(KEY.public_key_der) == 133
    assert KEY.public_key_der.hex().startswith(
        "308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100"
    )
    assert public_key_from_der(KEY.public_key_der) == KEY.public_key


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 48 * 8 - 1))
def test_a_flipped_bit_in_a_signature_is_refused(position: int) -> None:
    signature = bytearray(KEY.sign(b"message"))
    signature[position // 8] ^= 1 << position % 8
    with pytest.raises(BlsError):
        verify_bls(KEY.public_key, b"message", bytes(signature))


@pytest.mark.parametrize("key", [b"", bytes(96), b"\xc0" + bytes(95), b"\xff" * 96, KEY.public_key[:-1]])
def test_malformed_keys_are_refused(key: bytes) -> None:
    with pytest.raises(BlsError):
        verify_bls(key, b"message", KEY.sign(b"message"))


def test_another_message_or_key_is_refused() -> None:
    signature = KEY.sign(b"message")
    for key, message in ((KEY, b"other"), (BlsSecretKey.from_seed(b"\x01" * 32), b"message")):
        with pytest.raises(BlsError):
            verify_bls(key.public_key, message, signature)


def test_malformed_secrets_and_der_are_refused() -> None:
    for scalar in (0, -1, 1 << 255):
        with pytest.raises(BlsError):
            BlsSecretKey(scalar)
    with pytest.raises(BlsError):
        BlsSecretKey.from_seed(bytes(31))
    for der in (b"", KEY.public_key, KEY.public_key_der + b"\0", b"\0" + KEY.public_key_der[1:]):
        with pytest.raises(BlsError):
            public_key_from_der(der)
