"""Dataset files as plain rows of one split."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from leasehold.models.dataset import DatasetError
from leasehold.models.dataset import read_rows as read_validated_rows
from tee_worker.errors import DatasetRefused

Split = Literal["train", "test"]
MAX_SHOWN_LINES = 10


def read_rows(paths: Iterable[Path], *, split: Split, task: str) -> list[dict[str, str]]:
    """Every row of `split` (absent means train) in file order; raises `DatasetRefused` naming the line."""
    rows: list[dict[str, str]] = []
    for path in paths:
        try:
            validated = read_validated_rows(path, task)
        except DatasetError as error:
            raise DatasetRefused(f"{path.name}: {public_problem(error)}") from None
        rows.extend(
            row.model_dump(exclude={"split"}, exclude_none=True) for row in validated if row.split == split
        )
    return rows


def public_problem(error: DatasetError) -> str:
    """What is wrong, by line numbers alone: this text leaves the TEE, and the owner has the lines."""
    numbers = [number for number, _ in error.problems if number]
    if not numbers:
        return "; ".join(text for _, text in error.problems)
    shown = ", ".join(map(str, numbers[:MAX_SHOWN_LINES]))
    more = " and others" if len(numbers) > MAX_SHOWN_LINES else ""
    return f"malformed at line {shown}{more}"
