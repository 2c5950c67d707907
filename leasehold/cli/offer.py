"""`leasehold offer`: machines that run rentals."""

import click

from leasehold.agent import Principal
from leasehold.cli.amounts import DURATION
from leasehold.cli.commands import Group
from leasehold.cli.output import seconds_text, time_text
from leasehold.cli.state import State, pass_state, token_of
from leasehold.marketplace import all_pages
from leasehold.models import Offer
from leasehold.network import Client
from leasehold.roles import operator


@click.group(cls=Group)
def offer() -> None:
    """Post and find machines."""


@offer.command()
@click.option("--title", required=True)
@click.option("--rate", required=True, metavar="AMOUNT", help="Per second.")
@click.option("--max-duration", type=DURATION, default="1d", show_default=True)
@click.option("--hardware", required=True, help='What it is, such as "1x H100 80GB".')
@click.option("--policy", "policies", multiple=True, required=True, help="A policy it satisfies. Repeatable.")
@click.option("--worker", metavar="PRINCIPAL", help="The worker daemon's identity; yours by default.")
@click.option("--bond-bps", type=int, default=operator.MIN_BOND_BASIS_POINTS, show_default=True)
@pass_state
def post(
    state: State,
    title: str,
    rate: str,
    max_duration: int,
    hardware: str,
    policies: tuple[str, ...],
    worker: str | None,
    bond_bps: int,
) -> None:
    """Post an offer. Each claimed rental locks a bond from your available balance until it is settled."""
    client = state.client()
    units = token_of(client).read(rate)
    bond = token_of(client).show(operator.bond_for(units, max_duration, bond_bps))
    state.output.note(
        f"a rental of the full {seconds_text(max_duration)} at this rate locks a bond of {bond}"
    )
    posted = operator.post_offer(
        client,
        title=title,
        rate_per_second=units,
        max_duration_s=max_duration,
        hardware=hardware,
        policies=policies,
        worker=Principal.parse(worker) if worker else None,
        bond_basis_points=bond_bps,
    )
    _show(state, client, posted)


@offer.command("list")
@pass_state
def list_(state: State) -> None:
    """List the machines on offer."""
    client = state.client(reading=True)
    shown = token_of(client).show
    found = [entry for entry in all_pages(client.marketplace.offers, lambda entry: entry.id) if entry.active]
    rows = [
        (
            entry.id,
            entry.title,
            entry.hardware,
            f"{shown(entry.rate_per_second)}/s",
            seconds_text(entry.max_duration_s),
            ", ".join(entry.policies),
        )
        for entry in found
    ]
    state.output.table(
        "offers",
        [entry.json_object() for entry in found],
        ("id", "title", "hardware", "rate", "longest", "policies"),
        rows,
        bare=[str(entry.id) for entry in found],
    )


@offer.command()
@click.argument("id", type=int)
@pass_state
def retire(state: State, id: int) -> None:
    """Take an offer back; a running rental goes on."""
    client = state.client()
    _show(state, client, client.marketplace.retire_offer(id))


def _show(state: State, client: Client, found: Offer) -> None:
    rows: list[tuple[str, str | int]] = [
        ("id", found.id),
        ("title", found.title),
        ("hardware", found.hardware),
        ("rate", f"{token_of(client).show(found.rate_per_second)} per second"),
        ("longest", seconds_text(found.max_duration_s)),
        ("bond", f"{found.bond_basis_points / 100:g} % of the compute price"),
        ("policies", ", ".join(found.policies)),
        ("operator", str(found.operator)),
        ("worker", str(found.worker)),
        ("active", "yes" if found.active else "no"),
        ("created", time_text(found.created_at)),
    ]
    state.output.fields(found.json_object(), rows, bare=str(found.id))
