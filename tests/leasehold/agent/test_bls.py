import pytest
from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from leasehold.agent import CertificateError, bls

SECRET = Scalar(4242)
KEY = (G2Point() * SECRET).to_compressed_bytes()
SIGNATURE = (G1Point.hash_to_curve(b"message", bls.DOMAIN) * SECRET).to_compressed_bytes()
INFINITY_G1 = b"\xc0" + bytes(47)
INFINITY_G2 = b"\xc0" + bytes(95)


def outside_of_the_group() -> bytes:
    # A point of the curve whose order is not that of the group.
    for x in range(1, 1000):
        encoded = bytes([0x80]) + x.to_bytes(47, "big")
        try:
            point = G1Point.from_compressed_bytes_unchecked(encoded)
        except ValueError:
            continue
        if not point.is_in_subgroup():
            return encoded
    raise AssertionError("there are such points")


def test_a_genuine_signature_holds() -> None:
    bls.verify(b"message", SIGNATURE, KEY)


@pytest.mark.parametrize(
    ("message", "signature", "key"),
    [
        (b"other", SIGNATURE, KEY),
        (b"message", INFINITY_G1, KEY),
        (b"message", SIGNATURE[:-1], KEY),
        (b"message", SIGNATURE[:-1] + b"\x00", KEY),
        (b"message", bytes(48), KEY),
        (b"message", outside_of_the_group(), KEY),
        (b"message", SIGNATURE, KEY[:-1]),
        (b"message", SIGNATURE, b""),
        (b"message", SIGNATURE, (G2Point() * Scalar(2)).to_compressed_bytes()),
        (b"message", INFINITY_G1, INFINITY_G2),
    ],
)
def test_anything_else_is_refused(message: bytes, signature: bytes, key: bytes) -> None:
    with pytest.raises(CertificateError):
        bls.verify(message, signature, key)


def test_keys_travel_as_der() -> None:
    assert bls.public_key_from_der(bls.public_key_to_der(KEY)) == KEY
    with pytest.raises(CertificateError, match="no DER-encoded"):
        bls.public_key_from_der(bls.public_key_to_der(KEY) + b"\x00")
