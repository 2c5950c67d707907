"""Types that say what a number or a text is: amounts, times, shares, principals, statuses."""

from __future__ import annotations

import binascii
import hashlib
from base64 import b32decode, b32encode
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NewType

from canisters.marketplace.core import limits

Timestamp = NewType("Timestamp", int)
"""Nanoseconds since 1970."""
Seconds = NewType("Seconds", int)
BasisPoints = NewType("BasisPoints", int)
"""Hundredths of a percent: 10,000 is the whole."""
Principal = NewType("Principal", str)
"""A principal in its canonical text, e.g. ``2vxsx-fae``."""

ANONYMOUS = Principal("2vxsx-fae")
SELF_AUTHENTICATING = 0x02


class TokensError(ArithmeticError):
    """An operation on amounts whose result is not an amount: a bug, never a user's mistake."""


class Tokens:
    """A non-negative amount in the ledger's base unit. Arithmetic is checked; nothing mixes with plain
    numbers.
    """

    __slots__ = ("base_units",)

    def __init__(self, base_units: int) -> None:
        if type(base_units) is not int or base_units < 0:
            raise TokensError(f"{base_units!r} is not an amount: whole base units, not negative")
        self.base_units = base_units

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(self.base_units + other.base_units)

    def __sub__(self, other: Tokens) -> Tokens:
        return Tokens(self.base_units - other.base_units)

    def times(self, count: int) -> Tokens:
        """This amount `count` times."""
        return Tokens(self.base_units * count)

    def share(self, part: BasisPoints) -> Tokens:
        """`part` of this amount, rounded down."""
        return Tokens(self.base_units * part // limits.BASIS_POINTS)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tokens) and self.base_units == other.base_units

    def __hash__(self) -> int:
        return hash(self.base_units)

    def __lt__(self, other: Tokens) -> bool:
        return self.base_units < other.base_units

    def __le__(self, other: Tokens) -> bool:
        return self.base_units <= other.base_units

    def __gt__(self, other: Tokens) -> bool:
        return self.base_units > other.base_units

    def __ge__(self, other: Tokens) -> bool:
        return self.base_units >= other.base_units

    def __bool__(self) -> bool:
        return self.base_units != 0

    def __repr__(self) -> str:
        return f"Tokens({self.base_units})"


ZERO = Tokens(0)


def total(amounts: Iterable[Tokens]) -> Tokens:
    """Sum of `amounts`."""
    return Tokens(sum(amount.base_units for amount in amounts))


class Status(str, Enum):
    """Where a rental is in its life; the words users see."""

    QUEUED = "queued"
    ATTESTING = "attesting"
    RUNNING = "running"
    SETTLING = "settling"
    DISPUTED = "disputed"
    SUCCEEDED = "succeeded"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"


TERMINAL = frozenset((Status.SUCCEEDED, Status.CANCELLED, Status.EXPIRED, Status.FAILED))


@dataclass(frozen=True)
class Message:
    """Who is calling and when: all that the core learns about its surroundings."""

    caller: Principal
    now: Timestamp


def later(now: Timestamp, seconds: int) -> Timestamp:
    """The time `seconds` after `now`."""
    return Timestamp(now + seconds * limits.SECOND_NS)


def principal_from_bytes(raw: bytes) -> Principal:
    """Text of a principal: base32 of CRC-32 and bytes, lower case, in groups of five (IC interface,
    "Principals").
    """
    checked = binascii.crc32(raw).to_bytes(4, "big") + raw
    text = b32encode(checked).decode("ascii").rstrip("=").lower()
    return Principal("-".join(text[at : at + 5] for at in range(0, len(text), 5)))


def principal_bytes(principal: Principal) -> bytes:
    """The 0 to 29 bytes of a principal; raises ValueError for text that is not its canonical form."""
    compact = principal.replace("-", "").upper()
    try:
        raw = b32decode(compact + "=" * (-len(compact) % 8))[4:]
    except binascii.Error as problem:
        raise ValueError(f"{principal!r} is not a principal: {problem}") from problem
    if len(raw) > 29 or principal_from_bytes(raw) != principal:
        raise ValueError(f"{principal!r} is not a principal: checksum or form is wrong")
    return raw


def self_authenticating(public_key_der: bytes) -> Principal:
    """The principal of a DER public key: SHA-224 of it, then 0x02."""
    return principal_from_bytes(hashlib.sha224(public_key_der).digest() + bytes((SELF_AUTHENTICATING,)))
