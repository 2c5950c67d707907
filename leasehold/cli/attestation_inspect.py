"""`leasehold attestation inspect`: what is written in evidence."""

from pathlib import Path

import click
from rich.console import Console

from attestation import AttestationError, decode_bundle
from leasehold.cli.commands import Command
from leasehold.cli.evidence_options import SIMULATED_NOTE
from leasehold.cli.state import State, pass_state
from leasehold.errors import EvidenceInvalidError
from leasehold.evidence import Section, describe, is_simulated, read_bundle

NOT_VERIFIED = "NOT VERIFIED: this is only what the bundle says; see `leasehold attestation verify`"


@click.command(cls=Command)
@click.argument("bundle", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@pass_state
def inspect(state: State, bundle: Path) -> None:
    """Show every field of the evidence in BUNDLE: CPU, GPUs, switches, certificates, guest.

    Nothing is verified: anybody can write anything into a bundle. Exits with 5 when a part cannot be read.
    """
    data = read_bundle(bundle)
    try:
        sections, simulated = describe(data), is_simulated(decode_bundle(data))
    except AttestationError as error:
        raise EvidenceInvalidError(f"{bundle} cannot be taken apart: {error}") from error
    state.output.note(NOT_VERIFIED)
    if simulated:
        state.output.note(SIMULATED_NOTE)
    content = {
        "verified": False,
        "simulated": simulated,
        "sections": {section.name: dict(section.fields) for section in sections},
        "problems": {section.name: section.problem for section in sections if section.problem},
    }
    bare = str(dict(sections[0].fields)["sha256"])
    state.output.result(content, bare=bare, human=lambda console: _print(state, console, sections))
    unreadable = [section.name for section in sections if section.problem]
    if unreadable:
        raise EvidenceInvalidError(f"cannot be read: {', '.join(unreadable)}")


def _print(state: State, console: Console, sections: list[Section]) -> None:
    for section in sections:
        console.print(f"\n{section.name}", style="bold", markup=False)
        rows = [("cannot be read", section.problem)] if section.problem else section.fields
        state.output.fields({}, rows, bare="")
