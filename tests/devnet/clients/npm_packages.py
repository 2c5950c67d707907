"""Unmodified clients from npm, installed once per lock file into the user's cache."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
INSTALL_TIMEOUT_S = 300


def install(name: str) -> Path:
    """Folder with the packages of `<name>/package-lock.json`; skips the test when they cannot be had."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm and node are needed to run the unmodified clients")
    lock = (HERE / name / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leasehold" / "npm"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"{name}-{hashlib.sha256(lock).hexdigest()[:16]}"
    with open(cache / f"{name}.lock", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not folder.exists():
            _install_into(folder, HERE / name)
    return folder


def _install_into(folder: Path, source: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        work = Path(scratch) / "work"
        work.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, work)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        result = subprocess.run(
            command, cwd=work, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
        )
        if result.returncode != 0:
            pytest.skip(f"npm could not install {source.name}: {result.stderr.strip()[-300:]}")
        work.rename(folder)
