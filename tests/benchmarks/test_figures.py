"""Figures: their verdicts, and how they read."""

from __future__ import annotations

import pytest

from benchmarks.figures import MISSED, NO_GOAL, REACHED, Figure, amount


def test_a_goal_is_reached_at_its_value_and_missed_past_it() -> None:
    assert Figure("latency", 50.0, "ms", 50.0).verdict == REACHED
    assert Figure("latency", 50.1, "ms", 50.0).verdict == MISSED
    assert Figure("rate", 50.0, "/s", 50.0, at_least=True).verdict == REACHED
    assert Figure("rate", 49.9, "/s", 50.0, at_least=True).verdict == MISSED
    assert Figure("size", 1.0, "MB").verdict == NO_GOAL


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (999, "instructions", "999"),
        (1_000, "instructions", "1.00 k"),
        (12_345_678, "instructions", "12.3 M"),
        (1.5e9, "instructions", "1.50 G"),
        (123.4, "ms", "123 ms"),
    ],
)
def test_values_read_as_people_say_them(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text
