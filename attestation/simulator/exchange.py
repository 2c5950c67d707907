"""The signed exchange of a simulated device, in the genuine layout."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from attestation.nvidia import spdm


def signed_exchange(
    nonce: bytes,
    measurements: Sequence[bytes],
    responder_nonce: bytes,
    fields: Sequence[tuple[int, bytes]],
    key: ec.EllipticCurvePrivateKey,
) -> bytes:
    """A report over two 32-byte nonces, 48-byte measurements and opaque fields, signed by `key`."""
    records = b"".join(
        bytes((index,)) + spdm.RECORD_TAIL + value for index, value in enumerate(measurements, start=1)
    )
    opaque = b"".join(
        kind.to_bytes(2, "little") + len(value).to_bytes(2, "little") + value for kind, value in fields
    )
    body = b"".join(
        (
            spdm.REQUEST_HEADER,
            nonce,
            b"\x00",
            spdm.RESPONSE_HEADER,
            b"\x00\x00",
            bytes((len(measurements),)),
            len(records).to_bytes(3, "little"),
            records,
            responder_nonce,
            len(opaque).to_bytes(2, "little"),
            opaque,
        )
    )
    return body + signature(body, key)


def signature(message: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """ECDSA P-384 with SHA-384 as r and s, 48 bytes each."""
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA384())))
    return r.to_bytes(48, "big") + s.to_bytes(48, "big")


def simulated_measurement(device: str, index: int) -> bytes:
    """What a simulated ``gpu`` or ``switch`` measures at `index`; stands for nothing."""
    return hashlib.sha384(f"leasehold simulated {device} measurement {index}".encode()).digest()
