"""Folders kept by the digest of their inputs: made under a temporary name, then renamed, under one lock."""

import ast
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


def cache_root() -> Path:
    """`leasehold` under the user's cache folder (XDG_CACHE_HOME, or ~/.cache)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leasehold"


def runtime_root() -> Path:
    """Where the stages of the runtime are kept."""
    return cache_root() / "runtime"


@dataclass(frozen=True)
class Recipe:
    """A Python file of the builder: what it does counts for a digest, not its comments and docstrings."""

    file: str

    def content(self) -> bytes:
        tree = ast.parse(Path(self.file).read_bytes())
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
                del node.body[0]
        return ast.dump(tree).encode()


def digest_of(parts: Iterable[str | Path | Recipe]) -> str:
    """SHA-256 over texts, files (name and content) and recipes, as 24 hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        raw = _content(part)
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()[:24]


def _content(part: str | Path | Recipe) -> bytes:
    if isinstance(part, Recipe):
        return part.content()
    return part.encode() if isinstance(part, str) else part.name.encode() + b"\0" + part.read_bytes()


KEPT_PER_STAGE = 4


def forget_old(stage: str) -> None:
    """Remove all but the latest folders of a stage, and what killed processes left half-made."""
    root = runtime_root()
    folders = sorted(root.glob(f"{stage}-*"), key=lambda path: path.stat().st_mtime)
    for path in [*folders[:-KEPT_PER_STAGE], *root.glob(f"building-{stage}-*")]:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def locked(waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of the runtime's folder; `waiting` is called first if another process has it."""
    root = runtime_root()
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def kept(stage: str, digest: str) -> Path:
    """The folder of a finished stage; it exists if and only if the stage is finished."""
    return runtime_root() / f"{stage}-{digest}"


def keep(stage: str, digest: str, make: Callable[[Path, Path], None]) -> Path:
    """Make the stage's folder if it is missing: `make(work, result)` fills `result`, with `work` to spoil."""
    target = kept(stage, digest)
    if target.is_dir():
        return target
    work = Path(tempfile.mkdtemp(prefix=f"building-{stage}-", dir=runtime_root()))
    try:
        result = work / "result"
        result.mkdir()
        make(work, result)
        result.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target
