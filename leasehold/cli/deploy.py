"""`leasehold deploy`: bring the canisters onto a network."""

from pathlib import Path

import click

from leasehold.cli.amounts import DURATION
from leasehold.cli.commands import Command
from leasehold.cli.state import State, pass_state
from leasehold.identities import DEFAULT_NAME
from leasehold.interfaces import CANISTERS
from leasehold.network import Network
from leasehold.roles import deployer, page


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
@click.option(
    "--page",
    "page_folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Also publish this built web page, as frontend/dist.",
)
@pass_state
def deploy_command(
    state: State,
    wasm_folder: Path | None,
    symbol: str,
    platform_bps: int,
    review_window: int,
    vetkd_key: str,
    simulated: bool,
    page_folder: Path | None,
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
        network, deployed = deployer.deploy(
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
    if page_folder is not None:
        _publish(state, network, page_folder, wasm_folder)
    if state.identity_name in (None, DEFAULT_NAME):
        state.output.note("next: `leasehold status`, `leasehold token mint AMOUNT --to PRINCIPAL`")


def _publish(state: State, network: Network, folder: Path, wasm_folder: Path | None) -> None:
    identity = state.identity()
    canister = page.create_page(network, identity)
    module = _module(state, page.CANISTER, wasm_folder)
    network, put = page.publish_page(network, identity, canister, module, folder)
    state.output.note(f"web page: {page.page_url(network, canister)} ({put} files put)")


def _modules(state: State, folder: Path | None) -> dict[str, bytes]:
    return {name: _module(state, name, folder) for name in CANISTERS}


def _module(state: State, name: str, folder: Path | None) -> bytes:
    if folder is not None:
        return (folder / f"{name}.wasm.gz").read_bytes()
    state.output.note(f"building {name}")
    return deployer.build_module(name, state.folder / "build").read_bytes()
