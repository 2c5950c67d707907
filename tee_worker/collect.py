"""`leasehold attestation collect`: evidence of this machine, as a file."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import click

from attestation import decode_bundle, encode_collateral
from attestation.bundle import CPU_KIND_CODES, MAX_GPUS, MAX_SWITCHES
from attestation.collateral_needs import with_issuers
from leasehold.agent import Identity, Principal
from leasehold.cli.commands import Command
from leasehold.cli.evidence_options import NONCE, PRINCIPAL, SIMULATED_NOTE
from leasehold.cli.state import State, pass_state
from leasehold.errors import CollateralUnavailableError, UsageError
from leasehold.evidence import write_new
from leasehold.vetkeys import TransportKey
from tee_worker.evidence import EvidenceProvider, provider
from tee_worker.evidence.provider import GPU_CHIPS
from tee_worker.vendors import CollateralFetchFailed

DEMO_MACHINE = "leasehold-demo"


@click.command(cls=Command)
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--nonce", type=NONCE, metavar="HEX", required=True, help="32 bytes that the evidence answers.")
@click.option(
    "--operator", type=PRINCIPAL, metavar="PRINCIPAL", required=True, help="Whom the evidence is bound to."
)
@click.option(
    "--collateral-out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also fetch and write what the vendors say about the devices.",
)
@click.option("--simulated", is_flag=True, help="Of a machine that does not exist, to try things with.")
@click.option("--machine", metavar="SEED", help="With --simulated: which machine.")
@click.option("--gpus", type=click.IntRange(0, MAX_GPUS), help="With --simulated: how many; 1 by default.")
@click.option(
    "--switches",
    type=click.IntRange(0, MAX_SWITCHES),
    help="With --simulated: NVSwitches, with protected PCIe; a whole board has 8 GPUs and 4 switches.",
)
@click.option(
    "--cpu", type=click.Choice(sorted(CPU_KIND_CODES)), help="With --simulated: sev-snp by default."
)
@click.option(
    "--gpu-chip", type=click.Choice(GPU_CHIPS), help="With --simulated: Hopper, by default, or Blackwell."
)
@pass_state
def collect(
    state: State,
    out: Path,
    nonce: bytes,
    operator: Principal,
    collateral_out: Path | None,
    simulated: bool,
    machine: str | None,
    gpus: int | None,
    switches: int | None,
    cpu: str | None,
    gpu_chip: str | None,
) -> None:
    """Collect this machine's TEE evidence into the file OUT: CPU quote, GPUs, switches, guest.

    It is what a worker submits, with session and transport keys that nobody keeps. Needs a confidential guest
    (SEV-SNP or TDX) with GPUs in confidential-computing mode, else exits with 1 and says what is missing;
    with 6 when a vendor's service does not answer. --simulated makes the genuine formats under a development
    root: only policies that say `simulated` accept those.
    """
    described = {"machine": machine, "gpus": gpus, "switches": switches, "cpu": cpu, "gpu_chip": gpu_chip}
    source = _provider(simulated, described)
    _check_absent(out, collateral_out)
    session, transport = Identity.generate(), TransportKey.generate()
    try:
        bundle = source.collect(
            nonce=nonce,
            operator=operator.raw,
            session_public_key=session.public_key_der,
            transport_public_key=transport.public_key,
        )
        write_new(out, bundle)
        if collateral_out is not None:
            evidence = decode_bundle(bundle)
            found = with_issuers(source.collateral(evidence, time.time_ns()), evidence)
            write_new(collateral_out, encode_collateral(found))
    except CollateralFetchFailed as error:
        raise CollateralUnavailableError(str(error)) from error
    _tell(state, source, out, bundle, collateral_out)


def _provider(simulated: bool, machine: dict[str, Any]) -> EvidenceProvider:
    given = {name: value for name, value in machine.items() if value is not None}
    if given and not simulated:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UsageError(f"only simulated machines take {options}: add --simulated, or leave out")
    if not simulated:
        return provider("hardware")
    return provider("simulated", seed=given.pop("machine", DEMO_MACHINE), **given)


def _check_absent(*files: Path | None) -> None:
    # Before the machine is asked: evidence answers a nonce once.
    for file in files:
        if file is not None and file.exists():
            raise UsageError(f"{file} exists already; name another file, or remove it first")


def _tell(
    state: State, source: EvidenceProvider, out: Path, bundle: bytes, collateral_out: Path | None
) -> None:
    evidence = decode_bundle(bundle)
    if source.simulated:
        state.output.warn(SIMULATED_NOTE)
    digest = hashlib.sha256(bundle).hexdigest()
    content = {
        "bundle": str(out),
        "bundle_sha256": digest,
        "simulated": source.simulated,
        "cpu": evidence.cpu_kind,
        "gpus": len(evidence.gpus),
        "switches": len(evidence.switches),
        "collateral": None if collateral_out is None else str(collateral_out),
    }
    rows: list[tuple[str, str | int]] = [
        ("evidence", str(out)),
        ("sha256", digest),
        ("simulated", "SIMULATED" if source.simulated else "no"),
        ("cpu", evidence.cpu_kind),
        ("gpus", len(evidence.gpus)),
        ("switches", len(evidence.switches)),
    ]
    if collateral_out is not None:
        rows.append(("collateral", str(collateral_out)))
    state.output.fields(content, rows, bare=digest)
