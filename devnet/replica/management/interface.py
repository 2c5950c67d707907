"""Types of the management canister's methods, as in the specification's `ic.did`.

`canister_status` has the fields that the `icp` command line wants on top of the published file.
"""

from __future__ import annotations

from devnet.replica.candid import (
    BLOB,
    BOOL,
    FLOAT32,
    FLOAT64,
    INT32,
    INT64,
    NAT,
    NAT64,
    NULL,
    PRINCIPAL,
    RESERVED,
    TEXT,
    CandidType,
    Opt,
    Record,
    Variant,
    Vec,
)

VISIBILITY = Variant({"controllers": NULL, "public": NULL, "allowed_viewers": Vec(PRINCIPAL)})
ENVIRONMENT_VARIABLE = Record({"name": TEXT, "value": TEXT})

DEFINITE_SETTINGS: dict[str, CandidType] = {
    "controllers": Vec(PRINCIPAL),
    "compute_allocation": NAT,
    "memory_allocation": NAT,
    "freezing_threshold": NAT,
    "reserved_cycles_limit": NAT,
    "minimum_incoming_canister_call_cycles": NAT,
    "log_visibility": VISIBILITY,
    "log_memory_limit": NAT,
    "snapshot_visibility": VISIBILITY,
    "status_visibility": VISIBILITY,
    "wasm_memory_limit": NAT,
    "wasm_memory_threshold": NAT,
    "environment_variables": Vec(ENVIRONMENT_VARIABLE),
}
SETTINGS = Record({name: Opt(kind) for name, kind in DEFINITE_SETTINGS.items()})

CANISTER = Record({"canister_id": PRINCIPAL})
VERSIONED_CANISTER = Record({"canister_id": PRINCIPAL, "sender_canister_version": Opt(NAT64)})

CREATE_ARGS = Record({"settings": Opt(SETTINGS), "sender_canister_version": Opt(NAT64)})
PROVISIONAL_CREATE_ARGS = Record(
    {
        "amount": Opt(NAT),
        "settings": Opt(SETTINGS),
        "specified_id": Opt(PRINCIPAL),
        "sender_canister_version": Opt(NAT64),
    }
)
TOP_UP_ARGS = Record({"canister_id": PRINCIPAL, "amount": NAT})
UPDATE_SETTINGS_ARGS = Record(
    {"canister_id": PRINCIPAL, "settings": SETTINGS, "sender_canister_version": Opt(NAT64)}
)

INSTALL_MODE = Variant(
    {
        "install": NULL,
        "reinstall": NULL,
        "upgrade": Opt(
            Record(
                {
                    "skip_pre_upgrade": Opt(BOOL),
                    "wasm_memory_persistence": Opt(Variant({"keep": NULL, "replace": NULL})),
                }
            )
        ),
    }
)
INSTALL_ARGS = Record(
    {
        "mode": INSTALL_MODE,
        "canister_id": PRINCIPAL,
        "wasm_module": BLOB,
        "arg": BLOB,
        "sender_canister_version": Opt(NAT64),
    }
)
CHUNK_HASH = Record({"hash": BLOB})
INSTALL_CHUNKED_ARGS = Record(
    {
        "mode": INSTALL_MODE,
        "target_canister": PRINCIPAL,
        "store_canister": Opt(PRINCIPAL),
        "chunk_hashes_list": Vec(CHUNK_HASH),
        "wasm_module_hash": BLOB,
        "arg": BLOB,
        "sender_canister_version": Opt(NAT64),
    }
)
UPLOAD_CHUNK_ARGS = Record({"canister_id": PRINCIPAL, "chunk": BLOB})
STORED_CHUNKS = Vec(CHUNK_HASH)

STATUS = Record(
    {
        "status": Variant({"running": NULL, "stopping": NULL, "stopped": NULL}),
        "ready_for_migration": BOOL,
        "version": NAT64,
        "settings": Record(DEFINITE_SETTINGS),
        "module_hash": Opt(BLOB),
        "memory_size": NAT,
        "memory_metrics": Record(
            {
                "wasm_memory_size": NAT,
                "stable_memory_size": NAT,
                "global_memory_size": NAT,
                "wasm_binary_size": NAT,
                "custom_sections_size": NAT,
                "canister_history_size": NAT,
                "wasm_chunk_store_size": NAT,
                "snapshots_size": NAT,
                "log_memory_store_size": NAT,
            }
        ),
        "cycles": NAT,
        "reserved_cycles": NAT,
        "idle_cycles_burned_per_day": NAT,
        "query_stats": Record(
            {
                "num_calls_total": NAT,
                "num_instructions_total": NAT,
                "request_payload_bytes_total": NAT,
                "response_payload_bytes_total": NAT,
            }
        ),
    }
)

