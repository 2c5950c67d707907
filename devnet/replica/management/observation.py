"""Management methods that show what a canister is and did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devnet.replica import rejects
from devnet.replica.canister import Canister, Status, Visibility
from devnet.replica.logs import LogRecord
from devnet.replica.management import interface
from devnet.replica.management.methods import Callers, is_controller, method
from devnet.replica.management.settings import definite
from devnet.replica.record import Change, LoadedSnapshot

if TYPE_CHECKING:
    from devnet.replica.management.canister import Management, ManagementCall

MAX_LOGS_BYTES = 2_000_000
"""Bytes of log lines in one answer."""

_LINE_BYTES = 32
"""What a line counts for besides its content."""


@method(interface.CANISTER, interface.STATUS, Callers.ANYONE, query=True)
def canister_status(management: Management, call: ManagementCall, argument: Any) -> Any:
    canister = call.canister
    check_visible(canister, canister.settings.status_visibility, call.caller)
    stats = canister.query_stats
    return {
        "status": (Status(canister.status).name.lower(), None),
        "ready_for_migration": canister.status is Status.STOPPED and not canister.queue,
        "version": canister.version,
        "settings": definite(canister.settings),
        "module_hash": canister.code.module.hash if canister.code else None,
        "memory_size": canister.memory_bytes,
        "memory_metrics": canister.memory_metrics,
        "cycles": canister.cycles,
        "reserved_cycles": 0,
        "idle_cycles_burned_per_day": canister.idle_per_day,
        "query_stats": {
            "num_calls_total": stats.calls,
            "num_instructions_total": stats.instructions,
            "request_payload_bytes_total": stats.request_bytes,
            "response_payload_bytes_total": stats.response_bytes,
        },
    }


def check_visible(canister: Canister, visibility: Visibility, caller: bytes) -> None:
    """Refuse a caller who may not see something.

    Raises:
        Reject: neither a controller nor among the viewers.
    """
    if visibility.kind == "public" or caller in visibility.viewers or is_controller(canister, caller):
        return
    raise rejects.not_controller(canister.id, canister.settings.controllers, caller)


@method(interface.INFO_ARGS, interface.INFO, Callers.ANYONE, query=True, ingress=False)
def canister_info(management: Management, call: ManagementCall, argument: Any) -> Any:
    canister = call.canister
    count = argument["num_requested_changes"] or 0
    return {
        "total_num_changes": canister.total_changes,
        "recent_changes": [_change(change) for change in canister.history[-count:]] if count else [],
        "module_hash": canister.code.module.hash if canister.code else None,
        "controllers": list(canister.settings.controllers),
    }


def _change(change: Change) -> dict[str, Any]:
    origin: tuple[str, Any] = ("from_user", {"user_id": change.origin})
    if change.by_canister:
        version = change.origin_version
        origin = ("from_canister", {"canister_id": change.origin, "canister_version": version})
    details: dict[str, Any] = {
        "creation": {
            "controllers": change.controllers,
            "environment_variables_hash": change.environment_hash,
        },
        "code_uninstall": None,
        "code_deployment": {"mode": (change.mode, None), "module_hash": change.module_hash},
        "controllers_change": {"controllers": change.controllers},
        "load_snapshot": change.snapshot and _loaded(change.snapshot),
    }
    return {
        "timestamp_nanos": change.timestamp,
        "canister_version": change.version,
        "origin": origin,
        "details": (change.kind, details[change.kind]),
    }


def _loaded(snapshot: LoadedSnapshot) -> dict[str, Any]:
    return {
        "canister_version": snapshot.version,
        "snapshot_id": snapshot.id,
        "taken_at_timestamp": snapshot.taken_at,
        "source": ("metadata_upload" if snapshot.uploaded else "taken_from_canister", None),
        "from_canister_id": snapshot.from_canister,
    }


@method(interface.METADATA_ARGS, interface.METADATA, Callers.ANYONE, ingress=False)
def canister_metadata(management: Management, call: ManagementCall, argument: Any) -> Any:
    canister, name = call.canister, argument["name"]
    if canister.code is None:
        raise rejects.no_module(canister.id)
    info = canister.code.module.info
    if name in info.public_metadata:
        return {"value": info.public_metadata[name]}
    if name in info.private_metadata and is_controller(canister, call.caller):
        return {"value": info.private_metadata[name]}
    raise rejects.no_metadata(canister.id, name)


@method(interface.LOGS_ARGS, interface.LOGS, Callers.ANYONE, query=True, ingress=False)
def fetch_canister_logs(management: Management, call: ManagementCall, argument: Any) -> Any:
    canister = call.canister
    check_visible(canister, canister.settings.log_visibility, call.caller)
    wanted = [record for record in canister.log.records if _wanted(record, argument["filter"])]
    return {
        "canister_log_records": [
            {"idx": record.index, "timestamp_nanos": record.timestamp, "content": record.content}
            for record in _fitting(wanted, newest=argument["filter"] is None)
        ]
    }


def _fitting(records: list[LogRecord], *, newest: bool) -> list[LogRecord]:
    """As many of the newest or of the oldest lines as fit in one answer, in their order."""
    fitting: list[LogRecord] = []
    room = MAX_LOGS_BYTES
    for record in reversed(records) if newest else records:
        room -= len(record.content) + _LINE_BYTES
        if room < 0:
            break
        fitting.append(record)
    return fitting[::-1] if newest else fitting


def _wanted(record: LogRecord, selection: tuple[str, Any] | None) -> bool:
    if selection is None:
        return True
    kind, bounds = selection
    value = record.index if kind == "by_idx" else record.timestamp
    return bool(bounds["start"] <= value < bounds["end"])
