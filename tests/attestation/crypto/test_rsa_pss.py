"""RSA-PSS: differential tests against OpenSSL, and everything that must be refused."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from attestation import SignatureInvalid
from attestation.crypto import rsa_pss
from attestation.simulator.development_pki import FOLDER

MESSAGE = b"a certificate's signed part"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    pem = (FOLDER / "amd_ask.key.pem").read_bytes()
    loaded = load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    return loaded


def sign(
    key: rsa.RSAPrivateKey, message: bytes, salt: int = 48, digest: hashes.HashAlgorithm | None = None
) -> bytes:
    algorithm = digest or hashes.SHA384()
    return key.sign(message, padding.PSS(padding.MGF1(algorithm), salt), algorithm)


def modulus(key: rsa.RSAPrivateKey) -> int:
    return key.public_key().public_numbers().n


def test_signatures_by_openssl_verify(key: rsa.RSAPrivateKey) -> None:
    for length in (0, 1, 127, 128, 1000):
        rsa_pss.verify(modulus(key), bytes(length), sign(key, bytes(length)), "random")


def test_another_message_is_refused(key: rsa.RSAPrivateKey) -> None:
    with pytest.raises(SignatureInvalid, match="does not verify"):
        rsa_pss.verify(modulus(key), MESSAGE + b"!", sign(key, MESSAGE), "random")


def test_a_changed_byte_anywhere_is_refused(key: rsa.RSAPrivateKey) -> None:
    good = sign(key, MESSAGE)
    for index in range(0, len(good), 7):
        bad = bytearray(good)
        bad[index] ^= 0x10
        with pytest.raises(SignatureInvalid):
            rsa_pss.verify(modulus(key), MESSAGE, bytes(bad), "flip")


@pytest.mark.parametrize("salt", [0, 32, 47, 49, 64])
def test_another_salt_length_is_refused(key: rsa.RSAPrivateKey, salt: int) -> None:
    with pytest.raises(SignatureInvalid):
        rsa_pss.verify(modulus(key), MESSAGE, sign(key, MESSAGE, salt), "salt")


def test_another_hash_is_refused(key: rsa.RSAPrivateKey) -> None:
    with pytest.raises(SignatureInvalid):
        rsa_pss.verify(modulus(key), MESSAGE, sign(key, MESSAGE, 48, hashes.SHA256()), "hash")


def test_a_pkcs1_signature_is_refused(key: rsa.RSAPrivateKey) -> None:
    with pytest.raises(SignatureInvalid):
        rsa_pss.verify(modulus(key), MESSAGE, key.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA384()), "pkcs1")


def test_signatures_of_wrong_length_are_refused(key: rsa.RSAPrivateKey) -> None:
    good = sign(key, MESSAGE)
    for bad in (b"", good[1:], good[:-1], b"\0" + good, good + b"\0"):
        with pytest.raises(SignatureInvalid, match="bytes"):
            rsa_pss.verify(modulus(key), MESSAGE, bad, "length")


def test_a_signature_not_below_the_modulus_is_refused(key: rsa.RSAPrivateKey) -> None:
    number = int.from_bytes(sign(key, MESSAGE), "big") + modulus(key)
    with pytest.raises(SignatureInvalid):
        rsa_pss.verify(modulus(key), MESSAGE, (number % (1 << 4096)).to_bytes(512, "big"), "range")
    with pytest.raises(SignatureInvalid, match="below the modulus"):
        rsa_pss.verify(modulus(key), MESSAGE, modulus(key).to_bytes(512, "big"), "range")


@pytest.mark.parametrize("number", [0, 1])
def test_trivial_signatures_are_refused(key: rsa.RSAPrivateKey, number: int) -> None:
    with pytest.raises(SignatureInvalid):
        rsa_pss.verify(modulus(key), MESSAGE, number.to_bytes(512, "big"), "trivial")


@pytest.mark.parametrize("bad", [3, (1 << 2047) + 1, 1 << 4095, (1 << 4097) + 1])
def test_a_modulus_of_another_size_or_an_even_one_is_refused(bad: int) -> None:
    with pytest.raises(SignatureInvalid, match="modulus"):
        rsa_pss.verify(bad, MESSAGE, bytes(512), "modulus")


def encoded_message(
    message: bytes, *, padding_byte: int = 0, separator: int = 1, trailer: int = 0xBC, top: int = 0
) -> bytes:
    """EMSA-PSS-ENCODE with chosen faults."""
    salt = bytes(range(48))
    digest = hashlib.sha384(bytes(8) + hashlib.sha384(message).digest() + salt).digest()
    block = bytes((padding_byte,)) * (512 - 48 - 1 - 49) + bytes((separator,)) + salt
    masked = bytearray(a ^ b for a, b in zip(block, rsa_pss._mgf1(digest, len(block)), strict=True))
    masked[0] = masked[0] & 0x7F | top
    return bytes(masked) + digest + bytes((trailer,))


def test_the_encoding_is_checked_bit_for_bit() -> None:
    digest = hashlib.sha384(MESSAGE).digest()
    assert rsa_pss._matches(encoded_message(MESSAGE), digest)
    for faults in ({"padding_byte": 1}, {"separator": 0}, {"separator": 2}, {"trailer": 0xBD}, {"top": 0x80}):
        assert not rsa_pss._matches(encoded_message(MESSAGE, **faults), digest)
