"""The interface of a canister: what its source declares, and whether the checked-in `.did` agrees."""

from __future__ import annotations

import difflib
import json
import subprocess
import sys
from dataclasses import dataclass

from cdk.candid.compare import service_differences
from cdk.candid.did import DidError
from cdk.candid.did_parser import parse_did
from cdk.errors import CdkError

from .imports import CDK
from .project import Canister

_TIMEOUT_S = 120


@dataclass(frozen=True)
class Interface:
    """The generated `.did` and the module's exports: a method's index, or the name of a runtime export."""

    did: str
    exports: dict[str, int | str]


def read_interface(canister: Canister) -> Interface:
    """Import the canister in a Python of its own and ask it."""
    command = [sys.executable, "-m", "cdk.builder.describe", str(canister.root), canister.module]
    result = subprocess.run(
        command, cwd=CDK.parent, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    if result.returncode:
        raise CdkError(result.stderr.strip() or f"{canister.main} cannot be imported")
    answer = json.loads(result.stdout.splitlines()[-1])
    return Interface(answer["did"], dict(answer["exports"]))


def check_did(canister: Canister, generated: str) -> None:
    """Compare the generated interface with the checked-in one by meaning; CdkError lists the differences."""
    if not canister.did.exists():
        return
    text = canister.did.read_text()
    try:
        checked = parse_did(text, str(canister.did.relative_to(canister.root)))
    except DidError as error:
        raise CdkError(str(error)) from None
    ours = parse_did(generated)
    problems = service_differences((ours.init, ours.methods), (checked.init, checked.methods))
    if problems:
        raise CdkError(_mismatch(canister, problems, generated, text))


def _mismatch(canister: Canister, problems: list[str], generated: str, checked: str) -> str:
    shown = "\n".join([f"  - {problem}" for problem in problems])
    diff = difflib.unified_diff(
        checked.splitlines(), generated.splitlines(), f"{canister.name}.did", "generated", lineterm="", n=1
    )
    return (
        f"{canister.did.relative_to(canister.root)} does not agree with "
        f"{canister.main.relative_to(canister.root)} (first: the source, second: the .did file):\n{shown}\n\n"
        + "\n".join(list(diff)[:60])
        + "\n\n"
        f"Change one of them, or run: python -m cdk build {canister.name} --update-did"
    )
