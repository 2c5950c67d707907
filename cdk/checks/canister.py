"""The checks of one canister, in order: imports and syntax, stock Kybra's rules, definitions, limits."""

from __future__ import annotations

from pathlib import Path

from cdk.builder.imports import collect_sources, is_library
from cdk.builder.interface import Interface, check_did, read_interface
from cdk.builder.project import Canister, find_canister
from cdk.builder.sections import metadata_sections
from cdk.errors import CdkError

from .findings import Finding, from_message
from .kybra_rules import kybra_findings


def check_canister(name: str, start: Path | None = None) -> list[Finding]:
    """Every problem of the canister `name` of the project around `start`, sorted by place.

    Definitions are only evaluated when imports and syntax are right, since that imports the canister.
    Raises: CdkError when there is no such canister.
    """
    canister = find_canister(name, start or Path.cwd())
    main = str(canister.main.relative_to(canister.root))
    errors: list[CdkError] = []
    sources = collect_sources(canister.module, canister.root, errors.append)
    findings = [from_message(str(error), main) for error in errors]
    findings += kybra_findings([source for source in sources if not is_library(source)])
    if not errors:
        findings += _definitions(canister, main)
    return sorted(set(findings))


def _definitions(canister: Canister, main: str) -> list[Finding]:
    try:
        interface = read_interface(canister)
    except CdkError as error:
        return [from_message(str(error), main)]
    return [*_did(canister, interface), *_limits(interface, main)]


def _did(canister: Canister, interface: Interface) -> list[Finding]:
    try:
        check_did(canister, interface.did)
    except CdkError as error:
        return [from_message(str(error), str(canister.did.relative_to(canister.root)))]
    return []


def _limits(interface: Interface, main: str) -> list[Finding]:
    from cdk.build import ensure_methods_fit
    from cdk.wasm import WasmError
    from cdk.wasm.specialise import ensure_metadata, ensure_names

    findings = []
    try:
        ensure_methods_fit(interface)
    except CdkError as error:
        findings.append(from_message(str(error), main))
    try:
        ensure_names(interface.exports)
        ensure_metadata(metadata_sections(interface.did, ""))
    except WasmError as error:
        findings.append(Finding(main, 0, "network", str(error)))
    return findings
