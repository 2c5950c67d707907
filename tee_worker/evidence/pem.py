"""Certificates out of the PEM text that drivers and services give."""

from __future__ import annotations

import base64
import binascii
import re

from tee_worker.errors import EvidenceUnavailable

CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


def certificates_of_pem(text: bytes, source: str) -> tuple[bytes, ...]:
    """DER in the order of the text; raises `EvidenceUnavailable`, naming `source`, when there is none."""
    try:
        found = tuple(
            base64.b64decode(b"".join(body.split()), validate=True) for body in CERTIFICATE.findall(text)
        )
    except binascii.Error as error:
        raise EvidenceUnavailable(f"{source}: a certificate is not base64: {error}") from error
    if not found:
        raise EvidenceUnavailable(f"{source}: no certificate was given")
    return found
