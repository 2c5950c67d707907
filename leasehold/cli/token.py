"""`leasehold token`: the ledger."""

import click

from leasehold.agent import Principal
from leasehold.cli.commands import Group
from leasehold.cli.state import State, pass_state, token_of
from leasehold.errors import NotPermittedError, UsageError
from leasehold.ledger import account


@click.group(cls=Group)
def token() -> None:
    """Look at and move tokens on the ledger."""


@token.command()
@click.argument("principal", required=False)
@pass_state
def balance(state: State, principal: str | None) -> None:
    """Balance on the ledger; of the identity in use by default."""
    client = state.client(reading=principal is not None)
    owner = Principal.parse(principal) if principal else client.principal
    amount = client.ledger.balance(owner)
    data = {"principal": str(owner), "balance": str(amount), "symbol": client.ledger.symbol}
    shown = token_of(client).show(amount)
    rows = [("principal", str(owner)), ("balance", shown), ("base units", str(amount))]
    state.output.fields(data, rows, bare=str(amount))


@token.command()
@click.argument("to")
@click.argument("amount")
@pass_state
def transfer(state: State, to: str, amount: str) -> None:
    """Send AMOUNT to the principal TO."""
    client = state.client()
    units = token_of(client).read(amount)
    shown, fee = token_of(client).show, client.ledger.fee
    state.output.note(
        f"sends {shown(units)} to {to}; the ledger's fee is {shown(fee)}; it cannot be taken back"
    )
    state.confirm("Send it?")
    block = client.ledger.transfer(Principal.parse(to), units, created_at_time=client.agent.now_ns())
    _done(state, block, units)


@token.command()
@click.argument("spender")
@click.argument("amount")
@pass_state
def approve(state: State, spender: str, amount: str) -> None:
    """Let SPENDER take up to AMOUNT, fees included."""
    client = state.client()
    units = token_of(client).read(amount)
    shown, fee = token_of(client).show, client.ledger.fee
    state.output.note(f"lets {spender} take up to {shown(units)}; the ledger's fee is {shown(fee)}")
    state.confirm("Approve it?")
    block = client.ledger.approve(Principal.parse(spender), units, created_at_time=client.agent.now_ns())
    _done(state, block, units)


@token.command()
@click.argument("amount")
@click.option("--to", metavar="PRINCIPAL", help="Who gets it; the identity in use by default.")
@pass_state
def mint(state: State, amount: str, to: str | None) -> None:
    """Make test tokens on a local ledger; only its minter can."""
    client = state.client()
    minter = client.ledger.canister.call("icrc1_minting_account")
    if minter != account(client.principal):
        owner = minter["owner"] if minter else "nobody"
        raise NotPermittedError(
            f"only {owner} can mint on this ledger, not {client.principal}; choose it with --identity"
        )
    units = token_of(client).read(amount)
    receiver = Principal.parse(to) if to else client.principal
    if receiver == client.principal:
        raise UsageError("the minter cannot hold tokens itself; name who gets them with --to")
    _done(state, client.ledger.transfer(receiver, units), units)


def _done(state: State, block: int, units: int) -> None:
    data = {"block": str(block), "amount": str(units)}
    state.output.fields(data, [("block", block), ("amount", units)], bare=str(block))
