"""ECDSA on P-256 with SHA-256 (curve: SP 800-186, section 3.2.1.3): Intel's signatures."""

from __future__ import annotations

import hashlib

from attestation.crypto.ecdsa import Curve, Jacobian, Point

__all__ = ["CURVE", "Jacobian", "Point", "parse_point", "verify"]

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
GX = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
GY = 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5

CURVE = Curve("P-256", P, N, B, (GX, GY), hashlib.sha256)
COORDINATE_BYTES = CURVE.coordinate_bytes
SIGNATURE_BYTES = CURVE.signature_bytes
POINT_BYTES = CURVE.point_bytes

parse_point = CURVE.parse_point
verify = CURVE.verify
