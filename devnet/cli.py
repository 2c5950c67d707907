"""`leasehold devnet`: start, look at, set forward, stop and reset a local node."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from fractions import Fraction
from functools import wraps
from pathlib import Path
from typing import Any

import click

from devnet import daemon, state_folder
from devnet.cli_types import DURATION, SPEED
from devnet.daemon import DEFAULT_PORT, DEFAULT_STATE
from devnet.errors import DevnetError
from devnet.running import Running
from devnet.state_folder import DOMAINS_FILE

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


@devnet.command(short_help="Start the node.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Loopback port to listen on; 0 takes a free one.",
)
@_state_option
@click.option("--detach", is_flag=True, help="Run in the background and return once the node answers.")
@click.option("--reset", is_flag=True, help="Forget the network in the state folder first, as `reset` does.")
@click.option(
    "--speed",
    type=SPEED,
    metavar="FACTOR",
    help="Seconds of the network in one of this machine, 1 (the default) to 86400. Its time never goes back.",
)
@click.option(
    "--domains",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Names for canisters: lines of DOMAIN:CANISTER-ID, read again when they change. "
    f"By default {DOMAINS_FILE} in the state folder.",
)
@_json_option
@_explains_failure
def start(
    port: int,
    state: Path,
    detach: bool,
    reset: bool,
    speed: Fraction | None,
    domains: Path | None,
    as_json: bool,
) -> None:
    """Start the node; does nothing if it already runs on this state folder."""
    running = daemon.find_running(state)
    if running is not None and not reset:
        if speed not in (None, Fraction(running.speed)):
            raise click.ClickException(
                f"the node already runs, at speed {running.speed}; stop it first to change that"
            )
        _show(running, as_json, "already runs")
        return
    if reset:
        state_folder.reset(state)
    if detach:
        given = {"--speed": speed, "--domains": domains and domains.resolve()}
        options = [f"{name}={value}" for name, value in given.items() if value is not None]
        _show(daemon.start_detached(state, port, options), as_json, "runs in the background")
        return
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)

    def ready(running: Running) -> None:
        _show(running, as_json, "runs; Ctrl-C stops it")

    daemon.serve(state, port, ready, speed=speed or Fraction(1), domains=domains)


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
    _show(running, as_json, "runs" if running.is_healthy() else "runs but does not answer")


@devnet.command(short_help="Set the network's time forward.")
@click.argument("by", type=DURATION)
@_state_option
@_json_option
@_explains_failure
def advance(by: int, state: Path, as_json: bool) -> None:
    """Set the network's time forward BY such as 90s, 15m, 1h or 30d, for good.

    Timers and deadlines that have become due by then are due at once; returns when that is done.
    """
    running = daemon.find_running(state)
    if running is None:
        raise click.ClickException(f"no node runs on {state}; start it with `leasehold devnet start`")
    time_ns = running.advance(by)
    if as_json:
        click.echo(json.dumps({"advanced_ns": str(by), "time_ns": str(time_ns)}))
    else:
        click.echo(f"the network's time is {_utc(time_ns)}")


@devnet.command(short_help="Forget the network of a state folder.")
@_state_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@_json_option
@_explains_failure
def reset(state: Path, yes: bool, as_json: bool) -> None:
    """Forget the network of a state folder: keys, canisters, identities, time.

    The next start makes a new one. A running node is not reset; stop it first.
    """
    if daemon.find_running(state) is not None:
        raise click.ClickException(f"the node runs on {state}; stop it first with `leasehold devnet stop`")
    if not yes:
        click.confirm(f"Forget all keys and canisters in {state}?", abort=True, err=True)
    existed = state_folder.reset(state)
    if as_json:
        click.echo(json.dumps({"reset": existed, "state": str(state.resolve())}))
    else:
        click.echo(f"forgot the network in {state}" if existed else f"there is no network in {state}")


@devnet.command(short_help="Print the key of a development identity.")
@click.argument("name")
@click.option("--origin", required=True, help="Origin of the page, as http://CANISTER.localhost:PORT.")
@_state_option
@_explains_failure
def identity(name: str, origin: str, state: Path) -> None:
    """Print the private key (PEM) with which a development identity appears to pages of an origin.

    The identity is made if there is none of this name; the sign-in page then offers it.
    """
    # Loaded here, since the other commands need no cryptography.
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    from devnet.crypto.node_keys import NodeKeys
    from devnet.identity_page.identities import Identities

    identities = Identities(NodeKeys.open(state), state)
    identities.create(name)
    key = identities.key(name, origin)
    click.echo(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), nl=False)


@devnet.command(short_help="Stop the node and save its state.")
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


def _utc(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns // 10**9, UTC):%Y-%m-%d %H:%M:%S} UTC"
