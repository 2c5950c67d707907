"""The network's time: the machine's, from some moment on run faster, or set forward.

It is a line through one point: what the network's time was at a moment of the machine's. Nothing else is
kept, so a node that was killed goes on with the time it would have had, and never back.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

from devnet.errors import DevnetError, StateFolderError
from devnet.state_folder import CLOCK_FILE

if TYPE_CHECKING:
    from devnet.replica.api import Clock

MAX_SPEED: Final = 86_400
"""A day in a second."""

MAX_TIME_NS: Final = (1 << 63) - 1


class InvalidTime(DevnetError, ValueError):
    """A speed or a step of time that no network can have."""


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        return time.time_ns()


@dataclass(frozen=True)
class _Line:
    """Network time as a function of machine time; nanoseconds."""

    machine_ns: int = 0
    network_ns: int = 0
    speed: Fraction = Fraction(1)

    def at(self, machine_ns: int) -> int:
        elapsed = max(0, machine_ns - self.machine_ns)
        return min(MAX_TIME_NS, self.network_ns + elapsed * self.speed.numerator // self.speed.denominator)


class NetworkClock:
    """Tells the network's time; may be read by several threads, changed by one.

    Args:
        machine: the clock to go by.
        speed: how much faster than it, 1 to `MAX_SPEED`.
        folder: keeps the time from one start to the next; None: starts with the machine's time.

    Raises:
        InvalidTime: another speed.
        StateFolderError: what the folder keeps cannot be read.
    """

    def __init__(self, machine: Clock, speed: Fraction = Fraction(1), folder: Path | None = None) -> None:
        ensure_speed(speed)
        self._machine = machine
        self._file = folder / CLOCK_FILE if folder else None
        self._line = _read(self._file)
        if speed != self._line.speed:
            self._change(lambda now: _Line(machine.now_ns(), now, speed))

    @property
    def speed(self) -> Fraction:
        """Seconds of the network in one of the machine."""
        return self._line.speed

    def now_ns(self) -> int:
        """The network's time."""
        return self._line.at(self._machine.now_ns())

    def machine_ns(self) -> int:
        """The machine's time."""
        return self._machine.now_ns()

    def at(self, machine_ns: int) -> int:
        """The network's time when the machine's clock shows `machine_ns`, unless it is set forward."""
        return self._line.at(machine_ns)

    def after(self, machine_ns: int) -> int:
        """The network's time once so much time of the machine's has passed."""
        return self._line.at(self._machine.now_ns() + machine_ns)

    def advance(self, by_ns: int) -> int:
        """Set the network's time forward for good; returns the new time.

        Raises:
            InvalidTime: backwards, or beyond `MAX_TIME_NS`.
        """
        if by_ns < 0:
            raise InvalidTime(f"time does not go back: cannot advance by {by_ns} ns")
        if self.now_ns() + by_ns >= MAX_TIME_NS:
            raise InvalidTime(f"the network's time ends at {MAX_TIME_NS} ns; {by_ns} ns more are too many")
        speed = self._line.speed
        self._change(lambda now: _Line(self._machine.now_ns(), now + by_ns, speed))
        return self.now_ns()

    def stop(self) -> None:
        """Go on as fast as the machine's clock, while the node does not run."""
        if self._line.speed != 1:
            self._change(lambda now: _Line(self._machine.now_ns(), now))

    def _change(self, line: Callable[[int], _Line]) -> None:
        changed = line(self.now_ns())
        if self._file is not None:
            _write(self._file, changed)
        self._line = changed


def ensure_speed(speed: Fraction) -> None:
    """Raises:
    InvalidTime: slower than the machine's clock, or too fast.
    """
    if not 1 <= speed <= MAX_SPEED:
        raise InvalidTime(f"the speed must be 1 to {MAX_SPEED}, got {speed}")


def _read(file: Path | None) -> _Line:
    if file is None or not file.exists():
        return _Line()
    try:
        fields = json.loads(file.read_text())
        line = _Line(int(fields["machine_ns"]), int(fields["network_ns"]), Fraction(fields["speed"]))
        ensure_speed(line.speed)
    except (OSError, ValueError, TypeError, KeyError, ZeroDivisionError) as error:
        raise StateFolderError(f"cannot use {file}: {error}; `devnet reset` makes a new network") from error
    return line


def _write(file: Path, line: _Line) -> None:
    """Whole or not at all, also when the machine loses power."""
    part = file.with_suffix(".part")
    with open(part, "w") as output:
        json.dump({name: str(value) for name, value in asdict(line).items()}, output)
        output.flush()
        os.fsync(output.fileno())
    part.replace(file)
