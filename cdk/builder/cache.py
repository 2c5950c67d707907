"""Keeps finished builds by the content of everything that went into them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from cdk.toolchain.cache import cache_root

from .imports import CDK, Source

KEPT_BUILDS = 40


def cache_folder() -> Path:
    """The user's cache folder for builds."""
    return cache_root() / "builds"


def build_key(name: str, module: str, sources: list[Source], runtime_digest: str) -> str:
    """A digest of the canister's sources, the runtime and the builder itself."""
    digest = hashlib.sha256()
    parts = [name, module, runtime_digest, sys.version]
    for source in sources:
        parts += [source.name, source.filename, str(source.is_package), source.text]
    for pattern in ("build.py", "builder/*.py", "testing/*.py", "wasm/*.py"):
        for path in sorted(CDK.glob(pattern)):
            parts += [path.name, path.read_text()]
    for part in parts:
        raw = part.encode()
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()


def load(key: str) -> tuple[bytes, dict[str, object]] | None:
    """The packed module and the facts of a kept build."""
    folder = cache_folder() / key
    try:
        facts = json.loads((folder / "facts.json").read_text())
        module = (folder / "module.wasm.gz").read_bytes()
    except (OSError, ValueError):
        return None
    os.utime(folder)
    return module, facts


def store(key: str, packed: bytes, facts: dict[str, object]) -> None:
    """Keep a build; the oldest of more than `KEPT_BUILDS` goes."""
    base = cache_folder()
    base.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=base))
    (folder / "module.wasm.gz").write_bytes(packed)
    (folder / "facts.json").write_text(json.dumps(facts))
    try:
        folder.rename(base / key)
    except OSError:  # another process was faster
        shutil.rmtree(folder, ignore_errors=True)
    old = sorted(base.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)[KEPT_BUILDS:]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
