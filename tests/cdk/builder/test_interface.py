"""The generated interface, the check against the `.did` file, and the command line that needs no runtime."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from _ic_candid_core import parse_did as parse_with_reference
from click.testing import CliRunner

from cdk.__main__ import cli, main
from cdk.build import check
from cdk.builder.interface import read_interface
from cdk.builder.project import find_canister
from cdk.errors import CdkError

Project = Callable[..., Path]
HELLO = """\
from kybra import query, text

@query
def hello(name: text) -> text:
    return f"hello {name}"
"""
ROOT = Path(__file__).resolve().parents[3]


def test_canisters_are_found_by_name_and_by_path(project: Project) -> None:
    root = project({"canisters/a/main.py": HELLO, "other/place/main.py": HELLO})
    for name, start in [("a", root), ("a", root / "canisters" / "a"), ("canisters/a", root)]:
        canister = find_canister(name, start)
        assert (canister.name, canister.root, canister.module) == ("a", root, "canisters.a.main")
    assert find_canister("other/place/main.py", root).module == "other.place.main"
    assert find_canister(str(root / "other/place"), Path("/")).root == root
    with pytest.raises(CdkError, match="no canister 'b'"):
        find_canister("b", root)


def test_the_interface_is_read_from_the_annotations(project: Project) -> None:
    beat = "\nfrom kybra import heartbeat, void\n@heartbeat\ndef beat() -> void: ...\n"
    root = project({"canisters/a/main.py": HELLO + beat})
    interface = read_interface(find_canister("a", root))
    assert interface.did == "service : {\n  hello : (text) -> (text) query;\n}\n"
    assert interface.exports == {
        "canister_query hello": 0,
        "canister_update <cdk internal> run_timer": 1,
        "canister_global_timer": "canister_global_timer",
        "canister_heartbeat": "canister_heartbeat",
    }


@pytest.mark.parametrize("name", ["counter", "echo", "caller", "maps", "timers"])
def test_interfaces_are_the_same_every_time_and_the_reference_parser_reads_them(name: str) -> None:
    canister = find_canister(f"tests/cdk/canisters/{name}", ROOT)
    interface = read_interface(canister)
    assert read_interface(canister) == interface
    assert json.loads(parse_with_reference(interface.did))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "from kybra import query\n@query\ndef f(x): ...\n",
            r"^canisters/a/main\.py:2: f parameter 'x' has no",
        ),
        (
            "from kybra import ic\n\nNOW = ic.time()\n",
            r"^canisters/a/main\.py:3: .*_ic0\.time is called while",
        ),
        ("from kybra import nope\n", r"^canisters/a/main\.py:1: ImportError: .*nope"),
        ("1 / 0\n", r"^canisters/a/main\.py:1: ZeroDivisionError: division by zero"),
        ("x = 1\n", "no endpoints"),
        (
            "from kybra import Record, query\nclass text(Record):\n    a: int\n@query\ndef f() -> text: 1\n",
            "text is a Candid keyword",
        ),
    ],
)
def test_sources_that_cannot_be_described_are_refused_with_their_place(
    project: Project, text: str, problem: str
) -> None:
    with pytest.raises(CdkError, match=problem):
        check("a", project({"canisters/a/main.py": text}))


def test_the_checked_in_interface_is_compared_by_meaning(project: Project) -> None:
    did = "// a comment\nservice : { hello : (name : text) -> (text) query }"
    check("a", project({"canisters/a/main.py": HELLO, "canisters/a/a.did": did}))


def test_a_mismatch_shows_the_difference_and_what_to_do(project: Project) -> None:
    did = "service : { hello : (nat) -> (text) query; more : () -> () }"
    root = project({"canisters/a/main.py": HELLO, "canisters/a/a.did": did})
    with pytest.raises(CdkError) as caught:
        check("a", root)
    message = str(caught.value)
    assert "canisters/a/a.did does not agree with canisters/a/main.py" in message
    assert "- hello: argument 1: `text` against `nat`" in message
    assert "more : () -> ()  is only in the second" in message
    assert "+  hello : (text) -> (text) query;" in message
    assert "python -m cdk build a --update-did" in message
    check("a", root, update_did=True)
    assert "hello : (text)" in (root / "canisters/a/a.did").read_text()
    check("a", root)


def test_a_malformed_did_file_is_named_with_its_line(project: Project) -> None:
    root = project({"canisters/a/main.py": HELLO, "canisters/a/a.did": "\nservice : {"})
    with pytest.raises(CdkError, match=r"canisters/a/a\.did:2: expected"):
        check("a", root)


def test_check_only_on_the_command_line(project: Project) -> None:
    root = project({"canisters/a/main.py": HELLO})
    result = CliRunner().invoke(cli, ["build", str(root / "canisters/a"), "--check-only", "--json"])
    assert json.loads(result.output) == {"canister": "a", "methods": 1}
    result = CliRunner().invoke(cli, ["build", str(root / "canisters/b"), "--check-only"])
    assert isinstance(result.exception, CdkError)


def test_errors_go_to_standard_error_with_exit_code_1(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project({"canisters/a/main.py": "import numpy\n"})
    monkeypatch.setattr("sys.argv", ["cdk", "build", str(root / "canisters/a"), "--check-only"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    assert capsys.readouterr().err.startswith("error: canisters/a/main.py:1: module numpy is not found")
