"""Amounts and durations as people write them."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import click

from leasehold.errors import UsageError

_DECIMAL = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]\w*)")
_DURATION = re.compile(r"(\d+)([smhd]?)")
_UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Token:
    """How the token is written.

    Args:
        symbol: such as `LHT`.
        decimals: places after the point.
    """

    symbol: str
    decimals: int

    def show(self, amount: int) -> str:
        """Such as `1.5 LHT`."""
        whole, rest = divmod(abs(amount), 10**self.decimals)
        places = f"{rest:0{self.decimals}d}".rstrip("0") if rest else ""
        return f"{'-' if amount < 0 else ''}{whole:,}{'.' if places else ''}{places} {self.symbol}"

    def read(self, text: str) -> int:
        """An amount in base units: `150000000`, or `1.5LHT`.

        Raises:
            UsageError: another token, too many places, or no amount.
        """
        if text.isascii() and text.isdigit():
            return int(text)
        match = _DECIMAL.fullmatch(text.strip())
        if match is None:
            raise UsageError(f"{text!r} is no amount; write base units, or 1.5{self.symbol}")
        if match[2].lower() != self.symbol.lower():
            raise UsageError(f"{text!r} is in another token; the marketplace takes {self.symbol}")
        scaled = Decimal(match[1]).scaleb(self.decimals)
        if scaled != scaled.to_integral_value():
            raise UsageError(f"{text!r} has more than the {self.decimals} decimal places of {self.symbol}")
        return int(scaled)


class Duration(click.ParamType[int]):
    """Seconds, or a number with `s`, `m`, `h` or `d`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = _DURATION.fullmatch(str(value))
        if match is None or int(match[1]) == 0:
            self.fail(f"{value!r} is no duration; write seconds, or such as 90s, 15m, 2h, 1d", param, ctx)
        return int(match[1]) * _UNIT_SECONDS[match[2]]


DURATION = Duration()
