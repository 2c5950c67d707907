"""Artifacts end to end: seal and upload a file for an item, fetch and open one with a released key.

Publisher, renter and worker use the same functions. A sealed file and what is needed to upload it are kept in
the work folder, so an interrupted upload goes on; the secret that opens it is never written to disk.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from leasehold.agent import NetworkError
from leasehold.agent.boundary import is_loopback
from leasehold.errors import LeaseholdError
from leasehold.models import Artifact, Item, SealingKey
from leasehold.models.base import Model
from leasehold.network import Client
from leasehold.sealing import (
    SealingError,
    check_file,
    hash_file,
    open_file,
    open_secret,
    seal_file,
    seal_secret,
)
from leasehold.vault import PREFIX, ProgressCallback
from leasehold.vetkeys import TransportKey, VetKey

_DOWNLOAD_BLOCK = 1024 * 1024
_MAX_REDIRECTS = 5


class ArtifactError(LeaseholdError):
    """An artifact lies where it cannot be fetched, or its key is not the one asked for."""


class _Sidecar(Model):
    # What is kept beside a sealed file; hexadecimal in JSON.
    item: str
    source_sha256: str
    size: int
    sha256: str
    sealed_identity: str


@dataclass(frozen=True)
class SealedItem:
    """A file sealed for an item, ready to be uploaded.

    Args:
        path: the sealed file.
        sealed_identity: its secret, encrypted to the item.
    """

    path: Path
    size: int
    sha256: bytes
    sealed_identity: bytes


def seal_item(source: Path, item: Item, key: SealingKey, target: Path) -> SealedItem:
    """Seal a file for an item; when `target` is the same file sealed for it before, that is taken.

    Args:
        source: the clear file.
        target: the sealed file; `<target>.json` is written beside it.
    """
    source_sha256 = hash_file(source)
    found = _sealed_before(item, source_sha256, target)
    if found is not None:
        return found
    sealed = seal_file(source, target)
    sealed_identity = seal_secret(sealed.secret, key.public_key, item.input)
    record = _Sidecar(
        item=item.input.decode(),
        source_sha256=source_sha256.hex(),
        size=sealed.size,
        sha256=sealed.sha256.hex(),
        sealed_identity=sealed_identity.hex(),
    )
    _sidecar_of(target).write_text(record.model_dump_json())
    return SealedItem(target, sealed.size, sealed.sha256, sealed_identity)


def upload_item(client: Client, sealed: SealedItem, progress: ProgressCallback | None = None) -> Artifact:
    """Upload a sealed file to the vault, going on where an earlier upload stopped."""
    blob = client.vault.upload(sealed.path, progress)
    return Artifact(
        location=blob.location, size=blob.size, sha256=blob.sha256, sealed_identity=sealed.sealed_identity
    )


def seal_and_upload(
    client: Client, source: Path, item: Item, work: Path, progress: ProgressCallback | None = None
) -> Artifact:
    """Seal a file for an item and upload it.

    Args:
        work: a folder for the sealed file, which is removed when it is uploaded.
    """
    work.mkdir(parents=True, exist_ok=True)
    target = work / f"{item.kind}-{item.id}.age"
    sealed = seal_item(source, item, client.marketplace.sealing_key(), target)
    artifact = upload_item(client, sealed, progress)
    target.unlink()
    _sidecar_of(target).unlink(missing_ok=True)
    return artifact


def release(
    client: Client, item: Item, *, rental: int | None = None, transport: TransportKey | None = None
) -> VetKey:
    """Have an item's vetKey released to a transport key, and verify it.

    Args:
        rental: the session's rental; the transport key is then the attested one and is not sent.
        transport: a fresh one by default, for owners and renters.

    Raises:
        NotAuthorized, InvalidState: the marketplace does not release it to the caller now.
        VetKeyError: what came is not that key.
    """
    transport = transport or TransportKey.generate()
    sent = transport.public_key if rental is None else None
    released = client.marketplace.release_key(item, rental, sent)
    if released.input != item.input:
        raise ArtifactError(f"the key of {released.input!r} was released instead of {item.input!r}")
    key = client.marketplace.sealing_key()
    return transport.decrypt(released.encrypted_key, key.public_key, item.input)


def fetch(client: Client, artifact: Artifact, target: Path, progress: ProgressCallback | None = None) -> None:
    """Download an artifact's sealed file and check its size and hash; one already there is kept.

    Raises:
        ArtifactError: its location is neither the vault nor an https URL.
        SealingError: it is not the file that the record promises.
    """
    size, sha256 = artifact.size, artifact.sha256
    if target.exists() and target.stat().st_size == size:
        try:
            return check_file(target, size=size, sha256=sha256)
        except SealingError:
            target.unlink()
    target.parent.mkdir(parents=True, exist_ok=True)
    if artifact.location.startswith(PREFIX):
        client.vault.download(artifact.location, target, size=size, sha256=sha256, progress=progress)
    elif artifact.location.startswith("https://") or is_loopback(artifact.location):
        _fetch_url(artifact, target, progress)
    else:
        raise ArtifactError(f"cannot fetch from {artifact.location!r}: neither the vault nor an https URL")


def fetch_and_open(
    client: Client,
    artifact: Artifact,
    item: Item,
    target: Path,
    work: Path,
    *,
    rental: int | None = None,
    transport: TransportKey | None = None,
    progress: ProgressCallback | None = None,
) -> None:
    """Have the key released, download the sealed file, and open it.

    Args:
        target: the clear file; appears only when all of it is authentic.
        work: a folder for the sealed file, which is removed afterwards.
        rental, transport: as for `release`.
    """
    vetkey = release(client, item, rental=rental, transport=transport)
    sealed = work / f"{item.kind}-{item.id}.age"
    fetch(client, artifact, sealed, progress)
    target.parent.mkdir(parents=True, exist_ok=True)
    secret = open_secret(vetkey, artifact.sealed_identity)
    open_file(sealed, target, secret, size=artifact.size, sha256=artifact.sha256)
    sealed.unlink()


def _sidecar_of(target: Path) -> Path:
    return target.with_name(target.name + ".json")


def _sealed_before(item: Item, source_sha256: bytes, target: Path) -> SealedItem | None:
    try:
        record = _Sidecar.model_validate_json(_sidecar_of(target).read_text())
        sha256 = bytes.fromhex(record.sha256)
        check_file(target, size=record.size, sha256=sha256)
        same = (record.item, record.source_sha256) == (item.input.decode(), source_sha256.hex())
        sealed_identity = bytes.fromhex(record.sealed_identity)
    except (OSError, ValueError, SealingError):
        # Nothing usable is left of an earlier attempt.
        return None
    return SealedItem(target, record.size, sha256, sealed_identity) if same else None


def _fetch_url(artifact: Artifact, target: Path, progress: ProgressCallback | None) -> None:
    partial = target.with_name(target.name + ".part")
    try:
        with _opened(artifact.location) as response, partial.open("wb") as file:
            for data in response.iter_bytes(_DOWNLOAD_BLOCK):
                file.write(data)
                if file.tell() > artifact.size:
                    raise ArtifactError(f"{artifact.location} is longer than the record says")
                if progress is not None:
                    progress(file.tell(), artifact.size)
        check_file(partial, size=artifact.size, sha256=artifact.sha256)
    except httpx.HTTPError as error:
        raise NetworkError(f"{artifact.location} cannot be fetched: {error}") from error
    except LeaseholdError:
        partial.unlink(missing_ok=True)
        raise
    partial.replace(target)


@contextmanager
def _opened(url: str) -> Iterator[httpx.Response]:
    # Redirects lead to https only: a record must not make this machine ask services of its own network.
    for _ in range(_MAX_REDIRECTS):
        with httpx.stream("GET", url, follow_redirects=False, timeout=60) as response:
            if not response.is_redirect:
                response.raise_for_status()
                yield response
                return
            target = response.url.join(response.headers["location"])
        if target.scheme != "https" or is_loopback(str(target)):
            raise ArtifactError(f"{url} leads to {str(target)!a}, which is no https URL of another machine")
        url = str(target)
    raise ArtifactError(f"{url} leads on and on: more than {_MAX_REDIRECTS} redirects")
