"""`leasehold worker …`: the operator's daemon and its self-test."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType

import click

from attestation.bundle import CPU_KIND_CODES, MAX_GPUS, MAX_SWITCHES
from leasehold.cli.commands import Group
from leasehold.cli.state import State, pass_state
from tee_worker.evidence.provider import GPU_CHIPS, HOPPER


@click.group(cls=Group)
def worker() -> None:
    """Run and examine a GPU worker."""


@worker.command()
@click.option("--offer", type=int, required=True, help="The offer to serve (see `leasehold offer list`).")
@click.option(
    "--evidence", type=click.Choice(["simulated", "hardware"]), default="hardware", show_default=True
)
@click.option("--machine", default="leasehold-demo", show_default=True, help="Seed of the simulated machine.")
@click.option("--cpu", type=click.Choice(sorted(CPU_KIND_CODES)), default="sev-snp", help="Of that machine.")
@click.option(
    "--gpus", type=click.IntRange(1, MAX_GPUS), default=1, show_default=True, help="Of that machine."
)
@click.option(
    "--switches",
    type=click.IntRange(0, MAX_SWITCHES),
    default=0,
    show_default=True,
    help="Of that machine: NVSwitches, with protected PCIe; a whole board has 8 GPUs and 4 switches.",
)
@click.option("--gpu-chip", type=click.Choice(GPU_CHIPS), default=HOPPER, help="Of that machine's GPUs.")
@click.option("--work-dir", type=click.Path(path_type=Path, file_okay=False), help="Guest-private folder.")
@click.option(
    "--checkpoint-every", type=click.FloatRange(min=0.01), default=60.0, show_default=True, help="Seconds."
)
@click.option("--once", is_flag=True, help="End after one rental.")
@pass_state
def run(
    state: State,
    offer: int,
    evidence: str,
    machine: str,
    cpu: str,
    gpus: int,
    switches: int,
    gpu_chip: str,
    work_dir: Path | None,
    checkpoint_every: float,
    once: bool,
) -> None:
    """Serve an offer: claim, attest, unseal, fine-tune, seal, submit. SIGTERM checkpoints and hands back."""
    from tee_worker.evidence import provider
    from tee_worker.supervisor import Supervisor

    stop = threading.Event()

    def on_signal(signum: int, frame: FrameType | None) -> None:
        stop.set()

    def tell(line: str) -> None:
        # JSON Lines on standard output for programs, plain lines on standard error for people.
        as_json = state.output.as_json
        click.echo(json.dumps({"message": line}) if as_json else line, err=not as_json)
        sys.stdout.flush()

    source = provider(evidence, seed=machine, gpus=gpus, switches=switches, cpu=cpu, gpu_chip=gpu_chip)
    if source.simulated:
        tell(
            "SIMULATED evidence: this machine protects nothing; only policies that say `simulated` accept it"
        )
    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    with tempfile.TemporaryDirectory(prefix="leasehold-worker-") as temporary:
        supervisor = Supervisor(
            state.client(),
            offer,
            source,
            work_dir or Path(temporary),
            tell=tell,
            should_stop=stop.is_set,
            checkpoint_every_s=checkpoint_every,
            sleep=stop.wait,
        )
        submitted = supervisor.serve(once=once)
    if once and not submitted and not stop.is_set():
        raise SystemExit(8)


@worker.command()
@pass_state
def doctor(state: State) -> None:
    """Say what this machine has, and lacks, to be a worker."""
    findings = _findings()
    if state.output.as_json:
        click.echo(json.dumps([{"ok": ok, "name": name, "found": found} for name, ok, found in findings]))
    else:
        for name, ok, found in findings:
            click.echo(f"{'ok     ' if ok else 'missing'}  {name}: {found}")
    if not all(ok for _, ok, _ in findings):
        raise SystemExit(1)


def _findings() -> list[tuple[str, bool, str]]:
    from tee_worker.evidence import hardware_findings

    findings = [
        (f"library {name}", *_version(name))
        for name in ("torch", "transformers", "peft", "safetensors", "nvidia-ml-py")
    ]
    labels = ("CPU evidence", "GPU evidence")
    return findings + [
        (label, ok, text) for label, (ok, text) in zip(labels, hardware_findings(), strict=True)
    ]


def _version(name: str) -> tuple[bool, str]:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return True, version(name)
    except PackageNotFoundError:
        return False, "not installed; pip install 'leasehold[worker]'"
