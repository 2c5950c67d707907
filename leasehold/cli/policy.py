"""`leasehold policy`: what evidence must show."""

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

import attestation
from attestation import PolicyExpression, PolicyMalformed, policy_from_json
from leasehold.cli.commands import Group
from leasehold.cli.output import time_text
from leasehold.cli.policy_proposals import COMMANDS
from leasehold.cli.state import State, pass_state
from leasehold.errors import PolicyMismatchError
from leasehold.evidence import Finding, malformations, read_policy_text, review
from leasehold.evidence.policy_review import MALFORMED, WEAKER


@click.group(cls=Group)
def policy() -> None:
    """Attestation policies that a renter can choose."""


for command in COMMANDS:
    policy.add_command(command)


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
    """Show what a policy demands, also one that was retired or revoked."""
    found = state.client(reading=True).marketplace.get_policy(name)
    rows = [("state", found.state), ("adopted", time_text(found.adopted_at))]
    rows += [(field, json.dumps(value)) for field, value in json.loads(found.document).items()]
    state.output.fields(found.json_object(), rows, bare=found.name)


@policy.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@pass_state
def lint(state: State, file: Path) -> None:
    """Read the policy in FILE strictly: name every problem, and what makes it weaker than it might look.

    Exits with 7 when it is no policy, or refuses everything. See `policy schema` for its fields.
    """
    found, findings = _reviewed(file)
    wrong = list(dict.fromkeys(_place(one, found) for one in findings if one.severity != WEAKER))
    content = {
        "policy": None if found is None else found.name,
        "simulated": None if found is None else found.simulated,
        "usable": not wrong,
        "findings": [asdict(finding) for finding in findings],
    }
    name = str(file) if found is None else found.name

    def human(console: Console) -> None:
        _print_findings(state, console, name, findings)

    state.output.result(content, bare="" if found is None else name, human=human)
    if found is None:
        raise PolicyMismatchError(f"{file} is no usable policy: see {', '.join(wrong)}")
    if wrong:
        raise PolicyMismatchError(f"policy {found.name!r} refuses everything: see {', '.join(wrong)}")


@policy.command()
@pass_state
def schema(state: State) -> None:
    """Print the JSON Schema (draft 2020-12) of policies."""
    text = Path(attestation.__file__).with_name("policy.schema.json").read_text("ascii")
    content = json.loads(text)
    state.output.result(content, bare=text.rstrip(), human=lambda console: click.echo(text, nl=False))


def _reviewed(file: Path) -> tuple[PolicyExpression | None, list[Finding]]:
    """The policy and what is noteworthy about it, or None and why it is no policy."""
    try:
        text = read_policy_text(file)
    except PolicyMalformed as error:
        return None, [Finding("", "", MALFORMED, error.message)]
    problems = malformations(text)
    if problems:
        return None, problems
    found = policy_from_json(text)
    return found, review(found)


def _place(finding: Finding, reviewed: PolicyExpression | None) -> str:
    """Where to look: of a composition, in which member."""
    if reviewed is None or finding.policy == reviewed.name:
        return finding.field or "the file"
    return f"{finding.field} of {finding.policy!r}"


def _print_findings(state: State, console: Console, name: str, findings: list[Finding]) -> None:
    if not findings:
        console.print(f"policy {name}: nothing to remark", markup=False)
        return
    columns = ("severity", "policy", "field", "problem")
    rows = [(finding.severity, finding.policy, finding.field, finding.problem) for finding in findings]
    state.output.table("findings", [], columns, rows, bare=[])
