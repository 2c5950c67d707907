"""Blobs of the vault."""

from leasehold.agent.principal import Principal
from leasehold.models.base import Model, Sha256, Timestamp


class Upload(Model):
    """How far an upload is: `missing` lists the first missing chunks."""

    blob_id: str
    chunk_size: int
    missing: list[int]
    complete: bool


class BlobInfo(Model):
    """A blob."""

    blob_id: str
    owner: Principal
    size: int
    sha256: Sha256
    chunk_count: int
    complete: bool
    created_at: Timestamp
