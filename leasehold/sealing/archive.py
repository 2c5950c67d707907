"""Archives of model and adapter folders: deterministic tar files without anything that could run.

Source: docs/interfaces.md, "Packing"; POSIX.1-1988 ustar.
"""

import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from leasehold.sealing.errors import PackingError
from leasehold.sealing.ustar import MAX_FILE_BYTES, MAX_FILES, Entry, read_entries

MAX_NAME_CHARACTERS = 100
_COPY_BYTES = 1024 * 1024

PICKLE_SUFFIXES = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz"})
CODE_SUFFIXES = frozenset({".py", ".pyc", ".so", ".sh"})
ALLOWED_SUFFIXES = frozenset(
    {".json", ".safetensors", ".txt", ".model", ".md", ".jinja", ".vocab", ".spm", ".tiktoken"}
)
ALLOWED_NAMES = frozenset({"LICENSE", "NOTICE"})

# What a folder of each kind must contain.
REQUIRED = {
    "model": ("config.json", "*.safetensors"),
    "adapter": ("adapter_config.json", "adapter_model.safetensors"),
    "checkpoint": ("position.json", "trainable.safetensors", "optimizer.safetensors"),
}


def pack_folder(folder: Path, target: Path, kind: str = "model") -> tuple[str, ...]:
    """Pack a folder into an archive; the same content gives the same bytes.

    Args:
        kind: `model`, `adapter` or `checkpoint`.

    Returns:
        names of the packed files, sorted.

    Raises:
        PackingError: a pickle, code, a link or an unknown kind of file, or something needed is missing.
    """
    files = sorted(_files_of(folder))
    names = tuple(name for name, _ in files)
    ensure_names(names, kind)
    with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, path in files:
            entry = tarfile.TarInfo(name)
            entry.size = path.stat().st_size
            entry.mode = 0o644
            if entry.size > MAX_FILE_BYTES:
                raise PackingError(f"{name} is larger than {MAX_FILE_BYTES} bytes; save it in several shards")
            with path.open("rb") as content:
                archive.addfile(entry, content)
    return names


def unpack_archive(archive: Path, folder: Path, kind: str = "model") -> tuple[str, ...]:
    """Unpack an archive into a new folder, trusting nothing of it.

    Returns:
        names of the files.

    Raises:
        PackingError: what `pack_folder` would not have written.
    """
    with archive.open("rb") as opened:
        try:
            entries = tuple(read_entries(opened, archive.stat().st_size))
        except PackingError as error:
            raise PackingError(f"{archive.name} is no tar archive, or a damaged one: {error}") from error
        names = tuple(entry.name for entry in entries)
        ensure_names(names, kind)
        folder.mkdir(parents=True, exist_ok=True)
        for entry in entries:
            _extract(opened, entry, folder)
    return names


def ensure_names(names: tuple[str, ...], kind: str) -> None:
    """Check the names of an archive's files.

    Raises:
        PackingError: too many, twice the same, not allowed, or one that is needed is missing.
    """
    if kind not in REQUIRED:
        raise PackingError(f"unknown kind of archive {kind!r}; it is one of {', '.join(REQUIRED)}")
    if len(names) > MAX_FILES:
        raise PackingError(f"{len(names)} files are too many; at most {MAX_FILES}")
    if len(set(names)) != len(names):
        raise PackingError("a file name appears twice in the archive")
    folders = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    for name in names:
        _ensure_name(name)
        if name in folders:
            raise PackingError(f"{name} is both a file and a folder in the archive")
    for pattern in REQUIRED[kind]:
        if not any(PurePosixPath(name).match(pattern) for name in names):
            raise PackingError(f"a {kind} folder needs {pattern}, found only {', '.join(names) or 'nothing'}")


def _ensure_name(name: str) -> None:
    path = PurePosixPath(name)
    if not (name.isascii() and name.isprintable()):
        raise PackingError(f"the file name {name!a} has other than printable ASCII characters")
    if path.is_absolute() or ".." in path.parts or str(path) != name or "\\" in name:
        raise PackingError(f"{name!r} would be written outside of the folder")
    if len(name) > MAX_NAME_CHARACTERS:
        raise PackingError(f"the file name {name!r} is longer than {MAX_NAME_CHARACTERS} characters")
    suffix = path.suffix.lower()
    if suffix in PICKLE_SUFFIXES:
        raise PackingError(
            f"{name} may contain pickle, which can run code when loaded; save it as safetensors"
        )
    if suffix in CODE_SUFFIXES:
        raise PackingError(f"{name} is code; a model is data only")
    if suffix not in ALLOWED_SUFFIXES and path.name not in ALLOWED_NAMES:
        raise PackingError(f"{name} is of no known kind; allowed are {', '.join(sorted(ALLOWED_SUFFIXES))}")


def _files_of(folder: Path) -> Iterator[tuple[str, Path]]:
    if not folder.is_dir():
        raise PackingError(f"{folder} is no folder")
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if any(part.startswith(".") for part in PurePosixPath(name).parts):
            continue
        if path.is_symlink():
            raise PackingError(f"{name} is a link; put the file itself into the folder")
        if path.is_file():
            yield name, path


def _extract(archive: BinaryIO, entry: Entry, folder: Path) -> None:
    target = folder / entry.name
    archive.seek(entry.offset)
    # "x": an existing file or link is never followed or overwritten.
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            _copy(archive, file, entry.size)
    except FileExistsError as error:
        raise PackingError(f"{target} is there already; unpack into an empty folder") from error
    except OSError as error:
        raise PackingError(f"{entry.name} cannot be written: {error.strerror}") from error


def _copy(source: BinaryIO, target: BinaryIO, size: int) -> None:
    while size:
        piece = source.read(min(size, _COPY_BYTES))
        if not piece:
            raise PackingError("the archive became shorter while it was read")
        target.write(piece)
        size -= len(piece)
