"""ECDSA on both curves: edge values after the manner of Wycheproof, and the same verdict as OpenSSL."""

from __future__ import annotations

import random

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from attestation import AttestationError, MalformedEvidence, SignatureInvalid
from attestation.certificate_chain import ecdsa_signature, verify_ecdsa, verify_signed_structure
from attestation.crypto import ecdsa_p256, ecdsa_p384
from attestation.crypto.ecdsa import Curve
from attestation.crypto.jacobian import Point, to_affine
from attestation.public_keys import EcKey, P256Key
from attestation.x509 import ECDSA_SHA256, ECDSA_SHA384

Hash = SHA256 | SHA384
CURVES: dict[str, tuple[Curve, ec.EllipticCurve, Hash, type[P256Key] | type[EcKey], bytes]] = {
    "P-256": (ecdsa_p256.CURVE, ec.SECP256R1(), SHA256(), P256Key, ECDSA_SHA256),
    "P-384": (ecdsa_p384.CURVE, ec.SECP384R1(), SHA384(), EcKey, ECDSA_SHA384),
}
NAMES = sorted(CURVES)
MESSAGE = b"message"
# RFC 6979, appendix A.2.5: P-256, SHA-256, message "sample".
RFC6979_KEY = (
    0x60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6,
    0x7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299,
)
RFC6979_R = 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
RFC6979_S = 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8


def private_key(name: str, number: int = 12345) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(number, CURVES[name][1])


def encoded(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def sign(name: str, number: int = 12345, message: bytes = MESSAGE) -> tuple[Point, int, int]:
    key = private_key(name, number)
    point = CURVES[name][0].parse_point(encoded(key), "key")
    return point, *decode_dss_signature(key.sign(message, ec.ECDSA(CURVES[name][2])))


def theirs(name: str, number: int, r: int, s: int, message: bytes = MESSAGE) -> bool:
    """OpenSSL's verdict."""
    try:
        signature = encode_dss_signature(r, s)
        public = private_key(name, number).public_key()
        public.verify(signature, message, ec.ECDSA(CURVES[name][2]))
    except InvalidSignature:
        return False
    return True


def ours(curve: Curve, key: Point, r: int, s: int, message: bytes = MESSAGE) -> bool:
    try:
        curve.verify(key, message, r, s, "edge")
    except SignatureInvalid:
        return False
    return True


def test_the_vector_of_rfc_6979_for_p256_verifies() -> None:
    ecdsa_p256.verify(RFC6979_KEY, b"sample", RFC6979_R, RFC6979_S, "vector")


@pytest.mark.parametrize("name", NAMES)
def test_the_constants_make_a_curve_of_the_stated_order(name: str) -> None:
    curve = CURVES[name][0]
    x, y = curve.generator
    assert (y * y - (x**3 - 3 * x + curve.b)) % curve.p == 0
    last = curve.combine(curve.n - 1, 0, curve.generator)
    assert to_affine([last], curve.p) == [(x, curve.p - y)]


@pytest.mark.parametrize("name", NAMES)
def test_edge_values_of_r_and_s_get_openssls_verdict(name: str) -> None:
    curve = CURVES[name][0]
    key, r, s = sign(name)
    n, p = curve.n, curve.p
    edges = (0, 1, 2, n - 1, n, n + 1, p - n, p - 1, p, p + 1, 2 * n, 1 << 8 * curve.coordinate_bytes)
    values = [*edges, r, s, r + n, s + n, n - r]
    for one in values:
        for other in values:
            assert ours(curve, key, one, other) == theirs(name, 12345, one, other)


@pytest.mark.parametrize("name", NAMES)
def test_both_forms_of_s_verify(name: str) -> None:
    # No vendor promises the low form, and evidence is bound by a nonce: malleability gains nothing.
    curve = CURVES[name][0]
    key, r, s = sign(name)
    assert ours(curve, key, r, s)
    assert ours(curve, key, r, curve.n - s)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", [1, 2, 3, 5, -1, -2, -3])
def test_keys_near_the_generator_and_its_negative(name: str, number: int) -> None:
    curve = CURVES[name][0]
    for message in (b"", b"\0", b"\xff" * 300):
        key, r, s = sign(name, number % curve.n, message)
        assert ours(curve, key, r, s, message)
        assert not ours(curve, key, r, s ^ 1, message)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    number=st.integers(1, 2**250),
    bit=st.integers(0, 255),
    seed=st.integers(0, 3),
)
def test_random_keys_with_a_flipped_bit_get_openssls_verdict(
    name: str, number: int, bit: int, seed: int
) -> None:
    message = random.Random(seed).randbytes(seed * 40)
    key, r, s = sign(name, number, message)
    for one, other in ((r, s), (r ^ 1 << bit, s), (r, s ^ 1 << bit), (s, r)):
        assert ours(CURVES[name][0], key, one, other, message) == theirs(name, number, one, other, message)


