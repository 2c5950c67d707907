"""ECDSA verification on P-384 with SHA-384 (FIPS 186-5, section 6.4.2; curve: SP 800-186, section 3.2.1.4).

u1·G + u2·Q is computed in one interleaved pass over width-w non-adjacent forms, in Jacobian coordinates with
mixed additions (a = -3 doubling "dbl-2001-b", addition "madd-2007-bl"). The tables hold affine odd multiples,
made affine with one shared inversion; the generator's table is built on first use and kept.
"""

from __future__ import annotations

import hashlib

from attestation.errors import SignatureInvalid

P = 2**384 - 2**128 - 2**96 + 2**32 - 1
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973
B = 0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF
GX = 0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7
GY = 0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F

COORDINATE_BYTES = 48
SIGNATURE_BYTES = 96
POINT_BYTES = 97
UNCOMPRESSED = 0x04

GENERATOR_WIDTH = 8
KEY_WIDTH = 5

Point = tuple[int, int]
Jacobian = tuple[int, int, int]

_generator_table: list[Point] = []


def parse_point(encoded: bytes, claim: str) -> Point:
    """Affine point from its uncompressed encoding (97 bytes, SEC 1 section 2.3.4); must lie on the curve."""
    if len(encoded) != POINT_BYTES or encoded[0] != UNCOMPRESSED:
        raise SignatureInvalid(claim, "P-384 public key is not an uncompressed point of 97 bytes")
    x = int.from_bytes(encoded[1:49], "big")
    y = int.from_bytes(encoded[49:], "big")
    if x >= P or y >= P or (y * y - (x * x - 3) * x - B) % P != 0:
        raise SignatureInvalid(claim, "P-384 public key is not on the curve")
    return x, y


def verify(public_key: Point, message: bytes, r: int, s: int, claim: str) -> None:
    """Raise `SignatureInvalid` unless (r, s) is a signature over SHA-384 of `message` by `public_key`.

    `public_key` must come from `parse_point` (the curve has cofactor 1, so every point on it has order n).
    """
    if not (0 < r < N and 0 < s < N):
        raise SignatureInvalid(claim, "ECDSA r or s is outside [1, n-1]")
    digest = int.from_bytes(hashlib.sha384(message).digest(), "big")
    inverse = pow(s, -1, N)
    x, _, z = _combine(digest * inverse % N, r * inverse % N, public_key)
    if z == 0:
        raise SignatureInvalid(claim, "ECDSA verification gave the point at infinity")
    # x / z² mod p, taken mod n, must be r: r and r + n are the two candidates for x (n < p < 2n).
    zz = z * z % P
    if (r * zz - x) % P != 0 and not (r + N < P and ((r + N) * zz - x) % P == 0):
        raise SignatureInvalid(claim, "ECDSA signature does not verify")


def _combine(u1: int, u2: int, key: Point) -> Jacobian:
    """u1·G + u2·key."""
    if not _generator_table:
        _generator_table.extend(_odd_multiples((GX, GY), 1 << (GENERATOR_WIDTH - 2)))
    steps = _schedule(
        (_wnaf(u1, GENERATOR_WIDTH), _generator_table),
        (_wnaf(u2, KEY_WIDTH), _odd_multiples(key, 1 << (KEY_WIDTH - 2))),
    )
    total: Jacobian = (1, 1, 0)
    position = 0
    for height, point in steps:
        if position:
            total = _double(total, position - height)
        total = _add(total, point)
        position = height
    return _double(total, position)


def _schedule(*terms: tuple[list[tuple[int, int]], list[Point]]) -> list[tuple[int, Point]]:
    """All additions as (bit position, point), highest position first."""
    steps = []
    for digits, table in terms:
        for height, digit in digits:
            x, y = table[abs(digit) >> 1]
            steps.append((height, (x, y if digit > 0 else P - y)))
    steps.sort(key=lambda step: step[0], reverse=True)
    return steps


def _wnaf(number: int, width: int) -> list[tuple[int, int]]:
    """Width-w non-adjacent form as (bit position, odd digit), lowest first."""
    digits = []
    window = 1 << width
    position = 0
    while number:
        zeros = (number & -number).bit_length() - 1
        number >>= zeros
        position += zeros
        digit = number & (window - 1)
        if digit >= window >> 1:
            digit -= window
        digits.append((position, digit))
        number -= digit
    return digits


def _odd_multiples(point: Point, count: int) -> list[Point]:
    """Affine point, 3·point, 5·point, … (`count` of them)."""
    twice = _to_affine([_double((point[0], point[1], 1), 1)])[0]
    jacobians: list[Jacobian] = [(point[0], point[1], 1)]
    for _ in range(count - 1):
        jacobians.append(_add(jacobians[-1], twice))
    return _to_affine(jacobians)


def _to_affine(points: list[Jacobian]) -> list[Point]:
    """Affine forms of finite points, with one inversion for all (Montgomery's trick)."""
    products = [1]
    for _, _, z in points:
        products.append(products[-1] * z % P)
    inverse = pow(products[-1], -1, P)
    affine = []
    for index in range(len(points) - 1, -1, -1):
        x, y, z = points[index]
        inverse_z = inverse * products[index] % P
        inverse = inverse * z % P
        square = inverse_z * inverse_z % P
        affine.append((x * square % P, y * square * inverse_z % P))
    affine.reverse()
    return affine


def _double(point: Jacobian, times: int) -> Jacobian:
    """2^times · point. The point at infinity (z = 0) doubles to itself."""
    x, y, z = point
    p = P
    for _ in range(times):
        delta = z * z % p
        gamma = y * y % p
        beta = x * gamma % p << 2
        alpha = (x - delta) * (x + delta) * 3 % p
        z = y * z * 2 % p
        x = (alpha * alpha - beta - beta) % p
        y = (alpha * (beta - x) - (gamma * gamma << 3)) % p
    return x, y, z


def _add(point: Jacobian, other: Point) -> Jacobian:
    """point + other, where `other` is affine and finite."""
    x1, y1, z1 = point
    x2, y2 = other
    if z1 == 0:
        return x2, y2, 1
    p = P
    zz = z1 * z1 % p
    h = (x2 * zz - x1) % p
    r = (y2 * zz * z1 - y1) % p
    if h == 0:
        # Same x: either the same point (double it) or its negative (infinity).
        return _double(point, 1) if r == 0 else (1, 1, 0)
    hh = h * h % p
    hhh = h * hh % p
    v = x1 * hh % p
    x3 = (r * r - hhh - v - v) % p
    return x3, (r * (v - x3) - y1 * hhh) % p, h * z1 % p
