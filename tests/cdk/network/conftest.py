"""Built test canisters on devnet's replica, or on a given network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cdk.build import build
from cdk.candid import Codec, Principal
from cdk.candid.did_parser import parse_did
from tests.devnet.replica.harness import USER, Net
from tests.network_replica import open_net

ROOT = Path(__file__).resolve().parents[3]


class Deployed:
    """A canister on the replica; calls take and answer Python values."""

    def __init__(self, net: Net, name: str, *init: Any) -> None:
        self.net = net
        built = build(f"tests/cdk/canisters/{name}", ROOT)
        self.module = built.module
        self.description = parse_did(built.did)
        self.raw_id = net.create()
        net.install(self.raw_id, self.module, arg=self.init_argument(*init))

    @property
    def id(self) -> Principal:
        return Principal(self.raw_id)

    def init_argument(self, *values: Any) -> bytes:
        return Codec(self.description.init or ()).encode(values)

    def upgrade(self, *values: Any) -> None:
        self.net.install(self.raw_id, self.module, mode="upgrade", arg=self.init_argument(*values))

    def argument(self, method: str, *values: Any) -> bytes:
        return Codec(self.description.methods[method].arguments).encode(values)

    def update(self, method: str, *values: Any, sender: bytes = USER) -> Any:
        reply = self.net.update(self.raw_id, method, self.argument(method, *values), sender)
        return self.read(method, reply)

    def query(self, method: str, *values: Any, sender: bytes = USER) -> Any:
        return self.read(method, self.net.query(self.raw_id, method, self.argument(method, *values), sender))

    def read(self, method: str, reply: bytes) -> Any:
        return next(iter(Codec(self.description.methods[method].results).decode(reply)), None)


@pytest.fixture
def net() -> Iterator[Net]:
    with open_net() as net:
        yield net


@pytest.fixture
def deploy(net: Net) -> Callable[..., Deployed]:
    """`deploy("counter", 5)`: the test canister, installed with these init values."""
    return lambda name, *init: Deployed(net, name, *init)
