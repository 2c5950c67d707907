"""Clients that send updates until the node is gone, and remember what they were told."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from devnet.replica.candid import encode_one
from devnet.system import interface
from devnet.system.accounts import ICP_LEDGER
from tests.devnet.agent import Agent, decode, open_certificate, value_hash
from tests.devnet.durability.process import NodeProcess

TIMEOUT_S = 60


@dataclass(frozen=True)
class Update:
    """One update call, known by its id."""

    kind: str
    id: int
    canister: bytes
    method: str
    arg: bytes


@dataclass(frozen=True)
class Banks:
    """Makes the updates of two banks and of the system's ledger."""

    first: bytes
    second: bytes

    def mark(self, identifier: int) -> Update:
        return Update("mark", identifier, self.first, "mark", identifier.to_bytes(4, "little"))

    def pay(self, identifier: int) -> Update:
        payer, payee = (self.first, self.second)[:: 1 if identifier % 2 else -1]
        return Update("pay", identifier, payer, "pay", identifier.to_bytes(4, "little") + payee)

    def transfer(self, identifier: int) -> Update:
        arguments = dict.fromkeys(interface.TRANSFER_ARGS.fields) | {
            "to": self.account(identifier),
            "amount": identifier,
        }
        arg = encode_one(interface.TRANSFER_ARGS, arguments)
        return Update("transfer", identifier, ICP_LEDGER, "icrc1_transfer", arg)

    def account(self, identifier: int) -> Mapping[str, bytes | None]:
        """Where the transfer with this id goes."""
        return {"owner": self.first, "subaccount": identifier.to_bytes(32, "big")}


@dataclass
class Told:
    """What all clients know, over all lives of the node.

    Args:
        answered: replies by request id; the node has certified them.
        accepted: request ids that the node has taken with status 202.
    """

    sent: list[Update] = field(default_factory=list)
    answered: dict[bytes, tuple[Update, bytes]] = field(default_factory=dict)
    accepted: dict[bytes, Update] = field(default_factory=dict)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    progress: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def wait_for(self, acknowledgements: int) -> None:
        """Return once the node has acknowledged so many updates more."""
        for _ in range(acknowledgements):
            assert self.progress.acquire(timeout=TIMEOUT_S), "the node does not answer"

    def send(self, agent: Agent, update: Update, version: str) -> None:
        """Make one call and note what it came to."""
        content = agent.call_content(update.canister, update.method, update.arg)
        self.sent.append(update)
        response = agent.send("call", content, update.canister, version)
        request_id = value_hash(content)
        if response.status_code == 202:
            self.accepted[request_id] = update
        else:
            answer = decode(response.content)
            certificate = open_certificate(answer["certificate"], agent.root_key)
            reply = certificate.find(b"request_status", request_id, b"reply")
            assert isinstance(reply, bytes)
            self.answered[request_id] = (update, reply)
        self.progress.release()


Maker = tuple[Callable[[int], Update], str]
"""What makes an update of an id, and the version of the call endpoint to use."""


@contextmanager
def busy(node: NodeProcess, told: Told, makers: Sequence[Maker]) -> Iterator[None]:
    """A client for each maker, sending one update after another until the node is killed with the block."""

    def work(make: Callable[[int], Update], version: str) -> None:
        with Agent(node.url, node.root_key) as agent:
            try:
                while True:
                    told.send(agent, make(next(told.ids)), version)
            except httpx.TransportError:
                return

    with ThreadPoolExecutor(len(makers)) as pool:
        workers = [pool.submit(work, *maker) for maker in makers]
        try:
            yield
        finally:
            node.kill()
    for worker in workers:
        worker.result()
