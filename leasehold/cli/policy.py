"""`leasehold policy`: what evidence must show."""

import json

import click

from leasehold.cli.commands import Group
from leasehold.cli.state import State, pass_state
from leasehold.errors import UsageError


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
