"""`leasehold rental`: rent a model, follow the job, download the adapter."""

from pathlib import Path

import click

from leasehold.cli.amounts import Token
from leasehold.cli.commands import Group
from leasehold.cli.output import seconds_text, time_text
from leasehold.cli.rental_options import Request, request_options
from leasehold.cli.state import State, pass_state, token_of
from leasehold.models import Event, PriceQuote, ProgressPoint, Rental
from leasehold.network import Client
from leasehold.roles import renter


@click.group(cls=Group)
def rental() -> None:
    """Rent, watch, settle."""


@rental.command()
@request_options
@pass_state
def quote(state: State, request: Request) -> None:
    """Ask for the highest price, without renting."""
    client = state.client()
    found = client.marketplace.quote_rental(request.arguments(token_of(client)))
    rows = [*_quote_rows(token_of(client), found)]
    state.output.fields(found.json_object(), rows, bare=str(found.total_max))


@rental.command()
@request_options
@pass_state
def create(state: State, request: Request) -> None:
    """Rent: the highest price goes into escrow, what is not used comes back."""
    client = state.client()
    token = token_of(client)
    arguments = request.arguments(token)
    price = client.marketplace.quote_rental(arguments)
    for name, value in _quote_rows(token, price):
        state.output.note(f"{name:>16}  {value}")
    state.output.note("            next  leasehold rental watch ID, leasehold rental download ID FOLDER")
    state.confirm(f"Put {token.show(price.total_max)} into escrow?")
    if request.max_price is None:
        arguments = arguments.model_copy(update={"max_price": price.total_max})
    _show(state, client, client.marketplace.create_rental(arguments))


