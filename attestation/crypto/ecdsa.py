"""ECDSA verification (FIPS 186-5, section 6.4.2) on prime curves with a = -3 and cofactor 1.

u1·G + u2·Q is computed in one interleaved pass over width-w non-adjacent forms, in Jacobian coordinates with
mixed additions (a = -3 doubling "dbl-2001-b", addition "madd-2007-bl"). The tables hold affine odd multiples,
made affine with one shared inversion; a generator's table is built on first use and kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attestation.errors import SignatureInvalid

UNCOMPRESSED = 0x04
GENERATOR_WIDTH = 8
KEY_WIDTH = 5

Point = tuple[int, int]
Jacobian = tuple[int, int, int]


class Curve:
    """One curve with the hash that goes with it: prime `p`, order `n`, coefficient `b`, `generator`."""

    def __init__(
        self, name: str, p: int, n: int, b: int, generator: Point, hash_function: Callable[[bytes], Any]
    ) -> None:
        self.name = name
        self.p = p
        self.n = n
        self.b = b
        self.generator = generator
        self.coordinate_bytes = (p.bit_length() + 7) // 8
        self.point_bytes = 1 + 2 * self.coordinate_bytes
        self.signature_bytes = 2 * self.coordinate_bytes
        self._hash = hash_function
        self._generator_table: list[Point] = []

    def parse_point(self, encoded: bytes, claim: str) -> Point:
        """Affine point from its uncompressed encoding (SEC 1, section 2.3.4); must lie on the curve."""
        if len(encoded) != self.point_bytes or encoded[0] != UNCOMPRESSED:
            raise SignatureInvalid(
                claim, f"{self.name} public key is not an uncompressed point of {self.point_bytes} bytes"
            )
        x = int.from_bytes(encoded[1 : 1 + self.coordinate_bytes], "big")
        y = int.from_bytes(encoded[1 + self.coordinate_bytes :], "big")
        p = self.p
        if x >= p or y >= p or (y * y - (x * x - 3) * x - self.b) % p != 0:
            raise SignatureInvalid(claim, f"{self.name} public key is not on the curve")
        return x, y

    def verify(self, public_key: Point, message: bytes, r: int, s: int, claim: str) -> None:
        """Raise `SignatureInvalid` unless (r, s) is a signature over the hash of `message` by `public_key`.

        `public_key` must come from `parse_point` (with cofactor 1, every point of the curve has order n). The
        hash is as long as n.
        """
        p, n = self.p, self.n
        if not (0 < r < n and 0 < s < n):
            raise SignatureInvalid(claim, "ECDSA r or s is outside [1, n-1]")
        digest = int.from_bytes(self._hash(message).digest(), "big")
        inverse = pow(s, -1, n)
        x, _, z = self.combine(digest * inverse % n, r * inverse % n, public_key)
        if z == 0:
            raise SignatureInvalid(claim, "ECDSA verification gave the point at infinity")
        # x / z² mod p, taken mod n, must be r: r and r + n are the two candidates for x (n < p < 2n).
        zz = z * z % p
        if (r * zz - x) % p != 0 and not (r + n < p and ((r + n) * zz - x) % p == 0):
            raise SignatureInvalid(claim, "ECDSA signature does not verify")

    def combine(self, u1: int, u2: int, key: Point) -> Jacobian:
        """u1·G + u2·key."""
        p = self.p
        if not self._generator_table:
            self._generator_table = _odd_multiples(self.generator, 1 << (GENERATOR_WIDTH - 2), p)
        steps = _additions(_wnaf(u1, GENERATOR_WIDTH), self._generator_table, p)
        steps += _additions(_wnaf(u2, KEY_WIDTH), _odd_multiples(key, 1 << (KEY_WIDTH - 2), p), p)
        steps.sort(key=_height, reverse=True)
        total: Jacobian = (1, 1, 0)
        position = 0
        for height, point in steps:
            if position:
                total = _double(total, position - height, p)
            total = _add(total, point, p)
            position = height
        return _double(total, position, p)


def _additions(digits: list[tuple[int, int]], table: list[Point], p: int) -> list[tuple[int, Point]]:
    """Additions as (bit position, point)."""
    steps = []
    for height, digit in digits:
        x, y = table[abs(digit) >> 1]
        steps.append((height, (x, y if digit > 0 else p - y)))
    return steps


def _height(step: tuple[int, Point]) -> int:
    return step[0]


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


def _odd_multiples(point: Point, count: int, p: int) -> list[Point]:
    """Affine point, 3·point, 5·point, … (`count` of them)."""
    twice = _to_affine([_double((point[0], point[1], 1), 1, p)], p)[0]
    jacobians: list[Jacobian] = [(point[0], point[1], 1)]
    for _ in range(count - 1):
        jacobians.append(_add(jacobians[-1], twice, p))
    return _to_affine(jacobians, p)


def _to_affine(points: list[Jacobian], p: int) -> list[Point]:
    """Affine forms of finite points, with one inversion for all (Montgomery's trick)."""
    products = [1]
    for _, _, z in points:
        products.append(products[-1] * z % p)
    inverse = pow(products[-1], -1, p)
    affine = []
    for index in range(len(points) - 1, -1, -1):
        x, y, z = points[index]
        inverse_z = inverse * products[index] % p
        inverse = inverse * z % p
        square = inverse_z * inverse_z % p
        affine.append((x * square % p, y * square * inverse_z % p))
    affine.reverse()
    return affine


def _double(point: Jacobian, times: int, p: int) -> Jacobian:
    """2^times · point. The point at infinity (z = 0) doubles to itself."""
    x, y, z = point
    for _ in range(times):
        delta = z * z % p
        gamma = y * y % p
        beta = x * gamma % p << 2
        alpha = (x - delta) * (x + delta) * 3 % p
        z = y * z * 2 % p
        x = (alpha * alpha - beta - beta) % p
        y = (alpha * (beta - x) - (gamma * gamma << 3)) % p
    return x, y, z


def _add(point: Jacobian, other: Point, p: int) -> Jacobian:
    """point + other, where `other` is affine and finite."""
    x1, y1, z1 = point
    x2, y2 = other
    if z1 == 0:
        return x2, y2, 1
    zz = z1 * z1 % p
    h = (x2 * zz - x1) % p
    r = (y2 * zz * z1 - y1) % p
    if h == 0:
        # Same x: either the same point (double it) or its negative (infinity).
        return _double(point, 1, p) if r == 0 else (1, 1, 0)
    hh = h * h % p
    hhh = h * hh % p
    v = x1 * hh % p
    x3 = (r * r - hhh - v - v) % p
    return x3, (r * (v - x3) - y1 * hhh) % p, h * z1 % p
