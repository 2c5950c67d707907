"""docs/attestation.md names only what exists: functions, errors, tests, fields of policies."""

from __future__ import annotations

import ast
import functools
import importlib
import re
from pathlib import Path

import attestation
import attestation.errors
from attestation import AttestationError
from attestation.policy_json import FIELDS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "attestation.md").read_text(encoding="utf-8")
TESTS = {"marketplace": ROOT / "tests"}
# What the marketplace adds is named by its module alone.
MARKETPLACE = ("gate", "policies", "held_collateral", "proposals")
NAME = re.compile(r"`([^`]+)`")


def tables() -> list[tuple[list[str], list[list[str]]]]:
    """Header and rows of each table."""
    found: list[tuple[list[str], list[list[str]]]] = []
    for block in re.findall(r"(?:^\|.*\|\n)+", TEXT, re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
        assert all(len(row) == len(rows[0]) for row in rows), rows[0]
        found.append((rows[0], rows[2:]))
    return found


def column(name: str) -> list[list[str]]:
    """The names in code style in each cell of every column called so."""
    return [
        NAME.findall(row[header.index(name)]) for header, rows in tables() if name in header for row in rows
    ]


def resolve(name: str) -> object:
    """The module's attribute that a dotted name means."""
    package = "canisters.marketplace.core" if name.split(".")[0] in MARKETPLACE else "attestation"
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            module = importlib.import_module(".".join([package, *parts[:length]]))
        except ModuleNotFoundError:
            continue
        return functools.reduce(getattr, parts[length:], module)
    raise AssertionError(f"no module for {name}")


@functools.cache
def functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_named_function_exists() -> None:
    cells = column("where")
    assert len(cells) == 66
    for names in cells:
        assert names
        for name in names:
            assert callable(resolve(name)), name


def test_every_named_error_exists() -> None:
    others = importlib.import_module("canisters.marketplace.core.errors")
    for names in column("error"):
        assert names
        for name in names:
            error = getattr(attestation.errors, name, None) or getattr(others, name, None)
            assert isinstance(error, type), name
            assert issubclass(error, Exception), name


def test_every_error_is_documented() -> None:
    classes = [value for value in vars(attestation.errors).values() if isinstance(value, type)]
    errors = {entry.__name__ for entry in classes if issubclass(entry, AttestationError)}
    named = {name for names in column("error") for name in names}
    assert errors - named == {"AttestationError"}


def test_every_named_test_exists() -> None:
    cells = column("test")
    assert cells
    for names in cells:
        assert names
        for name in names:
            path, _, function = name.partition("::")
            base = TESTS.get(path.split("/")[0], ROOT / "tests" / "attestation")
            assert function in functions_of(base / path), name


def test_checks_are_numbered_one_after_another_and_threats_name_them() -> None:
    numbers = [int(row[0]) for header, rows in tables() if header[0] == "no." for row in rows]
    assert numbers == list(range(1, len(numbers) + 1))
    for header, rows in tables():
        if header[0] == "attack":
            assert {int(number) for row in rows for number in re.findall(r"\d+", row[1])} <= set(numbers)


def test_the_fields_of_policies_are_all_there() -> None:
    assert [name for names in column("field") for name in names] == list(FIELDS)