@rental.command("list")
@click.option("--after", type=int, help="Only rentals after this id.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@pass_state
def list_(state: State, after: int | None, limit: int) -> None:
    """List your rentals."""
    client = state.client()
    shown = token_of(client).show
    found = client.marketplace.my_rentals(after, limit)
    rows = [
        (entry.id, entry.status, entry.listing, shown(entry.price.total_max), time_text(entry.created_at))
        for entry in found
    ]
    state.output.table(
        "rentals",
        [entry.json_object() for entry in found],
        ("id", "status", "listing", "highest price", "created"),
        rows,
        bare=[str(entry.id) for entry in found],
    )


@rental.command()
@click.argument("id", type=int)
@pass_state
def show(state: State, id: int) -> None:
    """Show a rental."""
    client = state.client()
    _show(state, client, client.marketplace.get_rental(id))


@rental.command()
@click.argument("id", type=int)
@click.option("--timeout", "timeout_s", type=float, help="Give up after this many seconds.")
@click.option("--until-settling", is_flag=True, help="Stop when the result is there to be accepted.")
@pass_state
def watch(state: State, id: int, timeout_s: float | None, until_settling: bool) -> None:
    """Follow a rental: a line per event and point of the loss curve, JSON Lines with --json."""
    client = state.client()
    token = token_of(client)

    def until(current: Rental) -> bool:
        return current.is_over or (until_settling and current.status in ("settling", "disputed"))

    for update in renter.follow(client, id, until=until, timeout_s=timeout_s):
        for event in update.events:
            state.output.line({"event": event.json_object()}, _event_line(token, event))
        for point in update.progress:
            state.output.line({"progress": point.json_object()}, _progress_line(point))
    last = client.marketplace.get_rental(id)
    state.output.line({"rental": last.json_object()}, f"rental {id} is {last.status}")
    if state.output.quiet and not state.output.as_json:
        click.echo(last.status)
    renter.ensure_succeeded(last)


@rental.command()
@click.argument("id", type=int)
@click.option("--after", type=click.IntRange(0), default=0, help="Begin with this index.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@pass_state
def events(state: State, id: int, after: int, limit: int) -> None:
    """The log of a rental: what happened, who did it, what moved."""
    client = state.client()
    token = token_of(client)
    found = client.marketplace.rental_events(id, after, limit)
    rows = [
        (
            entry.index,
            time_text(entry.at),
            entry.kind,
            entry.to_status,
            _moved(token, entry),
            entry.reason or "",
        )
        for entry in found
    ]
    state.output.table(
        "events",
        [entry.json_object() for entry in found],
        ("index", "at", "event", "status", "moved", "reason"),
        rows,
        bare=[str(entry.index) for entry in found],
    )


@rental.command()
@click.argument("id", type=int)
@pass_state
def cancel(state: State, id: int) -> None:
    """Cancel: free while queued, later the time used is paid and the rest refunded."""
    client = state.client()
    current = client.marketplace.get_rental(id)
    state.output.note(f"rental {id} is {current.status}; {current.price.refund_rule}")
    state.confirm("Cancel it?")
    _show(state, client, client.marketplace.cancel_rental(id))


@rental.command()
@click.argument("id", type=int)
@pass_state
def accept(state: State, id: int) -> None:
    """Accept the result: everyone is paid, the rest comes back, the result can be opened."""
    client = state.client()
    current = client.marketplace.get_rental(id)
    shown = token_of(client).show(current.escrow)
    state.output.note(f"pays what was used out of the escrow of {shown}, and refunds the rest")
    state.output.note(f"next: leasehold rental download {id} FOLDER")
    state.confirm("Accept the result?")
    _show(state, client, client.marketplace.accept_result(id))


@rental.command()
@click.argument("id", type=int)
@click.option("--reason", required=True)
@pass_state
def dispute(state: State, id: int, reason: str) -> None:
    """Dispute the result: the money is held until the arbiter rules."""
    client = state.client()
    state.confirm("Dispute the result?")
    _show(state, client, client.marketplace.dispute_result(id, reason))


@rental.command()
@click.argument("id", type=int)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@pass_state
def download(state: State, id: int, folder: Path) -> None:
    """Download the adapter of a succeeded rental into FOLDER, and open it."""
    client = state.client()
    current = client.marketplace.get_rental(id)
    with state.output.progress("downloading") as progress:
        names = renter.download_result(client, current, folder, state.folder / "work", progress)
    data = {"rental": id, "folder": str(folder), "files": list(names)}
    state.output.fields(
        data, [("folder", str(folder)), *(("file", name) for name in names)], bare=str(folder)
    )


def _quote_rows(token: Token, price: PriceQuote) -> list[tuple[str, str | int]]:
    return [
        ("listing fee", token.show(price.listing_fee)),
        ("dataset fees", token.show(price.dataset_fees)),
        ("compute, at most", token.show(price.compute_max)),
        ("platform, at most", token.show(price.platform_max)),
        ("total, at most", token.show(price.total_max)),
        ("refund rule", price.refund_rule),
    ]


def _show(state: State, client: Client, found: Rental) -> None:
    shown = token_of(client).show
    rows: list[tuple[str, str | int]] = [
        ("id", found.id),
        ("status", found.status),
        ("reason", found.reason or "-"),
        ("listing", found.listing),
        ("datasets", ", ".join(found.datasets)),
        (
            "policy",
            found.policy + (" (SIMULATED)" if found.attestation and found.attestation.simulated else ""),
        ),
        ("highest price", shown(found.price.total_max)),
        ("escrow", shown(found.escrow)),
        ("time used", f"{seconds_text(found.seconds_used)} of {seconds_text(found.max_duration_s)}"),
        ("attempts", found.attempts),
        ("deadline", time_text(found.deadline)),
        ("created", time_text(found.created_at)),
        ("started", time_text(found.started_at)),
        ("finished", time_text(found.finished_at)),
    ]
    if found.charges is not None:
        rows += [(f"paid: {name}", shown(amount)) for name, amount in found.charges.model_dump().items()]
    if found.metrics is not None:
        rows.append(("metrics", found.metrics))
    state.output.fields(found.json_object(), rows, bare=str(found.id))


def _moved(token: Token, event: Event) -> str:
    return ", ".join(f"{account} {token.show(amount)}" for account, amount in event.amounts)


def _event_line(token: Token, event: Event) -> str:
    parts = [
        time_text(event.at),
        event.kind,
        f"-> {event.to_status}",
        _moved(token, event),
        event.reason or "",
    ]
    return "  ".join(part for part in parts if part)


def _progress_line(point: ProgressPoint) -> str:
    current = point.progress
    line = f"{time_text(point.at)}  step {current.step}/{current.total_steps}  loss {current.loss:.4f}"
    if current.eval_accuracy is not None:
        line += f"  eval accuracy {current.eval_accuracy:.4f}"
    return line
