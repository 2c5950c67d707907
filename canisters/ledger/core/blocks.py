"""The block log: ICRC-3 blocks, each naming the hash of the one before."""

from __future__ import annotations

from typing import NamedTuple

from canisters.ledger.core.storage import OrderedMap, Storage, check_version, number_key
from canisters.ledger.core.values import Value, decode_value, encode_value, hash_of_entries, hash_value

_VERSION = 1
_TIP = b"tip"


class Tip(NamedTuple):
    """Where the log ends, and how many tokens exist there."""

    length: int
    """Number of blocks, which is the index of the next one."""
    hash: bytes
    """Hash of the last block; empty before the first."""
    supply: int
    """Tokens in all accounts, in base units."""


EMPTY = Tip(0, b"", 0)


class BlockLog:
    """Append-only blocks in the form of ICRC-1 and ICRC-2 blocks without `btype` (ICRC-3, legacy schema)."""

    def __init__(self, storage: Storage) -> None:
        self._blocks: OrderedMap = storage.blocks
        self._settings: OrderedMap = storage.settings

    def tip(self) -> Tip:
        """The end of the log."""
        record = self._settings.get(_TIP)
        if record is None:
            return EMPTY
        check_version(record, _VERSION, "tip of the block log")
        length, supply = int.from_bytes(record[1:9], "big"), int.from_bytes(record[9:25], "big")
        return Tip(length, record[25:], supply)

    def append(
        self, transaction: dict[str, Value], transaction_hash: bytes, fee: int, change: int, now: int
    ) -> int:
        """Add a block.

        `transaction` is the block's `tx` and `transaction_hash` its hash, `fee` what was charged (0: no fee
        field), `change` by how much the supply grows or shrinks. Returns the block's index.
        """
        tip = self.tip()
        block: dict[str, Value] = {"ts": now, "tx": transaction}
        hashes = {"ts": hash_value(now), "tx": transaction_hash}
        if tip.hash:
            block["phash"] = tip.hash
            hashes["phash"] = hash_value(tip.hash)
        if fee:
            block["fee"] = fee
            hashes["fee"] = hash_value(fee)
        self._blocks.insert(number_key(tip.length), bytes((_VERSION,)) + encode_value(block))
        self._set_tip(Tip(tip.length + 1, hash_of_entries(hashes), tip.supply + change))
        return tip.length

    def get(self, index: int) -> Value:
        """The block with `index`; IndexError if there is none."""
        record = self._blocks.get(number_key(index))
        if record is None:
            raise IndexError(f"there is no block {index}")
        check_version(record, _VERSION, f"block {index}")
        return decode_value(record[1:])

    def _set_tip(self, tip: Tip) -> None:
        record = number_key(tip.length) + tip.supply.to_bytes(16, "big") + tip.hash
        self._settings.insert(_TIP, bytes((_VERSION,)) + record)
