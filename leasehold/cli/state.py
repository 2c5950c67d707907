"""What every command is told: who, where, and how to print."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import click

from leasehold.agent import Identity
from leasehold.cli.amounts import Token
from leasehold.cli.output import Output
from leasehold.identities import DEFAULT_NAME, IdentityStore
from leasehold.network import DEFAULT_FOLDER, Client, Network


@dataclass
class State:
    """The global options, and what is opened from them when a command needs it.

    Args:
        identity_name: `None` for the default one.
        network_url: `None` for `$LEASEHOLD_NETWORK` or the devnet.
        folder: of the project's own files.
        yes: money may move without asking.
        debug: show tracebacks.
    """

    identity_name: str | None = None
    network_url: str | None = None
    folder: Path = DEFAULT_FOLDER
    yes: bool = False
    debug: bool = False
    output: Output = field(default_factory=Output)

    @cached_property
    def store(self) -> IdentityStore:
        """The stored identities."""
        return IdentityStore()

    def identity(self, *, reading: bool = False) -> Identity:
        """Who calls. When only reading and nobody was named, the anonymous identity will do."""
        if self.identity_name is None and reading and DEFAULT_NAME not in self.store.names():
            return Identity.ANONYMOUS
        return self.store.load(self.identity_name or DEFAULT_NAME)

    def network(self) -> Network:
        """Where our canisters are."""
        return Network.load(self.network_url, self.folder)

    def client(self, *, reading: bool = False) -> Client:
        """Our canisters, as who calls; closed when the command ends."""
        client = self.network().connect(self.identity(reading=reading))
        click.get_current_context().call_on_close(client.close)
        return client

    def confirm(self, question: str) -> None:
        """Ask before money moves, unless `-y` was given.

        Raises:
            click.Abort: the answer is no.
        """
        if not self.yes:
            click.confirm(question, abort=True, err=True)


def token_of(client: Client) -> Token:
    """Symbol and decimals of the marketplace's token."""
    return Token(client.ledger.symbol, client.ledger.decimals)


pass_state = click.make_pass_decorator(State, ensure=True)
