"""The `demo` command."""

import os
import shlex
import signal
import sys
from pathlib import Path
from types import FrameType

import click
from rich.console import Console

from leasehold.cli.state import State
from leasehold.demo.page import RENTER
from leasehold.demo.report import DemoReport
from leasehold.demo.screen import Screen
from leasehold.demo.stage import Stage
from leasehold.demo.story import Story
from leasehold.errors import UsageError
from leasehold.network import DEFAULT_FOLDER, NETWORK_VARIABLE

DATASET = Path("examples") / "support-tickets.jsonl"


@click.command()
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write a report here."
)
@click.option(
    "--dataset",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help=f"Labelled texts with held-out `test` lines; {DATASET} by default.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_FOLDER / "demo",
    show_default=True,
    help="Where the run's state is kept; an earlier demo's is replaced.",
)
@click.option("--keep", is_flag=True, help="Leave the network and the web page open afterwards.")
@click.option(
    "--network",
    metavar="URL",
    envvar=NETWORK_VARIABLE,
    help="A running local network to play on instead of a new devnet; it goes on running.",
)
@click.pass_context
def demo(
    context: click.Context,
    json_file: Path | None,
    dataset: Path | None,
    folder: Path,
    keep: bool,
    network: str | None,
) -> None:
    """Rent a model, fine-tune it privately, pay for it: every part, in a few minutes."""
    chosen = dataset or _example()
    given = network or context.ensure_object(State).network_url
    screen = Screen(Console())
    screen.console.print("[bold]Leasehold demo[/]: a real model, real data, a SIMULATED confidential machine")
    signal.signal(signal.SIGTERM, _leave)
    with Stage(folder, keep_running=keep, given=given) as stage:
        story = Story(stage, screen, chosen)
        report = story.play()
    if json_file is not None:
        json_file.write_text(report.model_dump_json(indent=2) + "\n")
    _tell_how_to_go_on(screen, report, stage)
    if story.page is not None:
        screen.console.print(
            f"\n[bold]Web page[/]: {story.page.url}/#/rentals/{report.rental}\n"
            f"  sign in and choose the development identity [bold]{RENTER}[/]",
            highlight=False,
            soft_wrap=True,
        )


def _leave(number: int, frame: FrameType | None) -> None:
    """End as Ctrl-C does, so that nothing that was started is left running; once is enough."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def _example() -> Path:
    root = Path(__file__).parent.parent.parent
    for candidate in (Path.cwd() / DATASET, root / DATASET):
        if candidate.is_file():
            return candidate
    raise UsageError(f"{DATASET} is not here; run the demo from the project's folder or give --dataset FILE")


def _tell_how_to_go_on(screen: Screen, report: DemoReport, stage: Stage) -> None:
    folder = os.path.relpath(stage.folder)
    leasehold = os.path.relpath(Path(sys.executable).with_name("leasehold"), stage.folder)
    kept = "keys and canisters' ids are" if stage.given else "the network's state is"
    screen.console.print(f"\n[bold]Look further[/] ({kept} kept in {folder}):", highlight=False)
    lines = [f"cd {folder} && export LEASEHOLD_HOME=home PATH=$(dirname $(realpath {leasehold})):$PATH"]
    if stage.given:
        lines.append(f"export {NETWORK_VARIABLE}={shlex.quote(stage.given)}")
    elif not stage.keep_running:
        lines.append("leasehold devnet start --detach        # leasehold devnet stop ends it")
    lines += [
        f"leasehold --identity renter rental show {report.rental}",
        f"leasehold --identity renter rental events {report.rental}",
        f"leasehold --identity renter attestation show {report.rental}",
        "leasehold --identity publisher account balance",
        "leasehold devnet stop" if stage.keep_running and not stage.given else "",
    ]
    for line in filter(None, lines):
        screen.console.print(f"  {line}", highlight=False, soft_wrap=True, markup=False)
