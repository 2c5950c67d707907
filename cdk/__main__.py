"""`python -m cdk build NAME`, `check NAME`, `new NAME`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from cdk.build import Built, build, check
from cdk.builder.project import Canister
from cdk.checks import check_canister
from cdk.errors import CdkError
from cdk.scaffold import new_canister

DEFAULT_OUT = Path(".leasehold") / "build"


@click.group()
def cli() -> None:
    """Builds canisters written in Python to the Kybra API."""


@cli.command("build")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for NAME.wasm.gz and NAME.did.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Write the gzipped module to this file only (for icp.yaml).",
)
@click.option("--check-only", is_flag=True, help="Check imports, annotations and the .did; build nothing.")
@click.option("--update-did", is_flag=True, help="Rewrite the checked-in .did from the source.")
@click.option("--fresh", is_flag=True, help="Do not use a kept build.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def build_command(
    name: str,
    out: Path | None,
    output: Path | None,
    check_only: bool,
    update_did: bool,
    fresh: bool,
    as_json: bool,
) -> None:
    """Build canister NAME (canisters/NAME/main.py, or a path) into NAME.wasm.gz and NAME.did."""
    if check_only:
        canister, interface = check(name, update_did=update_did)
        methods = sum(isinstance(target, int) for target in interface.exports.values()) - 1
        _print(
            {"canister": canister.name, "methods": methods}, f"{canister.name}: {methods} methods", as_json
        )
        return
    built = build(name, update_did=update_did, fresh=fresh)
    written = [str(path) for path in _write(built, built.canister, out, output)]
    size, packed = built.size / 1e6, built.gzip_size / 1e6
    text = (
        f"{built.canister.name}: {size:.2f} MB ({packed:.2f} MB gzipped), sha256 {built.sha256}"
        f"{', unchanged' if built.cached else ''}\n" + "\n".join(written)
    )
    _print({**built.summary(), "files": written}, text, as_json)


@cli.command("check")
@click.argument("name")
@click.option("--strict", is_flag=True, help="Also fail for what only stock Kybra refuses.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check_command(name: str, strict: bool, as_json: bool) -> None:
    """Report what our compiler, the network or stock Kybra would refuse in canister NAME, with file and line.

    Exit code 1 if something would be refused; what only stock Kybra refuses counts with --strict.
    """
    findings = check_canister(name)
    failed = any(strict or finding.who != "kybra" for finding in findings)
    lines = [str(finding) for finding in findings] or [f"{name}: nothing would be refused"]
    facts = {"canister": name, "ok": not failed, "findings": [finding.as_json() for finding in findings]}
    _print(facts, "\n".join(lines), as_json)
    if failed:
        sys.exit(1)


@cli.command("new")
@click.argument("name")
def new_command(name: str) -> None:
    """Write a small canister to start from: canisters/NAME/main.py, its .did, and a test."""
    for path in new_canister(name):
        click.echo(str(path))
    click.echo(f"next: python -m cdk build {name}; then list it in icp.yaml or dfx.json", err=True)


def _write(built: Built, canister: Canister, out: Path | None, output: Path | None) -> list[Path]:
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(built.packed)
        return [output]
    folder = out or canister.root / DEFAULT_OUT
    folder.mkdir(parents=True, exist_ok=True)
    module, did = folder / f"{canister.name}.wasm.gz", folder / f"{canister.name}.did"
    module.write_bytes(built.packed)
    did.write_text(built.did)
    return [module, did]


def _print(facts: dict[str, object], text: str, as_json: bool) -> None:
    click.echo(json.dumps(facts) if as_json else text)


def main() -> None:
    """Run the command line; errors of the source go to stderr, exit code 1."""
    try:
        cli(prog_name="python -m cdk")
    except CdkError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
