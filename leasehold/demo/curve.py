"""A loss curve in characters, for a terminal."""

from collections.abc import Sequence
from itertools import pairwise

_BLOCKS = " ▁▂▃▄▅▆▇█"


def draw(values: Sequence[float], *, width: int = 64, height: int = 8) -> list[str]:
    """Lines of a bar chart from the top; more values than columns are averaged.

    Args:
        values: at least one, finite.
        width, height: of the chart in characters.
    """
    columns = _averaged(values, width)
    top = max(max(columns), 1e-9)
    eighths = [round(value / top * height * 8) for value in columns]
    lines = []
    for row in range(height - 1, -1, -1):
        label = (
            f"{top * (row + 1) / height:7.3f} ┤" if row in (height - 1, height // 2 - 1) else " " * 8 + "│"
        )
        lines.append(label + "".join(_BLOCKS[min(8, max(0, full - row * 8))] for full in eighths))
    return [*lines, "  0.000 └" + "─" * len(columns)]


def _averaged(values: Sequence[float], width: int) -> list[float]:
    if len(values) <= width:
        return list(values)
    edges = [i * len(values) // width for i in range(width + 1)]
    return [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
