"""Printing: data on stdout, everything else on stderr."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from leasehold.vault import ProgressCallback

Cell = str | int

_UNBOUNDED_WIDTH = 10_000


class Output:
    """How to print, as the options say.

    `as_json` prints one object, `quiet` the bare id.
    """

    def __init__(self) -> None:
        self.as_json = False
        self.quiet = False

    @property
    def _stdout(self) -> Console:
        # Only a terminal has a width to keep to.
        width = None if sys.stdout.isatty() else _UNBOUNDED_WIDTH
        return Console(file=sys.stdout, soft_wrap=True, highlight=False, width=width)

    @property
    def _stderr(self) -> Console:
        return Console(file=sys.stderr, soft_wrap=True, highlight=False)

    def result(self, data: dict[str, Any], *, bare: str, human: Callable[[Console], None]) -> None:
        """The outcome of a command: an object, its bare id, or something to read."""
        if self.as_json:
            click.echo(json.dumps(data))
        elif self.quiet:
            click.echo(bare, nl=bool(bare))
        else:
            human(self._stdout)

    def fields(self, data: dict[str, Any], rows: Sequence[tuple[str, Cell]], *, bare: str) -> None:
        """One record, a field a line."""

        def human(console: Console) -> None:
            grid = Table.grid(padding=(0, 2))
            grid.add_column(no_wrap=True)
            grid.add_column(overflow="fold")
            for name, value in rows:
                grid.add_row(f"[dim]{name}[/]", _escaped(value))
            console.print(grid)

        self.result(data, bare=bare, human=human)

    def table(
        self,
        name: str,
        entries: Sequence[dict[str, Any]],
        columns: Sequence[str],
        rows: Sequence[Sequence[Cell]],
        *,
        bare: Sequence[str],
    ) -> None:
        """Several records: `{name: [...]}` in JSON, their bare ids, or a table."""

        def human(console: Console) -> None:
            if not rows:
                return self.note(f"no {name}")
            table = Table(box=None, pad_edge=False, header_style="dim")
            for column in columns:
                table.add_column(column, overflow="fold")
            for row in rows:
                table.add_row(*(_escaped(cell) for cell in row))
            console.print(table)

        self.result({name: list(entries)}, bare="\n".join(bare), human=human)

    def line(self, data: dict[str, Any], text: str) -> None:
        """One of many: a JSON line, or a line of text."""
        if self.as_json:
            click.echo(json.dumps(data))
        elif not self.quiet:
            self._stdout.print(printable(text), markup=False)

    def note(self, text: str) -> None:
        """Something to know on the way, on stderr."""
        if not self.quiet:
            self._stderr.print(printable(text), markup=False)

    def warn(self, text: str) -> None:
        """Something that nobody may miss, on stderr: `quiet` does not silence it."""
        self._stderr.print(printable(text), markup=False)

    @contextmanager
    def progress(self, title: str) -> Iterator[ProgressCallback]:
        """A progress bar of bytes on stderr."""
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        disabled = self.quiet or self.as_json
        with Progress(*columns, console=self._stderr, transient=True, disable=disabled) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)


def time_text(nanoseconds: int | None) -> str:
    """A point in time, in UTC; `-` for none."""
    if nanoseconds is None:
        return "-"
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def seconds_text(seconds: int) -> str:
    """A duration such as `1h 05m 00s`."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes:02d}m {rest:02d}s"
    return f"{minutes}m {rest:02d}s" if minutes else f"{rest}s"


def printable(text: str) -> str:
    """`text` for a terminal. Titles and reasons are other people's: control characters are replaced."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def _escaped(cell: Cell) -> str:
    # Nor may they be markup.
    return printable(str(cell).replace("\n", " ")).replace("[", r"\[")
