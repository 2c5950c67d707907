"""`leasehold status`: the marketplace at a glance."""

import click

from leasehold.cli.commands import Command
from leasehold.cli.state import State, pass_state, token_of


@click.command(cls=Command)
@pass_state
def status(state: State) -> None:
    """Show where the marketplace is and what it holds."""
    client = state.client(reading=True)
    found = client.marketplace.status()
    rows = [
        ("network", client.agent.url),
        ("marketplace", str(client.marketplace.id)),
        ("ledger", str(found.ledger)),
        ("vault", str(found.vault)),
        ("treasury", str(found.treasury)),
        ("platform share", f"{found.platform_basis_points / 100:g} %"),
        ("simulated TEEs", "SIMULATED ones are accepted" if found.simulated else "refused"),
        ("rentals", found.rentals),
        ("held", token_of(client).show(found.held)),
        ("paused", "yes" if found.paused else "no"),
    ]
    data = {"network": client.agent.url, "marketplace": str(client.marketplace.id)} | found.json_object()
    state.output.fields(data, rows, bare=str(client.marketplace.id))
