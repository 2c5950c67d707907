"""Records to bytes and back: one version byte, then compact JSON.

Amounts are whole numbers, bytes are hex, statuses their words. A version that this code does not know is
refused, never guessed at; an older one is lifted step by step through `upgrades`.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from canisters.marketplace.core.structure import Structure
from canisters.marketplace.core.types import Tokens

R = TypeVar("R")
Upgrade = Callable[[dict[str, Any]], dict[str, Any]]

_JSON = Structure({bytes: (bytes.hex, bytes.fromhex), Tokens: (lambda amount: amount.base_units, Tokens)})


class RecordError(Exception):
    """Stored bytes that are not a record of the expected kind and a known version."""


class Codec(Generic[R]):
    """Encodes records of one dataclass.

    Arguments: `record` the dataclass; `version` what is written; `upgrades` maps an older version to a
    function that lifts its fields by one version.
    """

    def __init__(
        self, record: type[R], version: int = 1, upgrades: Mapping[int, Upgrade] | None = None
    ) -> None:
        self.record = record
        self.version = version
        self._upgrades = dict(upgrades or {})
        write, read = _JSON.pair(record)
        if write is None or read is None:
            raise TypeError(f"{record!r} is not a dataclass")
        self._write, self._read = write, read

    def encode(self, value: R) -> bytes:
        """`value` as stored."""
        text = json.dumps(self._write(value), separators=(",", ":"), allow_nan=False, ensure_ascii=False)
        return bytes((self.version,)) + text.encode("utf-8")

    def decode(self, data: bytes) -> R:
        """The record in `data`; raises `RecordError` for an unknown version or damaged content."""
        name = self.record.__name__
        if not data:
            raise RecordError(f"{name}: empty record")
        try:
            plain = self._lifted(json.loads(data[1:]), data[0])
            return typing.cast(R, self._read(plain))
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as problem:
            raise RecordError(f"{name}: damaged record: {problem!r}") from problem

    def _lifted(self, plain: dict[str, Any], stored: int) -> dict[str, Any]:
        for version in range(stored, self.version):
            if version not in self._upgrades:
                break
            plain = self._upgrades[version](plain)
            stored = version + 1
        if stored != self.version:
            raise RecordError(
                f"{self.record.__name__}: stored with version {stored}, this code reads {self.version}; "
                "install the code that wrote it, or one that can upgrade it"
            )
        return plain


class BytesCodec:
    """For index rows, whose few bytes are their own encoding."""

    def encode(self, value: bytes) -> bytes:
        return value

    def decode(self, data: bytes) -> bytes:
        return data


class IntegerCodec:
    """For counters and balances: decimal text, so that size and sign are free."""

    def encode(self, value: int) -> bytes:
        return b"%d" % value

    def decode(self, data: bytes) -> int:
        return int(data)
