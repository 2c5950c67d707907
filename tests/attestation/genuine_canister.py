"""The canister that says what genuine files mean (`canisters/genuine`), installed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.lone_canister import Host
from cdk.build import build
from cdk.candid import BLOB, NAT64, TEXT, Codec, Vec

ROOT = Path(__file__).parents[2]


class GenuineCanister:
    """It verifies every part anew, and remembers nothing."""

    def __init__(self, host: Host) -> None:
        self._canister = host(build("tests/attestation/canisters/genuine", ROOT).packed)
        self._argument, self._answer = Codec([TEXT, Vec(BLOB), NAT64]), Codec([TEXT])

    def meaning(self, kind: str, parts: Sequence[bytes], now_ns: int) -> str:
        """Text of what they mean (see `meanings.written`), or the name of the error and its claim."""
        reply = self._canister.update("meaning", self._argument.encode([kind, list(parts), now_ns]))
        return str(self._answer.decode(reply)[0])
