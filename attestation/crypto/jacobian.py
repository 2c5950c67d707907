"""Points of curves with a = -3 in Jacobian coordinates, with as few multiplications as pure Python needs.

A `Jacobian` (x, w, z) is the affine point (x / z², w / 2z³): w is twice the usual y, which saves factors of
two in the doubling that verification spends most of its time in. z = 0 is the point at infinity. Formulas are
"dbl-2001-b" and "madd-2007-bl" of the Explicit-Formulas Database, and Meloni's addition of points with the
same z ("New Point Addition Formulae for ECC Applications", section 3), each rewritten for w. A reduction
costs more than a multiplication: what counts is how many signs ``%`` there are.
"""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[int, int]
Jacobian = tuple[int, int, int]

INFINITY: Jacobian = (1, 2, 0)


def from_affine(point: Point) -> Jacobian:
    """The same point with z = 1."""
    return point[0], 2 * point[1], 1


def double(point: Jacobian, times: int, p: int) -> Jacobian:
    """2^times · point. The point at infinity doubles to itself."""
    x, w, z = point
    for _ in range(times):
        delta = z * z % p
        gamma = w * w % p
        beta = x * gamma % p
        alpha = (x - delta) * 3 * (x + delta) % p
        z = w * z % p
        x = (alpha * alpha - (beta + beta)) % p
        w = ((alpha + alpha) * (beta - x) - gamma * gamma) % p
    return x, w, z


def add(point: Jacobian, other: Point, p: int) -> Jacobian:
    """point + other, where `other` is affine and finite."""
    x1, w1, z1 = point
    x2, y2 = other
    if z1 == 0:
        return from_affine(other)
    zz = z1 * z1 % p
    h = (x2 * zz - x1) % p
    r = (y2 * 2 * (zz * z1 % p) - w1) % p
    if h == 0:
        # Same x: either the same point (double it) or its negative (infinity).
        return double(point, 1, p) if r == 0 else INFINITY
    h2 = h + h
    hh = h2 * h2 % p
    j = h * hh % p
    v = x1 * hh % p
    x3 = (r * r - j - (v + v)) % p
    return x3, (r * (v - x3) - w1 * j) * 2 % p, h2 * z1 % p


def odd_multiples(base: Jacobian, count: int, p: int) -> list[Jacobian]:
    """base, 3·base, 5·base, … (`count` of them), for a `base` of an order that is prime and above 2·count.

    So none of the points that are added here are equal, or each other's negatives.
    """
    multiples = [base]
    if count == 1:
        return multiples
    # Twice the base, and the base itself, with the same z: both fall out of one doubling.
    x, w, z = base
    xt, wt, z = double(base, 1, p)
    gamma = w * w % p
    x, w = x * gamma % p, gamma * gamma % p
    for _ in range(count - 1):
        # twice + last; twice is brought to the z of the sum.
        h = xt - x
        c = 4 * h * h % p
        one, two = xt * c % p, x * c % p
        slope = wt - w
        a = wt * (one - two) % p
        x = (slope * slope - one - two) % p
        w = (slope * (one - x) - a) * 2 % p
        z = 2 * h * z % p
        xt, wt = one, a * 2 % p
        multiples.append((x, w, z))
    return multiples


def to_affine(points: Sequence[Jacobian], p: int) -> list[Point]:
    """Affine forms of finite points, with one inversion for all (Montgomery's trick)."""
    products = [1]
    for _, _, z in points:
        products.append(products[-1] * z % p)
    inverse = pow(products[-1], -1, p)
    affine = []
    for index in range(len(points) - 1, -1, -1):
        x, w, z = points[index]
        inverse_z = inverse * products[index] % p
        inverse = inverse * z % p
        square = inverse_z * inverse_z % p
        y = w * (square * inverse_z % p) % p
        affine.append((x * square % p, (y + p if y & 1 else y) >> 1))
    affine.reverse()
    return affine
