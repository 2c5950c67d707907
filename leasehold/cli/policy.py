"""`leasehold policy`: what evidence must show."""

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from attestation import PolicyExpression, PolicyMalformed
from leasehold.cli.commands import Group
from leasehold.cli.state import State, pass_state
from leasehold.errors import PolicyMismatchError, UsageError
from leasehold.evidence import Finding, read_policy, review
from leasehold.evidence.policy_review import UNUSABLE


@click.group(cls=Group)
def policy() -> None:
    """Attestation policies that a renter can choose."""


@policy.command("list")
@pass_state
def list_(state: State) -> None:
    """List the policies. SIMULATED ones accept evidence without any hardware behind it."""
    found = state.client(reading=True).marketplace.policies()
    rows = [(entry.name, "SIMULATED" if entry.simulated else "hardware") for entry in found]
    state.output.table(
        "policies",
        [entry.json_object() for entry in found],
        ("name", "evidence"),
        rows,
        bare=[entry.name for entry in found],
    )


@policy.command()
@click.argument("name")
@pass_state
def show(state: State, name: str) -> None:
    """Show what a policy demands."""
    found = next(
        (entry for entry in state.client(reading=True).marketplace.policies() if entry.name == name), None
    )
    if found is None:
        raise UsageError(f"there is no policy {name!r}; see `leasehold policy list`")
    document = json.loads(found.document)
    rows = [(field, json.dumps(value)) for field, value in document.items()]
    state.output.fields(found.json_object(), rows, bare=found.name)


@policy.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@pass_state
def lint(state: State, file: Path) -> None:
    """Read the policy in FILE strictly, and say what makes it weaker than it might look.

    Exits with 7 when it is no policy, or refuses everything.
    """
    try:
        found = read_policy(str(file.resolve()))
    except PolicyMalformed as error:
        raise PolicyMismatchError(f"{file} is no usable policy: {error.message}") from error
    findings = review(found)
    unusable = [finding.field for finding in findings if finding.severity == UNUSABLE]
    content = {
        "policy": found.name,
        "simulated": found.simulated,
        "usable": not unusable,
        "findings": [asdict(finding) for finding in findings],
    }

    def human(console: Console) -> None:
        _print_findings(state, console, found, findings)

    state.output.result(content, bare=found.name, human=human)
    if unusable:
        raise PolicyMismatchError(f"policy {found.name!r} refuses everything: see {', '.join(unusable)}")


def _print_findings(state: State, console: Console, found: PolicyExpression, findings: list[Finding]) -> None:
    if not findings:
        console.print(f"policy {found.name}: nothing to remark", markup=False)
        return
    columns = ("severity", "policy", "field", "problem")
    rows = [(finding.severity, finding.policy, finding.field, finding.problem) for finding in findings]
    state.output.table("findings", [], columns, rows, bare=[])
