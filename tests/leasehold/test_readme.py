"""The commands of README and of docs/attestation.md exist, with the options that are given them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from leasehold.cli import main

ROOT = Path(__file__).parents[2]
README, ATTESTATION = ROOT / "README.md", ROOT / "docs" / "attestation.md"


def commands(document: Path) -> list[list[str]]:
    """Every `leasehold …` invocation of a document's code blocks, as words."""
    blocks = re.findall(r"```sh[^\n]*\n(.*?)```", document.read_text("utf-8"), re.DOTALL)
    text = "\n".join(blocks).replace("\\\n", " ").replace("; leasehold", "\nleasehold")
    for name, value in re.findall(r'^(\w+)="([^"$]*(?:\$N)?[^"$]*)"$', text, re.MULTILINE):
        text = text.replace(f"${name}", value)
    # Substitutions are arguments here; what is inside them is a command of its own.
    inner = re.findall(r"\$\((leasehold [^()]*)\)", text)
    outer = re.findall(
        r"^(?:.*?do )?(leasehold .*)$", re.sub(r'"?\$\([^()]*\)"?', "VALUE", text), re.MULTILINE
    )
    found = []
    for line in inner + outer:
        words = shlex.split(line.split(";")[0].rstrip("& "), comments=True)
        found.append(words[1:])
    return found


def test_readme_has_the_story_as_commands() -> None:
    assert len(commands(README)) >= 15
    assert len(commands(ATTESTATION)) >= 10


@pytest.mark.parametrize("words", commands(README) + commands(ATTESTATION), ids=" ".join)
def test_a_documented_command_parses(words: list[str]) -> None:
    command: click.Command = main
    context = click.Context(main, info_name="leasehold")
    while isinstance(command, click.Group):
        parser = command.make_parser(context)
        parser.allow_interspersed_args = False
        _, words, _ = parser.parse_args(list(words))
        assert words, "a group without a command"
        name, words = words[0], words[1:]
        found = command.get_command(context, name)
        assert found is not None, f"there is no command {name!r}"
        command, context = found, click.Context(found, info_name=name, parent=context)
    _, rest, _ = command.make_parser(context).parse_args(list(words))
    assert rest == []
