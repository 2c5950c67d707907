"""Sealed files: ordinary age v1 files, each for a fresh X25519 identity of its own.

The stock `age` tool opens and makes them. Files are streamed; nothing is held in memory as a whole.
Source: the age file format, age-encryption.org/v1.
"""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import pyrage  # type: ignore[import-untyped]

from leasehold.sealing.errors import SealingError

_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class SealedFile:
    """A sealed file and how to open it.

    Args:
        path: where it lies.
        size: bytes of the sealed file.
        sha256: of the sealed file.
        secret: text of the age identity that opens it, `AGE-SECRET-KEY-1…`.
    """

    path: Path
    size: int
    sha256: bytes
    secret: str = field(repr=False)


def seal_file(source: Path, target: Path, secret: str | None = None) -> SealedFile:
    """Seal a file.

    Args:
        source: the clear file.
        target: is written; an unfinished one is never left under this name.
        secret: an age identity to seal to; a fresh one by default.

    Raises:
        SealingError: the file cannot be read or the secret is malformed.
    """
    identity = parse_secret(secret) if secret else pyrage.x25519.Identity.generate()
    partial = target.with_name(target.name + ".part")
    try:
        with source.open("rb") as reader, _private(partial) as file:
            hashing = _HashingWriter(file)
            pyrage.encrypt_io(reader, hashing, [identity.to_public()])
    except (OSError, pyrage.EncryptError) as error:
        partial.unlink(missing_ok=True)
        raise SealingError(f"{source} cannot be sealed: {error}") from error
    partial.replace(target)
    return SealedFile(target, hashing.size, hashing.digest(), str(identity))


def open_file(
    source: Path, target: Path, secret: str, *, size: int | None = None, sha256: bytes | None = None
) -> None:
    """Open a sealed file. Nothing is written under `target` unless the whole file is authentic.

    Args:
        size, sha256: when given, what the sealed file must be; checked before it is opened.

    Raises:
        SealingError: another file than promised, another key, or damaged.
    """
    check_file(source, size=size, sha256=sha256)
    identity = parse_secret(secret)
    partial = target.with_name(target.name + ".part")
    try:
        with source.open("rb") as reader, _private(partial) as writer:
            pyrage.decrypt_io(reader, writer, [identity])
    except (OSError, pyrage.DecryptError) as error:
        partial.unlink(missing_ok=True)
        raise SealingError(
            f"{source} cannot be opened: {error}; is it complete, and the key its own?"
        ) from error
    partial.replace(target)


def check_file(path: Path, *, size: int | None = None, sha256: bytes | None = None) -> None:
    """Check a file against what a record promises.

    Raises:
        SealingError: missing, or of another size or hash.
    """
    try:
        found = path.stat().st_size
    except OSError as error:
        raise SealingError(f"{path} cannot be read: {error.strerror}") from error
    if size is not None and found != size:
        raise SealingError(f"{path} has {found} bytes, the record says {size}")
    if sha256 is not None and (digest := hash_file(path)) != sha256:
        raise SealingError(f"{path} has SHA-256 {digest.hex()}, the record says {sha256.hex()}")


def hash_file(path: Path) -> bytes:
    """SHA-256 of a file, 32 bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def parse_secret(secret: str) -> pyrage.x25519.Identity:
    """An age identity from its text.

    Raises:
        SealingError: malformed.
    """
    try:
        return pyrage.x25519.Identity.from_str(secret)
    except pyrage.IdentityError as error:
        raise SealingError(f"this is no age identity: {error}") from error


class _HashingWriter:
    # Writes on, and hashes on the way.
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self.size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def digest(self) -> bytes:
        return self._hash.digest()


def _private(path: Path) -> BinaryIO:
    # Readable by the owner only: it may be clear data.
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(descriptor, "wb", buffering=_BLOCK_BYTES)
