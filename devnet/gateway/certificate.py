"""The `IC-Certificate` header, and what the certificate in it says about the canister.

Source: HTTP Gateway Protocol specification, "The Certificate Header" and "Certificate Validation".
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, Final

from devnet.crypto.bls import BlsError, public_key_from_der, verify_bls
from devnet.gateway.errors import VerificationFailed
from devnet.gateway.witness import Witness, decode_cbor
from devnet.http.certification import STATE_ROOT_DOMAIN

MAX_AGE_NS: Final = 5 * 60 * 1_000_000_000
MAX_HEADER_CHARACTERS: Final = 1 << 20

_FIELD: Final = re.compile(r"([a-z_]+)=(?::([A-Za-z0-9+/=]*):|(\d{1,3}))\s*(?:,\s*|$)")


@dataclass(frozen=True)
class CertificateHeader:
    """The parts of the header; `version` 1 if it names none."""

    certificate: bytes
    tree: bytes
    version: int
    expr_path: bytes | None

    @classmethod
    def parse(cls, text: str) -> CertificateHeader:
        """Raises:
        VerificationFailed: it is not the structured header of the specification.
        """
        fields = _fields(text)
        missing = [name for name in ("certificate", "tree") if type(fields.get(name)) is not bytes]
        if missing:
            raise VerificationFailed(f"the IC-Certificate header lacks {' and '.join(missing)}")
        version, path = fields.get("version", 1), fields.get("expr_path")
        if type(version) is not int or not (path is None or type(path) is bytes):
            raise VerificationFailed("`version` must be a number and `expr_path` base64 in IC-Certificate")
        return cls(fields["certificate"], fields["tree"], version, path)


def _fields(text: str) -> dict[str, Any]:
    if len(text) > MAX_HEADER_CHARACTERS:
        raise VerificationFailed(f"the IC-Certificate header has {len(text)} characters")
    fields: dict[str, Any] = {}
    at = 0
    text = text.strip()
    while at < len(text):
        match = _FIELD.match(text, at)
        if match is None or match[1] in fields:
            raise VerificationFailed(f"the IC-Certificate header cannot be read from character {at} on")
        fields[match[1]] = int(match[3]) if match[3] else _from_base64(match[2])
        at = match.end()
    return fields


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise VerificationFailed(f"the IC-Certificate header holds bad base64: {error}") from error


def certified_tree(header: CertificateHeader, canister_id: bytes, root_key: bytes, now: int) -> Witness:
    """The canister's tree, whose root hash the certificate shows as the canister's certified data.

    Args:
        root_key: DER.
        now: nanoseconds.

    Raises:
        VerificationFailed: wrong signature, too old, or not about this tree.
    """
    fields = decode_cbor(header.certificate, "the certificate")
    if type(fields) is not dict or set(fields) != {"tree", "signature"}:
        raise VerificationFailed("the certificate must have `tree` and `signature`, and no delegation here")
    state = Witness(fields["tree"])
    try:
        key = public_key_from_der(root_key)
        verify_bls(key, STATE_ROOT_DOMAIN + state.digest, fields["signature"])
    except (BlsError, TypeError) as error:
        raise VerificationFailed(f"the certificate's signature: {error}") from error
    _ensure_recent(state, now)
    certified = state.value([b"canister", canister_id, b"certified_data"])
    tree = Witness(decode_cbor(header.tree, "the tree"))
    if certified != tree.digest:
        shown = "nothing" if certified is None else certified.hex() or "empty bytes"
        raise VerificationFailed(
            f"the tree's hash is {tree.digest.hex()}, but the certificate shows {shown} as certified data"
        )
    return tree


def _ensure_recent(state: Witness, now: int) -> None:
    encoded = state.value([b"time"])
    if encoded is None:
        raise VerificationFailed("the certificate shows no time")
    time = sum((byte & 0x7F) << 7 * index for index, byte in enumerate(encoded[:10]))
    if abs(now - time) > MAX_AGE_NS:
        raise VerificationFailed(f"the certificate is of {time} ns, more than 5 minutes from now, {now} ns")
