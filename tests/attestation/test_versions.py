"""Versions compare by number, part by part."""

from __future__ import annotations

import pytest

from attestation.versions import at_least


@pytest.mark.parametrize(
    ("found", "minimum", "base", "holds"),
    [
        ("550.90.07", "550.90.07", 10, True),
        ("550.90.7", "550.90.07", 10, True),
        ("550.100", "550.90.07", 10, True),
        ("550.90", "550.90.07", 10, False),
        ("550.90.07", "550.90", 10, True),
        ("99.0", "550.0", 10, False),
        ("0.10.0", "0.9.0", 10, True),
        ("96.00.A5.00.01", "96.00.9F.00.01", 16, True),
        ("96.00.5E.00.01", "96.00.9F.00.01", 16, False),
    ],
)
def test_versions_compare_by_number(found: str, minimum: str, base: int, holds: bool) -> None:
    assert at_least(found, minimum, base) is holds
