"""vetKD: what a client does with the answers, written from the specification."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from devnet.crypto.vetkd import VetKd, VetKdError, expand_message_xmd

CANISTER = bytes(7) + b"\x05\x01\x01"
SECRET = Scalar(123456789)
TRANSPORT = (G1Point() * SECRET).to_compressed_bytes()


def decrypt_and_verify(encrypted: bytes, public_key: bytes, input: bytes) -> bytes:
    """The vetKey inside, after checking that the encryption is consistent and the key is the right one."""
    e1, e3 = (G1Point.from_compressed_bytes(encrypted[at : at + 48]) for at in (0, 144))
    e2 = G2Point.from_compressed_bytes(encrypted[48:144])
    assert GT.pairing(e1, G2Point()) == GT.pairing(G1Point(), e2)
    key = e3 - e1 * SECRET
    hashed = G1Point.hash_to_curve(public_key + input, b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_AUG_")
    assert GT.pairing(key, G2Point()) == GT.pairing(hashed, G2Point.from_compressed_bytes(public_key))
    return key.to_compressed_bytes()


@settings(deadline=None, max_examples=10)
@given(
    st.binary(max_size=40), st.binary(max_size=40), st.sampled_from(["key_1", "test_key_1", "dfx_test_key"])
)
def test_a_derived_key_decrypts_and_verifies(context: bytes, input: bytes, name: str) -> None:
    keys = VetKd()
    public_key = keys.vetkd_public_key(CANISTER, context, name)
    first, second = (keys.vetkd_derive_key(CANISTER, context, input, TRANSPORT, name) for _ in range(2))
    assert first != second, "the encryption must be blinded"
    opened = [decrypt_and_verify(encrypted, public_key, input) for encrypted in (first, second)]
    assert opened[0] == opened[1]


def test_keys_differ_by_canister_context_name_and_input() -> None:
    keys = VetKd()
    public = {
        keys.vetkd_public_key(canister, context, name)
        for canister in (CANISTER, b"\x01" * 10)
        for context in (b"", b"a", b"b")
        for name in ("key_1", "test_key_1")
    }
    assert len(public) == 12
    assert all(len(key) == 96 for key in public)


def test_the_length_of_an_encrypted_key_is_192_bytes() -> None:
    assert len(VetKd().vetkd_derive_key(CANISTER, b"", b"", TRANSPORT, "key_1")) == 192


# A point on the curve y^2 = x^3 + 4 with x = 4 lies outside the prime-order subgroup.
OUTSIDE_SUBGROUP = b"\x80" + bytes(46) + b"\x04"


@pytest.mark.parametrize(
    "transport",
    [b"", TRANSPORT[:-1], TRANSPORT + b"\0", bytes(48), b"\xff" * 48, b"\xc0" + bytes(47), OUTSIDE_SUBGROUP],
)
def test_invalid_transport_keys_are_refused(transport: bytes) -> None:
    with pytest.raises(VetKdError):
        VetKd().vetkd_derive_key(CANISTER, b"", b"", transport, "key_1")


def test_unknown_key_names_are_refused_by_name() -> None:
    with pytest.raises(VetKdError, match=r"'key_9'.*key_1, test_key_1, dfx_test_key"):
        VetKd().vetkd_public_key(CANISTER, b"", "key_9")


def test_expand_message_agrees_with_the_rfc() -> None:
    """RFC 9380, appendix K.1."""
    dst = b"QUUX-V01-CS02-with-expander-SHA256-128"
    assert expand_message_xmd(b"abc", dst, 32).hex() == (
        "d8ccab23b5985ccea865c6c97b6e5b8350e794e603b4b97902f53a8a0d605615"
    )
    assert len(expand_message_xmd(b"", dst, 0x80)) == 0x80
