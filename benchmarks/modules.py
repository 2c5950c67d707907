"""Sizes of the canisters' modules."""

from __future__ import annotations

from benchmarks.canisters import ROOT
from benchmarks.figures import Figure, Section
from cdk.build import build

MARKETPLACE_GOAL_MB = (2 << 20) / 1_000_000
MB = 1_000_000
"""Of the goal too: decimal megabytes."""


def measure() -> Section:
    """Module sizes, whole and gzipped as they are installed."""
    figures = []
    for source in sorted(ROOT.glob("canisters/*/main.py")):
        name = source.parent.name
        built = build(name, ROOT)
        goal = MARKETPLACE_GOAL_MB if name == "marketplace" else None
        figures.append(Figure(f"{name}, gzipped", built.gzip_size / MB, "MB", goal, note="as installed"))
        figures.append(Figure(f"{name}, whole", built.size / MB, "MB"))
    return Section("Modules", figures)
