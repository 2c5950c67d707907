"""Changing canister settings: validation and conversion to and from Candid.

Source: IC interface specification, `update_settings`; bounds from the resource limits page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from devnet.replica import rejects
from devnet.replica.api import KIB
from devnet.replica.canister import Settings, Visibility

MAX_CONTROLLERS = 10
MAX_ENVIRONMENT_VARIABLES = 20
MAX_VARIABLE_BYTES = 128
MAX_VIEWERS = 10
MIN_LOG_MEMORY = 4 * KIB
"""Less than this, other than nothing, is no possible `log_memory_limit`."""

_BOUNDS = {
    "compute_allocation": 100,
    "memory_allocation": 1 << 48,
    "freezing_threshold": (1 << 64) - 1,
    "reserved_cycles_limit": (1 << 128) - 1,
    "minimum_incoming_canister_call_cycles": (1 << 128) - 1,
    "log_memory_limit": 2 << 20,
    "wasm_memory_limit": 1 << 48,
    "wasm_memory_threshold": 1 << 48,
}
_VISIBILITIES = ("log_visibility", "snapshot_visibility", "status_visibility")


def changed(settings: Settings, wanted: Mapping[str, Any]) -> Settings:
    """The settings with the given fields replaced; fields that are None stay.

    Raises:
        Reject: a value is out of bounds.
    """
    fields: dict[str, Any] = {}
    for name, value in wanted.items():
        if value is None:
            continue
        if name in _BOUNDS:
            if value > _BOUNDS[name]:
                raise _invalid(f"'{name}' is {value}, at most {_BOUNDS[name]} is allowed")
            if name == "log_memory_limit" and 0 < value < MIN_LOG_MEMORY:
                raise _invalid(f"'{name}' is {value}, it must be 0 or at least {MIN_LOG_MEMORY}")
            fields[name] = value
        elif name in _VISIBILITIES:
            kind, viewers = value
            if len(viewers or ()) > MAX_VIEWERS:
                raise _invalid(f"'{name}' has {len(viewers)} viewers, at most {MAX_VIEWERS} are allowed")
            fields[name] = Visibility(kind, tuple(viewers or ()))
        elif name == "controllers":
            fields[name] = _controllers(value)
        elif name == "environment_variables":
            fields[name] = _environment_variables(value)
    return replace(settings, **fields)


def definite(settings: Settings) -> dict[str, Any]:
    """All settings, as `canister_status` answers them."""
    fields: dict[str, Any] = {name: getattr(settings, name) for name in _BOUNDS}
    for name in _VISIBILITIES:
        visibility: Visibility = getattr(settings, name)
        fields[name] = (visibility.kind, visibility.viewers if visibility.kind == "allowed_viewers" else None)
    fields["controllers"] = list(settings.controllers)
    fields["environment_variables"] = [
        {"name": name, "value": value} for name, value in settings.environment_variables.items()
    ]
    return fields


def environment_hash(variables: Mapping[str, str]) -> bytes:
    """Hash of environment variables: the representation-independent one of a map with text values."""
    pairs = (
        hashlib.sha256(name.encode()).digest() + hashlib.sha256(value.encode()).digest()
        for name, value in variables.items()
    )
    return hashlib.sha256(b"".join(sorted(pairs))).digest()


def _invalid(why: str) -> Exception:
    return rejects.invalid_settings(why)


def _controllers(value: list[bytes]) -> tuple[bytes, ...]:
    if len(value) > MAX_CONTROLLERS:
        raise _invalid(f"'controllers' length exceeds maximum size allowed of {MAX_CONTROLLERS}.")
    return tuple(dict.fromkeys(value))


def _environment_variables(value: list[dict[str, str]]) -> dict[str, str]:
    if len(value) > MAX_ENVIRONMENT_VARIABLES:
        raise _invalid(f"there may be at most {MAX_ENVIRONMENT_VARIABLES} environment variables")
    variables = {entry["name"]: entry["value"] for entry in value}
    if len(variables) != len(value):
        raise _invalid("an environment variable is given twice")
    for name, content in variables.items():
        for text in (name, content):
            if len(text.encode()) > MAX_VARIABLE_BYTES:
                raise _invalid(
                    f"environment variable {name!r}: at most {MAX_VARIABLE_BYTES} bytes are allowed"
                )
    return variables
