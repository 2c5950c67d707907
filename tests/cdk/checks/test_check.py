"""What `cdk check` reports, with its place and who refuses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from cdk.__main__ import cli
from cdk.builder.interface import Interface
from cdk.checks import Finding, check_canister
from cdk.checks.canister import _limits
from cdk.wasm.specialise import METADATA_BYTES_MAX, METHOD_NAMES_MAX

Check = Callable[..., list[str]]
GOOD = """\
from kybra import nat, query

@query
def f(x: nat) -> nat:
    return x
"""
START = "from kybra import nat, query\n"
ENDPOINT = "\n@query\ndef f() -> nat:\n    return 1\n"


@pytest.fixture
def checked(tmp_path: Path) -> Check:
    """`checked(source, **other files)`: the findings of a canister with this `main.py`, as text."""

    def check(text: str, did: str | None = None, **modules: str) -> list[str]:
        (tmp_path / "pyproject.toml").touch()
        folder = tmp_path / "canisters" / "a"
        folder.mkdir(parents=True)
        (folder / "main.py").write_text(text)
        if did is not None:
            (folder / "a.did").write_text(did)
        for name, module in modules.items():
            (tmp_path / f"{name}.py").write_text(module)
        return [str(finding) for finding in check_canister("a", tmp_path)]

    return check


def test_a_good_canister_has_no_findings(checked: Check) -> None:
    assert checked(GOOD, "service : { f : (nat) -> (nat) query }") == []


def test_every_forbidden_import_is_reported_not_only_the_first(checked: Check) -> None:
    found = checked(
        "import socket\nimport numpy\nfrom helper import x\n" + GOOD, helper="import random\nx = 1\n"
    )
    places = [line.split(": module")[0] for line in found]
    assert places == ["canisters/a/main.py:1: cdk", "canisters/a/main.py:2: cdk", "helper.py:1: cdk"]


def test_wrong_syntax_is_reported_with_its_line(checked: Check) -> None:
    [found] = checked("x = 1\ntry:\n    pass\nexcept* ValueError:\n    pass\n")
    assert found.startswith("canisters/a/main.py:") and "Python 3.10" in found


def test_definitions_that_do_not_work_are_reported(checked: Check) -> None:
    [found] = checked("from kybra import query, nat\n\n@query\ndef f() -> nat:\n    yield 1\n")
    assert found.startswith("canisters/a/main.py:3: cdk: f has a yield")


def test_an_interface_that_does_not_agree_is_reported(checked: Check) -> None:
    [found] = checked(GOOD, "service : { f : (nat) -> (text) query }")
    assert found.startswith("canisters/a/a.did: cdk:") and "does not agree" in found


@pytest.mark.parametrize(
    ("source", "line", "problem"),
    [
        ("import kybra\nfrom kybra import nat, query" + ENDPOINT, 1, "write `from kybra import …`"),
        (START + "from kybra import text as t" + ENDPOINT, 2, "another name"),
        (START + "from kybra.extensions import *" + ENDPOINT, 2, "ours alone"),
        (
            "from kybra import StableBTreeMap, nat, query\nMAPS = {'a': StableBTreeMap[nat, nat](0, 8, 8)}"
            + ENDPOINT,
            2,
            "named at the top level",
        ),
        ("from kybra import query\n@query\ndef f() -> None: ...\n", 3, "None is not a type"),
        (START + "@query\ndef f(x: bytes) -> nat: ...\n", 3, "use blob"),
        (
            START + "@query\ndef f(x: list[nat]) -> nat: ...\n",
            3,
            "only Opt, Vec, Tuple, Manual, Async, Alias take types",
        ),
        (
            START + "@query\ndef f(x: nat | None) -> nat: ...\n",
            3,
            "not a type that Kybra",
        ),
        (
            START + "@query\ndef f(" + ", ".join(f"{letter}: nat" for letter in "abcdef") + ") -> nat: ...\n",
            3,
            "6 parameters, at most 5",
        ),
        (
            'from kybra import Record, nat, query\nclass R(Record):\n    """Words."""\n    a: nat' + ENDPOINT,
            3,
            "not a docstring",
        ),
        ('from kybra import Record, nat, query\nR = Record("R", {"a": nat})' + ENDPOINT, 2, "as classes"),
        (
            "from kybra import Service, nat, query, service_method\nclass S(Service):\n"
            "    @service_method\n    def f(self) -> nat: ..." + ENDPOINT,
            4,
            "needs @service_query or @service_update",
        ),
        (
            "from kybra import StableBTreeMap, nat, query\nSIZE = 8\n"
            "m = StableBTreeMap[nat, nat](memory_id=0, max_key_size=SIZE, max_value_size=8)" + ENDPOINT,
            3,
            "must be written as numbers",
        ),
        (
            START + "def g():\n    return {'Ok': None}\n@query(guard=g)\ndef f() -> nat: ...\n",
            5,
            "not a function annotated `-> GuardResult`",
        ),
        (
            START + "def f() -> nat:\n    match 1:\n        case 1: return 1\n" + ENDPOINT,
            3,
            "no match statement",
        ),
        (
            "from kybra import ic, nat, query\n@query\ndef f() -> nat:\n    return ic.canister_version()\n",
            4,
            "ours",
        ),
    ],
)
def test_what_only_stock_kybra_refuses(checked: Check, source: str, line: int, problem: str) -> None:
    [found] = checked(source)
    assert found.startswith(f"canisters/a/main.py:{line}: kybra: ") and problem in found


def test_types_that_share_a_name_are_reported(checked: Check) -> None:
    other = "from kybra import Record, nat\nclass R(Record):\n    b: nat\n"
    source = "from kybra import Record, nat, query\nimport other\nclass R(Record):\n    a: nat" + ENDPOINT
    [found] = checked(source, other=other)
    assert "type R is defined twice; first at" in found


def test_what_the_network_refuses() -> None:
    def problems(did: str, *names: str) -> list[Finding]:
        return _limits(
            Interface(did, {f"canister_query {name}": i for i, name in enumerate(names)}), "main.py"
        )

    assert problems("service : {}", "f") == []
    [long_names] = problems("", "x" * METHOD_NAMES_MAX, "y")
    assert long_names.who == "network" and "at most 20000" in long_names.problem
    [large] = problems("x" * (METADATA_BYTES_MAX + 1), "f")
    assert large.who == "network" and "metadata of" in large.problem
    [many] = problems("", *[f"f{number}" for number in range(256)])
    assert many.who == "cdk" and "at most 254" in many.problem


def test_the_command_line_fails_for_what_matters(tmp_path: Path) -> None:
    folder = tmp_path / "canisters" / "a"
    folder.mkdir(parents=True)
    (folder / "main.py").write_text("from kybra import query\n@query\ndef f() -> None: ...\n")

    def run(*options: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["check", str(folder), *options])
        return result.exit_code, result.output

    code, output = run()
    assert code == 0 and "kybra: None is not a type" in output
    assert run("--strict")[0] == 1
    code, output = run("--json")
    [finding] = json.loads(output)["findings"]
    assert code == 0 and finding["line"] == 3 and finding["who"] == "kybra"
    (folder / "main.py").write_text("import numpy\n")
    assert run()[0] == 1
    (folder / "main.py").write_text(GOOD)
    assert run("--strict") == (0, f"{folder}: nothing would be refused\n")


def test_an_extension_with_another_way_when_there_is_none_is_no_finding(checked: Check) -> None:
    guarded = "try:\n    from kybra.extensions import root_key\nexcept ImportError:\n    root_key = None\n"
    assert checked("from kybra import nat, query\n\n" + guarded + ENDPOINT) == []
