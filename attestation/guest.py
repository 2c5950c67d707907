"""Guest claims: what only the guest can read about itself, bound by hash into the CPU quote.

No signed field of a GPU report says whether confidential computing is on and developer tools are off; the
measured guest reads both from the driver and states them here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from attestation.bundle import MAX_GUEST_CLAIMS_BYTES
from attestation.errors import MalformedEvidence

MODES = ("on", "off")
VERSION_PATTERN = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){0,4}", re.ASCII)


@dataclass(frozen=True)
class GuestClaims:
    """`cc_mode` and `devtools` are ``on`` or ``off``; `driver` and `worker` are dotted decimal versions."""

    cc_mode: str
    devtools: str
    driver: str
    worker: str
    simulated: bool = False


def encode_guest_claims(claims: GuestClaims) -> bytes:
    """Canonical JSON: sorted keys, no spaces, ASCII; `simulated` is present only when true."""
    fields: dict[str, object] = {
        "cc_mode": claims.cc_mode,
        "devtools": claims.devtools,
        "driver": claims.driver,
        "worker": claims.worker,
    }
    if claims.simulated:
        fields["simulated"] = True
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def decode_guest_claims(data: bytes) -> GuestClaims:
    """Parse guest claims; raises `MalformedEvidence` unless `encode_guest_claims` would give the same."""
    if len(data) > MAX_GUEST_CLAIMS_BYTES:
        raise MalformedEvidence("guest", f"{len(data)} bytes, at most {MAX_GUEST_CLAIMS_BYTES} are accepted")
    try:
        fields = json.loads(data.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise MalformedEvidence("guest", f"not ASCII JSON: {error}") from error
    if not isinstance(fields, dict):
        raise MalformedEvidence("guest", f"expected an object, found {type(fields).__name__}")
    claims = GuestClaims(
        cc_mode=_mode(fields, "cc_mode"),
        devtools=_mode(fields, "devtools"),
        driver=_version(fields, "driver"),
        worker=_version(fields, "worker"),
        simulated=fields.get("simulated", False) is True,
    )
    if encode_guest_claims(claims) != data:
        raise MalformedEvidence("guest", "not the canonical encoding, or holds a field that is not known")
    return claims


def _mode(fields: dict[str, object], name: str) -> str:
    value = fields.get(name)
    if value not in MODES:
        raise MalformedEvidence(f"guest.{name}", f"must be one of {MODES}, found {value!r}")
    return str(value)


def _version(fields: dict[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not VERSION_PATTERN.fullmatch(value):
        raise MalformedEvidence(f"guest.{name}", f"must be a dotted decimal version, found {value!r}")
    return value
