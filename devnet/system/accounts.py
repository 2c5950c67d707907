"""Ids of the system canisters, and account identifiers.

Sources: ICRC-1 (accounts); ICP ledger (account identifiers: CRC-32 ‖ SHA-224 of domain, owner, subaccount).
"""

from __future__ import annotations

import hashlib
import zlib
from typing import Any, Final

from devnet.principal import canister_id
from devnet.system.errors import Trap

GOVERNANCE: Final = canister_id(1)
ICP_LEDGER: Final = canister_id(2)
ROOT: Final = canister_id(3)
MINTING: Final = canister_id(4)
CYCLES_LEDGER: Final = canister_id(0x0210_0002)

SUBACCOUNT_BYTES: Final = 32
_DEFAULT_SUBACCOUNT: Final = bytes(SUBACCOUNT_BYTES)
_DOMAIN: Final = b"\x0aaccount-id"


def account_identifier(owner: bytes, subaccount: bytes | None = None) -> bytes:
    """32-byte identifier of an account.

    Raises:
        Trap: the subaccount does not have 32 bytes.
    """
    if subaccount is not None and len(subaccount) != SUBACCOUNT_BYTES:
        raise Trap(f"a subaccount has {SUBACCOUNT_BYTES} bytes, not {len(subaccount)}")
    digest = hashlib.sha224(_DOMAIN + owner + (subaccount or _DEFAULT_SUBACCOUNT)).digest()
    return zlib.crc32(digest).to_bytes(4, "big") + digest


def is_account_identifier(identifier: bytes) -> bool:
    """Whether length and checksum are right."""
    return len(identifier) == 32 and zlib.crc32(identifier[4:]).to_bytes(4, "big") == identifier[:4]


def of_account(account: dict[str, Any]) -> bytes:
    """Identifier of a decoded ICRC-1 account."""
    return account_identifier(account["owner"], account["subaccount"])


def principal_subaccount(principal: bytes) -> bytes:
    """The subaccount that stands for a principal: its length, its bytes, zeros."""
    return (bytes([len(principal)]) + principal).ljust(SUBACCOUNT_BYTES, b"\0")
