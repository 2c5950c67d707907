"""Candid types of the management canister, as far as the suite calls it.

Written from the specification's `ic.did`; only the fields that the tests look at are named in results.
"""

from __future__ import annotations

from typing import Any

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
VARIABLE = Record({"name": TEXT, "value": TEXT})
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
    "environment_variables": Vec(VARIABLE),
}
SETTINGS = Record({name: Opt(kind) for name, kind in DEFINITE_SETTINGS.items()})
VERSION: dict[str, CandidType] = {"sender_canister_version": Opt(NAT64)}
CANISTER = Record({"canister_id": PRINCIPAL})
MODE = Variant(
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
HASH = Record({"hash": BLOB})
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
                name: NAT
                for name in (
                    "wasm_memory_size",
                    "stable_memory_size",
                    "global_memory_size",
                    "wasm_binary_size",
                    "custom_sections_size",
                    "canister_history_size",
                    "wasm_chunk_store_size",
                    "snapshots_size",
                    "log_memory_store_size",
                )
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
ORIGIN = Variant(
    {
        "from_user": Record({"user_id": PRINCIPAL}),
        "from_canister": Record({"canister_id": PRINCIPAL, "canister_version": Opt(NAT64)}),
    }
)
SOURCE = Variant({"taken_from_canister": RESERVED, "metadata_upload": RESERVED})
DETAILS = Variant(
    {
        "creation": Record({"controllers": Vec(PRINCIPAL), "environment_variables_hash": Opt(BLOB)}),
        "code_uninstall": NULL,
        "code_deployment": Record(
            {"mode": Variant({"install": NULL, "reinstall": NULL, "upgrade": NULL}), "module_hash": BLOB}
        ),
        "controllers_change": Record({"controllers": Vec(PRINCIPAL)}),
        "load_snapshot": Record({"from_canister_id": Opt(PRINCIPAL), "snapshot_id": BLOB, "source": SOURCE}),
    }
)
INFO = Record(
    {
        "total_num_changes": NAT64,
        "recent_changes": Vec(
            Record(
                {"timestamp_nanos": NAT64, "canister_version": NAT64, "origin": ORIGIN, "details": DETAILS}
            )
        ),
        "module_hash": Opt(BLOB),
        "controllers": Vec(PRINCIPAL),
    }
)
SNAPSHOT = Record({"id": BLOB, "taken_at_timestamp": NAT64, "total_size": NAT64})
SNAPSHOT_OF = Record({"canister_id": PRINCIPAL, "snapshot_id": BLOB})
SNAPSHOT_STATE: dict[str, CandidType] = {
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
RANGE = Record({"offset": NAT64, "size": NAT64})
OFFSET = Record({"offset": NAT64})
LOG_RANGE = Record({"start": NAT64, "end": NAT64})
VETKD_KEY = Record({"curve": Variant({"bls12_381_g2": NULL}), "name": TEXT})
ECDSA_KEY = Record({"curve": Variant({"secp256k1": NULL}), "name": TEXT})
SCHNORR_KEY = Record({"algorithm": Variant({"bip340secp256k1": NULL, "ed25519": NULL}), "name": TEXT})
EXTENDED_KEY = Record({"public_key": BLOB, "chain_code": BLOB})
PUBLIC_KEY: dict[str, CandidType] = {"canister_id": Opt(PRINCIPAL), "derivation_path": Vec(BLOB)}
SIGNATURE = Record({"signature": BLOB})
HEADER = Record({"name": TEXT, "value": TEXT})
SUBNET = Record({"subnet_id": PRINCIPAL})

METHODS: dict[str, tuple[CandidType | None, CandidType | None]] = {
    "create_canister": (Record({"settings": Opt(SETTINGS), **VERSION}), CANISTER),
    "update_settings": (Record({"canister_id": PRINCIPAL, "settings": SETTINGS, **VERSION}), None),
    "upload_chunk": (Record({"canister_id": PRINCIPAL, "chunk": BLOB}), HASH),
    "clear_chunk_store": (CANISTER, None),
    "stored_chunks": (CANISTER, Vec(HASH)),
    "install_code": (
        Record({"mode": MODE, "canister_id": PRINCIPAL, "wasm_module": BLOB, "arg": BLOB, **VERSION}),
        None,
    ),
    "install_chunked_code": (
        Record(
            {
                "mode": MODE,
                "target_canister": PRINCIPAL,
                "store_canister": Opt(PRINCIPAL),
                "chunk_hashes_list": Vec(HASH),
                "wasm_module_hash": BLOB,
                "arg": BLOB,
                **VERSION,
            }
        ),
        None,
    ),
    "uninstall_code": (Record({"canister_id": PRINCIPAL, **VERSION}), None),
    "canister_status": (CANISTER, STATUS),
    "canister_metrics": (CANISTER, Record({})),
    "canister_info": (Record({"canister_id": PRINCIPAL, "num_requested_changes": Opt(NAT64)}), INFO),
    "canister_metadata": (Record({"canister_id": PRINCIPAL, "name": TEXT}), Record({"value": BLOB})),
    "stop_canister": (CANISTER, None),
    "start_canister": (CANISTER, None),
    "delete_canister": (CANISTER, None),
    "deposit_cycles": (CANISTER, None),
    "raw_rand": (None, BLOB),
    "ecdsa_public_key": (Record({**PUBLIC_KEY, "key_id": ECDSA_KEY}), EXTENDED_KEY),
    "sign_with_ecdsa": (
        Record({"message_hash": BLOB, "derivation_path": Vec(BLOB), "key_id": ECDSA_KEY}),
        SIGNATURE,
    ),
    "schnorr_public_key": (Record({**PUBLIC_KEY, "key_id": SCHNORR_KEY}), EXTENDED_KEY),
    "sign_with_schnorr": (
        Record({"message": BLOB, "derivation_path": Vec(BLOB), "key_id": SCHNORR_KEY}),
        SIGNATURE,
    ),
    "vetkd_public_key": (
        Record({"canister_id": Opt(PRINCIPAL), "context": BLOB, "key_id": VETKD_KEY}),
        Record({"public_key": BLOB}),
    ),
    "vetkd_derive_key": (
        Record({"input": BLOB, "context": BLOB, "transport_public_key": BLOB, "key_id": VETKD_KEY}),
        Record({"encrypted_key": BLOB}),
    ),
    "http_request": (
        Record(
            {
                "url": TEXT,
                "max_response_bytes": Opt(NAT64),
                "method": Variant({"get": NULL, "head": NULL, "post": NULL}),
                "headers": Vec(HEADER),
                "body": Opt(BLOB),
                "is_replicated": Opt(BOOL),
            }
        ),
        Record({"status": NAT, "headers": Vec(HEADER), "body": BLOB}),
    ),
    "node_metrics_history": (
        Record({"subnet_id": PRINCIPAL, "start_at_timestamp_nanos": NAT64}),
        Vec(Record({"timestamp_nanos": NAT64})),
    ),
    "subnet_metrics": (SUBNET, Record({"num_canisters": NAT})),
    "subnet_info": (SUBNET, Record({"replica_version": TEXT, "registry_version": NAT64})),
    "provisional_create_canister_with_cycles": (
        Record({"amount": Opt(NAT), "settings": Opt(SETTINGS), "specified_id": Opt(PRINCIPAL), **VERSION}),
        CANISTER,
    ),
    "provisional_top_up_canister": (Record({"canister_id": PRINCIPAL, "amount": NAT}), None),
    "take_canister_snapshot": (
        Record(
            {
                "canister_id": PRINCIPAL,
                "replace_snapshot": Opt(BLOB),
                "uninstall_code": Opt(BOOL),
                **VERSION,
            }
        ),
        SNAPSHOT,
    ),
    "load_canister_snapshot": (
        Record({"canister_id": PRINCIPAL, "snapshot_id": BLOB, **VERSION}),
        None,
    ),
    "list_canister_snapshots": (CANISTER, Vec(SNAPSHOT)),
    "delete_canister_snapshot": (SNAPSHOT_OF, None),
    "read_canister_snapshot_metadata": (
        SNAPSHOT_OF,
        Record({"source": SOURCE, "canister_version": NAT64, "taken_at_timestamp": NAT64, **SNAPSHOT_STATE}),
    ),
    "read_canister_snapshot_data": (
        Record(
            {
                "canister_id": PRINCIPAL,
                "snapshot_id": BLOB,
                "kind": Variant(
                    {
                        "wasm_module": RANGE,
                        "wasm_memory": RANGE,
                        "stable_memory": RANGE,
                        "wasm_chunk": HASH,
                    }
                ),
            }
        ),
        Record({"chunk": BLOB}),
    ),
    "upload_canister_snapshot_metadata": (
        Record({"canister_id": PRINCIPAL, "replace_snapshot": Opt(BLOB), **SNAPSHOT_STATE}),
        Record({"snapshot_id": BLOB}),
    ),
    "upload_canister_snapshot_data": (
        Record(
            {
                "canister_id": PRINCIPAL,
                "snapshot_id": BLOB,
                "kind": Variant(
                    {
                        "wasm_module": OFFSET,
                        "wasm_memory": OFFSET,
                        "stable_memory": OFFSET,
                        "wasm_chunk": NULL,
                    }
                ),
                "chunk": BLOB,
            }
        ),
        None,
    ),
    "fetch_canister_logs": (
        Record(
            {
                "canister_id": PRINCIPAL,
                "filter": Opt(Variant({"by_idx": LOG_RANGE, "by_timestamp_nanos": LOG_RANGE})),
            }
        ),
        Record(
            {"canister_log_records": Vec(Record({"idx": NAT64, "timestamp_nanos": NAT64, "content": BLOB}))}
        ),
    ),
    "list_canisters": (
        Record({}),
        Record({"canisters": Vec(Record({"start": PRINCIPAL, "end": PRINCIPAL}))}),
    ),
}
"""Argument and result of each method."""


def filled(kind: CandidType | None, values: dict[str, Any]) -> dict[str, Any]:
    """The fields of a record, those that are not given as None."""
    return {name: values.get(name) for name in kind.fields} if isinstance(kind, Record) else {}
