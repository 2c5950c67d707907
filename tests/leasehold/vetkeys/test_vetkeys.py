import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leasehold.vetkeys import TransportKey, VetKey, VetKeyError, derive_public_key, ibe_decrypt, ibe_encrypt
from leasehold.vetkeys.hashing import expand_message
from leasehold.vetkeys.ibe import MAX_MESSAGE_BYTES, OVERHEAD_BYTES
from tests.devnet.clients.npm_packages import install

# Written by tests/leasehold/vetkeys/vectors.mjs with @dfinity/vetkeys 0.4.0.
VECTORS: dict[str, str] = json.loads((Path(__file__).parent / "vectors.json").read_text())


def vector(name: str) -> bytes:
    return bytes.fromhex(VECTORS[name])


INPUT = VECTORS["input"].encode()
MESSAGE = VECTORS["message"].encode()
TRANSPORT = TransportKey.from_bytes(vector("transport_secret"))
PUBLIC_KEY = vector("derived_public_key")
VETKEY = VetKey(vector("vetkey"))


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_the_canister_s_public_key_is_derived_as_the_javascript_does() -> None:
    master, canister = vector("master_public_key"), vector("canister_id")
    assert derive_public_key(master, canister, VECTORS["context"].encode()) == PUBLIC_KEY
    assert derive_public_key(master, canister, b"") == vector("canister_public_key")


def test_an_encrypted_vetkey_is_opened_as_the_javascript_does() -> None:
    assert TRANSPORT.public_key == vector("transport_public_key")
    assert TRANSPORT.decrypt(vector("encrypted_key"), PUBLIC_KEY, INPUT) == VETKEY


def test_a_ciphertext_is_the_javascript_s_byte_for_byte() -> None:
    seed = vector("seed")
    assert ibe_encrypt(PUBLIC_KEY, INPUT, MESSAGE, seed) == vector("ciphertext")
    assert ibe_encrypt(PUBLIC_KEY, INPUT, b"", seed) == vector("empty_message_ciphertext")


def test_the_javascript_s_ciphertext_is_decrypted() -> None:
    assert ibe_decrypt(VETKEY, vector("ciphertext")) == MESSAGE
    assert ibe_decrypt(VETKEY, vector("empty_message_ciphertext")) == b""


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=300))
def test_what_is_encrypted_is_decrypted(message: bytes) -> None:
    ciphertext = ibe_encrypt(PUBLIC_KEY, INPUT, message)
    assert len(ciphertext) == len(message) + OVERHEAD_BYTES
    assert ibe_decrypt(VETKEY, ciphertext) == message


def test_two_encryptions_differ() -> None:
    assert ibe_encrypt(PUBLIC_KEY, INPUT, MESSAGE) != ibe_encrypt(PUBLIC_KEY, INPUT, MESSAGE)


def test_every_byte_flip_of_a_ciphertext_is_refused() -> None:
    ciphertext = vector("ciphertext")
    for at in range(len(ciphertext)):
        with pytest.raises(VetKeyError):
            ibe_decrypt(VETKEY, flip(ciphertext, at))


@pytest.mark.parametrize("length", [0, 7, 8, OVERHEAD_BYTES - 1, OVERHEAD_BYTES])
def test_a_truncated_ciphertext_is_refused(length: int) -> None:
    with pytest.raises(VetKeyError):
        ibe_decrypt(VETKEY, vector("ciphertext")[:length])


def test_a_ciphertext_for_another_identity_is_refused() -> None:
    with pytest.raises(VetKeyError, match="another identity"):
        ibe_decrypt(VETKEY, ibe_encrypt(PUBLIC_KEY, b"listing/other", MESSAGE))


def test_every_byte_flip_of_an_encrypted_vetkey_is_refused() -> None:
    encrypted = vector("encrypted_key")
    for at in range(len(encrypted)):
        with pytest.raises(VetKeyError):
            TRANSPORT.decrypt(flip(encrypted, at), PUBLIC_KEY, INPUT)


def test_another_transport_key_input_or_canister_does_not_open_it() -> None:
    encrypted = vector("encrypted_key")
    with pytest.raises(VetKeyError, match="another transport key"):
        TransportKey.generate().decrypt(encrypted, PUBLIC_KEY, INPUT)
    with pytest.raises(VetKeyError, match="not the vetKey"):
        TRANSPORT.decrypt(encrypted, PUBLIC_KEY, INPUT + b"x")
    with pytest.raises(VetKeyError, match="not the vetKey"):
        TRANSPORT.decrypt(encrypted, vector("canister_public_key"), INPUT)
    with pytest.raises(VetKeyError, match="has 192 bytes, got 191"):
        TRANSPORT.decrypt(encrypted[:-1], PUBLIC_KEY, INPUT)


def test_the_point_at_infinity_is_no_public_key() -> None:
    with pytest.raises(VetKeyError, match="infinity"):
        ibe_encrypt(b"\xc0" + bytes(95), INPUT, MESSAGE)


def test_a_transport_key_survives_storage() -> None:
    key = TransportKey.generate()
    assert TransportKey.from_bytes(key.to_bytes()).public_key == key.public_key


@pytest.mark.parametrize("secret", [bytes(32), b"\xff" * 32, b"\x01" * 31, b""])
def test_what_is_no_transport_secret_is_refused(secret: bytes) -> None:
    with pytest.raises(VetKeyError):
        TransportKey.from_bytes(secret)


def test_messages_and_seeds_are_bounded() -> None:
    with pytest.raises(VetKeyError):
        ibe_encrypt(PUBLIC_KEY, INPUT, bytes(MAX_MESSAGE_BYTES + 1))
    with pytest.raises(VetKeyError):
        ibe_encrypt(PUBLIC_KEY, INPUT, MESSAGE, b"short")


def test_secrets_do_not_show() -> None:
    assert VETKEY.raw.hex() not in repr(VETKEY)
    assert TRANSPORT.to_bytes().hex() not in repr(TRANSPORT)


def test_expand_message_as_rfc_9380() -> None:
    # RFC 9380, appendix K.1, SHA-256, len_in_bytes 0x20, messages "" and "abc".
    domain = b"QUUX-V01-CS02-with-expander-SHA256-128"
    assert (
        expand_message(b"", domain, 32).hex()
        == "68a985b87eb6b46952128911f2a4412bbc302a9d759667f87f7a21d803f07235"
    )
    assert (
        expand_message(b"abc", domain, 32).hex()
        == "d8ccab23b5985ccea865c6c97b6e5b8350e794e603b4b97902f53a8a0d605615"
    )


def run_javascript(*arguments: str) -> bytes:
    folder = install("js")
    script = folder / "node_modules" / f".leasehold-test-{os.getpid()}.mjs"
    script.write_text((Path(__file__).parent / "vectors.mjs").read_text())
    try:
        done: Any = subprocess.run(
            ["node", str(script), *arguments], capture_output=True, text=True, timeout=60, check=True
        )
    finally:
        script.unlink()
    return bytes.fromhex(done.stdout.strip())


def test_the_javascript_decrypts_what_python_encrypts() -> None:
    ciphertext = ibe_encrypt(PUBLIC_KEY, INPUT, MESSAGE)
    assert run_javascript("decrypt", VETKEY.raw.hex(), ciphertext.hex()) == MESSAGE


def test_python_decrypts_what_the_javascript_encrypts() -> None:
    seed = b"\x05" * 32
    made = run_javascript("encrypt", PUBLIC_KEY.hex(), INPUT.hex(), MESSAGE.hex(), seed.hex())
    assert ibe_decrypt(VETKEY, made) == MESSAGE