SNAPSHOT_SOURCE = Variant({"taken_from_canister": RESERVED, "metadata_upload": RESERVED})
SNAPSHOT = Record({"id": BLOB, "taken_at_timestamp": NAT64, "total_size": NAT64})
SNAPSHOTS = Vec(SNAPSHOT)
SNAPSHOT_ID = Record({"snapshot_id": BLOB})
SNAPSHOT_ARGS = Record({"canister_id": PRINCIPAL, "snapshot_id": BLOB})
TAKE_SNAPSHOT_ARGS = Record(
    {
        "canister_id": PRINCIPAL,
        "replace_snapshot": Opt(BLOB),
        "uninstall_code": Opt(BOOL),
        "sender_canister_version": Opt(NAT64),
    }
)
LOAD_SNAPSHOT_ARGS = Record(
    {"canister_id": PRINCIPAL, "snapshot_id": BLOB, "sender_canister_version": Opt(NAT64)}
)
_SNAPSHOT_STATE: dict[str, CandidType] = {
    "wasm_module_size": NAT64,
    "globals": Vec(Variant({"i32": INT32, "i64": INT64, "f32": FLOAT32, "f64": FLOAT64, "v128": NAT})),
    "wasm_memory_size": NAT64,
    "stable_memory_size": NAT64,
    "certified_data": BLOB,
    "global_timer": Opt(Variant({"inactive": NULL, "active": NAT64})),
    "on_low_wasm_memory_hook_status": Opt(
        Variant({"condition_not_satisfied": NULL, "ready": NULL, "executed": NULL})
    ),
}
SNAPSHOT_METADATA = Record(
    {
        "source": SNAPSHOT_SOURCE,
        "taken_at_timestamp": NAT64,
        "wasm_chunk_store": Vec(CHUNK_HASH),
        "canister_version": NAT64,
        **_SNAPSHOT_STATE,
    }
)
UPLOAD_SNAPSHOT_METADATA_ARGS = Record(
    {"canister_id": PRINCIPAL, "replace_snapshot": Opt(BLOB), **_SNAPSHOT_STATE}
)
_RANGE = Record({"offset": NAT64, "size": NAT64})
_OFFSET = Record({"offset": NAT64})
READ_SNAPSHOT_ARGS = Record(
    {
        "canister_id": PRINCIPAL,
        "snapshot_id": BLOB,
        "kind": Variant(
            {
                "wasm_module": _RANGE,
                "wasm_memory": _RANGE,
                "stable_memory": _RANGE,
                "wasm_chunk": CHUNK_HASH,
            }
        ),
    }
)
SNAPSHOT_CHUNK = Record({"chunk": BLOB})
UPLOAD_SNAPSHOT_DATA_ARGS = Record(
    {
        "canister_id": PRINCIPAL,
        "snapshot_id": BLOB,
        "kind": Variant(
            {
                "wasm_module": _OFFSET,
                "wasm_memory": _OFFSET,
                "stable_memory": _OFFSET,
                "wasm_chunk": NULL,
            }
        ),
        "chunk": BLOB,
    }
)

INFO_ARGS = Record({"canister_id": PRINCIPAL, "num_requested_changes": Opt(NAT64)})
CHANGE_ORIGIN = Variant(
    {
        "from_user": Record({"user_id": PRINCIPAL}),
        "from_canister": Record({"canister_id": PRINCIPAL, "canister_version": Opt(NAT64)}),
    }
)
CHANGE_DETAILS = Variant(
    {
        "creation": Record({"controllers": Vec(PRINCIPAL), "environment_variables_hash": Opt(BLOB)}),
        "code_uninstall": NULL,
        "code_deployment": Record(
            {"mode": Variant({"install": NULL, "reinstall": NULL, "upgrade": NULL}), "module_hash": BLOB}
        ),
        "controllers_change": Record({"controllers": Vec(PRINCIPAL)}),
        "load_snapshot": Record(
            {
                "canister_version": NAT64,
                "snapshot_id": BLOB,
                "taken_at_timestamp": NAT64,
                "source": SNAPSHOT_SOURCE,
                "from_canister_id": Opt(PRINCIPAL),
            }
        ),
    }
)
CHANGE = Record(
    {
        "timestamp_nanos": NAT64,
        "canister_version": NAT64,
        "origin": CHANGE_ORIGIN,
        "details": CHANGE_DETAILS,
    }
)
INFO = Record(
    {
        "total_num_changes": NAT64,
        "recent_changes": Vec(CHANGE),
        "module_hash": Opt(BLOB),
        "controllers": Vec(PRINCIPAL),
    }
)

CANISTER_METRICS = Record(
    {
        "cycles_consumed": Record(
            dict.fromkeys(
                (
                    "memory",
                    "compute_allocation",
                    "ingress_induction",
                    "instructions",
                    "request_and_response_transmission",
                    "uninstall",
                    "canister_creation",
                    "http_outcalls",
                    "burned_cycles",
                ),
                NAT,
            )
        )
    }
)
SUBNET = Record({"subnet_id": PRINCIPAL})
SUBNET_METRICS = Record(
    dict.fromkeys(
        (
            "block_height",
            "num_canisters",
            "canister_state_bytes",
            "consumed_cycles_total",
            "update_transactions_total",
        ),
        NAT,
    )
)
SUBNET_INFO = Record({"replica_version": TEXT, "registry_version": NAT64})
NODE_METRICS_ARGS = Record({"subnet_id": PRINCIPAL, "start_at_timestamp_nanos": NAT64})
NODE_METRICS = Vec(
    Record(
        {
            "timestamp_nanos": NAT64,
            "node_metrics": Vec(
                Record(
                    {
                        "node_id": PRINCIPAL,
                        "num_blocks_proposed_total": NAT64,
                        "num_block_failures_total": NAT64,
                    }
                )
            ),
        }
    )
)
CANISTER_RANGES = Record({"canisters": Vec(Record({"start": PRINCIPAL, "end": PRINCIPAL}))})

METADATA_ARGS = Record({"canister_id": PRINCIPAL, "name": TEXT})
METADATA = Record({"value": BLOB})

_INDEX_RANGE = Record({"start": NAT64, "end": NAT64})
LOGS_ARGS = Record(
    {
        "canister_id": PRINCIPAL,
        "filter": Opt(Variant({"by_idx": _INDEX_RANGE, "by_timestamp_nanos": _INDEX_RANGE})),
    }
)
LOGS = Record(
    {"canister_log_records": Vec(Record({"idx": NAT64, "timestamp_nanos": NAT64, "content": BLOB}))}
)