@pytest.mark.parametrize("name", NAMES)
def test_points_off_the_curve_or_wrongly_encoded_are_refused(name: str) -> None:
    curve = CURVES[name][0]
    size = curve.coordinate_bytes
    x, y = (number.to_bytes(size, "big") for number in curve.generator)
    other = (curve.generator[1] ^ 1).to_bytes(size, "big")
    p = curve.p.to_bytes(size, "big")
    assert curve.parse_point(b"\x04" + x + y, "key") == curve.generator
    for wrong in (
        b"",
        b"\x00",
        b"\x00" * (2 * size + 1),
        b"\x04" + bytes(2 * size),
        b"\x04" + x + other,
        b"\x04" + y + x,
        b"\x04" + x + y + b"\0",
        b"\x04" + x + y[:-1],
        b"\x04" + p + y,
        b"\x04" + x + p,
        b"\x02" + x,
        b"\x06" + x + y,
        b"\x04" + b"\xff" * (2 * size),
    ):
        with pytest.raises(SignatureInvalid):
            curve.parse_point(wrong, "key")


def test_a_key_of_one_curve_is_nothing_on_the_other() -> None:
    small, large = encoded(private_key("P-256")), encoded(private_key("P-384"))
    for key in (P256Key(large), EcKey(small)):
        with pytest.raises(SignatureInvalid, match="uncompressed point"):
            verify_ecdsa(key, MESSAGE, 1, 1, "edge")


@pytest.mark.parametrize("name", NAMES)
def test_an_algorithm_must_be_that_of_the_key(name: str) -> None:
    _, _, hash_function, kind, algorithm = CURVES[name]
    key = private_key(name)
    signature = key.sign(MESSAGE, ec.ECDSA(hash_function))
    verify_signed_structure(MESSAGE, algorithm, signature, kind(encoded(key)), "edge")
    for wrong in ({ECDSA_SHA256, ECDSA_SHA384} - {algorithm}).pop(), algorithm + b"\x05\x00", b"":
        with pytest.raises(SignatureInvalid, match="algorithm"):
            verify_signed_structure(MESSAGE, wrong, signature, kind(encoded(key)), "edge")


def test_signatures_in_other_encodings_than_der_are_refused() -> None:
    good = encode_dss_signature(5, 1 << 255)
    assert ecdsa_signature(good, "edge") == (5, 1 << 255)
    body = good[2:]
    for wrong in (
        b"",
        good[:-1],
        good + b"\0",
        b"\x30\x81" + good[1:],
        b"\x30\x80" + body + b"\0\0",
        b"\x31" + good[1:],
        b"\x30" + bytes((len(body) + 2,)) + body + b"\x05\0",
        b"\x30" + bytes((len(body) + 1,)) + b"\x02\x02\x00\x05" + body[3:],
        b"\x30" + bytes((len(body) - 1,)) + b"\x02\x00" + body[3:],
        b"\x30\x06\x02\x01\xfb\x02\x01\x05",
        b"\x30\x06\x02\x01\x05\x03\x01\x05",
        b"\x30\x03\x02\x01\x05",
        b"\x30\x00",
    ):
        with pytest.raises((MalformedEvidence, AttestationError)):
            ecdsa_signature(wrong, "edge")
