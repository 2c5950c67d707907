"""Principals and their text form (IC interface specification, "Principals")."""

from __future__ import annotations

import binascii
import hashlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .account_identifier import AccountIdentifier

Bytes = bytes
"""`bytes` under a name that the property of the same name does not hide."""

MAX_LENGTH = 29
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_DIGITS = {character: digit for digit, character in enumerate(_ALPHABET)}


class PrincipalError(ValueError):
    """The bytes or the text are not a principal."""


class Principal:
    """An identity on the Internet Computer: 0 to 29 bytes. Immutable, hashable, ordered by its bytes."""

    __slots__ = ("_bytes",)
    _bytes: Bytes

    def __init__(self, bytes: Bytes = b"") -> None:
        if len(bytes) > MAX_LENGTH:
            raise PrincipalError(f"a principal has at most {MAX_LENGTH} bytes, not {len(bytes)}")
        self._bytes = bytes

    @property
    def bytes(self) -> Bytes:
        """The raw bytes."""
        return self._bytes

    @property
    def hex(self) -> str:
        """The raw bytes as upper-case hexadecimal digits."""
        return self._bytes.hex().upper()

    @property
    def len(self) -> int:
        """Number of raw bytes."""
        return len(self._bytes)

    @property
    def isPrincipal(self) -> bool:
        """Always True; kept because stock Kybra has it."""
        return True

    @staticmethod
    def management_canister() -> Principal:
        """`aaaaa-aa`."""
        return Principal(b"")

    @staticmethod
    def anonymous() -> Principal:
        """`2vxsx-fae`, the caller of unsigned requests."""
        return Principal(b"\x04")

    @staticmethod
    def self_authenticating(public_key: Bytes | str) -> Principal:
        """The principal of a DER-encoded public key (bytes, or hexadecimal text)."""
        der = _from_hex(public_key) if isinstance(public_key, str) else public_key
        return Principal(hashlib.sha224(der).digest() + b"\x02")

    @staticmethod
    def from_hex(text: str) -> Principal:
        """The principal whose raw bytes are `text` in hexadecimal."""
        return Principal(_from_hex(text))

    @staticmethod
    def from_str(text: str) -> Principal:
        """Parse the text form; PrincipalError when it is not exactly what `to_str` would write."""
        number, digits = 0, 0
        for character in text:
            if character == "-":
                continue
            digit = _DIGITS.get(character)
            if digit is None:
                raise PrincipalError(f"{character!r} may not occur in a principal: {text!r}")
            number = number << 5 | digit
            digits += 1
        if not 7 <= digits <= 53:
            raise PrincipalError(f"a principal's text has 7 to 53 letters and digits, not {digits}: {text!r}")
        raw = (number >> digits * 5 % 8).to_bytes(digits * 5 // 8, "big")
        principal = Principal(raw[4:])
        if principal.to_str() != text:
            raise PrincipalError(f"not a principal (checksum, grouping or case is wrong): {text!r}")
        return principal

    def to_str(self) -> str:
        """The text form: base32 of CRC-32 and bytes, in groups of five."""
        raw = binascii.crc32(self._bytes).to_bytes(4, "big") + self._bytes
        digits = (len(raw) * 8 + 4) // 5
        number = int.from_bytes(raw, "big") << digits * 5 - len(raw) * 8
        text = "".join([_ALPHABET[number >> shift & 31] for shift in range(digits * 5 - 5, -1, -5)])
        return "-".join([text[start : start + 5] for start in range(0, digits, 5)])

    def to_account_id(self, sub_account: int = 0) -> AccountIdentifier:
        """The ICP ledger's name of this principal's account `sub_account`."""
        from .account_identifier import account_identifier

        return account_identifier(self._bytes, sub_account)

    def __str__(self) -> str:
        return self.to_str()

    def __repr__(self) -> str:
        return f"Principal({self.to_str()})"

    def __eq__(self, other: object) -> bool:
        return self._bytes == other._bytes if isinstance(other, Principal) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._bytes)

    def __lt__(self, other: Principal) -> bool:
        return self._bytes < other._bytes

    def __le__(self, other: Principal) -> bool:
        return self._bytes <= other._bytes


def _from_hex(text: str) -> Bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise PrincipalError(f"not hexadecimal: {text!r}") from None
