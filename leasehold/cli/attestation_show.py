"""`leasehold attestation show`: what is written in evidence, or what the marketplace recorded of it."""

from pathlib import Path

import click
from rich.console import Console

from attestation import AttestationError, decode_bundle
from leasehold.cli.commands import Command
from leasehold.cli.evidence_options import SIMULATED_NOTE
from leasehold.cli.output import time_text
from leasehold.cli.state import State, pass_state
from leasehold.errors import EvidenceInvalidError, UsageError
from leasehold.evidence import Section, describe, is_simulated, read_bundle
from leasehold.models import AttestationRecord

NOT_VERIFIED = "NOT VERIFIED: this is only what the bundle says; see `leasehold attestation verify`"
CLAIM_COLUMNS = ("verdict", "claim", "expected", "found")


@click.command(cls=Command)
@click.argument("what", metavar="RENTAL|BUNDLE")
@pass_state
def show(state: State, what: str) -> None:
    """Show the attestation of RENTAL as the marketplace verified it, or every field of a file BUNDLE.

    A number is a rental: its record and a row per claim. Anything else is a file: CPU, GPUs, switches,
    certificates, guest. Nothing in a file is verified, anybody can write anything into one; exits with 5 when
    a part of it cannot be read.
    """
    if what.isascii() and what.isdigit():
        _show_rental(state, int(what))
    else:
        _show_file(state, Path(what))


def _show_rental(state: State, rental: int) -> None:
    found = state.client().marketplace.get_rental(rental)
    record = found.attestation
    if record is None:
        raise UsageError(f"rental {rental} is {found.status!r} and has no accepted attestation")
    if record.simulated:
        state.output.warn(SIMULATED_NOTE)
    data = {"rental": rental} | record.json_object()
    bare = record.bundle_sha256.hex()
    state.output.result(data, bare=bare, human=lambda console: _print_record(state, record))


def _print_record(state: State, record: AttestationRecord) -> None:
    rows: list[tuple[str, str | int]] = [
        ("policy", record.policy),
        ("simulated", "SIMULATED" if record.simulated else "no"),
        ("cpu", record.cpu_kind),
        ("measurement", record.measurement),
        ("chip", record.chip_id),
        *(("gpu", gpu) for gpu in record.gpus),
        *(("switch", switch) for switch in record.switches),
        ("session", str(record.session)),
        ("evidence sha256", record.bundle_sha256.hex()),
        ("verified", time_text(record.verified_at)),
        ("expires", time_text(record.expires_at)),
    ]
    state.output.fields({}, rows, bare="")
    claims = [(claim.verdict, claim.name, claim.expected, claim.found) for claim in record.claims]
    state.output.table("claims", [], CLAIM_COLUMNS, claims, bare=[])


def _show_file(state: State, bundle: Path) -> None:
    if not bundle.is_file():
        raise UsageError(f"{bundle} is neither a rental's number nor a file")
    data = read_bundle(bundle)
    try:
        sections, simulated = describe(data), is_simulated(decode_bundle(data))
    except AttestationError as error:
        raise EvidenceInvalidError(f"{bundle} cannot be taken apart: {error}") from error
    state.output.note(NOT_VERIFIED)
    if simulated:
        state.output.warn(SIMULATED_NOTE)
    content = {
        "verified": False,
        "simulated": simulated,
        "sections": {section.name: dict(section.fields) for section in sections},
        "problems": {section.name: section.problem for section in sections if section.problem},
    }
    bare = str(dict(sections[0].fields)["sha256"])
    state.output.result(content, bare=bare, human=lambda console: _print_sections(state, console, sections))
    unreadable = [section.name for section in sections if section.problem]
    if unreadable:
        raise EvidenceInvalidError(f"cannot be read: {', '.join(unreadable)}")


def _print_sections(state: State, console: Console, sections: list[Section]) -> None:
    for section in sections:
        console.print(f"\n{section.name}", style="bold", markup=False)
        rows = [("cannot be read", section.problem)] if section.problem else section.fields
        state.output.fields({}, rows, bare="")
