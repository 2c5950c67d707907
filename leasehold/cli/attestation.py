"""`leasehold attestation`: the TEE evidence behind a rental."""

import click

from leasehold.cli.attestation_inspect import inspect
from leasehold.cli.attestation_simulate import simulate
from leasehold.cli.attestation_verify import verify
from leasehold.cli.commands import Group
from leasehold.cli.evidence_options import SIMULATED_NOTE
from leasehold.cli.output import time_text
from leasehold.cli.state import State, pass_state
from leasehold.errors import UsageError
from leasehold.models import AttestationRecord


@click.group(cls=Group)
def attestation() -> None:
    """What the marketplace verified before it released any key, and the same on your own desk."""


attestation.add_command(verify)
attestation.add_command(inspect)
attestation.add_command(simulate)


@attestation.command()
@click.argument("rental", type=int)
@pass_state
def show(state: State, rental: int) -> None:
    """Show the attestation of RENTAL, a row per claim."""
    found = state.client().marketplace.get_rental(rental)
    record = found.attestation
    if record is None:
        raise UsageError(f"rental {rental} is {found.status!r} and has no accepted attestation")
    if record.simulated:
        state.output.note(SIMULATED_NOTE)
    data = {"rental": rental} | record.json_object()
    state.output.fields(data, [*_rows(record)], bare=record.bundle_sha256.hex())


def _rows(record: AttestationRecord) -> list[tuple[str, str | int]]:
    return [
        ("policy", record.policy),
        ("simulated", "SIMULATED" if record.simulated else "no"),
        ("cpu", record.cpu_kind),
        ("measurement", record.measurement),
        ("chip", record.chip_id),
        *(("gpu", gpu) for gpu in record.gpus),
        ("session", str(record.session)),
        ("evidence sha256", record.bundle_sha256.hex()),
        ("verified", time_text(record.verified_at)),
        ("expires", time_text(record.expires_at)),
        *(
            (f"claim {claim.name}", f"{claim.verdict}: expected {claim.expected}, found {claim.found}")
            for claim in record.claims
        ),
    ]
