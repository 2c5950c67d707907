"""`leasehold listing`: models for rent."""

from pathlib import Path

import click

from leasehold.cli.commands import Group
from leasehold.cli.output import time_text
from leasehold.cli.state import State, pass_state, token_of
from leasehold.marketplace import all_pages
from leasehold.models import TASKS, Listing
from leasehold.network import Client
from leasehold.roles import publisher


@click.group(cls=Group)
def listing() -> None:
    """Publish and find models."""


@listing.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--title", required=True)
@click.option("--fee", required=True, metavar="AMOUNT", help="Per rental.")
@click.option(
    "--payee",
    "payees",
    multiple=True,
    metavar="PRINCIPAL=BPS",
    help="Shares sum to 10000; `me` is you. Repeatable.",
)
@click.option("--description", default="")
@click.option("--base-model", default="", help="The model's name; the folder's by default.")
@click.option("--task", "tasks", multiple=True, type=click.Choice(TASKS), default=("text-classification",))
@pass_state
def publish(
    state: State,
    directory: Path,
    title: str,
    fee: str,
    payees: tuple[str, ...],
    description: str,
    base_model: str,
    tasks: tuple[str, ...],
) -> None:
    """Pack, seal, upload and list the model in DIRECTORY (safetensors only).

    The weights leave this machine sealed; only an attested machine that runs a paid rental can open them. An
    interrupted upload goes on when the command is run again.
    """
    client = state.client()
    shared = [publisher.parse_payee(text, client.principal) for text in payees]
    with state.output.progress("uploading") as progress:
        published = publisher.publish_listing(
            client,
            directory,
            title=title,
            fee=token_of(client).read(fee),
            payees=shared,
            description=description,
            base_model=base_model,
            tasks=tasks,
            drafts=state.folder / "drafts",
            progress=progress,
        )
    _show(state, client, published)


@listing.command("list")
@pass_state
def list_(state: State) -> None:
    """List the models that can be rented."""
    client = state.client(reading=True)
    shown = token_of(client).show
    found = [
        entry for entry in all_pages(client.marketplace.listings, lambda entry: entry.id) if entry.active
    ]
    rows = [
        (entry.id, entry.title, entry.base_model, ", ".join(entry.tasks), shown(entry.fee)) for entry in found
    ]
    state.output.table(
        "listings",
        [entry.json_object() for entry in found],
        ("id", "title", "base model", "tasks", "fee"),
        rows,
        bare=[entry.id for entry in found],
    )


@listing.command()
@click.argument("id")
@pass_state
def show(state: State, id: str) -> None:
    """Show a model."""
    client = state.client(reading=True)
    _show(state, client, client.marketplace.get_listing(id))


@listing.command()
@click.argument("id")
@pass_state
def retire(state: State, id: str) -> None:
    """Take a model off the market; running rentals go on."""
    client = state.client()
    _show(state, client, client.marketplace.retire_listing(id))


def _show(state: State, client: Client, found: Listing) -> None:
    rows: list[tuple[str, str | int]] = [
        ("id", found.id),
        ("title", found.title),
        ("description", found.description or "-"),
        ("base model", found.base_model),
        ("tasks", ", ".join(found.tasks)),
        ("fee", token_of(client).show(found.fee)),
        *(("payee", f"{payee.account} gets {payee.basis_points / 100:g} %") for payee in found.payees),
        ("publisher", str(found.publisher)),
        ("sealed file", f"{found.artifact.location}, {found.artifact.size:,} bytes"),
        ("sha256", found.artifact.sha256.hex()),
        ("active", "yes" if found.active else "no"),
        ("created", time_text(found.created_at)),
    ]
    state.output.fields(found.json_object(), rows, bare=found.id)
