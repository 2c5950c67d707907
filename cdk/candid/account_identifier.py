"""Account identifiers of the ICP ledger (ICP ledger documentation, "Accounts")."""

from __future__ import annotations

import binascii
import hashlib

DOMAIN = b"\x0aaccount-id"


class AccountIdentifier:
    """CRC-32 (4 bytes, big-endian) and SHA-224 of owner and subaccount."""

    __slots__ = ("bytes",)

    def __init__(self, raw: bytes) -> None:
        if len(raw) != 32:
            raise ValueError(f"an account identifier has 32 bytes, not {len(raw)}")
        self.bytes = raw

    def to_str(self) -> str:
        """`0x` and hexadecimal digits."""
        return "0x" + self.bytes.hex()

    __str__ = to_str

    def __repr__(self) -> str:
        return f"Account({self.to_str()})"


def account_identifier(owner: bytes, subaccount: int) -> AccountIdentifier:
    """The identifier of a principal's account with the number `subaccount` (below 2**256)."""
    digest = hashlib.sha224(DOMAIN + owner + subaccount.to_bytes(32, "big")).digest()
    return AccountIdentifier(binascii.crc32(digest).to_bytes(4, "big") + digest)
