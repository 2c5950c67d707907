"""`leasehold deploy`: bring the canisters onto a network."""

from pathlib import Path

import click

from leasehold.cli.amounts import DURATION
from leasehold.cli.commands import Command
from leasehold.cli.state import State, pass_state
from leasehold.identities import DEFAULT_NAME
from leasehold.interfaces import CANISTERS
from leasehold.roles import deployer


@click.command("deploy", cls=Command)
@click.option(
    "--wasm",
    "wasm_folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of built modules; they are built by default.",
)
@click.option("--symbol", default="LHT", show_default=True, help="Of the local ledger's token.")
@click.option("--platform-bps", type=click.IntRange(0, 2000), default=250, show_default=True)
@click.option("--review-window", type=DURATION, default="1d", show_default=True)
@click.option("--vetkd-key", default="test_key_1", show_default=True)
@click.option("--simulated/--no-simulated", default=True, show_default=True, help="Accept simulated TEEs.")
@pass_state
def deploy_command(
    state: State,
    wasm_folder: Path | None,
    symbol: str,
    platform_bps: int,
    review_window: int,
    vetkd_key: str,
    simulated: bool,
) -> None:
    """Build, create and install ledger, vault and marketplace; run again, upgrade what differs.

    The identity in use becomes controller, governor and, on a local network, the minter of test tokens.
    Options other than --wasm count only when a canister is installed first.
    """
    network = state.network()
    identity = state.identity()
    modules = _modules(state, wasm_folder)
    options = deployer.DeployOptions(
        token_symbol=symbol,
        platform_basis_points=platform_bps,
        review_window_s=review_window,
        vetkd_key_name=vetkd_key,
        allow_simulated=simulated,
    )
    with state.output.progress("deploying") as report:
        _, deployed = deployer.deploy(
            network, identity, modules, options, lambda name, action, done, total: report(done, total)
        )
    rows = [
        (
            entry.name,
            str(entry.canister_id),
            entry.action,
            f"{entry.module_bytes:,}",
            entry.module_sha256[:16],
        )
        for entry in deployed
    ]
    state.output.table(
        "canisters",
        [entry.json_object() for entry in deployed],
        ("name", "canister", "action", "bytes", "module sha256"),
        rows,
        bare=[str(entry.canister_id) for entry in deployed],
    )
    if state.identity_name in (None, DEFAULT_NAME):
        state.output.note("next: `leasehold status`, `leasehold token mint AMOUNT --to PRINCIPAL`")


def _modules(state: State, folder: Path | None) -> dict[str, bytes]:
    modules = {}
    for name in CANISTERS:
        if folder is None:
            state.output.note(f"building {name}")
            path = deployer.build_module(name, state.folder / "build")
        else:
            path = folder / f"{name}.wasm"
        modules[name] = path.read_bytes()
    return modules
