"""`leasehold collateral`: what vendors say about machines, for the marketplace to judge evidence by."""

from pathlib import Path

import click

from attestation import AttestationError
from attestation.collateral import KINDS
from leasehold.cli.commands import Group
from leasehold.cli.output import time_text
from leasehold.cli.state import State, pass_state
from leasehold.errors import UsageError
from leasehold.evidence import read_bundle, read_collateral, read_evidence
from leasehold.roles.collateral import held, post

SHOWN_DIGITS = 16


@click.group(cls=Group)
def collateral() -> None:
    """Vendors' statements on the marketplace: revocation, reference values, Intel's TCB info."""


@collateral.command("post")
@click.argument(
    "files", type=click.Path(exists=True, dir_okay=False, path_type=Path), nargs=-1, required=True
)
@click.option(
    "--evidence",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="BUNDLE",
    help="Evidence whose chains have the certificates of who signed the FILES.",
)
@pass_state
def post_(state: State, files: tuple[Path, ...], evidence: Path | None) -> None:
    """Hand vendors' statements in FILES to the marketplace; anyone may, and again costs nothing.

    A file is a container (`attestation collect --collateral-out`), a manifest, a revocation list, an OCSP
    answer or Intel's JSON. The marketplace checks each vendor's signature, for which it must hold the
    certificates of the signers: those of containers come along, for others name evidence of such a machine
    with --evidence. Exits with 5 when a piece is refused, 6 when its signer is not held, or it has run out.
    """
    machine = None if evidence is None else read_evidence(read_bundle(evidence))
    given = read_collateral(files)
    try:
        outcomes = post(state.client(reading=True).marketplace, given, machine)
    except AttestationError as error:
        raise UsageError(f"the files hold a manifest that cannot be read: {error}") from error
    rows = [(found.outcome, found.kind, found.subject, found.sha256.hex()) for found in outcomes]
    state.output.table(
        "outcomes",
        [found.json_object() for found in outcomes],
        ("outcome", "kind", "about", "sha256"),
        rows,
        bare=[found.sha256.hex() for found in outcomes],
    )


@collateral.command("list")
@click.option("--kind", type=click.Choice([kind.field for kind in KINDS]), help="Only of this kind.")
@pass_state
def list_(state: State, kind: str | None) -> None:
    """List the statements that the marketplace holds, and until when each holds."""
    found = [piece for piece in held(state.client(reading=True).marketplace) if kind in (None, piece.kind)]
    rows = [
        (
            piece.kind,
            piece.subject,
            piece.size,
            time_text(piece.valid_from),
            time_text(piece.valid_until),
            piece.sha256.hex()[:SHOWN_DIGITS],
        )
        for piece in found
    ]
    state.output.table(
        "collateral",
        [piece.json_object() for piece in found],
        ("kind", "about", "bytes", "from", "until", "sha256"),
        rows,
        bare=[piece.sha256.hex() for piece in found],
    )
