"""`leasehold devnet`: start, look at and stop a local node."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Any

import click
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from devnet import daemon
from devnet.crypto.node_keys import NodeKeys
from devnet.daemon import DEFAULT_PORT, DEFAULT_STATE, Running
from devnet.errors import DevnetError
from devnet.identity_page.identities import Identities

_state_option = click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_STATE,
    show_default=True,
    help="Folder that keeps keys and canisters.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def _explains_failure(command: Callable[..., None]) -> Callable[..., None]:
    """Print errors of the node as one line, with exit code 1."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except DevnetError as error:
            raise click.ClickException(str(error)) from error

    return run


@click.group("devnet")
def devnet() -> None:
    """Run a local Internet Computer network for development and tests."""


@devnet.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Loopback port to listen on; 0 takes a free one.",
)
@_state_option
@click.option("--detach", is_flag=True, help="Run in the background and return once the node answers.")
@click.option("--reset", is_flag=True, help="Forget the keys and canisters of the state folder first.")
@_json_option
@_explains_failure
def start(port: int, state: Path, detach: bool, reset: bool, as_json: bool) -> None:
    """Start the node; does nothing if it already runs on this state folder."""
    running = daemon.find_running(state)
    if running is not None and not reset:
        _show(running, as_json, "already runs")
        return
    if reset:
        daemon.reset(state)
    if detach:
        _show(daemon.start_detached(state, port), as_json, "runs in the background")
        return
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    daemon.serve(state, port, lambda running: _show(running, as_json, "runs; Ctrl-C stops it"))


@devnet.command()
@_state_option
@_json_option
@_explains_failure
def status(state: Path, as_json: bool) -> None:
    """Tell whether the node runs, and where."""
    running = daemon.find_running(state)
    if running is None:
        _show_not_running(state, as_json)
        return
    _show(running, as_json, "runs" if daemon.is_healthy(running) else "runs but does not answer")


@devnet.command()
@click.argument("name")
@click.option("--origin", required=True, help="Origin of the page, as http://CANISTER.localhost:PORT.")
@_state_option
@_explains_failure
def identity(name: str, origin: str, state: Path) -> None:
    """Print the private key (PEM) with which a development identity appears to pages of an origin.

    The identity is made if there is none of this name; the sign-in page then offers it.
    """
    identities = Identities(NodeKeys.open(state), state)
    identities.create(name)
    key = identities.key(name, origin)
    click.echo(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), nl=False)


@devnet.command()
@_state_option
@_json_option
@_explains_failure
def stop(state: Path, as_json: bool) -> None:
    """Stop the node and save its state; fine if it does not run."""
    stopped = daemon.stop_running(state)
    if stopped is None or as_json:
        _show_not_running(state, as_json)
    else:
        click.echo(f"devnet stopped (process {stopped.pid}); its state is in {stopped.state}")


def _show(running: Running, as_json: bool, how: str) -> None:
    if as_json:
        click.echo(json.dumps({"running": True, **asdict(running)}))
    else:
        click.echo(f"devnet {how}: {running.url} (process {running.pid}, state in {running.state})")
    # Whoever reads this through a pipe waits for it while the node goes on running.
    sys.stdout.flush()


def _show_not_running(state: Path, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"running": False, "state": str(state.resolve())}))
    else:
        click.echo(f"devnet does not run on {state}")
