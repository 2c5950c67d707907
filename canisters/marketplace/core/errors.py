"""What the marketplace refuses, one class per failure a caller may handle.

Each class corresponds to one alternative of the Candid type `Error`; its dataclass fields are the
alternative's fields, so `variant()` is the whole translation.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from canisters.marketplace.core import limits

_LONGEST_SHOWN_BITS = 256


@dataclass(frozen=True)
class ClaimRow:
    """One checked property of refused or accepted evidence; see `attestation.Claim`."""

    name: str
    verdict: str
    expected: str
    found: str


class MarketError(Exception):
    """Base of everything the core raises on purpose. State is unchanged when one is raised."""

    def variant(self) -> dict[str, dict[str, Any]]:
        """The error as a value of the Candid type `Error`: one key, the class's name."""
        shown = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}  # type: ignore[arg-type]
        return {type(self).__name__: shown}

    def __str__(self) -> str:
        (shown,) = self.variant().values()
        return ", ".join(f"{key} = {value}" for key, value in shown.items())


@dataclass(eq=False)
class NotFound(MarketError):
    """There is no `kind` (listing, dataset, offer, rental, …) with that `id`."""

    kind: str
    id: str


@dataclass(eq=False)
class NotAuthorized(MarketError):
    """The caller is not who this needs; `required` says who that is."""

    required: str


@dataclass(eq=False)
class InvalidState(MarketError):
    """The record is in state `current`; this needs one of `allowed`."""

    current: str
    allowed: list[str]


@dataclass(eq=False)
class InvalidArgument(MarketError):
    """Argument `field` has `value` (shortened), which has this `problem`; the text ends with the remedy."""

    field: str
    value: str
    problem: str


@dataclass(eq=False)
class InsufficientBalance(MarketError):
    """The caller's available balance is too small; deposit the difference (base units)."""

    available: int
    required: int


@dataclass(eq=False)
class PriceAboveMaximum(MarketError):
    """The price is above what the renter allowed (base units)."""

    price: int
    maximum: int


@dataclass(eq=False)
class DeadlinePassed(MarketError):
    """The action needed `now < deadline` (ns); anyone may call `reap` for what follows."""

    deadline: int
    now: int


@dataclass(eq=False)
class CollateralRefused(MarketError):
    """The `piece` (``collateral.ocsp[3]``) is not kept; `kind` is the attestation error's class."""

    piece: str
    kind: str
    message: str


@dataclass(eq=False)
class EvidenceRefused(MarketError):
    """Evidence did not pass; `kind` is the attestation error's class, `claims` every checked row."""

    kind: str
    message: str
    claims: tuple[ClaimRow, ...]


@dataclass(eq=False)
class LedgerRefused(MarketError):
    """The token ledger said no: `kind` is its error's name. No money moved."""

    kind: str
    message: str


@dataclass(eq=False)
class Unavailable(MarketError):
    """A `service` this depends on did not answer, or is paused; asking again later is safe."""

    service: str
    message: str


def shown(value: object) -> str:
    """`value` as an error repeats it: text as it is, bytes in hex, cut to a bounded length."""
    if isinstance(value, int) and value.bit_length() > _LONGEST_SHOWN_BITS:
        return f"a whole number of {value.bit_length()} bits"
    text = value.hex() if isinstance(value, (bytes, bytearray)) else str(value)
    if len(text) <= limits.MAX_SHOWN_CHARACTERS:
        return text
    return text[: limits.MAX_SHOWN_CHARACTERS] + f"… ({len(text)} characters)"


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, ClaimRow):
        return {
            "name": value.name,
            "verdict": value.verdict,
            "expected": value.expected,
            "found": value.found,
        }
    return value
