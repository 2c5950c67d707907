"""ECDSA verification (FIPS 186-5, section 6.4.2) on prime curves with a = -3 and cofactor 1.

u1·G + u2·Q is computed in one pass over both scalars' signed digits (see `multiples`). The generator's
tables are made on first use and kept; so are those of keys that sign often, the least recently used of which
give way to new ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attestation.crypto.backend import selected
from attestation.crypto.jacobian import Jacobian, Point, from_affine
from attestation.crypto.multiples import CHUNKS, Multiples, bases_of, sum_of
from attestation.errors import SignatureInvalid

UNCOMPRESSED = 0x04
GENERATOR_WIDTH = 7
KEY_WIDTH = 5
# Narrower than that of a key used once: there are eight tables to make.
KEPT_KEY_WIDTH = 4
MAX_KEPT_KEYS = 128


class Curve:
    """One curve with the hash that goes with it: prime `p`, order `n`, coefficient `b`.

    `generator_bases` are 2^(n's bits / `CHUNKS` · i) times the generator, the first of them itself.
    """

    def __init__(
        self,
        name: str,
        p: int,
        n: int,
        b: int,
        generator_bases: Sequence[Point],
        hash_function: Callable[[bytes], Any],
    ) -> None:
        self.name = name
        self.p = p
        self.n = n
        self.b = b
        self.generator = generator_bases[0]
        self.coordinate_bytes = (p.bit_length() + 7) // 8
        self.point_bytes = 1 + 2 * self.coordinate_bytes
        self.signature_bytes = 2 * self.coordinate_bytes
        self._hash = hash_function
        self._chunk_bits = n.bit_length() // CHUNKS
        self._generator_bases = generator_bases
        self._generator_multiples: Multiples | None = None
        # Least recently used first; None of a key that has signed once.
        self._kept: dict[Point, Multiples | None] = {}

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

    def verify(
        self, public_key: Point, message: bytes, r: int, s: int, claim: str, recurs: bool = False
    ) -> None:
        """Raise `SignatureInvalid` unless (r, s) is a signature over the hash of `message` by `public_key`.

        `public_key` must come from `parse_point` (with cofactor 1, every point of the curve has order n). The
        hash is as long as n. `recurs` says that the key signs many things, as an authority's does: its tables
        are then made at once, and not only when it is seen again. The verdict does not depend on it.
        """
        if not (0 < r < self.n and 0 < s < self.n):
            raise SignatureInvalid(claim, "ECDSA r or s is outside [1, n-1]")
        verdict = selected().ecdsa(self.name, public_key, message, r, s)
        if verdict is None:
            verdict = self._holds(public_key, message, r, s, recurs)
        if not verdict:
            raise SignatureInvalid(claim, "ECDSA signature does not verify")

    def _holds(self, public_key: Point, message: bytes, r: int, s: int, recurs: bool) -> bool:
        """The equation, for numbers in their range."""
        p, n = self.p, self.n
        digest = int.from_bytes(self._hash(message).digest(), "big")
        inverse = pow(s, -1, n)
        x, _, z = self.combine(digest * inverse % n, r * inverse % n, public_key, recurs)
        # x / z² mod p, taken mod n, must be r: r and r + n are the two candidates for x (n < p < 2n).
        # The point at infinity (z = 0) has none.
        zz = z * z % p
        candidates = (r, r + n) if r + n < p else (r,)
        return z != 0 and any((candidate * zz - x) % p == 0 for candidate in candidates)

    def combine(self, u1: int, u2: int, key: Point, recurs: bool = False) -> Jacobian:
        """u1·G + u2·key."""
        if self._generator_multiples is None:
            bases = [from_affine(point) for point in self._generator_bases]
            self._generator_multiples = Multiples(bases, self.p, self._chunk_bits, GENERATOR_WIDTH)
        steps = self._generator_multiples.steps(u1)
        return sum_of(steps + self._multiples_of(key, recurs).steps(u2), self.p)

    def _multiples_of(self, key: Point, recurs: bool) -> Multiples:
        """Tables of a public key: kept ones, ones to keep, or for a key that was never seen, a small one."""
        kept, known = self._kept, key in self._kept
        multiples = kept.pop(key, None)
        if multiples is None and (recurs or known):
            bases = bases_of(key, self.p, self._chunk_bits)
            multiples = Multiples(bases, self.p, self._chunk_bits, KEPT_KEY_WIDTH)
        if len(kept) >= MAX_KEPT_KEYS:
            del kept[next(iter(kept))]
        kept[key] = multiples
        return multiples or Multiples([from_affine(key)], self.p, self.n.bit_length(), KEY_WIDTH)
