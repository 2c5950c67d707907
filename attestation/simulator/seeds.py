"""Derivation of everything stable about a simulated machine from its seed."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric import ec

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P384_ORDER = (
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973
)


def derive(seed: bytes, label: str, length: int) -> bytes:
    """`length` bytes that depend on `seed` and `label` only."""
    return hashlib.shake_256(
        b"leasehold-simulator" + len(seed).to_bytes(4, "big") + seed + label.encode()
    ).digest(length)


def derive_key(seed: bytes, label: str) -> ec.EllipticCurvePrivateKey:
    """P-384 key that depends on `seed` and `label` only."""
    number = int.from_bytes(derive(seed, label, 64), "big") % (P384_ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP384R1())


def derive_p256_key(seed: bytes, label: str) -> ec.EllipticCurvePrivateKey:
    """P-256 key that depends on `seed` and `label` only."""
    number = int.from_bytes(derive(seed, label, 48), "big") % (P256_ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())
