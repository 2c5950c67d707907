"""Principals: the ids of people, canisters and sessions.

Source: IC interface specification, "Principals" and "Textual representation of principals".
"""

import base64
import hashlib
import zlib
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import GetCoreSchemaHandler, SerializationInfo
from pydantic_core import CoreSchema, core_schema

from leasehold.agent.errors import PrincipalError

MAX_PRINCIPAL_BYTES = 29
_GROUP = 5
_SELF_AUTHENTICATING = b"\x02"


@dataclass(frozen=True, order=True)
class Principal:
    """A principal.

    Args:
        raw: 0 to 29 bytes.
    """

    raw: bytes
    MANAGEMENT: ClassVar["Principal"]
    ANONYMOUS: ClassVar["Principal"]

    def __post_init__(self) -> None:
        if len(self.raw) > MAX_PRINCIPAL_BYTES:
            raise PrincipalError(f"a principal has at most {MAX_PRINCIPAL_BYTES} bytes, got {len(self.raw)}")

    @classmethod
    def parse(cls, text: str) -> "Principal":
        """Read the text form, such as `rrkah-fqaaa-aaaaa-aaaaq-cai`.

        Raises:
            PrincipalError: not base32, wrong checksum, too long, or wrongly grouped.
        """
        letters = text.replace("-", "").upper()
        try:
            checked = base64.b32decode(letters + "=" * (-len(letters) % 8))
        except ValueError as error:
            raise PrincipalError(f"{text!r} is no principal: it is not base32") from error
        if len(checked) < 4 or zlib.crc32(checked[4:]).to_bytes(4, "big") != checked[:4]:
            raise PrincipalError(f"{text!r} is no principal: its checksum is wrong")
        principal = cls(checked[4:])
        if str(principal) != text.lower():
            raise PrincipalError(f"{text!r} is not written as a principal is; write {principal}")
        return principal

    @classmethod
    def of_public_key(cls, public_key_der: bytes) -> "Principal":
        """The self-authenticating principal of a DER public key: `SHA-224(key) || 02`."""
        return cls(hashlib.sha224(public_key_der).digest() + _SELF_AUTHENTICATING)

    def __str__(self) -> str:
        checked = zlib.crc32(self.raw).to_bytes(4, "big") + self.raw
        text = base64.b32encode(checked).decode().lower().rstrip("=")
        return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))

    @classmethod
    def of(cls, value: "Principal | str | bytes") -> "Principal":
        """A principal given as itself, its text or its bytes."""
        if isinstance(value, Principal):
            return value
        return cls.parse(value) if isinstance(value, str) else cls(value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        from_text = core_schema.no_info_plain_validator_function(_validated)
        shown = core_schema.plain_serializer_function_ser_schema(_serialized, info_arg=True)
        return core_schema.json_or_python_schema(from_text, from_text, serialization=shown)


Principal.MANAGEMENT = Principal(b"")
Principal.ANONYMOUS = Principal(b"\x04")


def _serialized(principal: Principal, info: SerializationInfo) -> "Principal | str":
    # As itself in Python: pydantic would take the dataclass apart.
    return str(principal) if info.mode_is_json() else principal


def _validated(value: object) -> Principal:
    if not isinstance(value, Principal | str | bytes):
        raise ValueError(f"a principal is text, bytes or a Principal, not {type(value).__name__}")
    try:
        return Principal.of(value)
    except PrincipalError as error:
        raise ValueError(str(error)) from error
