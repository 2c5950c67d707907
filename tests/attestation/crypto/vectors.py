"""Edge vectors for ECDSA, after the manner of Project Wycheproof: made here, judged by OpenSSL."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from attestation.crypto import ecdsa_p256, ecdsa_p384
from attestation.crypto.ecdsa import Curve
from attestation.crypto.jacobian import Point, to_affine

PRIVATE = 12345
MESSAGE = b"message"


class Vector(NamedTuple):
    """A signature and why it is an edge; `key` is an encoded point, and may be none of the curve."""

    name: str
    curve: str
    key: bytes
    message: bytes
    r: int
    s: int


class Kind(NamedTuple):
    """A curve, here and there."""

    curve: Curve
    reference: ec.EllipticCurve
    signing: ec.ECDSA
    digest: str


KINDS = {
    "P-256": Kind(ecdsa_p256.CURVE, ec.SECP256R1(), ec.ECDSA(SHA256()), "sha256"),
    "P-384": Kind(ecdsa_p384.CURVE, ec.SECP384R1(), ec.ECDSA(SHA384()), "sha384"),
}


def by_openssl(vector: Vector) -> bool:
    """OpenSSL's verdict."""
    kind = KINDS[vector.curve]
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(kind.reference, vector.key)
        key.verify(encode_dss_signature(vector.r, vector.s), vector.message, kind.signing)
    except (InvalidSignature, ValueError):
        return False
    return True


def vectors(name: str) -> Iterator[Vector]:
    """All vectors of one curve."""
    curve = KINDS[name].curve
    n, p = curve.n, curve.p
    key, (r, s) = _public(name, PRIVATE), _signed(name, PRIVATE, MESSAGE)
    edges = {
        "0": 0,
        "1": 1,
        "n - 1": n - 1,
        "n": n,
        "n + 1": n + 1,
        "p - n": p - n,
        "p": p,
        "2^bits": 1 << n.bit_length(),
    }
    yield Vector("sound", name, key, MESSAGE, r, s)
    yield Vector("high or low s", name, key, MESSAGE, r, n - s)
    for label, edge in edges.items():
        yield Vector(f"r = {label}", name, key, MESSAGE, edge, s)
        yield Vector(f"s = {label}", name, key, MESSAGE, r, edge)
    yield Vector("r + n", name, key, MESSAGE, r + n, s)
    yield Vector("s + n", name, key, MESSAGE, r, s + n)
    yield Vector("n - r", name, key, MESSAGE, n - r, s)
    yield Vector("exchanged", name, key, MESSAGE, s, r)
    yield from _doubled(name)
    yield from _wrapped(name)
    yield from _keys(name, r, s)


def _doubled(name: str) -> Iterator[Vector]:
    """u1·G equals u2·Q, its negative, or a small multiple: additions of equal and of opposite points."""
    curve = KINDS[name].curve
    digest = int.from_bytes(hashlib.new(KINDS[name].digest, MESSAGE).digest(), "big")
    for label, ratio in (("equal", 1), ("opposite", -1), ("doubled", 2), ("minus doubled", -2)):
        # Q = d·G with u1 = ratio·u2·d, so r = digest / (ratio·d).
        for private in (1, 2, PRIVATE):
            r = digest * pow(ratio * private, -1, curve.n) % curve.n
            yield Vector(f"u1·G and u2·Q {label}, {private}", name, _public(name, private), MESSAGE, r, 7)
    for private in (1, 2, 3, curve.n - 1, curve.n - 2, curve.n // 2, 1 << 48, 1 << 96):
        for message in (b"", MESSAGE):
            r, s = _signed(name, private, message)
            label = f"key {private:x}·G"
            yield Vector(label, name, _public(name, private), message, r, s)
            yield Vector(f"{label}, wrong", name, _public(name, private), message, r, s ^ 1)


def _wrapped(name: str) -> Iterator[Vector]:
    """The x of R is at least n, so that r is x - n: valid, and not for r + 1."""
    curve = KINDS[name].curve
    x = curve.n
    while True:
        square = (x**3 - 3 * x + curve.b) % curve.p
        y = pow(square, (curve.p + 1) // 4, curve.p)
        if y * y % curve.p == square and x != curve.n:
            break
        x += 1
    digest = int.from_bytes(hashlib.new(KINDS[name].digest, MESSAGE).digest(), "big")
    r, s = x - curve.n, 7
    inverse = pow(r, -1, curve.n)
    # Q = (s·R - digest·G) / r.
    found = curve.combine(-digest * inverse % curve.n, s * inverse % curve.n, (x, y))
    key = _encoded(curve, to_affine([found], curve.p)[0])
    yield Vector("r + n below p", name, key, MESSAGE, r, s)
    yield Vector("r + 1, r + n below p", name, key, MESSAGE, r + 1, s)
    yield Vector("x itself for r", name, key, MESSAGE, x, s)


def _keys(name: str, r: int, s: int) -> Iterator[Vector]:
    """Keys that are none."""
    curve = KINDS[name].curve
    size = curve.coordinate_bytes
    x, y = curve.generator
    wrong = {
        "infinity": b"\0",
        "zeros": bytes(1 + 2 * size),
        "off the curve": _encoded(curve, (x, y ^ 1)),
        "x not reduced": _encoded(curve, (curve.p, y)),
        "y not reduced": _encoded(curve, (x, curve.p)),
        "exchanged": _encoded(curve, (y, x)),
        "short": _encoded(curve, (x, y))[:-1],
        "long": _encoded(curve, (x, y)) + b"\0",
        "empty": b"",
    }
    for label, key in wrong.items():
        yield Vector(f"key {label}", name, key, MESSAGE, r, s)


def _public(name: str, private: int) -> bytes:
    numbers = ec.derive_private_key(private, KINDS[name].reference).public_key().public_numbers()
    return _encoded(KINDS[name].curve, (numbers.x, numbers.y))


def _signed(name: str, private: int, message: bytes) -> tuple[int, int]:
    key = ec.derive_private_key(private, KINDS[name].reference)
    return decode_dss_signature(key.sign(message, KINDS[name].signing))


def _encoded(curve: Curve, point: Point) -> bytes:
    size = curve.coordinate_bytes
    return b"\x04" + point[0].to_bytes(size, "big") + point[1].to_bytes(size, "big")
