"""The replica of tests that drive one directly: in this process, or behind a given network's HTTP interface.

Both have the methods of `Net`; what needs the replica itself is skipped on a given network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import pytest

from devnet.replica import Limits, Reject
from devnet.replica.candid import decode_one, encode_one
from devnet.replica.management.methods import METHODS
from leasehold.agent import Agent, Principal, RejectedError
from tests.devnet.replica.harness import USER, FakeClock, Net, make_net
from tests.network import CanisterNetwork, given, open_network
from tests.signers import signer_of

# What a new canister has; the tests of cycles look at differences only.
CYCLES = 100_000_000_000_000
_Answer = TypeVar("_Answer")
_ANY_CANISTER = bytes.fromhex("00000000000000000101")


@contextmanager
def open_net(clock: FakeClock | None = None) -> Iterator[Any]:
    """A `Net`, or a `NetworkNet` when a network was given; what was deployed goes away again."""
    if given() is None:
        net = make_net(Limits(), clock=clock)
        try:
            yield net
        finally:
            net.replica.close()
        return
    with open_network() as network, Agent(network.url, root_key=network.root_key) as agent:
        remote = NetworkNet(network, agent)
        try:
            yield remote
        finally:
            remote.delete_all()


class NetworkNet(Net):
    """What `Net` does, by update calls and queries over HTTP."""

    def __init__(self, network: CanisterNetwork, agent: Agent) -> None:
        self._network = network
        self._agent = agent
        self._created: list[bytes] = []
        self.clock = _NetworkTime(network)

    @property
    def replica(self) -> NoReturn:  # type: ignore[override]
        pytest.skip("a given network's replica is out of reach")

    @property
    def printed(self) -> list[str]:  # type: ignore[override]
        """The logs of the canisters that were created here."""
        return [line for canister in self._created for line in self._log(canister)]

    def submit(
        self, canister: bytes, method: str, arg: bytes = b"", sender: bytes = USER, effective: bytes = b""
    ) -> bytes:
        """Send an update call; a refusal by the node is raised, what the canister answers is not."""
        try:
            self._update(canister, method, arg, sender, effective)
        except RejectedError as error:
            if not error.certified:
                raise _reject(error) from error
        return b""

    def update(self, canister: bytes, method: str, arg: bytes = b"", sender: bytes = USER) -> bytes:
        return _answered(lambda: self._update(canister, method, arg, sender))

    def query(self, canister: bytes, method: str, arg: bytes = b"", sender: bytes = USER) -> bytes:
        agent = self._agent.with_identity(signer_of(sender))
        effective = Principal(_effective(method, arg)) if canister == b"" else None
        return _answered(lambda: agent.query(Principal(canister), method, arg, effective=effective))

    def manage(self, method: str, sender: bytes = USER, **argument: Any) -> Any:
        known = METHODS[method]
        filled = {name: argument.get(name) for name in getattr(known.argument, "fields", {})}
        reply = self.update(b"", method, encode_one(known.argument, filled), sender)
        result = decode_one(known.result, reply)
        if method.startswith("provisional_create"):
            self._created.append(result["canister_id"])
        return result

    def create(self, cycles: int | None = None, sender: bytes = USER, **settings: Any) -> bytes:
        return super().create(CYCLES if cycles is None else cycles, sender, **settings)

    def install(
        self, canister: bytes, wat: str | bytes, mode: str = "install", arg: bytes = b"", sender: bytes = USER
    ) -> None:
        from leasehold.management import Management

        assert isinstance(wat, bytes)
        management = Management(self._agent.with_identity(signer_of(sender)))
        _answered(lambda: management.install(Principal(canister), wat, arg, mode=mode))

    def advance(self, seconds: float) -> None:
        self._network.advance(seconds)

    def delete_all(self) -> None:
        """Delete the canisters that were created here and are still there."""
        for canister in self._created:
            try:
                self.manage("stop_canister", canister_id=canister)
                self.manage("delete_canister", canister_id=canister)
            except Reject:
                continue

    def _update(
        self, canister: bytes, method: str, arg: bytes, sender: bytes, effective: bytes = b""
    ) -> bytes:
        agent = self._agent.with_identity(signer_of(sender))
        effective = effective or (_effective(method, arg) if canister == b"" else canister)
        return agent.update(Principal(canister), method, arg, effective=Principal(effective))

    def _log(self, canister: bytes) -> list[str]:
        known = METHODS["fetch_canister_logs"]
        argument = {"canister_id": canister, "filter": None}
        fields = {name: argument.get(name) for name in getattr(known.argument, "fields", {})}
        reply = self.query(b"", "fetch_canister_logs", encode_one(known.argument, fields))
        records = decode_one(known.result, reply)["canister_log_records"]
        return [bytes(record["content"]).decode() for record in records]


class _NetworkTime(FakeClock):
    def __init__(self, network: CanisterNetwork) -> None:
        self._network = network

    @property
    def now(self) -> int:  # type: ignore[override]
        return self._network.now_ns()


def _effective(method: str, arg: bytes) -> bytes:
    """The canister a management call is about, which the URL must name."""
    decoded = decode_one(METHODS[method].argument, arg)
    canister = decoded.get("canister_id") if isinstance(decoded, dict) else None
    return canister or _ANY_CANISTER


def _answered(call: Callable[[], _Answer]) -> _Answer:
    try:
        return call()
    except RejectedError as error:
        raise _reject(error) from error


def _reject(error: RejectedError) -> Reject:
    return Reject(error.code, error.message, error.error_code or "")
