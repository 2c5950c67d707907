"""A replica with injected time, and short ways to drive it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import wasmtime

from devnet.replica import Ingress, IngressState, Limits, Query, Reject, Replica, ThresholdKeys
from devnet.replica.candid import CandidType, Record, decode_one, encode_one
from devnet.replica.management import interface
from devnet.replica.management.methods import METHODS
from devnet.replica.natives import MakeNatives
from devnet.replica.outcalls.fetching import Fetcher
from tests.signers import signer

START_NS = 1_700_000_000_000_000_000
USER = signer("user").principal.raw
OTHER_USER = signer("other user").principal.raw
SUBNET_ID = b"\x05" * 29
NODE_ID = b"\x06" * 29
ROOT_KEY = b"root key"

SMALL = Limits(
    update_instructions=20_000_000,
    query_instructions=5_000_000,
    install_instructions=100_000_000,
    inspect_instructions=1_000_000,
)


@dataclass
class FakeClock:
    now: int = START_NS

    def now_ns(self) -> int:
        return self.now


class FakeKeys:
    """Answers that name their inputs."""

    def vetkd_public_key(self, canister_id: bytes, context: bytes, key_name: str) -> bytes:
        return b"public|" + canister_id + b"|" + context + b"|" + key_name.encode()

    def vetkd_derive_key(
        self, canister_id: bytes, context: bytes, input: bytes, transport_public_key: bytes, key_name: str
    ) -> bytes:
        if transport_public_key == b"bad":
            raise ValueError("transport key is not a point")
        return b"|".join([b"derived", canister_id, context, input, transport_public_key, key_name.encode()])

    def signing_public_key(
        self, algorithm: str, canister_id: bytes, path: Sequence[bytes], key_name: str
    ) -> tuple[bytes, bytes]:
        return b"|".join([algorithm.encode(), canister_id, *path, key_name.encode()]), b"chain code"

    def sign(
        self,
        algorithm: str,
        canister_id: bytes,
        path: Sequence[bytes],
        key_name: str,
        message: bytes,
        merkle_root: bytes | None = None,
    ) -> bytes:
        if message == b"bad":
            raise ValueError("message cannot be signed")
        root = b"no root" if merkle_root is None else merkle_root
        return b"|".join([algorithm.encode(), canister_id, *path, key_name.encode(), message, root])


@dataclass
class Net:
    """One replica and its clock."""

    replica: Replica
    clock: FakeClock
    printed: list[str] = field(default_factory=list)

    def submit(
        self, canister: bytes, method: str, arg: bytes = b"", sender: bytes = USER, effective: bytes = b""
    ) -> bytes:
        """Queue an update call; returns its request id."""
        request_id = os.urandom(32)
        expiry = self.clock.now + 300_000_000_000
        self.replica.submit(Ingress(request_id, sender, canister, method, arg, expiry, effective or canister))
        return request_id

    def settle(self) -> None:
        """Run until nothing is left to do."""
        while self.replica.run():
            pass

    def outcome(self, request_id: bytes) -> bytes:
        """The reply; a reject is raised."""
        status = self.replica.ingress_status(request_id)
        assert status is not None
        if status.reject is not None:
            raise status.reject
        assert status.state is IngressState.REPLIED, status
        assert status.reply is not None
        return status.reply

    def update(self, canister: bytes, method: str, arg: bytes = b"", sender: bytes = USER) -> bytes:
        request_id = self.submit(canister, method, arg, sender)
        self.settle()
        return self.outcome(request_id)

    def query(self, canister: bytes, method: str, arg: bytes = b"", sender: bytes = USER) -> bytes:
        return self.replica.query(Query(sender, canister, method, arg))

    def manage(self, method: str, sender: bytes = USER, **argument: Any) -> Any:
        """Call a management method as a user, by a query if users cannot update with it."""
        known = METHODS[method]
        arg = encode_one(known.argument, _filled(known.argument, argument))
        if known.query and not known.ingress:
            return decode_one(known.result, self.query(b"", method, arg, sender))
        effective = argument.get("canister_id", b"")
        request_id = self.submit(b"", method, arg, sender, effective)
        self.settle()
        return decode_one(known.result, self.outcome(request_id))

    def create(self, cycles: int | None = None, sender: bytes = USER, **settings: Any) -> bytes:
        created: bytes = self.manage(
            "provisional_create_canister_with_cycles",
            sender,
            amount=cycles,
            settings=_filled(interface.SETTINGS, settings),
        )["canister_id"]
        return created

    def install(
        self, canister: bytes, wat: str | bytes, mode: str = "install", arg: bytes = b"", sender: bytes = USER
    ) -> None:
        module = wat if isinstance(wat, bytes) else bytes(wasmtime.wat2wasm(wat))
        options = (mode, None)
        self.manage("install_code", sender, mode=options, canister_id=canister, wasm_module=module, arg=arg)

    def deploy(self, wat: str | bytes, arg: bytes = b"", cycles: int | None = None) -> bytes:
        canister = self.create(cycles)
        self.install(canister, wat, arg=arg)
        return canister

    def status(self, canister: bytes) -> Any:
        return self.manage("canister_status", canister_id=canister)

    def advance(self, seconds: float) -> None:
        self.clock.now += int(seconds * 1_000_000_000)
        self.settle()


def _filled(kind: CandidType | None, argument: dict[str, Any]) -> dict[str, Any]:
    """Absent fields are None."""
    assert isinstance(kind, Record) or kind is None
    return {} if kind is None else {name: argument.get(name) for name in kind.fields}


def make_net(
    limits: Limits = SMALL,
    state_dir: Path | None = None,
    cache_dir: Path | None = None,
    clock: FakeClock | None = None,
    randomness: Callable[[int], bytes] = lambda size: bytes(range(size)),
    natives: MakeNatives | None = None,
    fetcher: Fetcher | None = None,
    keys: ThresholdKeys | None = None,
    wake: Callable[[], None] = lambda: None,
) -> Net:
    clock = clock or FakeClock()
    printed: list[str] = []
    replica = Replica(
        keys=keys or FakeKeys(),
        subnet_id=SUBNET_ID,
        clock=clock,
        root_key=ROOT_KEY,
        state_dir=state_dir,
        limits=limits,
        randomness=randomness,
        log=lambda canister, message: printed.append(message),
        cache_dir=cache_dir,
        natives=natives,
        node_id=NODE_ID,
        fetcher=fetcher,
        wake=wake,
    )
    return Net(replica, clock, printed)


def rejected(call: Callable[[], Any]) -> Reject:
    """The reject that a call ends in."""
    try:
        call()
    except Reject as reject:
        return reject
    raise AssertionError("the call was not rejected")
