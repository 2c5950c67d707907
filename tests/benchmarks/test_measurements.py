"""The cheap measurements work; what they find is not asserted."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from benchmarks import instructions, marketplace_instructions, message_parts, modules
from benchmarks.__main__ import main
from benchmarks.commands import CommandFailed, seconds_of


def test_messages_storage_and_programs_cost_something() -> None:
    sections = instructions.measure(entries=50)
    assert [section.title for section in sections] == [
        "A message",
        "Stable storage",
        "Python programs in a canister",
    ]
    assert all(figure.value > 0 for section in sections for figure in section.figures)


def test_the_marketplace_is_measured_message_by_message() -> None:
    section = marketplace_instructions.measure(existing=(0, 2))
    found = {figure.name: figure.value for figure in section.figures}
    assert found["submit_attestation, SEV-SNP and 1 GPU"] > found["create_rental, 2 rentals exist"] > 0


def test_the_parts_of_a_message_make_up_the_whole() -> None:
    for section in message_parts.measure():
        found = {figure.name: figure.value for figure in section.figures}
        whole, rest = found.pop("all of it"), found.pop("rest")
        assert set(found) == set(message_parts.PARTS) and all(value > 0 for value in found.values())
        assert sum(found.values()) + rest == whole and abs(rest) < whole / 10


def test_the_command_prints_one_object() -> None:
    done = CliRunner().invoke(main, ["--only", "modules", "--json", "--check"])
    found = json.loads(done.stdout)
    assert done.exit_code == 0 and found["missed"] == []
    names = [figure["name"] for section in found["sections"] for figure in section["figures"]]
    assert names == [figure.name for figure in modules.measure().figures]
    assert found["machine"]["cores"] > 0


def test_a_command_that_fails_is_explained() -> None:
    with pytest.raises(CommandFailed, match=r"no_such_module ended with 1:\n.*No module named"):
        seconds_of(["no_such_module"])
