"""`python -m benchmarks`: print every figure beside its goal."""

from __future__ import annotations

import json
import os
import platform
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any

import click
from rich.console import Console

from benchmarks import concerns
from benchmarks.commands import CommandFailed
from benchmarks.figures import MISSED, WIDTH, Section, show


def machine() -> dict[str, Any]:
    """What the times are measured on."""
    return {
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def measured(names: Sequence[str], console: Console) -> Iterator[Section]:
    """The sections of these concerns, each shown as soon as it is there."""
    for name in names:
        for section in concerns.ALL[name]():
            show(console, section)
            yield section


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; the tables go to stderr.")
@click.option("--demo", is_flag=True, help="Play the demo too; takes a minute or two.")
@click.option("--tests", is_flag=True, help="Run all tests too; takes some minutes.")
@click.option("--only", type=click.Choice(list(concerns.ALL)), multiple=True, help="Just this; repeatable.")
@click.option("--check", is_flag=True, help="End with exit code 1 when a goal is missed.")
def main(as_json: bool, demo: bool, tests: bool, only: tuple[str, ...], check: bool) -> None:
    """Print every figure beside its goal. Instructions are exact; times depend on the machine."""
    names = [*(only or concerns.USUAL), *(["demo"] if demo else []), *(["tests"] if tests else [])]
    here, start = machine(), time.monotonic()
    console = Console(file=sys.stderr if as_json else sys.stdout, width=WIDTH, highlight=False)
    console.print("{cores} cores, {processor} {system}, Python {python}, load {load}\n".format(**here))
    try:
        sections = list(measured(names, console))
    except CommandFailed as error:
        raise click.ClickException(str(error)) from error
    missed = [one.name for section in sections for one in section.figures if one.verdict == MISSED]
    seconds = round(time.monotonic() - start, 1)
    console.print(f"{len(missed)} goals missed; measured in {seconds:.0f} s")
    if as_json:
        found = {"machine": here, "sections": [section.to_json() for section in sections]}
        click.echo(json.dumps({**found, "missed": missed, "seconds": seconds}, indent=2))
    if check and missed:
        sys.exit(1)


def leave(number: int, frame: FrameType | None) -> None:
    """End by an exception, so that nothing that was started is left running; once is enough."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, leave)
    main()
