import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from leasehold.cli import NOUNS, main
from leasehold.cli.amounts import DURATION, Token
from leasehold.cli.output import seconds_text
from leasehold.errors import UsageError
from tests.leasehold.cli.conftest import Shell

OURS = [noun for noun, (place, _) in NOUNS.items() if place.startswith("leasehold.cli.")]


def commands(name: str) -> list[list[str]]:
    found = main.get_command(click.Context(main), name)
    if isinstance(found, click.Group):
        return [[name, verb] for verb in found.commands]
    return [[name]]


def test_help_lists_every_noun_without_importing_any(shell: Shell) -> None:
    text = shell.run("--help").stdout
    for noun, (_, line) in NOUNS.items():
        assert noun in text
        assert line in text


@pytest.mark.parametrize("noun", OURS)
def test_every_command_explains_itself_and_takes_the_global_options(shell: Shell, noun: str) -> None:
    for command in commands(noun):
        text = shell.run(*command, "--help").stdout
        for option in ("--json", "--quiet", "--yes", "--identity", "--network", "--debug"):
            assert option in text


def test_usage_errors_exit_with_2(shell: Shell) -> None:
    shell.run("nonsense", code=2)
    shell.run("rental", "nonsense", code=2)
    shell.run("rental", "show", code=2)
    shell.run("rental", "show", "x", code=2)


def test_without_a_network_the_way_out_is_named(shell: Shell) -> None:
    error = shell.run("listing", "list", code=1).stderr
    assert error.count("\n") == 1
    assert "leasehold devnet start --detach" in error


def test_debug_shows_the_traceback(shell: Shell) -> None:
    result = CliRunner().invoke(main, ["listing", "list", "--debug"])
    assert "Traceback" in result.stderr


def test_an_unreachable_network_is_a_clear_error(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leasehold.agent.boundary.MAX_ATTEMPTS", 1)
    shell.folder.mkdir()
    ids = {name: "aaaaa-aa" for name in ("ledger", "vault", "marketplace")}
    (shell.folder / "canisters.json").write_text(json.dumps({"local": ids}))
    error = shell.run("listing", "list", "--network", "http://127.0.0.1:1", code=1).stderr
    assert "127.0.0.1:1 cannot be reached" in error


TOKEN = Token("LHT", 8)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("0", 0),
        ("150000000", 150_000_000),
        ("1.5LHT", 150_000_000),
        ("2 lht", 200_000_000),
        ("0.00000001LHT", 1),
    ],
)
def test_amounts_are_read(text: str, units: int) -> None:
    assert TOKEN.read(text) == units


@pytest.mark.parametrize(
    "text", ["", "-1", "1.5", "1.5 ICP", "0.000000001LHT", "LHT", "1e5", "\u0661", "1,5LHT"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        TOKEN.read(text)


def test_amounts_are_shown() -> None:
    assert [TOKEN.show(units) for units in (0, 1, 150_000_000, -5, 10**15)] == [
        "0 LHT",
        "0.00000001 LHT",
        "1.5 LHT",
        "-0.00000005 LHT",
        "10,000,000 LHT",
    ]
    assert Token("X", 0).show(7) == "7 X"


def test_durations() -> None:
    assert [DURATION.convert(text, None, None) for text in ("5", "90s", "15m", "2h", "1d")] == [
        5,
        90,
        900,
        7200,
        86400,
    ]
    for text in ("", "0", "-1", "1w", "h"):
        with pytest.raises(click.BadParameter):
            DURATION.convert(text, None, None)
    assert [seconds_text(seconds) for seconds in (5, 65, 3725)] == ["5s", "1m 05s", "1h 02m 05s"]


def test_a_missing_part_is_named(shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(main._nouns, "worker", ("no_such_package.cli:worker", ""))
    assert "needs 'no_such_package', which is not installed" in shell.run("worker", "start", code=1).stderr
