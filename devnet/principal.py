"""Principals: the text form and the classes of ids.

Source: IC interface specification, "Principals" and "Textual representation of principals".
"""

import base64
import hashlib
import zlib

from devnet.errors import PrincipalError

MAX_PRINCIPAL_BYTES = 29

MANAGEMENT_CANISTER = b""
ANONYMOUS = b"\x04"

_OPAQUE = 1
_SELF_AUTHENTICATING = 2
_GROUP = 5


def principal_text(principal: bytes) -> str:
    """Text form, e.g. `rrkah-fqaaa-aaaaa-aaaaq-cai`.

    Args:
        principal: 0 to 29 bytes.

    Raises:
        PrincipalError: more than 29 bytes.
    """
    if len(principal) > MAX_PRINCIPAL_BYTES:
        raise PrincipalError(f"a principal has at most {MAX_PRINCIPAL_BYTES} bytes, got {len(principal)}")
    checked = zlib.crc32(principal).to_bytes(4, "big") + principal
    text = base64.b32encode(checked).decode().lower().rstrip("=")
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def principal_from_text(text: str) -> bytes:
    """Bytes of a principal in text form; only the canonical form is accepted.

    Raises:
        PrincipalError: not base32, wrong checksum, too long, or not written canonically.
    """
    letters = text.replace("-", "").upper()
    try:
        checked = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except ValueError as error:
        raise PrincipalError(f"{text!r} is no principal: not base32") from error
    if len(checked) < 4 or zlib.crc32(checked[4:]).to_bytes(4, "big") != checked[:4]:
        raise PrincipalError(f"{text!r} is no principal: its checksum is wrong")
    principal = checked[4:]
    if principal_text(principal) != text:
        raise PrincipalError(f"{text!r} is not the canonical form; write {principal_text(principal)}")
    return principal


def canister_id(index: int) -> bytes:
    """Opaque id of the canister with this index on the node's subnet: 8 bytes index, `01 01`."""
    return index.to_bytes(8, "big") + b"\x01\x01"


def self_authenticating(public_key_der: bytes) -> bytes:
    """Principal of a DER public key: `SHA-224(key) ‖ 02`."""
    return hashlib.sha224(public_key_der).digest() + bytes([_SELF_AUTHENTICATING])


def is_opaque(principal: bytes) -> bool:
    """Whether the id was issued by the system, as those of canisters are."""
    return principal.endswith(bytes([_OPAQUE]))
