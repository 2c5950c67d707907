"""The vault of sealed blobs: Candid endpoints over `core`."""

from typing import cast

from kybra import (
    Opt,
    Principal,
    StableBTreeMap,
    Vec,
    blob,
    ic,
    init,
    nat32,
    post_upgrade,
    query,
    text,
    update,
    void,
)

try:
    from kybra.extensions import peer_canister
except ImportError:  # stock Kybra: the install argument names the marketplace

    def peer_canister(name: str) -> "Principal | None":
        return None


from canisters.vault.core.blobs import manifest
from canisters.vault.core.errors import VaultError
from canisters.vault.core.limits import CHUNK_SIZE
from canisters.vault.core.storage import Storage
from canisters.vault.core.vault import Possession, Vault
from canisters.vault.interface import (
    BlobInfo,
    BlobInfoResult,
    ChunkArgs,
    ChunkResult,
    DeleteResult,
    Error,
    GrantArgs,
    GrantResult,
    InitArgs,
    Upload,
    UploadArgs,
    UploadResult,
)

SWEEP_INTERVAL_S = 600
"""How often ended uploads and grants and deleted chunks are looked for."""
NEXT_SWEEP_S = 1
"""How soon a sweep that left something is followed by another."""

# Sizes are written out, since stock Kybra reads them from the source. A digest has 32 bytes, a principal 30
# with its length, a record 512; the hashes of a blob's chunks are 32 bytes each.
settings = StableBTreeMap[blob, blob](memory_id=0, max_key_size=16, max_value_size=64)
contents = StableBTreeMap[blob, blob](memory_id=1, max_key_size=32, max_value_size=512)
hashes = StableBTreeMap[blob, blob](memory_id=2, max_key_size=8, max_value_size=65_536)
chunks = StableBTreeMap[blob, blob](memory_id=3, max_key_size=12, max_value_size=1_048_576)
claims = StableBTreeMap[blob, blob](memory_id=4, max_key_size=62, max_value_size=512)
holders = StableBTreeMap[blob, blob](memory_id=5, max_key_size=62, max_value_size=1)
usage = StableBTreeMap[blob, blob](memory_id=6, max_key_size=30, max_value_size=8)
uploads = StableBTreeMap[blob, blob](memory_id=7, max_key_size=70, max_value_size=1)
grants = StableBTreeMap[blob, blob](memory_id=8, max_key_size=62, max_value_size=8)
grant_ends = StableBTreeMap[blob, blob](memory_id=9, max_key_size=70, max_value_size=1)
garbage = StableBTreeMap[blob, blob](memory_id=10, max_key_size=8, max_value_size=4)

vault = Vault(
    Storage(settings, contents, hashes, chunks, claims, holders, usage, uploads, grants, grant_ends, garbage)
)


@init
def init_(args: Opt[InitArgs]) -> void:
    marketplace = peer_canister("marketplace") if args is None else args["marketplace"]
    if marketplace is None:
        ic.trap(
            "the vault must know its marketplace: install it with `icp deploy`, which sets the environment "
            "variable PUBLIC_CANISTER_ID:marketplace, or with (opt record { marketplace = principal ... })"
        )
    vault.install(marketplace.bytes)
    arm_timers()


@post_upgrade
def post_upgrade_() -> void:
    arm_timers()


def arm_timers() -> None:
    """Start the sweeps; timers do not survive upgrades."""
    ic.set_timer_interval(SWEEP_INTERVAL_S, sweep)
    ic.set_timer(NEXT_SWEEP_S, sweep)


def sweep() -> None:
    """Remove what has ended, and start on what is left soon after."""
    if vault.sweep(ic.time()):
        ic.set_timer(NEXT_SWEEP_S, sweep)


@update
def begin_upload(args: UploadArgs) -> UploadResult:
    try:
        declared = manifest(args["size"], args["sha256"], args["chunk_sha256s"])
        return {"Ok": upload_of(vault.begin_upload(ic.caller().bytes, declared, ic.time()))}
    except VaultError as error:
        return {"Err": error_of(error)}


@update
def put_chunk(args: ChunkArgs) -> UploadResult:
    try:
        possession = vault.put_chunk(
            ic.caller().bytes, args["blob_id"], args["index"], args["data"], ic.time()
        )
        return {"Ok": upload_of(possession)}
    except VaultError as error:
        return {"Err": error_of(error)}


@query
def get_chunk(blob_id: text, index: nat32) -> ChunkResult:
    try:
        return {"Ok": vault.get_chunk(ic.caller().bytes, blob_id, index, ic.time())}
    except VaultError as error:
        return {"Err": error_of(error)}


@query
def blob_info(blob_id: text) -> BlobInfoResult:
    try:
        return {"Ok": info_of(vault.blob_info(ic.caller().bytes, blob_id, ic.time()))}
    except VaultError as error:
        return {"Err": error_of(error)}


@query
def my_blobs(after: Opt[text], limit: nat32) -> Vec[BlobInfo]:
    return [info_of(each) for each in vault.my_blobs(ic.caller().bytes, after, limit)]


@update
def delete_blob(blob_id: text) -> DeleteResult:
    try:
        freed = vault.delete_blob(ic.caller().bytes, blob_id, ic.time())
    except VaultError as error:
        return {"Err": error_of(error)}
    ic.set_timer(NEXT_SWEEP_S, sweep)
    return {"Ok": freed}


@update
def grant(grants: Vec[GrantArgs]) -> GrantResult:
    try:
        wanted = [(each["blob_id"], each["reader"].bytes, each["until"]) for each in grants]
        return {"Ok": vault.grant(ic.caller().bytes, wanted, ic.time())}
    except VaultError as error:
        return {"Err": error_of(error)}


def upload_of(possession: Possession) -> Upload:
    """What an uploader is told."""
    return {
        "blob_id": possession.blob.hex(),
        "chunk_size": CHUNK_SIZE,
        "missing": possession.missing(),
        "complete": possession.claim.complete,
    }


def info_of(possession: Possession) -> BlobInfo:
    """What is told about a blob."""
    claim = possession.claim
    return {
        "blob_id": possession.blob.hex(),
        "owner": Principal(possession.owner),
        "size": claim.size,
        "sha256": claim.sha256,
        "chunk_count": claim.chunk_count,
        "complete": claim.complete,
        "created_at": claim.created_at,
    }


def error_of(error: VaultError) -> Error:
    """The Candid form of a refusal."""
    return cast(Error, error.variant())
