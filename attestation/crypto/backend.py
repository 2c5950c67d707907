"""Who computes signatures: the pure code of this package, or off chain something faster.

A backend is asked only about what the pure code has checked already: points on their curve, r and s in their
range, a modulus of the right size. So it decides nothing but the equation itself, and all backends give the
same verdict about everything.
"""

from __future__ import annotations

from attestation.crypto.jacobian import Point


class Backend:
    """Leaves each verdict to the pure code, which None means; a faster one overrides both methods."""

    def ecdsa(self, curve: str, key: Point, message: bytes, r: int, s: int) -> bool | None:
        """Whether (r, s) is a signature on `curve` (``P-256`` with SHA-256, ``P-384`` with SHA-384)."""
        return None

    def rsa_pss(self, modulus: int, message: bytes, signature: bytes) -> bool | None:
        """Whether `signature` is RSASSA-PSS with SHA-384 everywhere, salt of 48 bytes and exponent 65537."""
        return None


PURE = Backend()


class _Selection:
    backend = PURE


def select(backend: Backend) -> Backend:
    """Let `backend` compute from now on in this process. Answers the one that did until now."""
    before = _Selection.backend
    _Selection.backend = backend
    return before


def selected() -> Backend:
    """The backend that computes now."""
    return _Selection.backend
