"""The vault's Candid types (`vault.did`)."""

from kybra import Principal, Record, Variant, Vec, blob, nat32, nat64, text


class InitArgs(Record):
    marketplace: Principal


class UploadArgs(Record):
    size: nat64
    sha256: blob
    chunk_sha256s: Vec[blob]


class Upload(Record):
    blob_id: text
    chunk_size: nat32
    missing: Vec[nat32]
    complete: bool


class ChunkArgs(Record):
    blob_id: text
    index: nat32
    data: blob


class BlobInfo(Record):
    blob_id: text
    owner: Principal
    size: nat64
    sha256: blob
    chunk_count: nat32
    complete: bool
    created_at: nat64


class GrantArgs(Record):
    blob_id: text
    reader: Principal
    until: nat64


class NotFoundError(Record):
    kind: text
    id: text


class NotAuthorizedError(Record):
    required: text


class InvalidArgumentError(Record):
    field: text
    value: text
    problem: text


class QuotaExceededError(Record):
    used: nat64
    limit: nat64
    requested: nat64


class HashMismatchError(Record):
    index: nat32
    expected: blob
    found: blob


class IncompleteError(Record):
    missing: nat32


class Error(Variant, total=False):
    NotFound: NotFoundError
    NotAuthorized: NotAuthorizedError
    InvalidArgument: InvalidArgumentError
    QuotaExceeded: QuotaExceededError
    HashMismatch: HashMismatchError
    Incomplete: IncompleteError


class UploadResult(Variant, total=False):
    Ok: Upload
    Err: Error


class ChunkResult(Variant, total=False):
    Ok: blob
    Err: Error


class BlobInfoResult(Variant, total=False):
    Ok: BlobInfo
    Err: Error


class DeleteResult(Variant, total=False):
    Ok: nat64
    Err: Error


class GrantResult(Variant, total=False):
    Ok: nat32
    Err: Error
