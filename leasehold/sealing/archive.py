"""Archives of model and adapter folders: deterministic tar files without anything that could run.

Source: docs/interfaces.md, "Packing"; POSIX.1-1988 ustar.
"""

import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from leasehold.sealing.errors import PackingError

MAX_FILES = 1_000
MAX_NAME_CHARACTERS = 100
MAX_FILE_BYTES = 512 * 1024**3
MAX_ARCHIVE_BYTES = 2 * 1024**4

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
    if archive.stat().st_size > MAX_ARCHIVE_BYTES:
        raise PackingError(f"{archive.name} is larger than {MAX_ARCHIVE_BYTES} bytes")
    try:
        with tarfile.open(archive, "r:") as opened:
            entries = _checked_entries(opened, kind)
            folder.mkdir(parents=True, exist_ok=True)
            for entry in entries:
                _extract(opened, entry, folder)
    except (tarfile.TarError, EOFError) as error:
        raise PackingError(f"{archive.name} is no tar archive, or a damaged one: {error}") from error
    return tuple(entry.name for entry in entries)


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
    for name in names:
        _ensure_name(name)
    for pattern in REQUIRED[kind]:
        if not any(PurePosixPath(name).match(pattern) for name in names):
            raise PackingError(f"a {kind} folder needs {pattern}, found only {', '.join(names) or 'nothing'}")


def _ensure_name(name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or str(path) != name or "\\" in name or "\x00" in name:
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


def _checked_entries(archive: tarfile.TarFile, kind: str) -> list[tarfile.TarInfo]:
    entries: list[tarfile.TarInfo] = []
    for entry in archive:
        if not entry.isreg() or entry.issparse():
            raise PackingError(f"{entry.name!r} in the archive is no ordinary file")
        if entry.size > MAX_FILE_BYTES:
            raise PackingError(f"{entry.name!r} is larger than {MAX_FILE_BYTES} bytes")
        entries.append(entry)
        if len(entries) > MAX_FILES:
            raise PackingError(f"the archive has more than {MAX_FILES} files")
    ensure_names(tuple(entry.name for entry in entries), kind)
    return entries


def _extract(archive: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path) -> None:
    target = folder / entry.name
    target.parent.mkdir(parents=True, exist_ok=True)
    content = archive.extractfile(entry)
    if content is None:
        raise PackingError(f"{entry.name!r} in the archive has no content")
    # "x": an existing file or link is never followed or overwritten.
    try:
        with content, target.open("xb") as file:
            shutil.copyfileobj(content, file)
    except FileExistsError as error:
        raise PackingError(f"{target} is there already; unpack into an empty folder") from error
    if target.stat().st_size != entry.size:
        raise PackingError(f"{entry.name!r} in the archive is cut short")
