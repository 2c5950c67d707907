"""Sealed blobs in the vault: parallel, resumable upload and download.

Source: docs/interfaces.md, "Identifiers" (blob ids, chunks).
"""

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from leasehold.agent import Agent, NetworkError, Principal
from leasehold.errors import LeaseholdError
from leasehold.models import BlobInfo, Upload
from leasehold.sealing import check_file
from leasehold.typed import TypedClient

CHUNK_BYTES = 1024 * 1024
MAX_BLOB_BYTES = 64 * 1024**3
DEFAULT_WORKERS = 3
CHUNK_ATTEMPTS = 4
PREFIX = "vault:"

T = TypeVar("T")

# Called with bytes done and bytes in all.
ProgressCallback = Callable[[int, int], None]


class VaultError(LeaseholdError):
    """A blob cannot be uploaded or downloaded as asked."""


@dataclass(frozen=True)
class BlobReference:
    """An uploaded blob.

    Args:
        blob_id: its id in the vault.
        size: in bytes.
        sha256: of the whole file.
    """

    blob_id: str
    size: int
    sha256: bytes

    @property
    def location(self) -> str:
        """For `Artifact.location`."""
        return PREFIX + self.blob_id


class Vault(TypedClient):
    """Client of the vault. Beside up- and download, methods have the names of `vault.did`."""

    def __init__(self, agent: Agent, canister_id: Principal | str) -> None:
        super().__init__(agent, canister_id, "vault")

    def upload(
        self, path: Path, progress: ProgressCallback | None = None, workers: int = DEFAULT_WORKERS
    ) -> BlobReference:
        """Upload a file. An interrupted upload goes on where it stopped, a complete one is not repeated.

        Args:
            progress: told after each chunk.
            workers: chunks under way at a time.

        Raises:
            VaultError: the file is empty, too large, or changed meanwhile.
        """
        source = _Source.of(path)
        arguments = {"size": source.size, "sha256": source.sha256, "chunk_sha256s": source.chunk_hashes}
        upload = self._one(Upload, "begin_upload", arguments)
        if upload.blob_id != source.blob_id or upload.chunk_size != CHUNK_BYTES:
            raise VaultError(f"the vault calls {path.name} {upload.blob_id}, it should be {source.blob_id}")
        report = _Report(progress, source.size, source.size - source.bytes_of(upload.missing))
        # The vault may list only the first of many missing chunks, so ask until there are none.
        while not upload.complete:
            self._put_chunks(source, upload.missing, workers, report)
            before, upload = upload, self._one(Upload, "begin_upload", arguments)
            if upload.missing == before.missing:
                raise VaultError(f"the vault still misses chunks of {path.name} that were sent; try again")
        return BlobReference(source.blob_id, source.size, source.sha256)

    def download(
        self,
        blob: str,
        target: Path,
        *,
        size: int,
        sha256: bytes,
        progress: ProgressCallback | None = None,
        workers: int = DEFAULT_WORKERS,
    ) -> None:
        """Download a blob; goes on with `<target>.part` where an earlier download stopped.

        Args:
            blob: its id, or a location `vault:<id>`.
            size, sha256: what the record promises; `target` appears only when the file is that.

        Raises:
            VaultError: the vault has less or more than promised.
            SealingError: the file is not the one promised.
        """
        if not 0 < size <= MAX_BLOB_BYTES:
            raise VaultError(f"a blob has 1 to {MAX_BLOB_BYTES} bytes, the record says {size}")
        blob_id = blob.removeprefix(PREFIX)
        partial = target.with_name(target.name + ".part")
        with _resumed(partial, size) as (file, done):
            report = _Report(progress, size, min(size, done * CHUNK_BYTES))
            for data in self._get_chunks(blob_id, size, done, workers):
                file.write(data)
                report.add(len(data))
        try:
            check_file(partial, size=size, sha256=sha256)
        except LeaseholdError:
            # Nothing of it can be trusted; the next download begins anew.
            partial.unlink()
            raise
        partial.replace(target)

    def blob_info(self, blob_id: str) -> BlobInfo:
        return self._one(BlobInfo, "blob_info", blob_id)

    def my_blobs(self, after: str | None = None, limit: int = 100) -> list[BlobInfo]:
        return self._list(BlobInfo, "my_blobs", after, limit)

    def delete_blob(self, blob_id: str) -> int:
        """Delete a blob of the caller's; answers the bytes that became free."""
        freed: int = self._ask("delete_blob", blob_id)
        return freed

    def _put_chunks(self, source: "_Source", indices: Sequence[int], workers: int, report: "_Report") -> None:
        def put(index: int) -> None:
            data = source.read(index)
            chunk = {"blob_id": source.blob_id, "index": index, "data": data}
            _repeated(lambda: self._ask("put_chunk", chunk))
            report.add(len(data))

        with ThreadPoolExecutor(workers) as pool:
            futures = [pool.submit(put, index) for index in indices]
            try:
                for future in as_completed(futures):
                    future.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _get_chunks(self, blob_id: str, size: int, start: int, workers: int) -> Iterator[bytes]:
        # In order and a few at a time, so that a partial file always is a whole number of chunks.
        def get(index: int) -> bytes:
            data: bytes = _repeated(lambda: self._ask("get_chunk", blob_id, index))
            if len(data) != _chunk_size(size, index):
                raise VaultError(f"chunk {index} of {blob_id} has {len(data)} bytes, not those promised")
            return data

        count = -(-size // CHUNK_BYTES)
        with ThreadPoolExecutor(workers) as pool:
            for first in range(start, count, workers):
                yield from pool.map(get, range(first, min(first + workers, count)))


@dataclass(frozen=True)
class _Source:
    # A file to upload: what it was when its hashes were taken.
    path: Path
    size: int
    sha256: bytes
    chunk_hashes: list[bytes]

    @classmethod
    def of(cls, path: Path) -> "_Source":
        size = path.stat().st_size
        if not 0 < size <= MAX_BLOB_BYTES:
            raise VaultError(f"{path.name} has {size} bytes; the vault takes 1 to {MAX_BLOB_BYTES}")
        whole, chunks = hashlib.sha256(), []
        with path.open("rb") as file:
            while data := file.read(CHUNK_BYTES):
                whole.update(data)
                chunks.append(hashlib.sha256(data).digest())
        return cls(path, size, whole.digest(), chunks)

    @property
    def blob_id(self) -> str:
        return blob_id_of(self.size, self.chunk_hashes)

    def bytes_of(self, indices: Sequence[int]) -> int:
        if indices and not 0 <= max(indices) < len(self.chunk_hashes):
            raise VaultError(f"the vault misses chunk {max(indices)} of {len(self.chunk_hashes)}")
        return sum(_chunk_size(self.size, index) for index in indices)

    def read(self, index: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(index * CHUNK_BYTES)
            data = file.read(CHUNK_BYTES)
        if hashlib.sha256(data).digest() != self.chunk_hashes[index]:
            raise VaultError(f"{self.path.name} changed while it was uploaded; start again")
        return data


class _Report:
    # Adds up progress from several threads.
    def __init__(self, callback: ProgressCallback | None, total: int, done: int) -> None:
        self._callback, self._total, self._done = callback, total, done
        self._lock = threading.Lock()
        self.add(0)

    def add(self, count: int) -> None:
        with self._lock:
            self._done = min(self._total, self._done + count)
            if self._callback is not None:
                self._callback(self._done, self._total)


def blob_id_of(size: int, chunk_hashes: Sequence[bytes]) -> str:
    """Id of a blob, from its size and the SHA-256 of each of its chunks."""
    content = b"leasehold-blob" + size.to_bytes(8, "big") + b"".join(chunk_hashes)
    return hashlib.sha256(content).hexdigest()


def _chunk_size(size: int, index: int) -> int:
    return min(CHUNK_BYTES, size - index * CHUNK_BYTES)


def _repeated(send: Callable[[], T]) -> T:
    # A chunk is worth several messages: the agent repeats the same one only while it has not expired.
    for _ in range(CHUNK_ATTEMPTS - 1):
        with suppress(NetworkError):
            return send()
    return send()


@contextmanager
def _resumed(partial: Path, size: int) -> Iterator[tuple[BinaryIO, int]]:
    # The partial file, and how many whole chunks it has.
    with partial.open("ab") as file:
        os.chmod(partial, 0o600)
        found = file.tell()
        done = 0 if found > size else found // CHUNK_BYTES
        if found == size:
            done = -(-size // CHUNK_BYTES)
        else:
            file.truncate(done * CHUNK_BYTES)
        yield file, done
