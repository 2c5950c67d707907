"""`leasehold attestation simulate`: evidence to try the other commands with."""

import hashlib
import time
from pathlib import Path

import click

from attestation import encode_bundle, encode_collateral
from attestation.bundle import CPU_KIND_CODES, MAX_GPUS, MAX_SWITCHES
from leasehold.agent import Identity, Principal
from leasehold.cli.commands import Command
from leasehold.cli.evidence_options import NONCE, PRINCIPAL, SIMULATED_NOTE
from leasehold.cli.state import State, pass_state
from leasehold.evidence import write_new
from leasehold.vetkeys import TransportKey

SEED = "leasehold attestation simulate"


@click.command(cls=Command)
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--nonce", type=NONCE, metavar="HEX", required=True, help="32 bytes that the evidence answers.")
@click.option(
    "--operator", type=PRINCIPAL, metavar="PRINCIPAL", required=True, help="Whom the evidence is bound to."
)
@click.option("--gpus", type=click.IntRange(0, MAX_GPUS), default=1, show_default=True)
@click.option(
    "--switches",
    type=click.IntRange(0, MAX_SWITCHES),
    default=0,
    show_default=True,
    help="NVSwitches, with protected PCIe; a whole board has 8 GPUs and 4 switches.",
)
@click.option("--cpu", type=click.Choice(sorted(CPU_KIND_CODES)), default="sev-snp", show_default=True)
@click.option(
    "--collateral-out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write what the simulated vendors say, good for a day. A tdx bundle needs it.",
)
@pass_state
def simulate(
    state: State,
    out: Path,
    nonce: bytes,
    operator: Principal,
    gpus: int,
    switches: int,
    cpu: str,
    collateral_out: Path | None,
) -> None:
    """Write SIMULATED evidence to OUT: genuine formats under a development root, with no hardware behind it.

    Only policies that say `simulated` accept it. Try `leasehold attestation verify OUT --policy simulated`.
    """
    # The simulator signs, and nothing else here needs it.
    from attestation.simulator import Settings, SimulatedMachine, collateral_of

    settings = Settings(gpu_mode="protected-pcie") if switches else Settings()
    machine = SimulatedMachine(SEED, gpus, settings, switches, cpu)
    session, transport = Identity.generate(), TransportKey.generate()
    evidence = machine.collect(nonce, operator.raw, session.public_key_der, transport.public_key)
    bundle = encode_bundle(evidence)
    write_new(out, bundle)
    if collateral_out is not None:
        write_new(collateral_out, encode_collateral(collateral_of(machine, time.time_ns())))
    state.output.note(SIMULATED_NOTE)
    digest = hashlib.sha256(bundle).hexdigest()
    rows = [("evidence", str(out)), ("sha256", digest), ("simulated", "SIMULATED")]
    if collateral_out is not None:
        rows.append(("collateral", str(collateral_out)))
    content = {
        "bundle": str(out),
        "bundle_sha256": digest,
        "simulated": True,
        "collateral": None if collateral_out is None else str(collateral_out),
    }
    state.output.fields(content, rows, bare=digest)
