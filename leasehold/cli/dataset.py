"""`leasehold dataset`: data to train on."""

from dataclasses import asdict
from pathlib import Path

import click

from leasehold.cli.commands import Group
from leasehold.cli.output import time_text
from leasehold.cli.state import State, pass_state, token_of
from leasehold.marketplace import all_pages
from leasehold.models import TASKS, Dataset
from leasehold.models.dataset import guess_task
from leasehold.network import Client
from leasehold.roles import publisher

_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_task = click.option("--task", type=click.Choice(TASKS), help="Told from the first row by default.")


@click.group(cls=Group)
def dataset() -> None:
    """Check, publish and find datasets."""


@dataset.command()
@_file
@_task
@pass_state
def check(state: State, file: Path, task: str | None) -> None:
    """Check the JSON Lines FILE, naming each malformed line."""
    task = task or guess_task(file)
    summary = publisher.check_dataset(file, task)
    rows = [
        ("task", task),
        ("rows", f"{summary.rows} ({summary.train} to train on, {summary.test} to test with)"),
        *((f"label {label}", str(count)) for label, count in summary.labels.items()),
    ]
    state.output.fields({"task": task} | asdict(summary), rows, bare=str(summary.rows))


@dataset.command()
@_file
@click.option("--title", required=True)
@_task
@click.option("--fee", default="0", metavar="AMOUNT", help="Per rental of somebody else's.")
@click.option("--public", is_flag=True, help="Others may train on it; they never see it.")
@pass_state
def publish(state: State, file: Path, title: str, task: str | None, fee: str, public: bool) -> None:
    """Check, seal and upload FILE. It leaves this machine sealed."""
    client = state.client()
    with state.output.progress("uploading") as progress:
        published = publisher.publish_dataset(
            client,
            file,
            title=title,
            task=task or guess_task(file),
            fee=token_of(client).read(fee),
            public=public,
            drafts=state.folder / "drafts",
            progress=progress,
        )
    _show(state, client, published)


@dataset.command("list")
@pass_state
def list_(state: State) -> None:
    """List the public datasets; a private one is shown by its id, to its owner only."""
    client = state.client(reading=True)
    shown = token_of(client).show
    found = [
        entry for entry in all_pages(client.marketplace.datasets, lambda entry: entry.id) if entry.active
    ]
    rows = [(entry.id, entry.title, entry.rows, shown(entry.fee), str(entry.owner)) for entry in found]
    state.output.table(
        "datasets",
        [entry.json_object() for entry in found],
        ("id", "title", "rows", "fee", "owner"),
        rows,
        bare=[entry.id for entry in found],
    )


@dataset.command()
@click.argument("id")
@pass_state
def show(state: State, id: str) -> None:
    """Show a dataset's record."""
    client = state.client(reading=True)
    _show(state, client, client.marketplace.get_dataset(id))


@dataset.command()
@click.argument("id")
@pass_state
def retire(state: State, id: str) -> None:
    """Take a dataset back; running rentals go on."""
    client = state.client()
    _show(state, client, client.marketplace.retire_dataset(id))


def _show(state: State, client: Client, found: Dataset) -> None:
    rows = [
        ("id", found.id),
        ("title", found.title),
        ("rows", str(found.rows)),
        ("fee", token_of(client).show(found.fee)),
        ("owner", str(found.owner)),
        ("others may use it", "yes" if found.public else "no"),
        ("sealed file", f"{found.artifact.location}, {found.artifact.size:,} bytes"),
        ("sha256", found.artifact.sha256.hex()),
        ("created", time_text(found.created_at)),
    ]
    state.output.fields(found.json_object(), rows, bare=found.id)
