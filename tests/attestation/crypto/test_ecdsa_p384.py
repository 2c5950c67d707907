"""ECDSA P-384: a published vector, differential tests against OpenSSL, and every edge of the domain."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from hypothesis import given, settings
from hypothesis import strategies as st

from attestation import SignatureInvalid
from attestation.crypto import ecdsa_p384 as ecdsa
from attestation.crypto.ecdsa_p384 import GX, GY, N, P

G = (GX, GY)
# RFC 6979, appendix A.2.6: P-384, SHA-384, message "sample".
RFC6979_KEY = (
    0xEC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64DEF8F0EA9055866064A254515480BC13,
    0x8015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1288B231C3AE0D4FE7344FD2533264720,
)
RFC6979_R = 0x94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46
RFC6979_S = 0x99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8

scalars = st.integers(0, N - 1) | st.sampled_from(
    [0, 1, 2, 3, N - 1, N - 2, N // 2, 1 << 383, (1 << 256) - 1]
)


def slow_add(a: ecdsa.Point | None, b: ecdsa.Point | None) -> ecdsa.Point | None:
    """Affine addition by the textbook; None is infinity."""
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * (a[0] * a[0] - 1) * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def slow_multiply(number: int, point: ecdsa.Point | None) -> ecdsa.Point | None:
    """number · point, one bit at a time."""
    total = None
    while number:
        if number & 1:
            total = slow_add(total, point)
        point = slow_add(point, point)
        number >>= 1
    return total


def affine(point: ecdsa.Jacobian) -> ecdsa.Point | None:
    """Affine form of a Jacobian point, whose second coordinate is twice the usual one."""
    x, w, z = point
    if z % P == 0:
        return None
    inverse = pow(z, -1, P)
    return x * inverse**2 % P, w * inverse**3 * pow(2, -1, P) % P


def sign(private: int, message: bytes) -> tuple[ecdsa.Point, int, int]:
    """Signature by OpenSSL."""
    key = ec.derive_private_key(private, ec.SECP384R1())
    numbers = key.public_key().public_numbers()
    return (numbers.x, numbers.y), *decode_dss_signature(key.sign(message, ec.ECDSA(SHA384())))


def test_the_vector_of_rfc_6979_verifies() -> None:
    ecdsa.verify(RFC6979_KEY, b"sample", RFC6979_R, RFC6979_S, "vector")


@settings(max_examples=30, deadline=None)
@given(
    private=st.integers(1, N - 1) | st.sampled_from([1, 2, 3, N - 1, N - 2]), message=st.binary(max_size=99)
)
def test_signatures_by_openssl_verify_and_for_other_messages_do_not(private: int, message: bytes) -> None:
    key, r, s = sign(private, message)
    ecdsa.verify(key, message, r, s, "random")
    with pytest.raises(SignatureInvalid):
        ecdsa.verify(key, message + b"!", r, s, "random")


@settings(max_examples=25, deadline=None)
@given(
    u1=scalars,
    u2=scalars,
    private=st.sampled_from([1, 2, 3, 5, 31, N - 1, N - 2, N - 3]) | st.integers(1, N - 1),
)
def test_the_double_multiplication_agrees_with_the_textbook(u1: int, u2: int, private: int) -> None:
    key = slow_multiply(private, G)
    assert key is not None
    expected = slow_multiply((u1 + u2 * private) % N, G)
    assert affine(ecdsa.CURVE.combine(u1, u2, key)) == expected


@pytest.mark.parametrize("r", [0, N, N + 1, -1, 1 << 384])
def test_r_outside_its_range_is_refused(r: int) -> None:
    with pytest.raises(SignatureInvalid, match="outside"):
        ecdsa.verify(RFC6979_KEY, b"sample", r, RFC6979_S, "edge")


@pytest.mark.parametrize("s", [0, N, N + 1, -1, 1 << 384])
def test_s_outside_its_range_is_refused(s: int) -> None:
    with pytest.raises(SignatureInvalid, match="outside"):
        ecdsa.verify(RFC6979_KEY, b"sample", RFC6979_R, s, "edge")


def test_r_or_s_moved_by_the_order_are_refused() -> None:
    for r, s in ((RFC6979_R + N, RFC6979_S), (RFC6979_R, RFC6979_S + N)):
        with pytest.raises(SignatureInvalid):
            ecdsa.verify(RFC6979_KEY, b"sample", r, s, "edge")


def test_a_result_at_infinity_is_refused() -> None:
    # With Q = -G, u1·G + u2·Q vanishes for u1 = u2, which is r = e.
    digest = int.from_bytes(hashlib.sha384(b"sample").digest(), "big") % N
    with pytest.raises(SignatureInvalid):
        ecdsa.verify((GX, P - GY), b"sample", digest, 12345, "edge")


def test_an_x_coordinate_between_order_and_modulus_is_compared_modulo_the_order() -> None:
    # Find a key for which R is a given point with x >= n: Q = (s·R - e·G) / r.
    x = N
    while True:
        square = (x**3 - 3 * x + ecdsa.B) % P
        y = pow(square, (P + 1) // 4, P)
        if y * y % P == square and x % N != 0:
            break
        x += 1
    r, s = x - N, 7
    digest = int.from_bytes(hashlib.sha384(b"wraps").digest(), "big")
    minus_e_g = slow_multiply(-digest % N, G)
    key = slow_multiply(pow(r, -1, N), slow_add(slow_multiply(s, (x, y)), minus_e_g))
    assert key is not None
    ecdsa.verify(key, b"wraps", r, s, "wrapped")


def test_the_largest_digest_and_unreduced_digests_agree_with_openssl() -> None:
    for message in (b"", b"\x00" * 48, b"\xff" * 200):
        key, r, s = sign(N - 1, message)
        ecdsa.verify(key, message, r, s, "edge")


def encoded(x: int, y: int, prefix: int = 4) -> bytes:
    return bytes((prefix,)) + x.to_bytes(48, "big") + y.to_bytes(48, "big")


def test_a_point_of_the_curve_is_read() -> None:
    assert ecdsa.parse_point(encoded(GX, GY), "key") == G


@pytest.mark.parametrize(
    "point",
    [
        encoded(GX, GY + 1),
        encoded(0, 0),
        encoded(GX, GY, prefix=6),
        encoded(GX, GY)[:-1],
        encoded(GX, GY) + b"\0",
        b"\x00",
        b"\x02" + GX.to_bytes(48, "big"),
        b"",
        encoded(P, GY),
        encoded(2**384 - 1, 2**384 - 1),
    ],
)
def test_a_key_that_is_not_a_point_of_the_curve_is_refused(point: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        ecdsa.parse_point(point, "key")


def test_coordinates_not_below_the_modulus_are_refused() -> None:
    # A point with x < 2^384 - p has a second, unreduced encoding.
    x = next(x for x in range(100) if pow(x**3 - 3 * x + ecdsa.B, (P - 1) // 2, P) == 1)
    y = pow(x**3 - 3 * x + ecdsa.B, (P + 1) // 4, P)
    assert ecdsa.parse_point(encoded(x, y), "key") == (x, y)
    with pytest.raises(SignatureInvalid):
        ecdsa.parse_point(encoded(x + P, y), "key")
