"""Unmodified clients from PyPI that do not fit into the project's own environment, in the user's cache."""

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
INSTALL_TIMEOUT_S = 300


def install(name: str) -> Path:
    """Folder with the packages of `<name>/requirements.txt`; skips the test when they cannot be had."""
    requirements = HERE / name / "requirements.txt"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leasehold" / "python"
    cache.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(f"{sys.version}{sys.platform}".encode() + requirements.read_bytes()).hexdigest()
    folder = cache / f"{name}-{digest[:16]}"
    with open(cache / f"{name}.lock", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not folder.exists():
            _install_into(folder, requirements)
    return folder


def _install_into(folder: Path, requirements: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        work = Path(scratch) / "work"
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
        ]
        result = subprocess.run(
            [*command, "--target", str(work), "--requirement", str(requirements)],
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
        if result.returncode != 0:
            pytest.skip(f"pip could not install {requirements.parent.name}: {result.stderr.strip()[-300:]}")
        work.rename(folder)
