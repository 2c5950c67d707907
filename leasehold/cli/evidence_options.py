"""What the commands about evidence take: nonces, principals, points in time."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from attestation.binding import NONCE_BYTES
from leasehold.agent import Principal, PrincipalError

SIMULATED_NOTE = "SIMULATED: no hardware stands behind this evidence"

_NONCE = re.compile(rf"[0-9a-fA-F]{{{2 * NONCE_BYTES}}}")
_NANOSECONDS = re.compile(r"[0-9]{1,20}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# 1973: whoever gives less means seconds or milliseconds.
_EARLIEST = 10**17
_LATEST = 2**63


class Nonce(click.ParamType[bytes]):
    """The 32 bytes of a challenge, in hexadecimal."""

    name = "hex"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        if isinstance(value, bytes):
            return value
        if not _NONCE.fullmatch(value):
            self.fail(f"{value!r} is not {NONCE_BYTES} bytes in hexadecimal", param, ctx)
        return bytes.fromhex(value)


class PrincipalText(click.ParamType[Principal]):
    """A principal as it is written."""

    name = "principal"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Principal:
        if isinstance(value, Principal):
            return value
        try:
            principal = Principal.parse(value)
        except PrincipalError as error:
            self.fail(str(error), param, ctx)
        if not principal.raw:
            self.fail(f"{value} is the management canister, which operates no machine", param, ctx)
        return principal


class Time(click.ParamType[int]):
    """A point in time, as RFC 3339 or as nanoseconds since 1970; answers the latter."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        nanoseconds = int(value) if _NANOSECONDS.fullmatch(value) else self._rfc_3339(value, param, ctx)
        if not _EARLIEST <= nanoseconds < _LATEST:
            self.fail(
                f"{value!r} is not between the years 1973 and 2262 (nanoseconds since 1970)", param, ctx
            )
        return nanoseconds

    def _rfc_3339(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.fail(
                f"{value!r} is neither RFC 3339 with a time zone, such as 2026-11-21T09:00:00Z, nor "
                "nanoseconds since 1970",
                param,
                ctx,
            )
        return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


NONCE = Nonce()
PRINCIPAL = PrincipalText()
TIME = Time()
