"""Tables of multiples of one point, from which any multiple of it is a few additions and doublings away.

A scalar is cut into `CHUNKS` pieces of equal length, each with its own table: odd multiples of
2^(length · i) times the point. The pieces are then worked through together, so that a scalar takes an eighth
as many doublings as it has bits. Making the tables takes those that are saved: it pays from the second
scalar on.
"""

from __future__ import annotations

from collections.abc import Sequence

from attestation.crypto.jacobian import (
    INFINITY,
    Jacobian,
    Point,
    add,
    double,
    from_affine,
    odd_multiples,
    to_affine,
)

CHUNKS = 8

Step = tuple[int, Point]


class Multiples:
    """Tables of a point, for scalars of up to `chunk_bits` bits for each of its `bases`.

    The bases are 2^(chunk_bits · i) times the point (see `bases_of`), which has a prime order; a point that
    is used once needs one, itself. `width` is that of the signed digits: 2^(width - 2) points for each base.
    """

    def __init__(self, bases: Sequence[Jacobian], p: int, chunk_bits: int, width: int) -> None:
        self._p = p
        self._width = width
        self._chunk_bits = chunk_bits
        count = 1 << (width - 2)
        affine = to_affine([point for base in bases for point in odd_multiples(base, count, p)], p)
        self._tables = [affine[at : at + count] for at in range(0, len(affine), count)]

    def steps(self, scalar: int) -> list[Step]:
        """Points whose sum, each doubled as many times as its number says, is scalar · point."""
        p, bits = self._p, self._chunk_bits
        steps = []
        last = len(self._tables) - 1
        for index, table in enumerate(self._tables):
            chunk = scalar if index == last else scalar & ((1 << bits) - 1)
            scalar >>= bits
            for height, digit in signed_digits(chunk, self._width):
                x, y = table[abs(digit) >> 1]
                steps.append((height, (x, y if digit > 0 else p - y)))
        return steps


def bases_of(point: Point, p: int, chunk_bits: int) -> list[Jacobian]:
    """2^(chunk_bits · i) times the point, for each chunk."""
    bases = [from_affine(point)]
    for _ in range(CHUNKS - 1):
        bases.append(double(bases[-1], chunk_bits, p))
    return bases


def sum_of(steps: list[Step], p: int) -> Jacobian:
    """The sum that `steps` describe."""
    total = INFINITY
    position = 0
    for height, point in sorted(steps, key=_height, reverse=True):
        if position > height:
            total = double(total, position - height, p)
        total = add(total, point, p)
        position = height
    return double(total, position, p)


def _height(step: Step) -> int:
    return step[0]


def signed_digits(number: int, width: int) -> list[tuple[int, int]]:
    """Width-w non-adjacent form as (bit position, odd digit), lowest first.

    Digits are below 2^(width - 1) in size, and at least `width` apart.
    """
    # As text, lowest bit first: finding and cutting is cheaper there than shifting large numbers.
    bits = bin(number)[:1:-1] if number else ""
    digits = []
    carry = at = 0
    while True:
        found = bits.find("0" if carry else "1", at)
        if found < 0:
            if carry:
                digits.append((max(at, len(bits)), 1))
            return digits
        digit = int(bits[found : found + width][::-1], 2) + carry
        carry = digit >> (width - 1)
        digits.append((found, digit - (carry << width)))
        at = found + width
