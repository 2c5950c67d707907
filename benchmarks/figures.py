"""A figure, its goal, and how both are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

REACHED, MISSED, NO_GOAL = "reached", "MISSED", ""
WIDTH = 120


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Args:
        name: what was measured.
        value: in `unit`.
        unit: `instructions`, `ms`, `MB`, …; instructions are printed as k, M or G.
        goal: to be stayed below, or reached where `at_least`; None: measured for comparison only.
        note: how it was measured, where the name does not say it.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        """`reached`, `MISSED`, or nothing without a goal."""
        if self.goal is None:
            return NO_GOAL
        kept = self.value >= self.goal if self.at_least else self.value <= self.goal
        return REACHED if kept else MISSED

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "goal": self.goal,
            "at_least": self.at_least,
            "verdict": self.verdict,
            "note": self.note,
        }


@dataclass(frozen=True)
class Section:
    """Figures that were measured together."""

    title: str
    figures: Sequence[Figure]

    def to_json(self) -> dict[str, Any]:
        """Title and figures as plain values."""
        return {"title": self.title, "figures": [figure.to_json() for figure in self.figures]}


def amount(value: float, unit: str) -> str:
    """A value as people read it: three significant digits, instructions scaled."""
    if unit != "instructions":
        return f"{_digits(value)} {unit}".rstrip()
    for scale, suffix in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= scale:
            return _digits(value / scale) + suffix
    return _digits(value)


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def show(console: Console, section: Section) -> None:
    """Print a section as a table."""
    table = Table(title=section.title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("figure", width=56, overflow="fold")
    table.add_column("measured", justify="right", width=10)
    table.add_column("goal", justify="right", width=9)
    table.add_column("", width=7)
    table.add_column("how", overflow="fold", style="dim")
    for figure in section.figures:
        bound = ""
        if figure.goal is not None:
            bound = ("≥ " if figure.at_least else "≤ ") + amount(figure.goal, figure.unit)
        style = {REACHED: "green", MISSED: "bold red"}.get(figure.verdict)
        table.add_row(
            figure.name, amount(figure.value, figure.unit), bound, figure.verdict, figure.note, style=style
        )
    console.print(table)
    console.print()
