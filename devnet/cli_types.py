"""Options of the command line that are more than a text or a number."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, Final

import click

from devnet.clock import InvalidTime, ensure_speed

_DURATION: Final = re.compile(r"(\d{1,12})(ms|s|m|h|d)?")
_UNIT_NS: Final = {
    "ms": 10**6,
    None: 10**9,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3_600 * 10**9,
    "d": 86_400 * 10**9,
}


class Duration(click.ParamType[int]):
    """Nanoseconds, written as seconds or as a number with `ms`, `s`, `m`, `h` or `d`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = _DURATION.fullmatch(str(value))
        if match is None or int(match[1]) == 0:
            self.fail(f"{value!r} is no duration; write seconds, or such as 90s, 15m, 2h, 1d", param, ctx)
        return int(match[1]) * _UNIT_NS[match[2]]


class Speed(click.ParamType[Fraction]):
    """How much faster than the machine's clock."""

    name = "factor"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        try:
            speed = Fraction(str(value))
            ensure_speed(speed)
        except InvalidTime as error:
            self.fail(str(error), param, ctx)
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} is no factor; write a number such as 60 or 1.5", param, ctx)
        return speed


DURATION = Duration()
SPEED = Speed()
