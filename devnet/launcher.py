"""The node program that `icp network start` runs in place of its own.

Set `ICP_CLI_NETWORK_LAUNCHER_PATH` to the installed `leasehold-network-launcher`. The command line passes
flags, waits until one line of JSON appears in `<status-dir>/status.json`, and ends the program with SIGINT.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any, Final

import click

from devnet import daemon
from devnet.errors import DevnetError
from devnet.running import LOOPBACK, Running
from devnet.state_folder import DOMAINS_FILE

INTERFACE_MAJOR: Final = "1"
STATUS_VERSION: Final = "1"
_LOOPBACK_NAMES: Final = (LOOPBACK, "localhost")


@click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.option(
    "--interface-version",
    default="1.0.0",
    envvar="ICP_CLI_NETWORK_LAUNCHER_INTERFACE_VERSION",
    help="Version of this interface that the caller speaks.",
)
@click.option("--state-dir", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--status-dir", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--gateway-port", type=click.IntRange(0, 65535), default=0, help="0 takes a free port.")
@click.option("--bind", default=LOOPBACK, help="Only the loopback interface is served.")
@click.option(
    "--custom-domains-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Lines of DOMAIN:CANISTER-ID; by default {DOMAINS_FILE} in the status folder.",
)
@click.pass_context
def main(
    context: click.Context,
    interface_version: str,
    state_dir: Path,
    status_dir: Path,
    gateway_port: int,
    bind: str,
    custom_domains_file: Path | None,
) -> None:
    """Run a node until SIGINT or SIGTERM, as `icp network start` wants it."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    if interface_version.split(".")[0] != INTERFACE_MAJOR:
        raise click.ClickException(
            f"launcher interface {interface_version} is not known; this one speaks 1.x"
        )
    if bind not in _LOOPBACK_NAMES:
        raise click.ClickException(f"the node listens on {LOOPBACK} only, not on {bind}")
    for flag in context.args:
        logging.getLogger("launcher").info("flag not used: %s", flag)
    domains = custom_domains_file or status_dir / DOMAINS_FILE
    try:
        daemon.serve(state_dir, gateway_port, lambda running: _announce(status_dir, running), domains=domains)
    except DevnetError as error:
        raise click.ClickException(str(error)) from error


def _announce(folder: Path, running: Running) -> None:
    """Tell the waiting command line, which reads as soon as the file changes: a whole line in one write."""
    status: dict[str, Any] = {
        "v": STATUS_VERSION,
        "gateway_port": running.port,
        "root_key": running.root_key,
        "supported_features": ["custom-domains"],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "status.json").write_text(json.dumps(status) + "\n")


if __name__ == "__main__":
    main()
