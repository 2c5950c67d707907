import itertools
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from leasehold.models.dataset import (
    MAX_COLLECTED,
    MAX_LINE_BYTES,
    MAX_PROBLEMS,
    CompletionRow,
    DatasetError,
    TextRow,
    guess_task,
    parse_rows,
    read_rows,
)

GOOD: list[dict[str, Any]] = [
    {"text": "fine", "label": "good"},
    {"text": "awful", "label": "bad"},
    {"text": "nice", "label": "good", "split": "test"},
]


def lines(*rows: Any) -> list[bytes]:
    return [(row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows]


def problems(*rows: Any, task: str = "text-classification") -> list[tuple[int, str]]:
    with pytest.raises(DatasetError) as error:
        parse_rows(lines(*rows), task)
    return error.value.problems


def test_good_rows_are_read_and_blank_lines_skipped() -> None:
    rows = parse_rows([*lines(*GOOD), b"\n", b"  \n"], "text-classification")
    assert [row.split for row in rows] == ["train", "train", "test"]


def test_causal_rows_are_texts_or_completions() -> None:
    rows = parse_rows(lines({"text": "a"}, {"prompt": "b", "completion": "c"}), "causal-lm")
    assert rows == [TextRow(text="a"), CompletionRow(prompt="b", completion="c")]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (b"{", "no JSON"),
        (b'{"text": "x" "label": "y"}', "no JSON: Expecting ',' delimiter at column 14"),
        (b"\xff\xfe", "no UTF-8: byte 1"),
        ([1], "a JSON object is needed, got list"),
        ({"text": "x"}, "label: Field required"),
        ({"text": "", "label": "y"}, "text: String should have at least 1 character"),
        ({"text": 5, "label": "y"}, "text: Input should be a valid string"),
        ({"text": "x", "label": "y", "extra": 1}, "extra: Extra inputs are not permitted"),
        ({"text": "x", "label": "y", "split": "dev"}, "split: Input should be 'train' or 'test'"),
        ({"text": "x", "label": "y" * 201}, "label: String should have at most 200 characters"),
    ],
)
def test_a_malformed_row_is_named_by_its_line(row: Any, problem: str) -> None:
    found = problems(GOOD[0], row, GOOD[1])
    assert [line for line, _ in found] == [2]
    assert problem in found[0][1]


def test_all_malformed_rows_are_named_and_the_text_is_bounded() -> None:
    found = problems(*[{"text": "x"}] * (MAX_PROBLEMS + 5))
    assert len(found) == MAX_PROBLEMS + 5
    message = str(DatasetError("file.jsonl", found))
    assert "line 20: label: Field required" in message
    assert "line 21" not in message
    assert "and 5 more" in message


def test_the_length_of_a_line_is_bounded() -> None:
    row = json.dumps(GOOD[0]).encode()
    parse_rows(lines(row + b" " * (MAX_LINE_BYTES - len(row) - 1), GOOD[1]), "text-classification")
    assert "longer than" in problems(row + b" " * (MAX_LINE_BYTES - len(row)), GOOD[1])[0][1]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([], "no rows to train on"),
        ([GOOD[2]], "no rows to train on"),
        ([GOOD[0]], "2 to 1000 labels in the training rows, found 1"),
    ],
)
def test_a_file_that_cannot_be_trained_on_is_refused(rows: list[Any], problem: str) -> None:
    ((line, text),) = problems(*rows)
    assert (line, problem in text) == (0, True)


def test_a_file_is_read_and_its_task_told(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n" + b"".join(lines(*GOOD)))
    assert guess_task(path) == "text-classification"
    assert len(read_rows(path, "text-classification")) == 3
    path.write_bytes(b"".join(lines({"text": "x"})))
    assert guess_task(path) == "causal-lm"


def test_unknown_tasks_and_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="unknown task 'translation'"):
        read_rows(tmp_path / "x", "translation")
    with pytest.raises(DatasetError, match="cannot be read: No such file"):
        read_rows(tmp_path / "x", "causal-lm")


def test_a_row_nested_too_deeply_is_named_by_its_line() -> None:
    """Found: the parser's RecursionError, which is no ValueError, came out without a line."""
    with pytest.raises(DatasetError, match="line 1: no row: nested too deeply"):
        parse_rows([b"[" * 500_000], "causal-lm")


def test_a_line_without_end_is_not_read_into_memory(tmp_path: Path) -> None:
    """Found: a file of one huge line was read as a whole before its length was looked at."""
    path = tmp_path / "bomb.jsonl"
    with path.open("wb") as file:
        file.truncate(64 * MAX_LINE_BYTES)
    tracemalloc.start()
    with pytest.raises(DatasetError, match="line 1: longer than"):
        read_rows(path, "causal-lm")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * MAX_LINE_BYTES


def test_reading_stops_after_many_malformed_lines() -> None:
    with pytest.raises(DatasetError) as caught:
        parse_rows(itertools.repeat(b"{"), "causal-lm")
    assert len(caught.value.problems) == MAX_COLLECTED


def test_a_label_of_test_rows_only_is_named_by_its_line() -> None:
    assert problems(*GOOD, {"text": "x", "label": "new", "split": "test"}) == [
        (4, "the label 'new' appears in test rows only")
    ]
