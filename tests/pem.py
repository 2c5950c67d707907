"""PEM text as certificates."""

from __future__ import annotations

import base64
import re


def certificates_of_pem(text: str) -> tuple[bytes, ...]:
    """DER certificates of PEM text, in its order."""
    bodies = re.findall("-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", text, re.DOTALL)
    return tuple(base64.b64decode("".join(body.split())) for body in bodies)
