"""`leasehold policy propose` and what follows: changes that several people decide, after a delay."""

import re
from collections.abc import Callable
from pathlib import Path

import click

from leasehold.cli.commands import Command
from leasehold.cli.output import seconds_text, time_text
from leasehold.cli.policy_changes import adoption, new_rules, resolution
from leasehold.cli.state import State, pass_state
from leasehold.errors import UsageError
from leasehold.marketplace import Marketplace, all_pages
from leasehold.models import Change, Proposal

OPEN = ("proposed", "approved")
DONE = ("executed", "failed")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SHOWN_CHARACTERS = 100


@click.command(cls=Command)
@click.option("--adopt", type=FILE, metavar="FILE", help="A new policy, as JSON. Its name must be new.")
@click.option("--retire", metavar="NAME", help="Offer a policy no longer; rentals that chose it go on.")
@click.option("--allow-device", metavar="ID", help="Take a device off the deny list.")
@click.option("--allow-manifest", metavar="SHA256", help="Take a reference manifest off the deny list.")
@click.option("--rules", type=FILE, metavar="FILE", help="Other governors, proposers, approvers, as JSON.")
@click.option("--resolve-transfer", type=int, metavar="INDEX", help="Settle a transfer without an answer.")
@click.option("--block", type=int, metavar="N", help="The ledger's block that paid it; none: it never paid.")
@click.option("--reason", required=True, help="For everybody to read.")
@pass_state
def propose(
    state: State,
    adopt: Path | None,
    retire: str | None,
    allow_device: str | None,
    allow_manifest: str | None,
    rules: Path | None,
    resolve_transfer: int | None,
    block: int | None,
    reason: str,
) -> None:
    """Propose one change. It takes effect when enough approve it and its delay is over.

    The same change that is open already is not proposed again. Revoking a policy or denying a device needs no
    proposal: see `policy revoke` and `policy deny`.
    """
    if block is not None and resolve_transfer is None:
        raise UsageError("--block belongs to --resolve-transfer")
    wanted: list[Callable[[], Change]] = []
    if adopt is not None:
        wanted.append(lambda: adoption(adopt))
    if rules is not None:
        wanted.append(lambda: new_rules(rules))
    if resolve_transfer is not None:
        wanted.append(lambda: resolution(resolve_transfer, block))
    named = {"RetirePolicy": retire, "AllowDevice": allow_device, "AllowManifest": allow_manifest}
    for kind, text in named.items():
        if text is not None:
            wanted.append(lambda kind=kind, text=text: Change(kind=kind, content=text))  # type: ignore[misc]
    if len(wanted) != 1:
        raise UsageError(
            "name exactly one change: --adopt, --retire, --allow-device, --allow-manifest, --rules …"
        )
    change = wanted[0]()
    marketplace = state.client().marketplace
    for proposal in _all(marketplace):
        if proposal.state in OPEN and proposal.change == change:
            state.output.note(f"proposal {proposal.id} is this change already")
            return _show(state, proposal)
    _show(state, marketplace.propose(change, reason))


@click.command(cls=Command)
@click.argument("proposal", type=int)
@pass_state
def approve(state: State, proposal: int) -> None:
    """Approve PROPOSAL. The approval that reaches the threshold starts its delay."""
    _show(state, state.client().marketplace.approve_proposal(proposal))


@click.command(cls=Command)
@click.argument("proposal", type=int)
@click.option("--reason", required=True, help="For everybody to read.")
@pass_state
def cancel(state: State, proposal: int, reason: str) -> None:
    """End PROPOSAL; who proposed it may, and any governor."""
    marketplace = state.client().marketplace
    found = marketplace.get_proposal(proposal)
    _show(state, found if found.state == "cancelled" else marketplace.cancel_proposal(proposal, reason))


@click.command(cls=Command)
@click.argument("proposal", type=int)
@pass_state
def execute(state: State, proposal: int) -> None:
    """Carry out PROPOSAL once its delay is over. Anyone may, and the marketplace's timer does too.

    Exits with 1 when the change could not be made any more.
    """
    marketplace = state.client().marketplace
    found = marketplace.get_proposal(proposal)
    _show(state, found if found.state in DONE else marketplace.execute_proposal(proposal))


@click.command(cls=Command)
@click.option("--open", "open_", is_flag=True, help="Only those that are not finished.")
@pass_state
def proposals(state: State, open_: bool) -> None:
    """List proposals, and who decides by which rules."""
    marketplace = state.client(reading=True).marketplace
    rules = marketplace.governance()
    state.output.note(
        f"{rules.threshold} of {len(rules.approvers)} approvers, then {seconds_text(rules.delay_s)} of delay"
    )
    found = [entry for entry in _all(marketplace) if not open_ or entry.state in OPEN]
    rows = [
        (
            entry.id,
            entry.state,
            entry.change.text()[:SHOWN_CHARACTERS],
            len(entry.approvals),
            time_text(entry.executable_at),
            entry.reason,
        )
        for entry in found
    ]
    state.output.table(
        "proposals",
        [entry.json_object() for entry in found],
        ("id", "state", "change", "approvals", "executable", "reason"),
        rows,
        bare=[str(entry.id) for entry in found],
    )


@click.command(cls=Command)
@click.argument("name")
@pass_state
def revoke(state: State, name: str) -> None:
    """End all use of policy NAME at once: new rentals, evidence and keys. Any governor may, alone."""
    state.client().marketplace.revoke_policy(name)
    state.output.fields({"revoked": name}, [("revoked", name)], bare=name)


DEVICE_ID = re.compile(r"(?:[0-9a-fA-F]{2})+")
"""Of a GPU or switch 9 bytes, of an AMD chip 64, of an Intel platform 16."""


@click.command(cls=Command)
@click.option("--device", metavar="ID", help="A GPU's, switch's or CPU's id: no evidence, no keys any more.")
@click.option("--manifest", metavar="SHA256", help="A reference manifest: as if nobody had posted it.")
@pass_state
def deny(state: State, device: str | None, manifest: str | None) -> None:
    """Put a device or a reference manifest on the deny list, at once. Any governor may, alone."""
    if (device is None) is (manifest is None):
        raise UsageError("name one of --device and --manifest")
    if device is not None and not DEVICE_ID.fullmatch(device):
        raise UsageError(f"--device {device}: ids of devices are hexadecimal; nothing was denied")
    marketplace = state.client().marketplace
    if device is not None:
        marketplace.deny_device(device)
    else:
        marketplace.deny_manifest(manifest or "")
    kind, what = ("device", device) if device is not None else ("manifest", manifest)
    state.output.fields({"denied": kind, "id": what}, [(f"denied {kind}", what or "")], bare=what or "")


COMMANDS = (propose, approve, cancel, execute, proposals, revoke, deny)


def _all(marketplace: Marketplace) -> list[Proposal]:
    return list(all_pages(marketplace.proposals, lambda entry: entry.id))


def _show(state: State, found: Proposal) -> None:
    rows: list[tuple[str, str | int]] = [
        ("proposal", found.id),
        ("state", found.state),
        ("change", found.change.text()),
        ("reason", found.reason),
        ("proposer", str(found.proposer)),
        *(("approved by", str(approver)) for approver in found.approvals),
        ("executable", time_text(found.executable_at)),
        ("expires", time_text(found.expires_at)),
    ]
    if found.outcome:
        rows.append(("outcome", found.outcome))
    state.output.fields(found.json_object(), rows, bare=str(found.id))
    if found.state == "failed":
        raise click.exceptions.Exit(1)
