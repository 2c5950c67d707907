"""How the demo looks: numbered steps with their time, progress bars, the live loss."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from leasehold.demo.curve import draw
from leasehold.vault import ProgressCallback

STEPS = 8


class Screen:
    """Writes to a console and keeps the seconds of each step."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, key: str, title: str) -> Iterator[None]:
        """A numbered step of the story; its seconds are kept under `key`."""
        self.console.print(f"\n[bold cyan]{len(self.seconds) + 1}/{STEPS}  {escape(title)}[/]")
        started = time.monotonic()
        self.seconds[key] = 0.0
        yield
        self.seconds[key] = round(time.monotonic() - started, 2)
        self.console.print(f"     [dim]{self.seconds[key]:.1f} s[/]")

    def say(self, text: str) -> None:
        """One line of the story."""
        self.console.print(f"     {escape(text)}", soft_wrap=True, highlight=False)

    def warn(self, text: str) -> None:
        """A line that must not be overlooked."""
        self.console.print(f"     [bold yellow]{escape(text)}[/]", soft_wrap=True, highlight=False)

    @contextmanager
    def transfer(self, label: str) -> Iterator[ProgressCallback]:
        """A progress bar of bytes; calls `progress(done, total)`."""
        columns = (
            TextColumn("     {task.description}"),
            BarColumn(40),
            DownloadColumn(),
            TransferSpeedColumn(),
        )
        with Progress(*columns, console=self.console) as bars:
            task = bars.add_task(label, total=None)
            yield lambda done, total: bars.update(task, completed=done, total=total)

    @contextmanager
    def loss_curve(self) -> Iterator["LossCurve"]:
        """The live loss; on something that is no terminal it is drawn once, at the end."""
        curve = LossCurve()
        if self.console.is_terminal:
            with Live(console=self.console, refresh_per_second=8) as live:
                curve.on_change = lambda: live.update(curve.panel())
                yield curve
        else:
            yield curve
            if curve.values:
                self.console.print(curve.panel())

    def table(self, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A small table; columns after the first are right-aligned when they hold numbers."""
        table = Table(title=title, title_justify="left", header_style="bold", pad_edge=False)
        for index, name in enumerate(header):
            numeric = index > 0 and all(row[index].lstrip("-+").replace(".", "").isdigit() for row in rows)
            table.add_column(name, justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(escape(cell) for cell in row))
        self.console.print(table)


class LossCurve:
    """The training loss so far, and the words beside it."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.caption = "waiting for the first step"
        self.on_change: Callable[[], None] = lambda: None

    def add(self, loss: float, step: int, total: int, epoch: float) -> None:
        """One more optimiser step."""
        self.values.append(loss)
        self.caption = f"step {step} of {total}, epoch {epoch:.2f}, loss {loss:.4f}"
        self.on_change()

    def panel(self) -> Panel:
        """The curve as rich shows it."""
        body = "\n".join(draw(self.values)) if self.values else ""
        return Panel(body, title="training loss", subtitle=self.caption, width=80)
