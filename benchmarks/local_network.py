"""A local network in this process, whose replica tells what each message cost."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.canisters import OUR_CANISTERS, ROOT, install_programs
from benchmarks.goods import FUNDS, ROLES
from cdk.build import build
from devnet.http.engine import ReplicaPort
from devnet.node import Node
from devnet.replica import Ingress, IngressState, Replica
from leasehold.agent import Agent, Canister, Identity, Principal
from leasehold.network import Client, Network
from leasehold.roles.deployer import DeployOptions, deploy

INGRESS_LIFETIME_NS = 240 * 1_000_000_000


@dataclass(frozen=True)
class Subnet:
    """The running node, seen from within."""

    node: Node

    def instructions(self, canister: Principal, export: str) -> int:
        """What an export, such as `canister_update transfer` or `canister_init`, took when it last ran."""

        def look(replica: ReplicaPort) -> int | None:
            assert isinstance(replica, Replica)
            return replica.last_instructions(canister.raw, export)

        found = self.node.engine.perform(look).result()
        if found is None:
            raise LookupError(f"{export!r} has not run on {canister}")
        return found

    def update_many(self, canister: Principal, method: str, caller: Principal, args: Sequence[bytes]) -> None:
        """Execute update calls one after another without HTTP, signatures and certificates.

        Raises: RuntimeError if one was rejected.
        """

        def execute(replica: ReplicaPort) -> None:
            assert isinstance(replica, Replica)
            for arg in args:
                request_id = os.urandom(32)
                expiry = replica.time() + INGRESS_LIFETIME_NS
                replica.submit(
                    Ingress(request_id, caller.raw, canister.raw, method, arg, expiry, canister.raw)
                )
                while replica.run():
                    pass
                status = replica.ingress_status(request_id)
                if status is None or status.state is not IngressState.REPLIED:
                    raise RuntimeError(f"{method} was not answered: {status}")

        self.node.engine.perform(execute).result()


@dataclass(frozen=True)
class Market:
    """Our canisters, deployed, and a client for each role."""

    subnet: Subnet
    clients: Mapping[str, Client]


@contextmanager
def subnet_with_programs() -> Iterator[tuple[Subnet, Canister]]:
    """A network in memory with the measuring canister installed."""
    with Node.start() as node, Agent(node.url, Identity.generate(), node.root_key) as agent:
        yield Subnet(node), install_programs(agent)


@contextmanager
def market(modules: Mapping[str, bytes] | None = None) -> Iterator[Market]:
    """A network in memory with our canisters; renter and operator have `FUNDS` on the ledger."""
    with Node.start() as node, deployed(node.url, node.root_key, modules) as clients:
        yield Market(Subnet(node), clients)


@contextmanager
def deployed(
    url: str, root_key: bytes, modules: Mapping[str, bytes] | None = None
) -> Iterator[Mapping[str, Client]]:
    """Deploy our canisters on a network: a client for each role."""
    modules = modules or {name: build(name, ROOT).packed for name in OUR_CANISTERS}
    people = {role: Identity.generate() for role in ("deployer", *ROLES)}
    options = DeployOptions(
        initial_balances={people[role].principal: FUNDS for role in ("renter", "operator")}
    )
    with TemporaryDirectory() as folder:
        network = Network(url=url, canisters={}, root_key=root_key, folder=Path(folder))
        network, _ = deploy(network, people["deployer"], modules, options)
        with network.connect(people["deployer"]) as first:
            yield {role: first.with_identity(person) for role, person in people.items()}
