"""Comparison of the dotted versions that reports carry."""

from __future__ import annotations


def at_least(found: str, minimum: str, base: int = 10) -> bool:
    """True when dotted version `found` is not older than `minimum` (``550.90.07``; VBIOS parts have base 16).

    Missing parts count as zero. Raises ValueError for a part that is not a number.
    """
    parts = [[int(part, base) for part in version.split(".")] for version in (found, minimum)]
    length = max(len(version) for version in parts)
    padded = [version + [0] * (length - len(version)) for version in parts]
    return padded[0] >= padded[1]
