"""`leasehold identity`: keys in the `icp` CLI's PEM format."""

from pathlib import Path

import click

from leasehold.agent import ALGORITHMS, Identity
from leasehold.cli.commands import Group
from leasehold.cli.state import State, pass_state
from leasehold.identities import read_pem


@click.group(cls=Group)
def identity() -> None:
    """Make, import and show identities. Keys are unencrypted PEM files of mode 0600."""


@identity.command()
@click.argument("name")
@click.option("--algorithm", type=click.Choice(ALGORITHMS), default="ed25519", show_default=True)
@pass_state
def new(state: State, name: str, algorithm: str) -> None:
    """Make an identity."""
    made = Identity.generate(algorithm)
    state.store.save(name, made)
    _show(state, name, made)


@identity.command("import")
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@pass_state
def import_(state: State, name: str, file: Path) -> None:
    """Import a PEM file, such as `icp identity export NAME` prints."""
    imported = read_pem(file)
    state.store.save(name, imported)
    _show(state, name, imported)


@identity.command()
@click.argument("name")
@pass_state
def export(state: State, name: str) -> None:
    """Print an identity's private key as PEM, for `icp identity import --from-pem`."""
    pem = state.store.load(name).to_pem().decode()
    state.output.result(
        {"name": name, "pem": pem}, bare=pem.strip(), human=lambda _: click.echo(pem, nl=False)
    )


@identity.command("list")
@pass_state
def list_(state: State) -> None:
    """List the stored identities."""
    found = [(name, state.store.load(name)) for name in state.store.names()]
    entries = [_described(name, entry) for name, entry in found]
    rows = [(name, entry.algorithm, str(entry.principal)) for name, entry in found]
    state.output.table(
        "identities", entries, ("name", "algorithm", "principal"), rows, bare=[name for name, _ in found]
    )


@identity.command()
@click.argument("name", required=False)
@pass_state
def show(state: State, name: str | None) -> None:
    """Show an identity; the one in use by default."""
    chosen = name or state.identity_name or "default"
    _show(state, chosen, state.store.load(chosen))


@identity.command()
@click.argument("name", required=False)
@pass_state
def principal(state: State, name: str | None) -> None:
    """Print the principal of an identity; of the one in use by default."""
    chosen = name or state.identity_name or "default"
    found = state.store.load(chosen)
    text = str(found.principal)
    state.output.result(_described(chosen, found), bare=text, human=lambda _: click.echo(text))


def _described(name: str, found: Identity) -> dict[str, str]:
    return {
        "name": name,
        "algorithm": found.algorithm,
        "principal": str(found.principal),
        "public_key": found.public_key_der.hex(),
    }


def _show(state: State, name: str, found: Identity) -> None:
    described = _described(name, found)
    state.output.fields(described, [*described.items()], bare=described["principal"])
