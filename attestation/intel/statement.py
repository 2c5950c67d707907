"""Intel's signed JSON statements, as its provisioning service serves them (PCS API v4, "Get TCB Info V4").

``{"<member>":<value>,"signature":"<128 hex digits>"}``: the signature (r ‖ s, P-256, SHA-256) is over the
bytes of the value exactly as they stand there, never over a re-encoding.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from attestation.certificate_chain import NANOSECONDS
from attestation.errors import CollateralExpired, MalformedEvidence
from attestation.x509 import seconds_since_1970

MAX_STATEMENT_BYTES = 64 * 1024
SIGNATURE_HEX = 128
TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z", re.ASCII)
HEX = re.compile(r"(?:[0-9A-Fa-f]{2})*", re.ASCII)
MAX_NUMBER = 0xFFFF
MAX_TEXT = 64


class Statement(NamedTuple):
    """The `signed` bytes, their `signature` (64 bytes), the object they spell. Times: seconds since 1970."""

    signed: bytes
    signature: bytes
    fields: dict[str, Any]
    issued: int
    next_update: int


def parse_statement(data: bytes, member: str, claim: str) -> Statement:
    """Split and parse one statement; raises `MalformedEvidence`. The signature is not checked here."""
    prefix = f'{{"{member}":'.encode("ascii")
    separator = b',"signature":"'
    tail = len(separator) + SIGNATURE_HEX + 2
    if not len(prefix) + tail < len(data) <= MAX_STATEMENT_BYTES or not data.startswith(prefix):
        raise MalformedEvidence(claim, f"{len(data)} bytes that do not begin with {prefix!r}, or too many")
    signed, rest = data[len(prefix) : -tail], data[-tail:]
    digits = rest[len(separator) : -2]
    if not rest.startswith(separator) or not rest.endswith(b'"}') or digits != digits.lower():
        raise MalformedEvidence(claim, "does not end with a signature of 128 lower-case hex digits")
    try:
        signature = bytes.fromhex(digits.decode("ascii"))
        fields = json.loads(signed.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise MalformedEvidence(claim, f"not JSON with a hex signature: {error}") from error
    if len(signature) * 2 != SIGNATURE_HEX or not isinstance(fields, dict):
        raise MalformedEvidence(claim, "not a JSON object with a signature of 64 bytes")
    issued, next_update = time(fields, "issueDate", claim), time(fields, "nextUpdate", claim)
    return Statement(signed, signature, fields, issued, next_update)


def check_window(statement: Statement, now_ns: int, claim: str) -> None:
    """Refuse a statement from the future, or one that Intel has replaced since."""
    now = now_ns // NANOSECONDS
    if not statement.issued <= now <= statement.next_update:
        raise CollateralExpired(
            claim,
            f"holds from {statement.issued} to {statement.next_update}, but it is {now} (seconds since "
            "1970); supply a newer one",
        )


def require(fields: dict[str, Any], name: str, expected: object, claim: str) -> None:
    """Refuse a member that is not exactly `expected`."""
    if type(fields.get(name)) is not type(expected) or fields[name] != expected:
        raise MalformedEvidence(claim, f"{name} is {_shown(fields.get(name))}, expected {expected!r}")


def number(fields: dict[str, Any], name: str, claim: str) -> int:
    """A member from 0 to 65535."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_NUMBER:
        raise MalformedEvidence(claim, f"{name} is {_shown(value)}, expected 0 to {MAX_NUMBER}")
    return value


def text(fields: dict[str, Any], name: str, claim: str) -> str:
    """A short text."""
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise MalformedEvidence(claim, f"{name} is {_shown(value)}, expected at most {MAX_TEXT} characters")
    return value


def octets(fields: dict[str, Any], name: str, length: int, claim: str) -> bytes:
    """A member of `length` bytes in hex."""
    value = fields.get(name)
    if not isinstance(value, str) or len(value) != 2 * length or not HEX.fullmatch(value):
        raise MalformedEvidence(claim, f"{name} is {_shown(value)}, expected {length} bytes in hex")
    return bytes.fromhex(value)


def time(fields: dict[str, Any], name: str, claim: str) -> int:
    """Seconds since 1970 of ``YYYY-MM-DDTHH:MM:SSZ``."""
    value = fields.get(name)
    match = TIME.fullmatch(value) if isinstance(value, str) else None
    seconds = None if match is None else seconds_since_1970("".join(match.groups()))
    if seconds is None:
        raise MalformedEvidence(
            claim, f"{name} is {_shown(value)}, expected a time such as 2025-06-19T10:00:00Z"
        )
    return seconds


def member(fields: dict[str, Any], name: str, claim: str) -> dict[str, Any]:
    """A member that is an object."""
    value = fields.get(name)
    if not isinstance(value, dict):
        raise MalformedEvidence(claim, f"{name} is {_shown(value)}, expected an object")
    return value


def members(fields: dict[str, Any], name: str, maximum: int, claim: str) -> list[dict[str, Any]]:
    """A list of at most `maximum` objects."""
    value = fields.get(name)
    if not isinstance(value, list) or len(value) > maximum or not all(isinstance(v, dict) for v in value):
        raise MalformedEvidence(claim, f"{name} is not a list of at most {maximum} objects")
    return value


def masked(found: bytes, mask: bytes) -> bytes:
    """The bits of `found` that `mask` selects."""
    return bytes(a & b for a, b in zip(found, mask, strict=True))


def _shown(value: object) -> str:
    return repr(value)[:80]
