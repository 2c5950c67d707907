"""Dataset files: JSON Lines, checked row by row with line numbers.

Source: docs/interfaces.md, "Packing".
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from leasehold.errors import LeaseholdError
from leasehold.models.hyperparameters import TASKS

MAX_LINE_BYTES = 1024 * 1024
MAX_ROWS = 10_000_000
MAX_LABELS = 1_000
MAX_PROBLEMS = 20
MAX_COLLECTED = 1_000
"""Malformed lines after which reading stops."""

Split = Literal["train", "test"]


class DatasetError(LeaseholdError):
    """A dataset file has malformed lines.

    Args:
        problems: line number (from 1) and what is wrong there, which may repeat parts of the line; 0 for the
            whole file, which repeats nothing.
    """

    def __init__(self, source: str, problems: list[tuple[int, str]]) -> None:
        self.problems = problems
        lines = [f"line {line}: {text}" if line else text for line, text in problems[:MAX_PROBLEMS]]
        more = [f"and {len(problems) - MAX_PROBLEMS} more"] if len(problems) > MAX_PROBLEMS else []
        super().__init__(f"{source} is no valid dataset:\n  " + "\n  ".join(lines + more))


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    split: Split = "train"


class TextClassificationRow(_Row):
    """A text and its label."""

    text: str = Field(min_length=1)
    label: str = Field(min_length=1, max_length=200)


class TextRow(_Row):
    """A text to continue."""

    text: str = Field(min_length=1)


class CompletionRow(_Row):
    """A prompt and the completion that is learned."""

    prompt: str = Field(min_length=1)
    completion: str = Field(min_length=1)


Row = TextClassificationRow | TextRow | CompletionRow


def read_rows(path: Path, task: str) -> list[Row]:
    """All rows of a dataset file.

    Args:
        task: `text-classification` or `causal-lm`.

    Raises:
        DatasetError: malformed lines, named by number; no training rows; or a single label.
    """
    if task not in TASKS:
        raise DatasetError(path.name, [(0, f"unknown task {task!r}; it is one of {', '.join(TASKS)}")])
    try:
        with path.open("rb") as file:
            return parse_rows(_lines(file), task, path.name)
    except OSError as error:
        raise DatasetError(path.name, [(0, f"it cannot be read: {error.strerror}")]) from error


def parse_rows(lines: Iterable[bytes], task: str, source: str = "the dataset") -> list[Row]:
    """All rows of the lines of a dataset file, as `read_rows`."""
    rows: dict[int, Row] = {}
    problems: list[tuple[int, str]] = []
    for number, line in enumerate(_bounded(lines), 1):
        if not line.strip():
            continue
        try:
            rows[number] = _parse_row(line, task)
        except (ValueError, RecursionError) as error:
            problems.append((number, _explained(error)))
        if len(problems) >= MAX_COLLECTED:
            raise DatasetError(source, problems)
    problems += [] if problems else list(_problems_as_a_whole(rows, task))
    if problems:
        raise DatasetError(source, problems)
    return list(rows.values())


def guess_task(path: Path) -> str:
    """The task a dataset file is for, by its first row: with a label, `text-classification`."""
    with path.open("rb") as file:
        first = next((line for line in file if line.strip()), b"")
    return "text-classification" if b'"label"' in first else "causal-lm"


def _lines(file: BinaryIO) -> Iterator[bytes]:
    # A line is never held in memory beyond what a row may have.
    while line := file.readline(MAX_LINE_BYTES + 1):
        yield line
        if len(line) > MAX_LINE_BYTES:
            return


def _bounded(lines: Iterable[bytes]) -> Iterator[bytes]:
    for number, line in enumerate(lines, 1):
        if number > MAX_ROWS:
            raise DatasetError("the dataset", [(number, f"at most {MAX_ROWS} lines are possible")])
        yield line


def _parse_row(line: bytes, task: str) -> Row:
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(f"longer than {MAX_LINE_BYTES} bytes")
    fields = json.loads(line.decode())
    if not isinstance(fields, dict):
        raise ValueError(f"a JSON object is needed, got {type(fields).__name__}")
    return _row_type(fields, task).model_validate(fields)


def _row_type(fields: dict[str, Any], task: str) -> type[Row]:
    if task == "text-classification":
        return TextClassificationRow
    return CompletionRow if "prompt" in fields or "completion" in fields else TextRow


def _problems_as_a_whole(rows: Mapping[int, Row], task: str) -> Iterator[tuple[int, str]]:
    train = [row for row in rows.values() if row.split == "train"]
    if not train:
        yield 0, "it has no rows to train on"
    elif task == "text-classification":
        labels = {row.label for row in train if isinstance(row, TextClassificationRow)}
        if not 2 <= len(labels) <= MAX_LABELS:
            yield (
                0,
                f"classification needs 2 to {MAX_LABELS} labels in the training rows, found {len(labels)}",
            )
        for number, row in rows.items():
            if isinstance(row, TextClassificationRow) and row.label not in labels:
                yield number, f"the label {row.label!r} appears in test rows only"


def _explained(error: ValueError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "no row: nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON: {error.msg} at column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return f"no UTF-8: byte {error.start + 1}"
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'row'}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        )
    return str(error)
