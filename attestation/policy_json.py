"""Policies as JSON, to read and to submit. Strict: every field, no other, right types."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from attestation.errors import PolicyMalformed
from attestation.policy import MAX_DEPTH, MAX_ENTRIES, AllOf, AnyOf, Policy, PolicyExpression

MAX_JSON_BYTES = 64 * 1024
MAX_TEXT_CHARACTERS = 200
MAX_SECURITY_VERSION = 255
MAX_MITIGATIONS = 2**63 - 1
MAX_SECONDS = 366 * 86_400
DECIMAL_VERSION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){0,4}", re.ASCII)
HEX_VERSION = re.compile(r"[0-9A-F]{2}(\.[0-9A-F]{2}){4}", re.ASCII)


def policy_to_json(policy: PolicyExpression) -> str:
    """Canonical JSON of a policy: sorted keys, no spaces."""
    return json.dumps(_to_fields(policy), sort_keys=True, separators=(",", ":"))


def policy_from_json(text: str) -> PolicyExpression:
    """The policy that `text` describes; raises `PolicyMalformed`, naming the field."""
    if len(text) > MAX_JSON_BYTES:
        raise PolicyMalformed(f"{len(text)} characters, at most {MAX_JSON_BYTES} are accepted")
    try:
        value = json.loads(text, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise PolicyMalformed(f"not JSON: {error}") from error
    return _from_fields(value, 0)


def _to_fields(policy: PolicyExpression) -> dict[str, Any]:
    if isinstance(policy, (AllOf, AnyOf)):
        kind = "all_of" if isinstance(policy, AllOf) else "any_of"
        return {"name": policy.name, kind: [_to_fields(member) for member in policy.members]}
    fields: dict[str, Any] = {}
    for name in FIELDS:
        value = getattr(policy, name)
        if isinstance(value, tuple):
            value = list(value)
        elif isinstance(value, Mapping):
            value = {key: dict(v) if isinstance(v, Mapping) else v for key, v in value.items()}
        fields[name] = value
    return fields


def _from_fields(value: Any, depth: int) -> PolicyExpression:
    if not isinstance(value, dict):
        raise PolicyMalformed(f"expected an object, found {type(value).__name__}")
    if depth > MAX_DEPTH:
        raise PolicyMalformed(f"nested deeper than {MAX_DEPTH}")
    for kind, composition in (("all_of", AllOf), ("any_of", AnyOf)):
        if kind in value:
            _check_keys(value, {"name", kind})
            members = value[kind]
            if not isinstance(members, list):
                raise PolicyMalformed(f"{kind} must be a list")
            return composition(
                _text("name", value["name"]), tuple(_from_fields(m, depth + 1) for m in members)
            )
    _check_keys(value, set(FIELDS))
    return Policy(**{name: read(name, value[name]) for name, read in FIELDS.items()})


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise PolicyMalformed("a field occurs twice")
    return fields


def _check_keys(value: dict[str, Any], expected: set[str]) -> None:
    missing, unknown = expected - set(value), set(value) - expected
    if missing or unknown:
        raise PolicyMalformed(f"missing fields {sorted(missing)}, unknown fields {sorted(unknown)}")


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > MAX_TEXT_CHARACTERS or not value.isascii():
        raise PolicyMalformed(
            f"{name}: expected 1 to {MAX_TEXT_CHARACTERS} ASCII characters, found {value!r}"
        )
    return value


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise PolicyMalformed(f"{name}: expected true or false, found {value!r}")
    return value


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SECURITY_VERSION:
        raise PolicyMalformed(f"{name}: expected 0 to {MAX_SECURITY_VERSION}, found {value!r}")
    return value


def _mitigations(name: str, value: Any) -> dict[str, int]:
    bits = _object(name, value)
    for product, mask in bits.items():
        _text(name, product)
        if isinstance(mask, bool) or not isinstance(mask, int) or not 0 <= mask <= MAX_MITIGATIONS:
            raise PolicyMalformed(f"{name}: expected 0 to {MAX_MITIGATIONS}, found {mask!r}")
    return bits


def _seconds(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SECONDS:
        raise PolicyMalformed(f"{name}: expected 0 to {MAX_SECONDS} seconds, found {value!r}")
    return value


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_ENTRIES:
        raise PolicyMalformed(f"{name}: expected a list of at most {MAX_ENTRIES}")
    return tuple(_text(name, entry) for entry in value)


def _hex(digits: int) -> Callable[[str, Any], tuple[str, ...]]:
    pattern = re.compile(f"[0-9a-f]{{{digits}}}", re.ASCII)

    def read(name: str, value: Any) -> tuple[str, ...]:
        entries = _texts(name, value)
        for entry in entries:
            if not pattern.fullmatch(entry):
                raise PolicyMalformed(f"{name}: expected {digits} lower-case hex digits, found {entry!r}")
        return entries

    return read


def _version(name: str, value: Any) -> str:
    if not isinstance(value, str) or not DECIMAL_VERSION.fullmatch(value):
        raise PolicyMalformed(f"{name}: expected a dotted decimal version, found {value!r}")
    return value


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > MAX_ENTRIES:
        raise PolicyMalformed(f"{name}: expected an object of at most {MAX_ENTRIES} entries")
    return value


def _vbios_versions(name: str, value: Any) -> dict[str, str]:
    versions = _object(name, value)
    for chip, version in versions.items():
        _text(name, chip)
        if not isinstance(version, str) or not HEX_VERSION.fullmatch(version):
            raise PolicyMalformed(f"{name}: expected a version such as 96.00.9F.00.01, found {version!r}")
    return versions


def _tcb(name: str, value: Any) -> dict[str, dict[str, int]]:
    return {
        _text(name, product): {
            _text(name, component): _count(name, version)
            for component, version in _object(name, components).items()
        }
        for product, components in _object(name, value).items()
    }


# Every field of `Policy`, with what reads it.
FIELDS: dict[str, Callable[[str, Any], Any]] = {
    "name": _text,
    "simulated": _flag,
    "tee_kinds": _texts,
    "cpu_roots": _hex(64),
    "gpu_roots": _hex(64),
    "measurements": _hex(96),
    "minimum_tcb": _tcb,
    "gpu_chips": _texts,
    "gpu_modes": _texts,
    "minimum_driver": _version,
    "minimum_vbios": _vbios_versions,
    "minimum_worker": _version,
    "minimum_gpus": _count,
    "maximum_gpus": _count,
    "denied_devices": _texts,
    "require_reference_values": _flag,
    "require_revocation": _flag,
    "require_firmware_id": _flag,
    "manifest_roots": _hex(64),
    "denied_manifests": _hex(64),
    "maximum_revocation_age_s": _seconds,
    "tdx_tcb_statuses": _texts,
    "snp_signing_keys": _texts,
    "required_mitigations": _mitigations,
}
