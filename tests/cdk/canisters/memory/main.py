"""Raw stable memory, which a canister without maps has to itself."""

from kybra import (
    Stable64GrowResult,
    StableGrowResult,
    Tuple,
    blob,
    ic,
    nat32,
    nat64,
    query,
    update,
    void,
)


@query
def sizes() -> Tuple[nat32, nat64]:
    return (ic.stable_size(), ic.stable64_size())


@update
def grow(pages: nat32) -> StableGrowResult:
    return ic.stable_grow(pages)


@update
def grow_64(pages: nat64) -> Stable64GrowResult:
    return ic.stable64_grow(pages)


@update
def write(offset: nat32, data: blob) -> void:
    ic.stable_write(offset, data)


@update
def write_64(offset: nat64, data: blob) -> void:
    ic.stable64_write(offset, data)


@query
def read(offset: nat32, length: nat32) -> blob:
    return ic.stable_read(offset, length)


@query
def read_64(offset: nat64, length: nat64) -> blob:
    return ic.stable64_read(offset, length)


@query
def everything() -> blob:
    return ic.stable_bytes()
