"""Compiles a canister's modules with the Python of the runtime."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from cdk.errors import CdkError
from cdk.toolchain.compiler import BYTECODE_OPTIONS

from .imports import ENTRY, Source

_SCRIPT = Path(__file__).with_name("compile_bundle.py")
_TIMEOUT_S = 300


def make_bundle(sources: list[Source], python: Path) -> bytes:
    """The marshalled bundle of `sources`; `python` must have the runtime's minor version."""
    modules = [[source.name, source.filename, source.is_package, source.text] for source in sources]
    result = subprocess.run(
        [str(python), *BYTECODE_OPTIONS, str(_SCRIPT), ENTRY],
        input=json.dumps(modules).encode(),
        capture_output=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if result.returncode:
        last = result.stderr.decode(errors="replace").strip().splitlines()[-3:]
        raise CdkError("the runtime's Python cannot compile the canister: " + "\n".join(last))
    return result.stdout
