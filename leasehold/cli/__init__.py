"""The command line: `leasehold <noun> <verb>`."""

import click

from leasehold import __version__
from leasehold.cli.commands import Root

# Noun: where it is, and its line of help.
NOUNS = {
    "demo": ("leasehold.demo:demo", "Play the whole story on a fresh local network."),
    "devnet": ("devnet.cli:devnet", "Run a local Internet Computer network."),
    "deploy": ("leasehold.cli.deploy:deploy_command", "Bring the canisters onto a network."),
    "status": ("leasehold.cli.status:status", "The marketplace at a glance."),
    "identity": ("leasehold.cli.identity:identity", "Keys and principals."),
    "token": ("leasehold.cli.token:token", "The ledger: balance, transfer, approve, mint."),
    "account": ("leasehold.cli.account:account", "Money on the marketplace."),
    "listing": ("leasehold.cli.listing:listing", "Models for rent."),
    "dataset": ("leasehold.cli.dataset:dataset", "Data to train on."),
    "offer": ("leasehold.cli.offer:offer", "Machines that run rentals."),
    "rental": ("leasehold.cli.rental:rental", "Rent a model, follow the job, download the adapter."),
    "attestation": ("leasehold.cli.attestation:attestation", "The TEE evidence behind a rental."),
    "collateral": ("leasehold.cli.collateral:collateral", "What chip vendors say about machines."),
    "policy": ("leasehold.cli.policy:policy", "What evidence must show."),
    "worker": ("tee_worker.cli:worker", "The operator's daemon."),
}


@click.command(cls=Root, nouns=NOUNS)
@click.version_option(__version__, prog_name="leasehold")
def main() -> None:
    """Rent AI models and fine-tune them on private data.

    Amounts are in base units of the token (150000000) or in the token itself (1.5LHT). Data goes to stdout,
    everything else to stderr. Exit codes: 0 ok, 1 failure, 2 usage, 3 cancelled or timed out, 4 not
    authorised, 5 evidence invalid, 6 collateral unavailable, 7 policy mismatch, 8 job failed.
    """
