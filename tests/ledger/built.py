"""A canister's built module, run under wasmtime."""

from __future__ import annotations

from typing import Any

from cdk.build import build
from cdk.candid import Codec
from cdk.candid.did_parser import parse_did
from tests.cdk.runtime.host import Canister, Message


class BuiltCanister:
    """Builds and installs a canister; calls take and answer Python values."""

    def __init__(self, name: str, *init_values: Any) -> None:
        self.built = build(name)
        self._description = parse_did(self.built.did)
        self._host = Canister(self.built.module)
        self._host.run("canister_init", Message(arg=Codec(self._description.init or ()).encode(init_values)))

    @property
    def instructions(self) -> int:
        """What the last message used, in units of wasmtime's fuel, which are about one instruction each."""
        return self._host.instructions

    def call(self, method: str, *values: Any, caller: bytes) -> Any:
        """Call an update or query method."""
        func = self._description.methods[method]
        kind = "query" if "query" in func.modes else "update"
        message = Message(arg=Codec(func.arguments).encode(values), caller=caller)
        done = self._host.run(f"canister_{kind} {method}", message)
        assert done.reply is not None, done.rejected
        return Codec(func.results).decode(done.reply)[0]

    def upgrade(self) -> None:
        """Install the same module again over the stable memory."""
        self._host = self._host.upgraded()
