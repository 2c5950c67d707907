"""The pinned source archives: from a folder the user names, the download cache, or Debian's archive."""

import hashlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from cdk.toolchain.apt import download_sources
from cdk.toolchain.cache import cache_root
from cdk.toolchain.pins import SourcePackage
from cdk.toolchain.process import Runner, ToolchainError

FOLDER_VARIABLE = "LEASEHOLD_SOURCES"
Edits = Mapping[str, Sequence[tuple[str, str]]]


def ensure_sources(packages: list[SourcePackage], runner: Runner) -> None:
    """Have every package's archive in the download cache. Raises ToolchainError if one cannot be had."""
    missing = [package for package in packages if not archive_path(package).is_file()]
    given = os.environ.get(FOLDER_VARIABLE)
    if missing and given:
        for package in missing:
            _take(package, Path(given))
    elif missing:
        root = cache_root() / "downloads"
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=root) as work:
            download_sources([package.package for package in missing], Path(work), runner)
            for package in missing:
                _take(package, Path(work))


def archive_path(package: SourcePackage) -> Path:
    """Where the download cache keeps the package's archive."""
    return cache_root() / "downloads" / package.sha256 / package.file


def unpack(package: SourcePackage, folder: Path, edits: Edits | None = None) -> Path:
    """Unpack the archive into `folder` and answer the source tree.

    edits: file of the tree to (old text, new text) pairs; each old text must occur exactly once.
    """
    with tarfile.open(archive_path(package)) as archive:
        archive.extractall(folder)  # checked against its pin; Python 3.11.2 has no extraction filters
    tree = folder / package.folder
    for file, changes in (edits or {}).items():
        text = (tree / file).read_text()
        for old, new in changes:
            if text.count(old) != 1:
                raise ToolchainError(f"{file} of {package.file} does not contain {old!r} exactly once")
            text = text.replace(old, new)
        (tree / file).write_text(text)
    return tree


def _take(package: SourcePackage, folder: Path) -> None:
    """Move a checked archive from `folder` into the download cache."""
    found = folder / package.file
    if not found.is_file():
        raise ToolchainError(
            f"{package.file} is not in {folder}: the source package {package.package} has changed there"
        )
    with found.open("rb") as stream:
        actual = hashlib.file_digest(stream, "sha256").hexdigest()
    if actual != package.sha256:
        raise ToolchainError(f"{found} has SHA-256 {actual}, expected {package.sha256}: do not use it")
    target = archive_path(package)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.partial")
    shutil.copyfile(found, partial)
    partial.rename(target)
