"""`leasehold attestation verify`: the marketplace's verification, offline."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from attestation import Binding, PolicyMalformed
from leasehold.agent import Principal
from leasehold.cli.commands import Command
from leasehold.cli.evidence_options import NONCE, PRINCIPAL, SIMULATED_NOTE, TIME
from leasehold.cli.output import time_text
from leasehold.cli.state import State, pass_state
from leasehold.errors import UsageError
from leasehold.evidence import Verification, read_bundle, read_collateral, read_policy, verify_offline


@click.command(cls=Command)
@click.argument("bundle", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--policy",
    "policy_name",
    metavar="NAME|FILE",
    default="production",
    show_default=True,
    help="A policy that comes with leasehold (production, simulated), or a JSON file.",
)
@click.option("--nonce", type=NONCE, metavar="HEX", help="The nonce that the marketplace issued, 32 bytes.")
@click.option("--operator", type=PRINCIPAL, metavar="PRINCIPAL", help="Whom it was issued to.")
@click.option(
    "--unbound",
    is_flag=True,
    help="Accept evidence made for anybody, at any time, with unverifiable guest claims.",
)
@click.option(
    "--collateral",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="What vendors say: a container, manifest, revocation list, OCSP answer, Intel's JSON; repeatable.",
)
@click.option("--at", type=TIME, metavar="TIME", help="RFC 3339 or nanoseconds since 1970; now by default.")
@pass_state
def verify(
    state: State,
    bundle: Path,
    policy_name: str,
    nonce: bytes | None,
    operator: Principal | None,
    unbound: bool,
    collateral: tuple[Path, ...],
    at: int | None,
) -> None:
    """Verify the evidence in BUNDLE without any network, a row per claim.

    It is the very code that the marketplace runs. Exit codes: 0 accepted, 5 invalid, or not shown to be made
    for --nonce and --operator, 6 vendors' statements (--collateral) are missing, 7 the policy refuses it.
    """
    found = verify_offline(
        read_bundle(bundle),
        _policy(policy_name),
        time.time_ns() if at is None else at,
        binding=_binding(nonce, operator, unbound),
        unbound=unbound,
        collateral=read_collateral(collateral),
    )
    if found.simulated:
        state.output.warn(SIMULATED_NOTE)
    bare = found.bundle_sha256.hex() if found.accepted else ""
    state.output.result(_json(found), bare=bare, human=lambda console: _print(state, console, found))
    if found.problem is not None:
        raise found.problem


def _policy(name: str) -> Any:
    try:
        return read_policy(name)
    except PolicyMalformed as error:
        raise UsageError(f"--policy {name}: {error}; see `leasehold policy lint`") from error


def _binding(nonce: bytes | None, operator: Principal | None, unbound: bool) -> Binding | None:
    if nonce is not None and operator is not None:
        if unbound:
            raise UsageError("--unbound contradicts --nonce and --operator: leave it out")
        return Binding(nonce, operator.raw)
    if nonce is not None or operator is not None:
        raise UsageError("--nonce and --operator are hashed together: give both or neither")
    return None


def _json(found: Verification) -> dict[str, Any]:
    return {
        "accepted": found.accepted,
        "problem": None if found.problem is None else str(found.problem),
        "simulated": found.simulated,
        "bound": found.bound,
        "policy": found.policy,
        "at": found.at,
        "bundle_sha256": found.bundle_sha256.hex(),
        "claims": [asdict(claim) for claim in found.claims],
    }


def _print(state: State, console: Console, found: Verification) -> None:
    rows = [(claim.verdict, claim.name, claim.expected, claim.found) for claim in found.claims]
    state.output.table("claims", [], ("verdict", "claim", "expected", "found"), rows, bare=[])
    if found.accepted:
        what = "SIMULATED evidence" if found.simulated else "evidence"
        bound = (
            ""
            if found.bound
            else ", though UNBOUND: made for whomever, whenever, and the guest's claims may be anybody's"
        )
        console.print(f"accepted: {what}, by policy {found.policy} as of {time_text(found.at)}{bound}")
