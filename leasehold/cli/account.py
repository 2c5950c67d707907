"""`leasehold account`: money on the marketplace."""

import click

from leasehold.cli.commands import Group
from leasehold.cli.output import time_text
from leasehold.cli.state import State, pass_state, token_of
from leasehold.models import Balances
from leasehold.network import Client
from leasehold.roles import account as actions


@click.group(cls=Group)
def account() -> None:
    """Deposit, withdraw, and see what moved."""


@account.command()
@pass_state
def balance(state: State) -> None:
    """What is available, in escrow, and locked as bonds."""
    client = state.client()
    _show(state, client, client.marketplace.balances())


@account.command()
@click.argument("amount")
@pass_state
def deposit(state: State, amount: str) -> None:
    """Move AMOUNT from the ledger to the marketplace."""
    client = state.client()
    units = token_of(client).read(amount)
    shown, fee = token_of(client).show, client.ledger.fee
    state.output.note(
        f"deposits {shown(units)}; the ledger takes {shown(2 * fee)} more for approval and transfer\n"
        "what is not spent can be withdrawn at any time: `leasehold account withdraw AMOUNT`"
    )
    state.confirm("Deposit it?")
    _show(state, client, actions.deposit(client, units).balances)


@account.command()
@click.argument("amount")
@pass_state
def withdraw(state: State, amount: str) -> None:
    """Move AMOUNT from the marketplace back to the ledger."""
    client = state.client()
    units = token_of(client).read(amount)
    shown, fee = token_of(client).show, client.ledger.fee
    state.output.note(f"withdraws {shown(units)}; {shown(max(0, units - fee))} arrive, less the ledger's fee")
    state.confirm("Withdraw it?")
    _show(state, client, actions.withdraw(client, units))


@account.command()
@click.option("--after", type=int, help="Only movements after this index.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@pass_state
def movements(state: State, after: int | None, limit: int) -> None:
    """What moved in and out of the accounts of the identity in use."""
    client = state.client()
    shown = token_of(client).show
    found = client.marketplace.movements(after, limit)
    rows = [
        (
            entry.index,
            time_text(entry.at),
            entry.kind,
            entry.from_account,
            entry.to_account,
            shown(entry.amount),
        )
        for entry in found
    ]
    state.output.table(
        "movements",
        [entry.json_object() for entry in found],
        ("index", "at", "kind", "from", "to", "amount"),
        rows,
        bare=[str(entry.index) for entry in found],
    )


def _show(state: State, client: Client, balances: Balances) -> None:
    shown = token_of(client).show
    rows = [
        ("available", shown(balances.available)),
        ("escrowed", shown(balances.escrowed)),
        ("bonded", shown(balances.bonded)),
    ]
    data = {"principal": str(client.principal)} | balances.json_object()
    state.output.fields(data, rows, bare=str(balances.available))
