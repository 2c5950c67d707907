"""A second ledger that knows nothing but blocks: it replays the log as ICRC-3 says, in plain dictionaries."""

from __future__ import annotations

from collections import defaultdict
from hashlib import sha256
from typing import Any

from canisters.ledger.core.ledger import Ledger


def blocks_of(ledger: Ledger) -> list[Any]:
    """All blocks of the log."""
    return [ledger.blocks.get(index) for index in range(ledger.blocks.tip().length)]


class Replay:
    """Balances and allowances after `blocks`; accounts are tuples of bytes as in the blocks."""

    def __init__(self, blocks: list[Any]) -> None:
        self.balances: dict[tuple[bytes, ...], int] = defaultdict(int)
        self.allowances: dict[tuple[Any, Any], int] = defaultdict(int)
        self.minted = self.burned = self.fees = 0
        for block in blocks:
            self._apply(block["tx"], block.get("fee", block["tx"].get("fee", 0)))

    def _apply(self, tx: Any, fee: int) -> None:
        amount = tx["amt"]
        source, to = tuple(tx.get("from", ())), tuple(tx.get("to", ()))
        self.fees += fee
        if tx["op"] == "approve":
            self.balances[source] -= fee
            self.allowances[source, tuple(tx["spender"])] = amount
            return
        if tx["op"] == "mint":
            self.minted += amount
        else:
            self.balances[source] -= amount + fee
        if tx["op"] == "burn":
            self.burned += amount
        else:
            self.balances[to] += amount
        spender = tuple(tx.get("spender", ()))
        if spender and spender != source:
            self.allowances[source, spender] -= amount + fee

    @property
    def supply(self) -> int:
        """Tokens outside the minting account."""
        return self.minted - self.burned - self.fees


def chain_hash(blocks: list[Any]) -> bytes:
    """The hash of the last block, after checking that each block names the hash of the one before."""
    last = b""
    for block in blocks:
        assert block.get("phash", b"") == last
        last = hash_of(block)
    return last


def hash_of(value: Any) -> bytes:
    """The pseudocode of ICRC-3's HASHINGVALUES.md, read word by word."""
    if isinstance(value, dict):
        pairs = sorted((sha256(key.encode()).digest(), hash_of(item)) for key, item in value.items())
        return sha256(b"".join(key + item for key, item in pairs)).digest()
    if isinstance(value, list):
        return sha256(b"".join(hash_of(item) for item in value)).digest()
    if isinstance(value, str):
        return sha256(value.encode()).digest()
    if isinstance(value, bytes):
        return sha256(value).digest()
    digits = []
    while True:
        digits.append(value % 128)
        value //= 128
        if not value:
            break
    return sha256(bytes([digit + 128 for digit in digits[:-1]] + digits[-1:])).digest()
