"""Canister sources keep the shape that the package of PyPI accepts; docs/cdk.md says what of it there is."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
import typing
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """\
import importlib, kybra, sys
assert "site-packages" in kybra.__file__
importlib.import_module(sys.argv[1])
"""
INTERNAL = {"T", "K", "V", "P", "PrincipalRenamed", "get_first_called_function_name", "get_first_frame"}
"""Names of the package that are neither documented nor of use to a canister."""
CLASSES = ("ic", "StableBTreeMap")
LIBRARY = (
    "management",
    "management.basic",
    "management.bitcoin",
    "management.http",
    "management.tecdsa",
    "ledger",
)


@pytest.fixture
def stock() -> ModuleType:
    return pytest.importorskip("kybra", reason="the package kybra from PyPI is a development dependency")


def table() -> dict[str, str]:
    """Every name in docs/cdk.md and what it says of it."""
    rows = re.findall(r"^\| `([\w.]+)` \| (\w+) \|", (ROOT / "docs" / "cdk.md").read_text(), re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a name stands in docs/cdk.md twice"
    return dict(rows)


def public_names(module: ModuleType) -> set[str]:
    """What the package defines, with the members of its two large classes."""
    foreign = {"sys", "compiler", "canisters", "types"} | set(dir(typing)) - {"Tuple"}
    names = {name for name in dir(module) if not name.startswith("_")} - foreign - INTERNAL
    for name in CLASSES:
        members = [member for member in dir(getattr(module, name)) if not member.startswith("_")]
        names |= {f"{name}.{member}" for member in members}
    return names


def our_kybra(*modules: str) -> list[ModuleType]:
    """Our package as a canister sees it, and modules of it."""
    from cdk.testing import System
    from cdk.testing.loading import LoadedCanister

    loaded = LoadedCanister("tests.cdk.canisters.counter.main", ROOT, System().modules())
    with loaded.installed():
        return [loaded.kybra, *[importlib.import_module(f"kybra.{name}") for name in modules]]


@pytest.mark.parametrize(
    "name", ["composite", "counter", "echo", "lifecycle", "management", "maps", "memory", "system", "timers"]
)
def test_test_canisters_import_under_stock_kybra(name: str) -> None:
    pytest.importorskip("kybra", reason="the package kybra from PyPI is a development dependency")
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, f"tests.cdk.canisters.{name}.main"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_the_documented_table_names_all_of_stock_kybra(stock: ModuleType) -> None:
    documented = {name: word for name, word in table().items() if not name.startswith("kybra.")}
    ours = {name for name, word in documented.items() if word != "extension"}
    assert ours == public_names(stock)
    assert set(documented.values()) == {"supported", "extension", "not"}


def test_the_documented_table_is_true_of_our_kybra() -> None:
    [kybra, service] = our_kybra("service")
    assert set(kybra.__all__) <= set(table())
    for name, word in table().items():
        if name.startswith("kybra."):
            our_kybra(name.removeprefix("kybra."))
            continue
        owner, _, member = name.rpartition(".")
        owners = [getattr(kybra, owner)] if owner else [kybra]
        if owner == "CallResult":
            owners.append(service.Call)  # what it is until it is yielded
        assert any(hasattr(known, member) for known in owners) == (word != "not"), name


def test_every_method_takes_the_parameters_of_stock_kybra(stock: ModuleType) -> None:
    [kybra] = our_kybra()
    for owner in CLASSES:
        for name in [name for name in table() if name.startswith(f"{owner}.")]:
            theirs = getattr(getattr(stock, owner), name.partition(".")[2], None)
            if theirs is None:
                continue
            ours = getattr(getattr(kybra, owner), name.partition(".")[2])
            assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters), (
                name
            )


def definitions(text: str) -> dict[str, dict[str, str]]:
    """The classes of a source: fields with their types, methods with what they take and answer."""
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(text).body:
        if not isinstance(node, ast.ClassDef):
            continue
        members = found[node.name] = {}
        for member in node.body:
            if isinstance(member, ast.AnnAssign):
                members[ast.unparse(member.target)] = _spelled(member.annotation)
            elif isinstance(member, ast.FunctionDef):
                parts = [_spelled(part.annotation) for part in member.args.args[1:] if part.annotation]
                answer = _spelled(member.returns) if member.returns else ""
                members[member.name] = f"{parts} {answer}"
    return found


def _spelled(annotation: ast.expr) -> str:
    """An annotation without quotes and aliases; in stubs a method answers `CallResult[…]`."""
    text = re.sub(r"^CallResult\[(.*)\]$", r"\1", ast.unparse(annotation).replace("'", ""))
    return {"void": "None", "str": "text", "Page": "blob"}.get(text, text)


@pytest.mark.parametrize("name", LIBRARY)
def test_the_library_of_canisters_is_that_of_stock_kybra_and_of_the_stubs(
    stock: ModuleType, name: str
) -> None:
    folder = Path(str(stock.__file__)).parent / "canisters"
    path = Path(*name.split("."))
    is_package = (folder / path).is_dir()
    file = path / "__init__.py" if is_package else path.with_suffix(".py")
    ours = definitions((ROOT / "cdk" / "kybra" / "canisters" / file).read_text())
    assert ours == definitions((folder / file).read_text())
    stub = ROOT / "typings" / "kybra" / "canisters" / file.with_suffix(".pyi")
    assert definitions(stub.read_text()) == ours
