"""`leasehold attestation`: the TEE evidence behind a rental."""

import click

from leasehold.cli.attestation_show import show
from leasehold.cli.attestation_verify import verify
from leasehold.cli.commands import Group


@click.group(cls=Group, elsewhere={"collect": "tee_worker.collect:collect"})
def attestation() -> None:
    """What the marketplace verified before it released any key, and the same on your own desk."""


attestation.add_command(verify)
attestation.add_command(show)
